"""The books in the database: entries with their postings in, balances and pages out.

An entry is written by the transaction of its fact, by one statement, and takes no lock that another
entry could wait for: no row of an account is counted up, no head of a chain is advanced. Sealing
comes later, by one worker at a time per shop (``unsealed``, ``seal``). Refuses to own what a fact
posts (``domain.ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    column,
    delete,
    func,
    insert,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import ledger_entries as _e
from returns_api.db.tables import ledger_postings as _p
from returns_api.db.tables import ledger_seals as _s
from returns_api.db.tables import ledger_unsealed as _u
from returns_api.domain.ledger import Entry


def _posting() -> CTE:
    told = json_rows(
        "entries",
        id=Uuid,
        fact=Text,
        source_type=Text,
        source_id=Uuid,
        order_id=Uuid,
        at=DateTime(timezone=True),
        actor=Text,
        actor_id=Uuid,
    )
    postings = json_rows(
        "postings",
        entry_id=Uuid,
        no=Integer,
        rule=Text,
        debit=Text,
        debit_of=Uuid,
        credit=Text,
        credit_of=Uuid,
        amount_minor=BigInteger,
        currency=Text,
    )
    written = (
        insert(_e)
        .from_select(["shop_id", *told.c.keys()], select(SHOP, *told.c))
        .returning(_e.c.id)
        .cte("entered")
    )
    posted = (
        insert(_p)
        .from_select(["shop_id", *postings.c.keys()], select(SHOP, *postings.c))
        .returning(_p.c.no)
        .cte("posted")
    )
    return (
        insert(_u)
        .from_select(["shop_id", "entry_id"], select(SHOP, written.c.id))
        .returning(_u.c.entry_id)
        .add_cte(posted)
        .cte("to_seal")
    )


POSTED: Final = _posting()
"""Entries with their postings, for a statement that writes their fact as well; see ``told``."""
_POST: Final = Query(select(func.count()).select_from(POSTED))
_ENTRY_SHOWN: Final = tuple(c for c in _e.c if c.name != "shop_id")
_POSTING_SHOWN: Final = tuple(c for c in _p.c if c.name != "shop_id")

_HEAD: Final = Query(
    select(_s.c.position, _s.c.digest).where(here(_s)).order_by(_s.c.position.desc()).limit(1)
)
_UNSEALED: Final = Query(
    select(*_ENTRY_SHOWN)
    .join(_u, and_(_u.c.shop_id == _e.c.shop_id, _u.c.entry_id == _e.c.id))
    .where(here(_u), here(_e))
    .order_by(_e.c.id)
    .limit(given("limit"))
)
_POSTINGS_OF: Final = Query(
    select(*_POSTING_SHOWN)
    .where(here(_p), _p.c.entry_id == any_(given("entry_ids", ARRAY(Uuid))))
    .order_by(_p.c.entry_id, _p.c.no)
)
_seals = (
    func.unnest(
        given("positions", ARRAY(Integer)),
        given("entry_ids", ARRAY(Uuid)),
        given("digests", ARRAY(LargeBinary)),
    )
    .table_valued(
        column("position", Integer), column("entry_id", Uuid), column("digest", LargeBinary)
    )
    .render_derived()
)
_done = (
    delete(_u)
    .where(here(_u), _u.c.entry_id == any_(given("entry_ids", ARRAY(Uuid))))
    .returning(_u.c.entry_id)
    .cte("done")
)
_SEAL: Final = Query(
    insert(_s).from_select(["shop_id", *_seals.c.keys()], select(SHOP, *_seals.c)).add_cte(_done)
)
UNSEALED_SHOPS: Final = Query(select(_u.c.shop_id).distinct().limit(given("limit")))

_order, _owner = given("order_id", Uuid), given("owner", Uuid)
_PAGE: Final = Query(
    select(*_ENTRY_SHOWN, _s.c.position, _s.c.digest)
    .outerjoin(_s, and_(_s.c.shop_id == _e.c.shop_id, _s.c.entry_id == _e.c.id))
    .where(
        here(_e),
        _e.c.id < given("before"),
        or_(_order.is_(None), _e.c.order_id == _order),
    )
    .order_by(_e.c.id.desc())
    .limit(given("limit"))
)
_CHAIN: Final = Query(
    select(*_ENTRY_SHOWN, _s.c.position, _s.c.digest)
    .join(_s, and_(_s.c.shop_id == _e.c.shop_id, _s.c.entry_id == _e.c.id))
    .where(here(_s), here(_e), _s.c.position > given("after", Integer))
    .order_by(_s.c.position)
    .limit(given("limit"))
)


def _balances_statement() -> Query:
    """Both sides of every posting, each account's added up: what it has less what it owes."""

    def side(account: ColumnElement[str], owner: ColumnElement[Any], sign: int) -> Select[Any]:
        return (
            select(
                account.label("account"),
                owner.label("owner"),
                _p.c.currency,
                (sign * _p.c.amount_minor).label("amount"),
            )
            .join(_e, and_(_e.c.shop_id == _p.c.shop_id, _e.c.id == _p.c.entry_id))
            .where(
                here(_p),
                here(_e),
                _e.c.at <= given("at", DateTime(timezone=True)),
                or_(_order.is_(None), _e.c.order_id == _order),
                or_(_owner.is_(None), owner == _owner),
            )
        )

    both = union_all(
        side(_p.c.debit, _p.c.debit_of, 1), side(_p.c.credit, _p.c.credit_of, -1)
    ).subquery("both")
    return Query(
        select(
            both.c.account,
            both.c.currency,
            cast(func.sum(both.c.amount), BigInteger).label("balance"),
        )
        .group_by(both.c.account, both.c.currency)
        .order_by(both.c.account, both.c.currency)
    )


