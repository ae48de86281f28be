from django.http import HttpRequest, HttpResponse


def user_list(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def user_detail(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

