"""Column types that every storey shares."""

from typing import Any

from django.db import models


class IdentifierField(models.CharField):  # type: ignore[type-arg]
    """Text that compares by bytes: exact, case-sensitive, prefix ranges served by a plain index.

    PostgreSQL gets the "C" collation whatever the database's own is; SQLite compares by bytes
    already and knows no collation of that name.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
