"""Stored answers by Idempotency-Key.

The row is written in the transaction of the work itself, so it exists exactly when the work does;
its primary key is the guard. The advisory lock only lets a second, simultaneous request be told
"still running" at once instead of waiting for the first to commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, and_, bindparam, delete, func, insert, literal, select, true

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, here
from returns_api.db.tables import idempotency_keys

_T = idempotency_keys


@dataclass(frozen=True, slots=True)
class Claim:
    """One keyed request: whose it is, its key (hashed) and what it said (hashed)."""

    principal_id: UUID
    key_hash: bytes
    fingerprint: bytes

    @property
    def lock(self) -> int:
        """A signed 64-bit number for the advisory lock."""
        mixed = self.principal_id.int ^ int.from_bytes(self.key_hash[:16])
        return (mixed >> 64 ^ mixed) % 2**64 - 2**63


_BEGIN: Final = Query(
    select(
        func.pg_try_advisory_xact_lock(bindparam("lock", required=True, type_=BigInteger)).label(
            "free"
        ),
        _T.c.fingerprint,
        _T.c.status,
        _T.c.content_type,
        _T.c.headers,
        _T.c.body,
    ).select_from(
        select(literal(1))
        .subquery("one")
        .outerjoin(
            _T,
            and_(
                true(),
                here(_T),
                _T.c.principal_id == bindparam("principal_id", required=True),
                _T.c.key_hash == bindparam("key_hash", required=True),
            ),
        )
    )
)

_STORE: Final = Query(
    insert(_T).values(
        shop_id=SHOP,
        **{
            name: bindparam(name, required=True)
            for name in (
                "principal_id",
                "key_hash",
                "fingerprint",
                "status",
                "content_type",
                "headers",
                "body",
                "created_at",
            )
        },
    )
)

_FORGET: Final = Query(
    delete(_T).where(here(_T), _T.c.created_at < bindparam("before", required=True))
)


async def begin(tx: Transaction, claim: Claim) -> Row:
    """``free`` is False while another transaction works on the key; ``status`` is set when done."""
    row = await tx.first(
        _BEGIN, lock=claim.lock, principal_id=claim.principal_id, key_hash=claim.key_hash
    )
    assert row is not None
    return row


async def store(tx: Transaction, claim: Claim, **answer: Any) -> None:
    """Raises ``asyncpg.UniqueViolationError`` when the key was used since ``begin``."""
    await tx.run(
        _STORE,
        principal_id=claim.principal_id,
        key_hash=claim.key_hash,
        fingerprint=claim.fingerprint,
        **answer,
    )


async def forget(tx: Transaction, before: Any) -> int:
    """Drop answers older than the promise; returns how many."""
    return await tx.run(_FORGET, before=before)
