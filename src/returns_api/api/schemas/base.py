"""What all shapes share: strictness of input, public ids, safe text, integers that are integers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from returns_api.domain import ids, wire
from returns_api.domain.errors import NotFound

MAX_MONEY: Final = wire.MAX_MONEY
ID_BODY: Final = "[0-7][0-9a-hjkmnp-tv-z]{25}"


class In(BaseModel):
    """A request body: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """A response body: every field is always there, null where there is nothing to say."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
    )


NoBool: Final = wire.NoBool
Minor = wire.Minor
PositiveMinor = wire.PositiveMinor
Quantity = wire.Quantity


Storable: Final = wire.Storable
ShortText = wire.ShortText
LongText = wire.LongText
HttpsUrl = Annotated[
    str,
    StringConstraints(min_length=9, max_length=2000, pattern=r"^https://[!-~]+$"),
    Storable,
]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


TextFormat = wire.TextFormat


def ways(*options: tuple[str, ...]) -> dict[str, Any]:
    """Schema: the texts of exactly one option are given, those of the others left out or null."""
    names = {name for option in options for name in option}
    return {
        "oneOf": [
            {
                "required": list(option),
                "properties": {
                    name: {"type": "string" if name in option else "null"} for name in sorted(names)
                },
            }
            for option in options
        ]
    }


def either(*names: str) -> dict[str, Any]:
    """Schema: at least one of these texts is given."""
    return {
        "anyOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in names]
    }


def public_id(prefix: str) -> Any:
    """A field that is ``<prefix>_…`` outside and a UUID inside; a wrong form is a 422."""

    def read(value: Any) -> Any:
        if isinstance(value, UUID):
            return value
        found = ids.decode(prefix, value) if isinstance(value, str) else None
        if found is None:
            raise PydanticCustomError(
                "id", "Input should be an id that starts with '{p}_'", {"p": prefix}
            )
        return found

    return Annotated[
        UUID,
        BeforeValidator(read),
        PlainSerializer(lambda value: ids.encode(prefix, value), return_type=str),
        WithJsonSchema(
            {"type": "string", "pattern": id_pattern(prefix), "examples": [example_id(prefix)]}
        ),
    ]


def id_pattern(prefix: str) -> str:
    return f"^{prefix}_{ID_BODY}$"


def example_id(prefix: str, number: int = 1) -> str:
    """A valid id for examples and documentation."""
    return ids.encode(prefix, UUID(int=0x0192F0C1_2D3E_7A4B_8C5D_000000000000 + number))


OrderId = public_id("ord")
LineId = public_id("li")
QuoteId = public_id("qt")
ReturnId = public_id("ret")
ReturnLineId = public_id("rl")
ShipmentId = public_id("shm")
PhotoId = public_id("ev")
GiftReceiptId = public_id("gft")
PickupId = public_id("pku")
ClaimId = public_id("clm")
CancellationId = public_id("can")
AddressChangeId = public_id("adc")
OfferId = public_id("off")
MessageId = public_id("msg")
NoteId = public_id("nt")
DisputeId = public_id("dsp")
ComplaintId = public_id("cpl")
ExchangeId = public_id("exc")
RepairId = public_id("rep")
WithdrawalId = public_id("wdr")
RefundId = public_id("ref")
RecoveryId = public_id("rcv")
ListingId = public_id("lst")
TransferId = public_id("trf")
StoreCreditId = public_id("sc")
CreditMovementId = public_id("scm")
PaymentId = public_id("pay")
CreditNoteId = public_id("cn")
EventId = public_id("evt")
ImportId = public_id("imp")
ExportId = public_id("exp")
PolicyVersionId = public_id("pv")
PolicyStepId = public_id("ph")
BacktestId = public_id("bt")
AuditId = public_id("aud")
LedgerEntryId = public_id("le")
KeyId = public_id("key")
ShopId = public_id("shp")
EndpointId = public_id("whe")
InboxId = public_id("in")
InspectionId = public_id("ins")
ReceiptId = public_id("rec")
ReconciliationId = public_id("rcn")
DifferenceId = public_id("dif")


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Moment = Annotated[
    datetime,
    PlainSerializer(lambda v: _utc(v).isoformat().replace("+00:00", "Z"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def path_id(prefix: str, text: str) -> UUID:
    """An id from the path; anything that is not one does not exist.

    Raises:
        NotFound: malformed, with the same answer as for an unknown id.
    """
    found = ids.decode(prefix, text)
    if found is None:
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return found


def example(value: dict[str, Any], **rules: Any) -> ConfigDict:
    """The one example of a shape; the OpenAPI file shows it at every operation that uses it.

    ``rules`` are further members of its schema, for what holds between its fields.
    """
    return ConfigDict(json_schema_extra={"examples": [value], **rules})
