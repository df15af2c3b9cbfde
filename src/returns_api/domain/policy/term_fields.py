"""The field types of terms: each value with its reader, its writer and its JSON Schema.

Owns the joint between Pydantic and what rules set. Refuses to own the values (``term_values``) and
what terms exist (``document``).
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from returns_api.domain.policy import term_values as t
from returns_api.domain.policy.field_schemas import (
    AMOUNT,
    PERCENT,
    PERIOD,
    WINDOW,
    Schema,
    map_of,
    object_of,
    values_of,
)
from returns_api.domain.policy.fields import GRADES, WRITE
from returns_api.domain.policy.vocabulary import (
    EvidenceKind,
    MethodKind,
    OnSilence,
    RefundAt,
    RepairCost,
    ResolutionKind,
    StartEvent,
)

WITHIN: Final[Schema] = {"type": "string", "pattern": WINDOW, "examples": ["30 days"]}
ResolutionsField = Annotated[
    t.Resolutions,
    PlainValidator(t.read_resolutions),
    WRITE,
    WithJsonSchema(
        object_of(
            {
                **dict.fromkeys(values_of(ResolutionKind), WITHIN),
                "store_credit": {
                    "anyOf": [WITHIN, object_of({"within": WITHIN, "bonus": PERCENT}, "within")]
                },
                "repair": {
                    "anyOf": [
                        WITHIN,
                        object_of(
                            {"within": WITHIN, "cost": {"enum": values_of(RepairCost)}}, "within"
                        ),
                    ]
                },
            }
        )
    ),
]
_START: Final[Schema] = {
    "type": "string",
    "pattern": f"^({'|'.join(values_of(StartEvent))})( *\\+ *\\d+ [a-z ]+)?$",
}
StartsField = Annotated[
    t.Starts,
    PlainValidator(t.read_starts),
    WRITE,
    WithJsonSchema({"anyOf": [_START, {"type": "array", "items": _START, "minItems": 1}]}),
]
ShippingField = Annotated[
    t.ReturnShipping,
    PlainValidator(t.read_return_shipping),
    WRITE,
    WithJsonSchema(
        {"anyOf": [{"enum": ["free", "own_cost"]}, AMOUNT, map_of(values_of(MethodKind), AMOUNT)]}
    ),
]
GradesField = Annotated[
    t.Grades,
    PlainValidator(t.read_grades),
    WRITE,
    WithJsonSchema(map_of(list(GRADES), {"anyOf": [{"enum": ["full", "refused"]}, PERCENT]})),
]
EvidenceField = Annotated[
    t.EvidenceTerm,
    PlainValidator(t.read_evidence),
    WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "none"},
                map_of(values_of(EvidenceKind), {"type": "integer", "minimum": 1, "maximum": 20}),
            ]
        }
    ),
]
MethodsField = Annotated[
    t.Methods,
    PlainValidator(t.read_methods),
    WRITE,
    WithJsonSchema(
        {
            "type": "array",
            "items": {"enum": values_of(MethodKind)},
            "minItems": 1,
            "uniqueItems": True,
        }
    ),
]
ApprovalField = Annotated[
    t.ApprovalTerm,
    PlainValidator(t.read_approval),
    WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["auto", "review"]},
                object_of({"respond_within": PERIOD, "on_silence": {"enum": values_of(OnSilence)}}),
            ]
        }
    ),
]
DeadlineField = Annotated[
    t.Deadline,
    PlainValidator(t.read_deadline),
    WRITE,
    WithJsonSchema({"anyOf": [{"const": "unlimited"}, PERIOD]}),
]
_SENT_AT: Final = [at for at in values_of(RefundAt) if at != RefundAt.RECEIPT]
RefundAtField = Annotated[
    t.RefundTiming,
    PlainValidator(t.read_refund_at),
    WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": values_of(RefundAt)},
                object_of(
                    {
                        "at": {"enum": values_of(RefundAt)},
                        "per_buyer": AMOUNT,
                        "per_day": AMOUNT,
                        "recover_within": PERIOD,
                        "otherwise": {"enum": values_of(RefundAt)},
                    },
                    "at",
                ),
            ]
        }
    ),
]
ExchangeAtField = Annotated[
    t.RefundTiming,
    PlainValidator(t.read_exchange_at),
    WRITE,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": _SENT_AT},
                object_of(
                    {
                        "at": {"enum": _SENT_AT},
                        "per_buyer": AMOUNT,
                        "per_day": AMOUNT,
                        "recover_within": PERIOD,
                    },
                    "at",
                ),
            ]
        }
    ),
]
InsuranceField = Annotated[
    t.InsuranceTerm,
    PlainValidator(t.read_insurance),
    WRITE,
    WithJsonSchema(object_of({"cover": AMOUNT, "excess": AMOUNT}, "cover")),
]
KeepField = Annotated[
    t.KeepItem,
    PlainValidator(t.read_keep_item),
    WRITE,
    WithJsonSchema(
        {"anyOf": [{"enum": ["never", "always"]}, object_of({"label_over": PERCENT}, "label_over")]}
    ),
]
