from django.http import HttpRequest, HttpResponse


def keys(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def secret_add(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def secret_revoke(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def tokens_revoke_all(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

