"""Column types that all layers share."""

from typing import Any

from django.db import models


class IdentifierField(models.CharField):  # type: ignore[type-arg]
    """Text that compares by bytes: exact and case-sensitive; a plain index serves prefix ranges.

    Its collation is always "C".
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        parameters["collation"] = "C"
        return parameters


class CiphertextField(models.TextField):  # type: ignore[type-arg]
    """Text that `applications.vault` has encrypted; `manage.py rotate_keys` finds it by this type.
    To migrations and to the database it is any text.
    """

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options
