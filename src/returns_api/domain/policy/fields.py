"""The field types of the document: each value with its reader, its writer and its JSON Schema.

Owns the joint between the value classes and Pydantic. Refuses to own what fields exist
(``document``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from returns_api.domain.calendars import find_zone
from returns_api.domain.policy import conditions as c
from returns_api.domain.policy import term_values as t
from returns_api.domain.policy import values as v
from returns_api.domain.policy.vocabulary import (
    UNKNOWN_CONDITION,
    EvidenceKind,
    Grade,
    MethodKind,
    OnSilence,
    RefundAt,
    RepairCost,
    ResolutionKind,
    StartEvent,
)
from returns_api.domain.reasons import Fault

_Schema = dict[str, Any]

GRADES: Final = tuple(grade.value for grade in Grade)
_WINDOW: Final = (
    r"^(unlimited|until \d{4}-\d{2}-\d{2}|\d+ (business day|working day|day|week|month|year)s?)$"
)
_ELAPSED: Final = r"^\d+ (hour|day|week)s?$"


def _as_written(value: Any) -> Any:
    return value.written()


def _values(words: type[Any]) -> list[str]:
    return [member.value for member in words]


def _one_or_many(item: _Schema) -> _Schema:
    many: _Schema = {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}
    inverse: _Schema = {
        "type": "object",
        "properties": {"not": {"anyOf": [item, many]}},
        "required": ["not"],
        "additionalProperties": False,
    }
    return {"anyOf": [item, many, inverse]}


def _some_of(item: _Schema) -> _Schema:
    many: _Schema = {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}
    some: _Schema = {"anyOf": [item, many]}
    return {"anyOf": [item, many, _map(["any", "all", "none"], some)]}


def _map(keys: list[str], value: _Schema) -> _Schema:
    return {
        "type": "object",
        "properties": dict.fromkeys(keys, value),
        "additionalProperties": False,
        "minProperties": 1,
    }


def _object(properties: _Schema, *required: str) -> _Schema:
    found: _Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else {**found, "minProperties": 1}


_NUMBER: Final[_Schema] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?$"}]
}
_AMOUNT: Final[_Schema] = {
    "anyOf": [
        *_NUMBER["anyOf"],
        {
            "type": "object",
            "patternProperties": {"^[A-Z]{3}$": _NUMBER},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ],
    "description": "Major units, exact: 4.90. One for each currency where the policy has several.",
}
_PERCENT: Final[_Schema] = {
    "type": "string",
    "pattern": r"^\d{1,3}(\.\d{1,4})? ?%$",
    "examples": ["10%"],
}
_SLUG: Final[_Schema] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}
_TEXT: Final[_Schema] = {"type": "string", "minLength": 1, "maxLength": 200}
_DAY: Final[_Schema] = {"type": "string", "format": "date"}
_PERIOD: Final[_Schema] = {"type": "string", "pattern": _ELAPSED, "examples": ["48 hours"]}


def _range(item: _Schema) -> _Schema:
    return _map(["min", "max", "above", "below"], item)


def _reader(read: Callable[[Any], Any]) -> PlainValidator:
    return PlainValidator(read)


def _zone(raw: object) -> str:
    if isinstance(raw, str) and find_zone(raw) is not None:
        return raw
    from returns_api.domain.policy.zones import closest_zone  # noqa: PLC0415 - rare and slow

    raise v.BadValue(f"“{str(raw)[:60]}” is not a time zone.", closest_zone(str(raw)))


_WRITE: Final = PlainSerializer(_as_written)

Slug = Annotated[str, _reader(c.read_slug), WithJsonSchema(_SLUG)]
Text = Annotated[str, _reader(c.read_text), WithJsonSchema(_TEXT)]
Pattern = Annotated[str, _reader(c.read_pattern), WithJsonSchema(_TEXT)]
Place = Annotated[
    str,
    _reader(c.read_place),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2,8}(-[A-Z0-9]{1,3})?$"}),
]
Zone = Annotated[str, _reader(_zone), WithJsonSchema({"type": "string"})]
Currency = Annotated[
    str,
    _reader(v.read_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]
Day = Annotated[date, _reader(v.read_date), PlainSerializer(date.isoformat), WithJsonSchema(_DAY)]
Percent = Annotated[
    int, _reader(v.read_ppm), PlainSerializer(v.write_ppm), WithJsonSchema(_PERCENT)
]

Elapsed = Annotated[
    v.Duration, _reader(v.read_elapsed), PlainSerializer(str), WithJsonSchema(_PERIOD)
]

NameChoice = Annotated[
    c.Choice, _reader(c.choice_of(c.read_slug)), _WRITE, WithJsonSchema(_one_or_many(_SLUG))
]
TextChoice = Annotated[
    c.Choice, _reader(c.choice_of(c.read_text)), _WRITE, WithJsonSchema(_one_or_many(_TEXT))
]
PatternChoice = Annotated[
    c.Choice, _reader(c.choice_of(c.read_pattern)), _WRITE, WithJsonSchema(_one_or_many(_TEXT))
]
PlaceChoice = Annotated[
    c.Choice,
    _reader(c.choice_of(c.read_place)),
    _WRITE,
    WithJsonSchema(_one_or_many({"type": "string", "pattern": "^[A-Z]{2,8}(-[A-Z0-9]{1,3})?$"})),
]
FaultChoice = Annotated[
    c.Choice,
    _reader(c.choice_of(c.word_of(tuple(_values(Fault)), "a side"))),
    _WRITE,
    WithJsonSchema(_one_or_many({"enum": _values(Fault)})),
]
ConditionChoice = Annotated[
    c.Choice,
    _reader(c.choice_of(c.word_of((*GRADES, UNKNOWN_CONDITION), "a condition"))),
    _WRITE,
    WithJsonSchema(_one_or_many({"enum": [*GRADES, UNKNOWN_CONDITION]})),
]
TextSet = Annotated[
    c.SetChoice,
    _reader(c.set_of(c.read_text)),
    _WRITE,
    WithJsonSchema(_some_of(_TEXT)),
]
NameSet = Annotated[
    c.SetChoice,
    _reader(c.set_of(c.read_slug)),
    _WRITE,
    WithJsonSchema(_some_of(_SLUG)),
]
AmountRange = Annotated[
    c.Range, _reader(c.range_of("amount")), _WRITE, WithJsonSchema(_range(_AMOUNT))
]
CountRange = Annotated[
    c.Range,
    _reader(c.range_of("count")),
    _WRITE,
    WithJsonSchema(_range({"type": "integer", "minimum": 0})),
]
PpmRange = Annotated[c.Range, _reader(c.range_of("ppm")), _WRITE, WithJsonSchema(_range(_PERCENT))]
DayRange = Annotated[
    c.DateRange, _reader(c.read_dates), _WRITE, WithJsonSchema(_map(["from", "until"], _DAY))
]

_WITHIN: Final[_Schema] = {"type": "string", "pattern": _WINDOW, "examples": ["30 days"]}
ResolutionsField = Annotated[
    t.Resolutions,
    _reader(t.read_resolutions),
    _WRITE,
    WithJsonSchema(
        _object(
            {
                **dict.fromkeys(_values(ResolutionKind), _WITHIN),
                "store_credit": {
                    "anyOf": [_WITHIN, _object({"within": _WITHIN, "bonus": _PERCENT}, "within")]
                },
                "repair": {
                    "anyOf": [
                        _WITHIN,
                        _object(
                            {"within": _WITHIN, "cost": {"enum": _values(RepairCost)}}, "within"
                        ),
                    ]
                },
            }
        )
    ),
]
_START: Final[_Schema] = {
    "type": "string",
    "pattern": f"^({'|'.join(_values(StartEvent))})( *\\+ *\\d+ [a-z ]+)?$",
}
StartsField = Annotated[
    t.Starts,
    _reader(t.read_starts),
    _WRITE,
    WithJsonSchema({"anyOf": [_START, {"type": "array", "items": _START, "minItems": 1}]}),
]
ShippingField = Annotated[
    t.ReturnShipping,
    _reader(t.read_return_shipping),
    _WRITE,
    WithJsonSchema(
        {"anyOf": [{"enum": ["free", "own_cost"]}, _AMOUNT, _map(_values(MethodKind), _AMOUNT)]}
    ),
]
GradesField = Annotated[
    t.Grades,
    _reader(t.read_grades),
    _WRITE,
    WithJsonSchema(_map(list(GRADES), {"anyOf": [{"enum": ["full", "refused"]}, _PERCENT]})),
]
EvidenceField = Annotated[
    t.EvidenceTerm,
    _reader(t.read_evidence),
    _WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "none"},
                _map(_values(EvidenceKind), {"type": "integer", "minimum": 1, "maximum": 20}),
            ]
        }
    ),
]
MethodsField = Annotated[
    t.Methods,
    _reader(t.read_methods),
    _WRITE,
    WithJsonSchema(
        {
            "type": "array",
            "items": {"enum": _values(MethodKind)},
            "minItems": 1,
            "uniqueItems": True,
        }
    ),
]
ApprovalField = Annotated[
    t.ApprovalTerm,
    _reader(t.read_approval),
    _WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["auto", "review"]},
                _object({"respond_within": _PERIOD, "on_silence": {"enum": _values(OnSilence)}}),
            ]
        }
    ),
]
DeadlineField = Annotated[
    t.Deadline,
    _reader(t.read_deadline),
    _WRITE,
    WithJsonSchema({"anyOf": [{"const": "unlimited"}, _PERIOD]}),
]
_SENT_AT: Final = [at for at in _values(RefundAt) if at != RefundAt.RECEIPT]
RefundAtField = Annotated[
    t.RefundTiming,
    _reader(t.read_refund_at),
    _WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": _values(RefundAt)},
                _object(
                    {
                        "at": {"enum": _values(RefundAt)},
                        "per_buyer": _AMOUNT,
                        "per_day": _AMOUNT,
                        "recover_within": _PERIOD,
                        "otherwise": {"enum": _values(RefundAt)},
                    },
                    "at",
                ),
            ]
        }
    ),
]
ExchangeAtField = Annotated[
    t.RefundTiming,
    _reader(t.read_exchange_at),
    _WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": _SENT_AT},
                _object(
                    {
                        "at": {"enum": _SENT_AT},
                        "per_buyer": _AMOUNT,
                        "per_day": _AMOUNT,
                        "recover_within": _PERIOD,
                    },
                    "at",
                ),
            ]
        }
    ),
]
InsuranceField = Annotated[
    t.InsuranceTerm,
    _reader(t.read_insurance),
    _WRITE,
    WithJsonSchema(_object({"cover": _AMOUNT, "excess": _AMOUNT}, "cover")),
]
KeepField = Annotated[
    t.KeepItem,
    _reader(t.read_keep_item),
    _WRITE,
    WithJsonSchema(
        {"anyOf": [{"enum": ["never", "always"]}, _object({"label_over": _PERCENT}, "label_over")]}
    ),
]
