"""Stored answers by Idempotency-Key.

The row is written in the transaction of the work itself, so it exists exactly when the work does;
its primary key is the guard. The advisory lock only lets a second, simultaneous request be told
"still running" at once instead of waiting for the first to commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    LargeBinary,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import complaints, idempotency_keys, returns
from returns_api.domain import ids
from returns_api.domain.forgetting import without_words

_T = idempotency_keys
_EMPTY: Final = literal(b"{}", LargeBinary)


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

_RETURNS: Final = Query(
    select(returns.c.id).where(here(returns), returns.c.order_id == given("order_id", Uuid))
)
_COMPLAINTS: Final = Query(
    select(complaints.c.id).where(
        here(complaints), complaints.c.order_id == given("order_id", Uuid)
    )
)
_names: Final = (
    func.unnest(given("names", ARRAY(LargeBinary))).table_valued("name").render_derived()
)
_ABOUT: Final = Query(
    select(_T.c.principal_id, _T.c.key_hash, _T.c.body).where(
        here(_T),
        exists(
            select(literal(1))
            .select_from(_names)
            .where(func.position(_names.c.name.op("IN")(_T.c.body)) > 0)
        ),
    )
)
_REPLACE: Final = Query(
    update(_T)
    .where(
        here(_T),
        _T.c.principal_id == given("principal_id"),
        _T.c.key_hash == given("key_hash"),
    )
    .values(body=given("body"))
)
_EMPTY_ALL: Final = Query(update(_T).where(here(_T), _T.c.body != _EMPTY).values(body=_EMPTY))
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


async def forget_words(tx: Transaction, order_id: UUID) -> None:
    """Take what a person is or wrote out of every kept answer about an order, its returns or the
    complaints about it.

    The answers stay, and with them the memory that their work was done.
    """
    found = await tx.all(_RETURNS, order_id=order_id)
    complained = await tx.all(_COMPLAINTS, order_id=order_id)
    names = [
        ids.encode("ord", order_id),
        *(ids.encode("ret", row["id"]) for row in found),
        *(ids.encode("cpl", row["id"]) for row in complained),
    ]
    await _forget_words(tx, names)


async def forget_words_about(
    tx: Transaction, return_ids: Sequence[UUID], complaint_ids: Sequence[UUID]
) -> None:
    """The same of kept answers about some returns and complaints of an order alone."""
    names = [ids.encode("ret", return_id) for return_id in return_ids]
    await _forget_words(tx, [*names, *(ids.encode("cpl", each) for each in complaint_ids)])


async def _forget_words(tx: Transaction, names: Sequence[str]) -> None:
    about = await tx.all(_ABOUT, names=[name.encode() for name in names])
    changed = [
        {"principal_id": row["principal_id"], "key_hash": row["key_hash"], "body": body}
        for row in about
        if (body := orjson.dumps(without_words(orjson.loads(row["body"])))) != row["body"]
    ]
    await tx.many(_REPLACE, changed)


async def forget_all_words(tx: Transaction) -> None:
    """Empty every kept answer of the shop."""
    await tx.run(_EMPTY_ALL)
