from django.http import HttpRequest, HttpResponse


def settings(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

