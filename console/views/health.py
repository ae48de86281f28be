from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def readyz(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def favicon(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

