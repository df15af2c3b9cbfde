"""What the fields of a document look like in its JSON Schema.

Owns the pieces that several fields share. Refuses to own which field has which (``fields``,
``term_fields``).
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


WINDOW: Final = (
    r"^(unlimited|until \d{4}-\d{2}-\d{2}|\d+ (business day|working day|day|week|month|year)s?)$"
)
ELAPSED: Final = r"^\d+ (hour|day|week)s?$"


def values_of(words: type[Any]) -> list[str]:
    """The words that an author may write."""
    return [member.value for member in words]


def one_or_many(item: Schema) -> Schema:
    """One value, several, or all but these."""
    many: Schema = {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}
    inverse: Schema = {
        "type": "object",
        "properties": {"not": {"anyOf": [item, many]}},
        "required": ["not"],
        "additionalProperties": False,
    }
    return {"anyOf": [item, many, inverse]}


def some_of(item: Schema) -> Schema:
    """Values of a set: any, all or none of them."""
    many: Schema = {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}
    some: Schema = {"anyOf": [item, many]}
    return {"anyOf": [item, many, map_of(["any", "all", "none"], some)]}


def map_of(keys: list[str], value: Schema) -> Schema:
    """An object with some of these keys, each with such a value."""
    return {
        "type": "object",
        "properties": dict.fromkeys(keys, value),
        "additionalProperties": False,
        "minProperties": 1,
    }


def object_of(properties: Schema, *required: str) -> Schema:
    """An object with these members and no others; at least one of them."""
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else {**found, "minProperties": 1}


NUMBER: Final[Schema] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?$"}]
}
AMOUNT: Final[Schema] = {
    "anyOf": [
        *NUMBER["anyOf"],
        {
            "type": "object",
            "patternProperties": {"^[A-Z]{3}$": NUMBER},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ],
    "description": "Major units, exact: 4.90. One for each currency where the policy has several.",
}
PERCENT: Final[Schema] = {
    "type": "string",
    "pattern": r"^\d{1,3}(\.\d{1,4})? ?%$",
    "examples": ["10%"],
}
SLUG: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}
TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 200}
DAY: Final[Schema] = {"type": "string", "format": "date"}
PERIOD: Final[Schema] = {"type": "string", "pattern": ELAPSED, "examples": ["48 hours"]}


def range_of(item: Schema) -> Schema:
    """Bounds of such values."""
    return map_of(["min", "max", "above", "below"], item)
