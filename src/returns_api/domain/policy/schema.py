"""The JSON Schema of the policy document, for editors and other programs.

Owns the schema's identity and its stable form; the content comes from the models themselves.
The published file is ``openapi/policy.schema.json``; a test compares it with these bytes.
"""

from __future__ import annotations

import json
from typing import Any, Final

from returns_api.domain.policy.document import PolicyDocument

SCHEMA_ID: Final = "https://returns-api.example/schemas/policy.schema.json"


def policy_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of what an author may write."""
    found = PolicyDocument.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **_cleaned(found),
    }


def policy_schema_bytes() -> bytes:
    """The schema as it is published."""
    return (
        json.dumps(policy_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    ).encode()


def _cleaned(node: Any) -> Any:
    """Without the null alternatives of fields that may be left out, which authors never write."""
    if isinstance(node, list):
        return [_cleaned(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _cleaned(value) for key, value in node.items() if key != "default"}
    choices = found.get("anyOf")
    if isinstance(choices, list):
        rest = [choice for choice in choices if choice != {"type": "null"}]
        if len(rest) == 1 and len(choices) == 2 and isinstance(rest[0], dict):
            del found["anyOf"]
            return {**rest[0], **found}
        found["anyOf"] = rest
    return found
