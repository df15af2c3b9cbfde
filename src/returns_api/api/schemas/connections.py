"""Shapes of outside accounts. Secrets are in the request and in no answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    Code,
    In,
    Moment,
    Out,
    ShortText,
    Storable,
    TextFormat,
    example,
    example_id,
)

SLUG: Final = r"^[a-z][a-z0-9_-]{0,62}$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
Secret = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500),
    Storable,
    Field(json_schema_extra={"writeOnly": True}),
]
Url = Annotated[
    str, StringConstraints(min_length=1, max_length=2000), Storable, TextFormat("account-url")
]


_EXAMPLE: Final = {
    "source": "stripe",
    "kind": "payments",
    "adapter": "stripe",
    "account": "acct_1NExample",
    "base_url": "https://api.stripe.com",
    "gateways": ["stripe", "shopify_payments"],
    "active": True,
    "has_secret": True,
    "webhook_secrets": 1,
    "webhook_url": f"https://returns.example/v1/hooks/{example_id('shp')}/stripe",
    "created_at": "2026-11-21T09:12:44Z",
}


class ConnectionKind(StrEnum):
    SHOP = "shop"
    PAYMENTS = "payments"
    CARRIER = "carrier"
    MESSAGING = "messaging"


class ConnectionIn(In):
    """A whole connection. Leave out a secret to keep the one that is stored."""

    model_config = example(
        {
            "kind": "payments",
            "adapter": "stripe",
            "account": "acct_1NExample",
            "base_url": "https://api.stripe.com",
            "secret": "sk_live_example",
            "webhook_secrets": ["whsec_example"],
            "gateways": ["stripe", "shopify_payments"],
        },
        anyOf=[
            {"properties": {"kind": {"const": "payments"}}},
            {"properties": {"gateways": {"maxItems": 0}}},
        ],
    )

    kind: ConnectionKind
    adapter: Code = Field(description="Name of an installed adapter of this kind.")
    account: ShortText = Field(
        description=(
            "The account as the provider names it; for a shop platform, the shop's domain; for a"
            " mail server, the user name."
        )
    )
    base_url: Url = Field(
        description=(
            "Where to call; https only, or of a mail server `smtps://host:465` and"
            " `smtp://host:587` (STARTTLS)."
        )
    )
    secret: Secret | None = Field(
        None, description="The API secret; required for a new payment or carrier account."
    )
    webhook_secrets: Annotated[list[Secret], Field(max_length=5)] | None = Field(
        None, description="Secrets that sign what comes in; several while you rotate."
    )
    gateways: Annotated[list[ShortText], Field(max_length=50)] = Field(
        default_factory=list,
        description="The shop platform's names of the gateways that this account stands behind.",
    )


class ConnectionOut(Out):
    """A connection without its secrets."""

    model_config = example(_EXAMPLE)

    source: Slug
    kind: ConnectionKind
    adapter: str
    account: str
    base_url: str
    gateways: list[str]
    active: bool
    has_secret: bool
    webhook_secrets: int = Field(description="How many secrets may sign what comes in.")
    webhook_url: str = Field(description="Where the outside sends its webhooks.")
    created_at: Moment


class ConnectionsOut(Out):
    """All connections of the shop, by slug."""

    model_config = example({"items": [_EXAMPLE]})

    items: list[ConnectionOut]
