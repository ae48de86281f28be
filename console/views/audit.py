from django.http import HttpRequest, HttpResponse


def audit_log(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")


def audit_export(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("soon")

