"""The invariants that every proof checks after its storm: our tables, each other, the bank.

N1 nothing reserved beyond what was captured · N2 counters and credit notes are the sums of their
rows, numbers have no gaps · N3 the bank moved each transfer's money exactly once, or not at all ·
N4 our ledger is the bank's · N5 no unit claimed twice or before it was shipped · N7 every
transition is in the lifecycle table, with an actor, one event, one delivery per endpoint that
asked, a second person where one was due · N8 at most one try in flight; and all else that the
service's own audit looks for (``domain.audits``), which is run here on every shop.

Read as the superuser, since row-level security would hide what a bug did to another shop. Each
finding is a sentence that begins with the invariant's name. ``tests/proofs`` plants a violation of
each and sees it found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.usecases._auditing import Place, step

SHOWN: Final = 5
"""Findings of one kind that are told; all count as one failure."""

GONE: Final = ("failed", "canceled", "reversed")
_TRANSFERS: Final = (
    "SELECT id, state, amount_minor, first_sent_at IS NOT NULL AS sent FROM transfers"
)
_PAYMENTS: Final = (
    "SELECT provider_payment_id, refunded, external, disputed FROM payments"
    " WHERE provider_payment_id IS NOT NULL"
)
_SHOPS: Final = "SELECT DISTINCT shop_id FROM orders"


async def violations(
    connection: Any, ledger: Mapping[str, Any] | None = None, *, quiet: bool
) -> list[str]:
    """Every finding, empty when all holds. ``connection`` is asyncpg's, as the superuser.

    ``ledger`` is the bank's own summary; ``quiet`` says that nothing is in flight any more, so that
    the books must be equal.
    """
    found: list[str] = []
    for row in await connection.fetch(_SHOPS):
        found += await _of_shop(Transaction(connection, row["shop_id"]))
    if ledger is not None:
        transfers = await connection.fetch(_TRANSFERS)
        found += list(_wrong_movements(transfers, ledger["references"]))
        if quiet:
            payments = await connection.fetch(_PAYMENTS)
            found += list(_unequal_books(payments, ledger["payments"]))
    return found


async def _of_shop(tx: Transaction) -> list[str]:
    """What the service's own audit finds, a few of each kind."""
    found: list[str] = []
    shown = Counter[str]()
    place: Place | None = Place()
    while place is not None:
        done = await step(tx, place, {})
        for one in done.findings:
            name = f"{one.invariant} {one.check}"
            shown[name] += 1
            if shown[name] <= SHOWN:
                found.append(one.sentence)
        place = done.place
    return found


def _wrong_movements(rows: Iterable[Any], references: Mapping[str, Any]) -> Iterator[str]:
    """N3: what the bank did under each of our references."""
    nothing = {"made": 0, "net": 0, "net_minor": 0}
    ours = set()
    for row in rows:
        name = ids.encode("trf", row["id"])
        ours.add(name)
        bank, state = references.get(name, nothing), row["state"]
        if bank["made"] > 1:
            yield f"N3 {name} moved {bank['made']} times"
        elif state == "succeeded" and (bank["net"], bank["net_minor"]) != (1, row["amount_minor"]):
            yield f"N3 {name} succeeded over {row['amount_minor']}, the bank says {dict(bank)}"
        elif state in GONE and bank["net"] != 0:
            yield f"N3 {name} is {state}, the bank moved its money"
        elif not row["sent"] and bank["made"]:
            yield f"N3 {name} was never sent, the bank moved its money"
    for name in references.keys() - ours:
        yield f"N3 {name} moved money and is not in our books"


def _unequal_books(rows: Iterable[Any], payments: Mapping[str, Any]) -> Iterator[str]:
    """N4: our counters of each payment and the bank's."""
    for row in rows:
        bank = payments.get(row["provider_payment_id"])
        if bank is None:
            yield f"N4 the bank does not know payment {row['provider_payment_id']}"
            continue
        mine = row["refunded"] + row["external"], row["disputed"]
        if mine != (bank["refunded_minor"], bank["disputed_minor"]):
            yield f"N4 payment {row['provider_payment_id']}: ours {mine}, the bank's {dict(bank)}"
