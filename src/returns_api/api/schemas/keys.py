"""Shapes of API keys."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.base import (
    In,
    KeyId,
    Moment,
    NoBool,
    Out,
    ShortText,
    example,
    example_id,
)
from returns_api.domain.access import ROLE_SCOPES, Role, Scope

EXPIRY_MIN: Final = 60
EXPIRY_MAX: Final = 10 * 366 * 86_400

KeyRole = Literal["publishable", "agent", "warehouse", "finance", "admin"]
AnyKeyRole = Literal[KeyRole, "platform"]
"""The platform's keys are made by its operator and only shown here."""


_KEY: Final = {
    "id": example_id("key"),
    "role": "warehouse",
    "label": "Scanner, dock 3",
    "scopes": ["receipts:write", "returns:read"],
    "created_at": "2026-11-21T09:12:44Z",
    "expires_at": None,
    "revoked_at": None,
}


def _scopes_of(role: Role) -> dict[str, Any]:
    """Schema: some of the role's scopes, or null for all of them."""
    listed = {"type": "array", "items": {"enum": sorted(ROLE_SCOPES[role])}}
    return {"anyOf": [listed, {"type": "null"}]}


class KeyIn(In):
    """A new key."""

    model_config = example(
        {
            "role": "warehouse",
            "label": "Scanner, dock 3",
            "scopes": ["returns:read", "receipts:write"],
            "expires_in_seconds": 31536000,
        },
        oneOf=[
            {"properties": {"role": {"const": role.value}, "scopes": _scopes_of(role)}}
            for role in Role
            if role not in {Role.BUYER, Role.RECIPIENT, Role.PLATFORM}
        ],
    )

    role: KeyRole
    label: ShortText = Field(description="Where it is used, for whoever has to revoke it.")
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))] | None = Field(
        None, description="Fewer than the role has; left out, all that you can give."
    )
    expires_in_seconds: Annotated[int, Field(ge=EXPIRY_MIN, le=EXPIRY_MAX), NoBool] | None = Field(
        None, description="Left out, it is valid until it is revoked."
    )


class KeyOut(Out):
    """A key without its secret."""

    model_config = example(_KEY)

    id: KeyId
    role: AnyKeyRole
    label: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None


class KeyCreatedOut(Out):
    """A new key. ``key`` is shown this once."""

    model_config = example(
        {
            "id": example_id("key"),
            "role": "warehouse",
            "label": "Scanner, dock 3",
            "scopes": ["receipts:write", "returns:read"],
            "expires_at": None,
            "key": "rk_warehouse_06a8w6d7f9s4p8x6z0000000_5f0c4f4e0b9d4f0a",
        }
    )

    id: KeyId
    role: AnyKeyRole
    label: str
    scopes: list[Scope]
    expires_at: Moment | None
    key: str


class KeysOut(Out):
    """A page of keys, newest first."""

    model_config = example({"items": [_KEY], "next_cursor": None})

    items: list[KeyOut]
    next_cursor: str | None
