from django.http import HttpRequest, HttpResponse


def member_list(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def member_add(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def member_change(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def member_remove(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

