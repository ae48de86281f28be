from django.http import HttpRequest, HttpResponse


def forbidden(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

