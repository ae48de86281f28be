from django.http import HttpRequest, HttpResponse


def sign_in(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def sign_out(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def password_change(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def set_password(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

