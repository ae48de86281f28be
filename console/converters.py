"""URL converters for a kind of environment and for a user id. Any other text is 404."""

from django.urls import register_converter

from applications.models import Environment
from users.fields import USER_ID_MAX_LENGTH


class KindConverter:
    regex = "|".join(Environment.Kind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class UserIdConverter:
    # As in `users.identity`, without "." and "..".
    regex = rf"(?!\.{{1,2}}/)[A-Za-z0-9+=._-]{{1,{USER_ID_MAX_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KindConverter, "kind")
register_converter(UserIdConverter, "user_id")
