"""The written form of an entry and the chain over all of them: nothing can be changed unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from returns_api.domain import ledger
from returns_api.domain.events import SYSTEM
from tests.support.booked import ORDER, REFUND, STAMP

ROW: dict[str, Any] = {
    "id": UUID(int=7),
    "fact": "refund_requested",
    "source_type": "refund",
    "source_id": REFUND,
    "order_id": None,
    "at": datetime(2026, 11, 22, 10, tzinfo=UTC),
    "actor": "system",
    "actor_id": None,
}


POSTING: dict[str, Any] = {
    "no": 1,
    "rule": "refund_owed",
    "debit": "merchant",
    "debit_of": None,
    "credit": "buyer",
    "credit_of": ORDER,
    "amount_minor": 5,
    "currency": "EUR",
}


def test_the_written_form_is_fixed() -> None:
    """Whoever kept a seal must be able to make it again in ten years."""
    written = ledger.canonical(1, ROW, [POSTING])
    assert written == (
        b'{"actor":"system","actor_id":null,"at":"2026-11-22T10:00:00.000000+00:00",'
        b'"fact":"refund_requested","id":"00000000-0000-0000-0000-000000000007","order_id":null,'
        b'"position":1,"postings":[{"amount_minor":5,"credit":"buyer",'
        b'"credit_of":"00000000-0000-0000-0000-000000000001","currency":"EUR","debit":"merchant",'
        b'"debit_of":null,"no":1,"rule":"refund_owed"}],'
        b'"source_id":"00000000-0000-0000-0000-000000000002","source_type":"refund"}'
    )
    seal = ledger.digest_of(ledger.genesis(UUID(int=1)), written)
    assert seal.hex() == ("cc21f94f90265909c3efbf9153ed07125b54e48a6fe2c3bd484ad427bb24b085")


def test_letters_beyond_ascii_are_written_as_they_are() -> None:
    assert '"fact":"zurück"'.encode() in ledger.canonical(1, {**ROW, "fact": "zurück"}, [])


@pytest.mark.parametrize("hours", [-8, 2])
def test_a_moment_has_one_written_form_in_every_zone(hours: int) -> None:
    elsewhere = ROW["at"].astimezone(timezone(timedelta(hours=hours)))
    assert ledger.canonical(1, {**ROW, "at": elsewhere}, []) == ledger.canonical(1, ROW, [])


CHANGES: list[tuple[str, Any]] = [
    ("id", UUID(int=8)),
    ("fact", "another"),
    ("source_type", "another"),
    ("source_id", ORDER),
    ("order_id", ORDER),
    ("at", datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC)),
    ("actor", "admin"),
    ("actor_id", ORDER),
]


@pytest.mark.parametrize(("name", "value"), CHANGES, ids=[name for name, _ in CHANGES])
def test_every_column_of_an_entry_is_sealed(name: str, value: Any) -> None:
    assert ledger.canonical(1, ROW, []) != ledger.canonical(1, {**ROW, name: value}, [])


@pytest.mark.parametrize("name", POSTING)
def test_every_column_of_a_posting_is_sealed(name: str) -> None:
    changed = {**POSTING, name: 2 if isinstance(POSTING[name], int) else "another"}
    assert ledger.canonical(1, ROW, [POSTING]) != ledger.canonical(1, ROW, [changed])


def test_the_order_of_reading_does_not_matter_and_the_place_does() -> None:
    second = {**POSTING, "no": 2, "amount_minor": 6}
    both = ledger.canonical(1, ROW, [POSTING, second])
    assert both == ledger.canonical(1, ROW, [second, POSTING])
    assert both != ledger.canonical(2, ROW, [POSTING, second])
    assert ledger.genesis(ORDER) != ledger.genesis(REFUND)
    assert STAMP.by != SYSTEM
