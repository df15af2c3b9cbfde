"""What a check of an audit is: a query that finds breaches; every row that it gives is one.

Each looks at one page: of a shop's orders, of its events, of its accounts of store credit; so no
statement runs long, however large the shop is. Each is one statement and so sees one moment: an
audit may run while everything goes on. Refuses to own the checks: each family is a module beside
this one, and ``db.audit_checks`` lists them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query
from returns_api.domain.lifecycle.refunds import HOLDING

HELD: Final = ", ".join(f"'{state}'" for state in sorted(HOLDING))
"""The states in which a transfer holds money of its payment, as a list in SQL."""


def sql(statement: str) -> Query:
    """A statement of an audit; it may name ``:shop``, the keys of a page (``:orders`` or
    ``:accounts``), and where one begins and ends (``:after`` and ``:limit``)."""
    known: dict[str, BindParameter[Any]] = {
        "shop": SHOP,
        "orders": bindparam("orders", required=True, type_=ARRAY(Uuid)),
        "accounts": bindparam("accounts", required=True, type_=ARRAY(Uuid)),
        "after": bindparam("after", required=True, type_=Uuid),
        "limit": bindparam("limit", required=True, type_=Integer),
    }
    used = [bind for name, bind in known.items() if f":{name}" in statement]
    return Query(text(statement).bindparams(*used))


@dataclass(frozen=True, slots=True)
class Check:
    """A query whose rows are breaches of ``invariant``; each has an ``id`` and what contradicts."""

    invariant: str
    name: str
    query: Query


async def run(tx: Transaction, check: Check, **params: Any) -> list[Row]:
    """The rows of one check that break it."""
    return await tx.all(check.query, **params)