_BALANCES: Final = _balances_statement()


async def post(tx: Transaction, *entries: Entry | None) -> None:
    """Write entries with their postings; nothing for None. Call it where the fact is written."""
    made = [entry for entry in entries if entry is not None]
    if made:
        await tx.run(_POST, **told(*made))


def told(*entries: Entry) -> dict[str, Any]:
    """The parameters of ``POSTED``."""
    return {
        "entries": [entry.to_row() for entry in entries],
        "postings": [row for entry in entries for row in entry.posting_rows()],
    }


async def balances(
    tx: Transaction, at: datetime, *, order_id: UUID | None = None, owner: UUID | None = None
) -> list[Row]:
    """``account``, ``currency`` and ``balance`` (debits less credits, minor units) at that time:
    of the whole shop, of one order's entries, or of what belongs to one owner."""
    return await tx.all(_BALANCES, at=at, order_id=order_id, owner=owner)


async def page(
    tx: Transaction, *, before: UUID, limit: int, order_id: UUID | None
) -> tuple[list[Row], list[Row]]:
    """Entries, newest first, with their seals where they have one; and their postings."""
    entries = await tx.all(_PAGE, before=before, limit=limit, order_id=order_id)
    return entries, await postings_of(tx, [entry["id"] for entry in entries])


async def postings_of(tx: Transaction, entry_ids: Sequence[UUID]) -> list[Row]:
    """By entry, in their order."""
    if not entry_ids:
        return []
    return await tx.all(_POSTINGS_OF, entry_ids=list(entry_ids))


async def head(tx: Transaction) -> Row | None:
    """``position`` and ``digest`` of the last seal."""
    return await tx.first(_HEAD)


async def unsealed(tx: Transaction, limit: int) -> list[Row]:
    """Committed entries that no seal covers yet, oldest first."""
    return await tx.all(_UNSEALED, limit=limit)


async def seal(tx: Transaction, seals: Iterable[tuple[int, UUID, bytes]]) -> None:
    """Write seals (position, entry, digest). The chain must be held."""
    made = list(seals)
    await tx.run(
        _SEAL,
        positions=[position for position, _, _ in made],
        entry_ids=[entry for _, entry, _ in made],
        digests=[digest for _, _, digest in made],
    )


async def chain(tx: Transaction, after: int, limit: int) -> list[Row]:
    """Sealed entries behind a position, in the order of the chain."""
    return await tx.all(_CHAIN, after=after, limit=limit)
