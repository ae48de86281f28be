"""Column types that every storey shares."""

from typing import Any

from django.db import models


class IdentifierField(models.CharField):  # type: ignore[type-arg]
    """Text that compares by bytes: exact, case-sensitive, prefix ranges served by a plain index.

    Its collation is "C", whatever the database's own is.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        parameters["collation"] = "C"
        return parameters
