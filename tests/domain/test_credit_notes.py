"""Which note a refund's money asks for, and how it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.credit_notes import AT_REST, plan_note
from returns_api.domain.documents import credit_note_document, html
from returns_api.domain.lifecycle.refunds import REFUND_STATES

PARTS: list[dict[str, Any]] = [
    {"kind": "goods", "line": "a", "unit": 1, "amount": 20_00, "of": {"tax_included": 3_19}},
    {"kind": "goods", "line": "a", "unit": 2, "amount": 20_00, "of": {"tax_included": 3_19}},
    {"kind": "goods", "line": "b", "unit": 1, "amount": 5_00, "of": {"tax_added": 80}},
    {"kind": "restocking_fee", "line": "b", "unit": 1, "amount": -50},
    {"kind": "return_freight", "amount": -4_90},
]
TITLES = {"a": "Linen shirt", "b": "Belt <b>"}
WHOLE = sum(part["amount"] for part in PARTS)


def test_the_lines_are_the_refunds_parts_equal_ones_together() -> None:
    note = plan_note("succeeded", WHOLE, 0, WHOLE, PARTS, TITLES)
    assert note is not None
    shown = [(x["kind"], x["title"], x["quantity"], x["amount"], x["tax_contained"])
             for x in note.lines]  # fmt: skip
    assert shown == [
        ("goods", "Linen shirt", 2, 40_00, 6_38),
        ("goods", "Belt <b>", 1, 5_00, 80),
        ("restocking_fee", "Belt <b>", 1, -50, 0),
        ("return_freight", None, 1, -4_90, 0),
    ]
    assert sum(line["amount"] for line in note.lines) == note.amount_minor == WHOLE


@pytest.mark.parametrize("state", [state for state in REFUND_STATES if state not in AT_REST])
def test_while_money_is_on_its_way_nothing_is_issued(state: str) -> None:
    assert plan_note(state, WHOLE, 0, WHOLE, PARTS, TITLES) is None


@pytest.mark.parametrize(
    "parts",
    [[], [{"amount": WHOLE}], [{"kind": "goods"}], [{"kind": "goods", "amount": WHOLE - 1}]],
    ids=["none", "no kind", "no amount", "too little"],
)
def test_parts_that_say_too_little_hold_nothing_up(parts: list[dict[str, Any]]) -> None:
    """Else the provider's evidence, recorded by the same transaction, would be refused for ever."""
    note = plan_note("succeeded", WHOLE, 0, WHOLE, parts, TITLES)
    assert note is not None
    assert [(line["kind"], line["amount"]) for line in note.lines] == [("manual", WHOLE)]


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(AT_REST)), st.integers(0, WHOLE)), min_size=1, max_size=8
    )
)
def test_the_notes_always_sum_to_what_arrived(rests: list[tuple[str, int]]) -> None:
    noted = 0
    for state, arrived in rests:
        note = plan_note(state, arrived, noted, WHOLE, PARTS, TITLES)
        if note is not None:
            assert note.amount_minor > 0
            assert sum(line["amount"] for line in note.lines) == note.amount_minor
            noted += note.amount_minor if note.kind == "credit_note" else -note.amount_minor
        assert noted == arrived


def a_note(**more: Any) -> dict[str, Any]:
    note = plan_note("succeeded", WHOLE, 0, WHOLE, PARTS, TITLES)
    assert note is not None
    address = {"street1": "Lagerstr. 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    return {
        "number": 17,
        "kind": "credit_note",
        "amount_minor": WHOLE,
        "currency": "EUR",
        "issued_at": datetime(2026, 11, 21, 23, 30, tzinfo=UTC),
        "body": {
            "seller": {"name": "Field & Loom", "address": address},
            "order": "#1001",
            "refund": "ref_x",
            "lines": [dict(line) for line in note.lines],
        },
        **more,
    }


def test_it_reads_in_the_shops_language_and_day() -> None:
    document = credit_note_document(
        a_note(), "Europe/Berlin", "de-DE", {"name": "Anna", "city": "X"}
    )
    assert document.title == "Gutschrift (Rechnungskorrektur)"
    assert dict(document.facts)["Datum"] == "2026-11-22"
    assert document.recipient == ("Anna", "X")
    assert document.rows[0] == ("Linen shirt", "2", "40.00 EUR")
    assert document.total == ("Summe", "39.60 EUR")
    assert credit_note_document(a_note(), "UTC", "ja-JP", None).title == "Credit note"
    gone = credit_note_document(a_note(), "UTC", "fr", {"name": None, "street1": None})
    assert gone.recipient == ()


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_kind_of_line_has_a_word_in_every_language(language: str) -> None:
    kinds = ["goods", "shipping", "duty", "tip", "fee", "grade_deduction", "restocking_fee",
             "return_freight", "manual", "goodwill", "cancellation", "part_payment",
             "reversal"]  # fmt: skip
    line = {"title": None, "quantity": 1, "amount": 1, "tax_contained": 0}
    body = {**a_note()["body"], "lines": [{**line, "kind": kind} for kind in kinds]}
    document = credit_note_document(a_note(body=body), "UTC", language, None)
    assert [name for name, _, _ in document.rows if name in kinds or "_" in name] == []


def test_the_page_escapes_whatever_stands_on_it() -> None:
    page = html(credit_note_document(a_note(), "UTC", "en", {"name": "<script>alert(1)</script>"}))
    assert "<script" not in page
    assert "Belt &lt;b&gt;" in page
    assert "Field &amp; Loom" in page
