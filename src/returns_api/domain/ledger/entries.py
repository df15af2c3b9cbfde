"""What an entry is, and how a rule of the table becomes a posting of it.

An entry is one fact with all its postings. An amount is always above zero; what goes the other way
has a rule of its own. Refuses to own which rules a fact needs (``postings``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.domain.events import By
from returns_api.domain.ledger.rules import OWNER, RULES, Account


@dataclass(frozen=True, slots=True)
class Stamp:
    """Under which id, when and by whom an entry is made."""

    id: UUID
    at: datetime
    by: By


@dataclass(frozen=True, slots=True)
class Posting:
    """``amount_minor`` (above zero) from the credited account to the debited one."""

    rule: str
    debit: Account
    debit_of: UUID | None
    credit: Account
    credit_of: UUID | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact in the books. ``source`` is the row whose fact it is: its kind and its id."""

    stamp: Stamp
    fact: str
    source_type: str
    source_id: UUID
    order_id: UUID | None
    postings: tuple[Posting, ...]

    def to_row(self) -> dict[str, Any]:
        """JSON-ready column values, without the postings."""
        return {
            "id": self.stamp.id,
            "fact": self.fact,
            "source_type": self.source_type,
            "source_id": self.source_id,
            "order_id": self.order_id,
            "at": self.stamp.at,
            "actor": self.stamp.by.actor,
            "actor_id": self.stamp.by.credential_id,
        }

    def posting_rows(self) -> list[dict[str, Any]]:
        """JSON-ready column values of the postings, numbered from 1."""
        return [
            {
                "entry_id": self.stamp.id,
                "no": no,
                "rule": posting.rule,
                "debit": posting.debit.value,
                "debit_of": posting.debit_of,
                "credit": posting.credit.value,
                "credit_of": posting.credit_of,
                "amount_minor": posting.amount_minor,
                "currency": posting.currency,
            }
            for no, posting in enumerate(self.postings, start=1)
        ]


def by_sign(
    rules: tuple[str, str], delta_minor: int, currency: str, **owners: UUID
) -> Posting | None:
    """By the first rule for more, by the second for less."""
    return by_rule(rules[delta_minor < 0], abs(delta_minor), currency, **owners)


def by_rule(name: str, amount_minor: int, currency: str, **owners: UUID) -> Posting | None:
    """A posting by a rule of the table; none for nothing."""
    if amount_minor == 0:
        return None
    if amount_minor < 0:
        raise ValueError(f"{name}: {amount_minor} is below zero; use the rule that goes back")
    rule = RULES[name]
    return Posting(
        name,
        rule.debit,
        _owner(rule.debit, owners),
        rule.credit,
        _owner(rule.credit, owners),
        amount_minor,
        currency,
    )


def _owner(account: Account, owners: Mapping[str, UUID]) -> UUID | None:
    kind = OWNER[account]
    return None if kind is None else owners[kind]


def entry_of(
    stamp: Stamp,
    fact: str,
    source: tuple[str, UUID],
    order_id: UUID | None,
    made: Iterable[Posting | None],
) -> Entry | None:
    """The fact with its postings; none where nothing moved."""
    postings = tuple(posting for posting in made if posting is not None)
    return Entry(stamp, fact, *source, order_id, postings) if postings else None


def certain_entry(
    stamp: Stamp,
    fact: str,
    source: tuple[str, UUID],
    order_id: UUID | None,
    made: Iterable[Posting | None],
) -> Entry:
    """The fact of an amount that is above zero.

    Raises:
        ValueError: nothing moved.
    """
    entry = entry_of(stamp, fact, source, order_id, made)
    if entry is None:
        raise ValueError(f"{fact}: nothing moved")
    return entry
