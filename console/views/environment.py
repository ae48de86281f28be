from django.http import HttpRequest, HttpResponse


def environment(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

