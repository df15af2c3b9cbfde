"""The field types of the document: each value with its reader, its writer and its JSON Schema.

Owns the joint between Pydantic and what rules are about: names, places, days, amounts, and choices
of them. Refuses to own the fields of terms (``term_fields``) and what fields exist (``document``).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from returns_api.domain.calendars import find_zone
from returns_api.domain.policy import conditions as c
from returns_api.domain.policy import values as v
from returns_api.domain.policy.field_schemas import (
    AMOUNT,
    DAY,
    PERCENT,
    PERIOD,
    SLUG,
    TEXT,
    map_of,
    one_or_many,
    range_of,
    some_of,
    values_of,
)
from returns_api.domain.policy.vocabulary import (
    UNKNOWN_CONDITION,
    Grade,
)
from returns_api.domain.reasons import Fault

GRADES: Final = tuple(grade.value for grade in Grade)


def _as_written(value: Any) -> Any:
    return value.written()


def _zone(raw: object) -> str:
    if isinstance(raw, str) and find_zone(raw) is not None:
        return raw
    from returns_api.domain.policy.zones import closest_zone  # noqa: PLC0415 - rare and slow

    raise v.BadValue(f"“{str(raw)[:60]}” is not a time zone.", closest_zone(str(raw)))


WRITE: Final = PlainSerializer(_as_written)

Slug = Annotated[str, PlainValidator(c.read_slug), WithJsonSchema(SLUG)]
Text = Annotated[str, PlainValidator(c.read_text), WithJsonSchema(TEXT)]
Pattern = Annotated[str, PlainValidator(c.read_pattern), WithJsonSchema(TEXT)]
Place = Annotated[
    str,
    PlainValidator(c.read_place),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2,8}(-[A-Z0-9]{1,3})?$"}),
]
Zone = Annotated[str, PlainValidator(_zone), WithJsonSchema({"type": "string"})]
Currency = Annotated[
    str,
    PlainValidator(v.read_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]
Day = Annotated[
    date, PlainValidator(v.read_date), PlainSerializer(date.isoformat), WithJsonSchema(DAY)
]
Percent = Annotated[
    int, PlainValidator(v.read_ppm), PlainSerializer(v.write_ppm), WithJsonSchema(PERCENT)
]

Elapsed = Annotated[
    v.Duration, PlainValidator(v.read_elapsed), PlainSerializer(str), WithJsonSchema(PERIOD)
]

NameChoice = Annotated[
    c.Choice, PlainValidator(c.choice_of(c.read_slug)), WRITE, WithJsonSchema(one_or_many(SLUG))
]
TextChoice = Annotated[
    c.Choice, PlainValidator(c.choice_of(c.read_text)), WRITE, WithJsonSchema(one_or_many(TEXT))
]
PatternChoice = Annotated[
    c.Choice, PlainValidator(c.choice_of(c.read_pattern)), WRITE, WithJsonSchema(one_or_many(TEXT))
]
PlaceChoice = Annotated[
    c.Choice,
    PlainValidator(c.choice_of(c.read_place)),
    WRITE,
    WithJsonSchema(one_or_many({"type": "string", "pattern": "^[A-Z]{2,8}(-[A-Z0-9]{1,3})?$"})),
]
FaultChoice = Annotated[
    c.Choice,
    PlainValidator(c.choice_of(c.word_of(tuple(values_of(Fault)), "a side"))),
    WRITE,
    WithJsonSchema(one_or_many({"enum": values_of(Fault)})),
]
ConditionChoice = Annotated[
    c.Choice,
    PlainValidator(c.choice_of(c.word_of((*GRADES, UNKNOWN_CONDITION), "a condition"))),
    WRITE,
    WithJsonSchema(one_or_many({"enum": [*GRADES, UNKNOWN_CONDITION]})),
]
TextSet = Annotated[
    c.SetChoice,
    PlainValidator(c.set_of(c.read_text)),
    WRITE,
    WithJsonSchema(some_of(TEXT)),
]
NameSet = Annotated[
    c.SetChoice,
    PlainValidator(c.set_of(c.read_slug)),
    WRITE,
    WithJsonSchema(some_of(SLUG)),
]
AmountRange = Annotated[
    c.Range, PlainValidator(c.range_of("amount")), WRITE, WithJsonSchema(range_of(AMOUNT))
]
CountRange = Annotated[
    c.Range,
    PlainValidator(c.range_of("count")),
    WRITE,
    WithJsonSchema(range_of({"type": "integer", "minimum": 0})),
]
PpmRange = Annotated[
    c.Range, PlainValidator(c.range_of("ppm")), WRITE, WithJsonSchema(range_of(PERCENT))
]
DayRange = Annotated[
    c.DateRange, PlainValidator(c.read_dates), WRITE, WithJsonSchema(map_of(["from", "until"], DAY))
]
