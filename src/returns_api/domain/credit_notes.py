"""Credit notes: which one a refund's money asks for, and what stands on it.

The notes of a refund sum to what arrived whenever it is at rest: money that arrived gets a credit
note, money that came back afterwards a cancellation of it. Owns the difference and the lines.
Refuses to own the number (``db.credit_notes``: without gaps, per shop) and how a note looks
(``documents``).

A note names no buyer: it is kept for ever, the buyer's name and address are not. The document shows
them as long as they are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

AT_REST: Final = frozenset({"succeeded", "partially_succeeded", "failed", "reversed", "canceled"})
"""Refund states in which no money is on its way."""
KINDS: Final = ("credit_note", "cancellation")


@dataclass(frozen=True, slots=True)
class PlannedNote:
    """A note to issue; ``amount_minor`` is above zero and the sum of the lines."""

    kind: str
    amount_minor: int
    lines: tuple[Mapping[str, Any], ...]


def plan_note(
    state: str,
    arrived_minor: int,
    noted_minor: int,
    amount_minor: int,
    parts: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
) -> PlannedNote | None:
    """The note that is missing, or None.

    ``arrived_minor`` is what the provider confirmed by now, ``noted_minor`` the sum of the notes
    before, ``parts`` those of the whole refund over ``amount_minor``, ``titles`` the names of order
    lines by external id.
    """
    missing = arrived_minor - noted_minor
    if state not in AT_REST or missing == 0:
        return None
    kind = KINDS[missing < 0]
    whole = missing == amount_minor
    if whole:
        return PlannedNote(kind, abs(missing), _readable(parts, titles, amount_minor))
    name = "reversal" if kind == "cancellation" else "part_payment"
    return PlannedNote(kind, abs(missing), (_one(name, abs(missing)),))


def _readable(
    parts: Sequence[Mapping[str, Any]], titles: Mapping[str, str], amount_minor: int
) -> tuple[Mapping[str, Any], ...]:
    """The parts as lines, or one line over the whole where they say too little or do not add up:
    the note is written with the provider's evidence, which must never wait for it."""
    if all("kind" in part and "amount" in part for part in parts):
        lines = _lines(parts, titles)
        if sum(line["amount"] for line in lines) == amount_minor:
            return lines
    return (_one("manual", amount_minor),)


def _lines(
    parts: Sequence[Mapping[str, Any]], titles: Mapping[str, str]
) -> tuple[Mapping[str, Any], ...]:
    """Equal parts of one order line as one line with a quantity, in the order of the parts."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for part in parts:
        title = titles.get(part.get("line", ""))
        tax = _tax(part)
        key = (part["kind"], part.get("line"), part["amount"], tax)
        line = found.setdefault(key, _one(part["kind"], 0, title, quantity=0))
        line["quantity"] += 1
        line["amount"] += part["amount"]
        line["tax_contained"] += tax
    return tuple(line for line in found.values() if line["amount"])


def _tax(part: Mapping[str, Any]) -> int:
    """The tax in a unit's refund, as the certificate has it; deductions carry none of their own."""
    of = part.get("of") or {}
    return int(of.get("tax_included", 0)) + int(of.get("tax_added", 0))


def _one(kind: str, amount: int, title: str | None = None, quantity: int = 1) -> dict[str, Any]:
    return {
        "kind": kind,
        "title": title,
        "quantity": quantity,
        "amount": amount,
        "tax_contained": 0,
    }
