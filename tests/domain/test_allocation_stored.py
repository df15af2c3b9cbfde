"""The stored form of a certificate, what of it is believed, and how a unit is explained."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.allocation import (
    certify,
    digest,
    digest_of,
    explain_unit,
    from_json,
    to_json,
)
from returns_api.domain.orders import TaxFacts
from tests.domain.test_allocation_orders import line, order


def test_a_thousand_units_on_fifty_lines_stay_small() -> None:
    lines = [
        line(
            f"l{n}",
            1999 + n,
            1_000,
            line_discount_minor=777,
            order_discount_minor=1313,
            taxes=[12345, 6789],
        )
        for n in range(50)
    ]
    certificate = certify(order(lines, paid=[order(lines).total_minor - 13]))
    assert sum(parts.paid for _, _, parts in certificate.units()) == certificate.paid_minor
    assert max(len(each.runs) for each in certificate.lines) <= 8
    assert len(json.dumps(to_json(certificate))) < 40_000


def test_the_stored_form_reads_back_equal_and_digests_alike() -> None:
    facts = order(
        [line("a", 1000, 7, order_discount_minor=50, taxes=[TaxFacts("MwSt", 13, "0.19")])],
        paid=[6900],
    )
    certificate = certify(facts)
    read = from_json(json.loads(json.dumps(to_json(certificate))))
    assert read == certificate
    assert digest(read) == digest(certificate)
    assert digest(certificate).startswith("sha256:")
    shuffled = dict(sorted(to_json(certificate).items(), reverse=True))
    assert digest(from_json(shuffled)) == digest(certificate)
    assert digest(certify(replace(facts, external_id="o2"))) != digest(certificate)


@given(st.text(), st.integers(-(10**24), 10**24))
def test_the_digest_is_over_what_json_writes(text: str, number: int) -> None:
    stored = {"order": text, "total": number, "lines": [[text, None, True]]}
    canonical = json.dumps(stored, sort_keys=True, separators=(",", ":")).encode()
    assert digest_of(stored) == "sha256:" + sha256(canonical).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"form": 2},
        {"captured": 999},
        {"captured": True},
        {"captured": "1000"},
        {"basis": "guess"},
        {"lines": []},
        {"lines": None},
        {"lines": [3]},
        {"flags": [["residue", 1]]},
        {"currency": None},
    ],
)
def test_a_changed_stored_form_is_not_believed(change: dict[str, object]) -> None:
    stored = to_json(certify(order([line("a", 500, 2)], paid=[1000])))
    with pytest.raises(ValueError, match=r"."):
        from_json({**stored, **change})


def test_a_stored_form_with_a_member_missing_is_not_believed() -> None:
    stored = to_json(certify(order([line("a", 500, 2)], paid=[1000])))
    for name in stored:
        with pytest.raises(ValueError, match="not a certificate"):
            from_json({key: value for key, value in stored.items() if key != name})


def test_a_certificate_that_does_not_add_up_cannot_be_built() -> None:
    certificate = certify(order([line("a", 500, 2)], paid=[1000]))
    with pytest.raises(ValueError, match="add up"):
        replace(certificate, captured_minor=1001)
    with pytest.raises(ValueError, match="add up"):
        replace(certificate, lines=(replace(certificate.lines[0], quantity=3),))


def test_every_part_of_a_unit_is_explained() -> None:
    facts = order([line("a", 1000, 3, order_discount_minor=100, taxes=[290])], paid=[3192])
    explained = {part.part: part for part in explain_unit(certify(facts), "a", 2)}
    assert {name: part.amount_minor for name, part in explained.items()} == {
        "price": 1000,
        "order_discount": -33,
        "tax_added": 97,
        "adjustment": 1,
    }
    assert explained["order_discount"].whole_minor == -100
    assert explained["adjustment"].whole_minor == 2
    assert all(part.source and part.rule for part in explained.values())


def test_a_removed_unit_has_nothing_to_explain() -> None:
    assert explain_unit(certify(order([line("a", 500, 2, removed=1)])), "a", 2) == ()
