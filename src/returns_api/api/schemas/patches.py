"""Fields of a PATCH that may be left out but not be null.

The use case reads ``model_fields_set``; the default in the class is never used, and would only
mislead in the document.
"""

from __future__ import annotations

from typing import Any


def left_out(schema: dict[str, Any]) -> None:
    """``json_schema_extra`` of such a field."""
    schema.pop("default", None)
