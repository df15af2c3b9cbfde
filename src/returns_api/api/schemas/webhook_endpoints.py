"""Shapes of webhook endpoints, deliveries and their tries."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from returns_api.api.schemas.base import (
    EndpointId,
    EventId,
    In,
    Moment,
    NoBool,
    Out,
    ShortText,
    Storable,
    TextFormat,
    example,
    example_id,
    ways,
)
from returns_api.api.schemas.patches import left_out
from returns_api.api.schemas.times import MomentIn
from returns_api.domain.webhooks import TOPIC

URL_MAX: Final = 2_000
TOPICS_MAX: Final = 50
OVERLAP_DEFAULT: Final = 86_400
OVERLAP_MAX: Final = 7 * 86_400

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=URL_MAX),
    Storable,
    Field(description="https only; it must lead to the public internet."),
    TextFormat("https-url"),
]
Topic = Annotated[str, StringConstraints(pattern=f"^({TOPIC.pattern})$")]
Topics = Annotated[
    list[Topic],
    Field(
        min_length=1,
        max_length=TOPICS_MAX,
        description="Types of events, families such as `refund.*`, or `*` for all.",
    ),
]


_ENDPOINT: Final = {
    "id": example_id("whe"),
    "url": "https://shop.example/hooks/returns",
    "topics": ["refund.*", "return.completed"],
    "description": "ERP",
    "state": "active",
    "disabled_reason": None,
    "failing_since": None,
    "created_at": "2026-11-21T09:12:44Z",
}
_DELIVERY: Final = {
    "event": example_id("evt"),
    "type": "refund.succeeded",
    "resource": example_id("ref"),
    "sequence": 5,
    "state": "queued",
    "attempts": 2,
    "last_status": 503,
    "next_try_at": "2026-11-21T09:17:49Z",
    "created_at": "2026-11-21T09:12:44Z",
}
_ATTEMPT: Final = {
    "no": 1,
    "at": "2026-11-21T09:12:44Z",
    "status": None,
    "error": "timeout",
    "duration_ms": 15000,
}


class EndpointState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """``dead`` is not tried again by itself; replay it."""

    QUEUED = "queued"
    SENDING = "sending"
    SUCCEEDED = "succeeded"
    DEAD = "dead"


class WebhookEndpointIn(In):
    """A new endpoint."""

    model_config = example(
        {
            "url": "https://shop.example/hooks/returns",
            "topics": ["refund.*", "return.completed"],
            "description": "ERP",
        }
    )

    url: Url
    topics: Topics
    description: ShortText | None = None


class WebhookEndpointPatch(In):
    """What to change; what is left out stays."""

    model_config = example({"topics": ["*"]})

    url: Url = Field("", json_schema_extra=left_out)
    topics: Topics = Field([], json_schema_extra=left_out)
    description: ShortText | None = Field(None, description="Null takes it away.")


class RotateSecretIn(In):
    """For how long the secret of before signs beside the new one."""

    model_config = example({"overlap_seconds": 86400})

    overlap_seconds: Annotated[int, Field(ge=0, le=OVERLAP_MAX), NoBool] = OVERLAP_DEFAULT


class ReplayIn(In):
    """One ``event``, or everything ``since`` a time that did not get through."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"event": example_id("evt")},
                {"since": "2026-11-20T00:00:00Z", "include_missed": True},
            ],
            **ways(("event",), ("since",)),
        }
    )

    event: EventId | None = None
    since: MomentIn | None = None
    include_missed: StrictBool = Field(
        False, description="With `since`: also events that were never sent to this endpoint."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.event is None) == (self.since is None):
            raise PydanticCustomError("one_way", "Send either event or since")
        return self


class WebhookEndpointOut(Out):
    """An endpoint without its secrets."""

    model_config = example(_ENDPOINT)

    id: EndpointId
    url: str
    topics: list[str]
    description: str | None
    state: EndpointState
    disabled_reason: str | None = Field(description="`requested`, `gone` (410) or `failing`.")
    failing_since: Moment | None = Field(description="Since when nothing got through.")
    created_at: Moment


class WebhookEndpointSecretOut(WebhookEndpointOut):
    """An endpoint and its newest signing secret, which is shown this once."""

    model_config = example({**_ENDPOINT, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})

    secret: str


class WebhookEndpointsOut(Out):
    """A page of endpoints, newest first."""

    model_config = example({"items": [_ENDPOINT], "next_cursor": None})

    items: list[WebhookEndpointOut]
    next_cursor: str | None


class DeliveryOut(Out):
    """One event on its way to one endpoint."""

    model_config = example(_DELIVERY)

    event: EventId
    type: str
    resource: str
    sequence: int
    state: DeliveryState
    attempts: int = Field(description="Tries so far, replays included.")
    last_status: int | None = Field(description="The receiver's last answer, if there was one.")
    next_try_at: Moment | None
    created_at: Moment


class DeliveriesOut(Out):
    """A page of deliveries, newest event first."""

    model_config = example({"items": [_DELIVERY], "next_cursor": None})

    items: list[DeliveryOut]
    next_cursor: str | None


class AttemptOut(Out):
    """One recorded try. A missing number is a try whose worker died before it could tell."""

    model_config = example(_ATTEMPT)

    no: int
    at: Moment
    status: int | None
    error: str | None
    duration_ms: int


class AttemptsOut(Out):
    """Every recorded try of one delivery, in order."""

    model_config = example({"items": [_ATTEMPT]})

    items: list[AttemptOut]


class ReplayOut(Out):
    """How many deliveries were queued; ``more`` when the same request would queue others."""

    model_config = example({"queued": 1, "more": False})

    queued: int
    more: bool
