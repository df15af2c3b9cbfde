"""Settlement files: what a provider paid out and took back, as rows of comma-separated text.

Owns the one form that every provider's file has to be brought into. Columns by name in the first
row, any order, further ones ignored: ``kind`` (refund or dispute), ``id`` (the provider's),
``payment`` (the provider's), ``reference`` (ours; may be empty), ``amount`` (minor units),
``currency``, ``status``, ``at`` (RFC 3339 with an offset).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from returns_api.domain.errors import Invalid

COLUMNS: Final = ("kind", "id", "payment", "reference", "amount", "currency", "status", "at")
LINES_MAX: Final = 20_000
TEXT_MAX: Final = 255
PROBLEMS_MAX: Final = 20
"""So many wrong rows are named at once."""
AMOUNT_MAX: Final = 10**12

_STATUS: Final[Mapping[str, Mapping[str, str]]] = {
    "refund": {
        name: name for name in ("pending", "requires_action", "succeeded", "failed", "canceled")
    },
    "dispute": {"open": "succeeded", "lost": "succeeded", "won": "canceled"},
}
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_AMOUNT: Final = re.compile(r"[0-9]{1,13}", re.ASCII)
_PRINTABLE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One row. ``status`` is a refund's; a chargeback is ``succeeded`` while the money is gone."""

    kind: str
    external_id: str
    payment: str
    reference: str | None
    amount_minor: int
    currency: str
    status: str
    at: datetime


def parse_statement(text: str) -> tuple[StatementLine, ...]:
    """The rows of a settlement file.

    Raises:
        Invalid: missing columns, too many rows, or wrong rows, each named by its number.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[tuple[str, str], StatementLine] = {}
    problems: list[dict[str, str]] = []
    try:
        missing = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
        if missing:
            raise _refused([{"field": "statement", "problem": f"no column {missing}"}])
        for number, row in enumerate(reader, start=2):
            try:
                line = _line(row)
                if (line.kind, line.external_id) in found:
                    raise ValueError("the same movement stands in an earlier row")
                found[line.kind, line.external_id] = line
            except ValueError as problem:
                problems.append({"field": f"statement row {number}", "problem": str(problem)})
            if len(problems) >= PROBLEMS_MAX or len(found) > LINES_MAX:
                break
    except csv.Error as error:
        raise _refused([{"field": "statement", "problem": f"not CSV: {error}"}]) from None
    if len(found) > LINES_MAX:
        problems.append({"field": "statement", "problem": f"more than {LINES_MAX} rows"})
    if not found and not problems:
        problems.append({"field": "statement", "problem": "no rows"})
    if problems:
        raise _refused(problems)
    return tuple(found.values())


def _refused(problems: list[dict[str, str]]) -> Invalid:
    return Invalid("The settlement file cannot be read.", errors=problems)


def _line(row: Mapping[str, str | None]) -> StatementLine:
    """Raises ``ValueError`` naming the column, never its content."""
    kind = _text(row, "kind").lower()
    if kind not in _STATUS:
        raise ValueError("kind is neither refund nor dispute")
    status = _STATUS[kind].get(_text(row, "status").lower())
    if status is None:
        raise ValueError(f"status is none of {sorted(_STATUS[kind])}")
    amount, currency = _text(row, "amount"), _text(row, "currency").upper()
    if not _AMOUNT.fullmatch(amount) or not 0 < int(amount) <= AMOUNT_MAX:
        raise ValueError("amount is not a whole number of minor units above 0")
    if not _CURRENCY.fullmatch(currency):
        raise ValueError("currency is not three letters")
    reference = (row.get("reference") or "").strip()
    return StatementLine(
        kind=kind,
        external_id=_name(row, "id"),
        payment=_name(row, "payment"),
        reference=reference[:TEXT_MAX] or None,
        amount_minor=int(amount),
        currency=currency,
        status=status,
        at=_moment(_text(row, "at")),
    )


def _text(row: Mapping[str, str | None], name: str) -> str:
    return (row.get(name) or "").strip()


def _name(row: Mapping[str, str | None], name: str) -> str:
    found = _text(row, name)
    if not 0 < len(found) <= TEXT_MAX or not _PRINTABLE.fullmatch(found):
        raise ValueError(f"{name} is not an id of 1 to {TEXT_MAX} visible ASCII characters")
    return found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None or not 2000 <= found.year < 2200:
            raise ValueError
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("at is not a time with an offset, such as 2026-11-21T09:12:44Z") from None
