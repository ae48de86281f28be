"""A WSGI application that answers how long the body is that Django sees."""

from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest


def application(environ, start_response):
    try:
        status, answer = "200 OK", str(len(WSGIRequest(environ).body))
    except RequestDataTooBig:
        status, answer = "413 Content Too Large", ""
    start_response(status, [("Content-Length", str(len(answer)))])
    return [answer.encode()]
