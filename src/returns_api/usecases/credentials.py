"""Keys and buyer tokens: made once, shown once, kept as hashes, revoked within seconds everywhere.

A key reads ``rk_<role>_<shop>_<secret>``. It names its shop so that it can be looked up inside that
shop and nowhere else; the name proves nothing, the secret's hash does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.db import credentials as rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Principal, Role, Scope
from returns_api.domain.errors import Invalid, Unauthenticated
from returns_api.usecases.context import Context

KEY_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential; ``token`` is shown this once and never again."""

    id: UUID
    token: str
    role: Role
    label: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


async def authenticate(ctx: Context, token: str) -> Principal:
    """The principal behind a key or buyer token.

    Raises:
        Unauthenticated: malformed, unknown, expired or revoked; one answer for all.
    """
    shop = shop_of(token)
    if shop is None:
        raise Unauthenticated("The credential is not valid.")
    digest = hashlib.sha256(token.encode()).digest()
    now = ctx.clock()
    known = ctx.principals.get(digest, now.timestamp())
    if known is not None:
        return known
    async with ctx.database.transaction(shop) as tx:
        row = await rows.by_hash(tx, digest, now)
    if row is None:
        raise Unauthenticated("The credential is not valid.")
    principal = Principal(
        shop=shop,
        credential_id=row["id"],
        role=Role(row["role"]),
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        order_id=row["order_id"],
        gift_receipt_id=row["gift_receipt_id"],
    )
    ctx.principals.put(digest, now.timestamp(), principal)
    return principal


def shop_of(token: str) -> UUID | None:
    """The shop that a token names, or None when it is not in the form of a token."""
    if len(token) > KEY_MAX or not token.isascii():
        return None
    parts = token.split("_")
    if len(parts) != 4 or parts[0] != "rk":
        return None
    return ids.decode("shp", f"shp_{parts[2]}")


async def issue(
    tx: Transaction,
    ctx: Context,
    *,
    role: Role,
    label: str,
    scopes: frozenset[Scope] | None = None,
    order_id: UUID | None = None,
    gift_receipt_id: UUID | None = None,
    expires_in: timedelta | None = None,
) -> Issued:
    """Make a credential in the open transaction.

    Raises:
        Invalid: a scope that the role does not have.
    """
    wanted = ROLE_SCOPES[role] if scopes is None else scopes
    if too_much := wanted - ROLE_SCOPES[role]:
        raise Invalid(
            f"A {role} key cannot have the scope '{min(too_much)}'.",
            errors=[{"field": "scopes", "allowed": sorted(ROLE_SCOPES[role])}],
        )
    key_id, now = ctx.new_id(), ctx.clock()
    token = f"rk_{role}_{ids.encode('shp', tx.shop)[4:]}_{ctx.new_secret()}"
    expires_at = None if expires_in is None else now + expires_in
    await rows.add(
        tx,
        id=key_id,
        role=role.value,
        label=label,
        secret_hash=hashlib.sha256(token.encode()).digest(),
        scopes=sorted(wanted),
        order_id=order_id,
        gift_receipt_id=gift_receipt_id,
        created_at=now,
        expires_at=expires_at,
    )
    return Issued(key_id, token, role, label, tuple(sorted(wanted)), expires_at)
