from django.http import HttpRequest, HttpResponse


def overview(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def application_create(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

