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
