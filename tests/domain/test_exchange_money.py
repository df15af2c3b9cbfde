"""What each line of a return in goods counts for: exact together, never below zero."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_api.domain.allocation import Certificate, certify
from returns_api.domain.exchange_money import all_in, keeps_order, left_over, share_out
from returns_api.domain.exchanges import IN_MONEY, ExchangeRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.settlement import (
    PPM,
    Claim,
    FreightPayer,
    Part,
    PartKind,
    Settlement,
    Terms,
    plan_settlement,
)
from tests.domain.test_allocation_orders import line, order, orders, shipping
from tests.domain.test_exchanges import exchange
from tests.support.settlements import all_terms, rates

GOODS, FREIGHT, SHIPPING = PartKind.GOODS, PartKind.RETURN_FREIGHT, PartKind.SHIPPING
THREE = certify(order([line("a", 1000), line("b", 1000), line("c", 1), shipping(400)], paid=[2401]))


def parts(freight: int, **lines: int) -> list[Part]:
    found = [Part(GOODS, amount, name, 1) for name, amount in lines.items()]
    return [*found, Part(FREIGHT, -freight)] if freight else found


@pytest.mark.parametrize(
    ("freight", "lines", "counts"),
    [
        (490, {"a": 9000, "b": 4000}, {"a": 9000 - 339, "b": 4000 - 151}),
        (101, {"a": 500, "b": 500}, {"a": 449, "b": 450}),  # ties go to the first line
        (490, {"a": 9000, "b": 0}, {"a": 8510, "b": 0}),  # what is worth nothing bears nothing
        (300, {"a": 200, "b": 100}, {"a": 0, "b": 0}),  # all that there is
        (0, {"a": 1}, {"a": 1}),
        (0, {}, {}),
    ],
)
def test_freight_is_shared_by_what_each_line_counts_for(
    freight: int, lines: dict[str, int], counts: dict[str, int]
) -> None:
    shares = share_out(parts(freight, **lines))
    assert (shares.counts, shares.of("nothing came")) == (counts, 0)


def test_the_outbound_shipping_belongs_to_the_lines_that_end_in_money() -> None:
    told = [*parts(100, a=600, b=300, c=300), Part(SHIPPING, 401, "ship", 1)]
    assert share_out(told, ["b", "c"]).counts == {"a": 550, "b": 476, "c": 475}
    # freight above the goods' own worth is taken from that shipping
    told = [*parts(1000, a=600, b=300), Part(SHIPPING, 401, "ship", 1)]
    assert share_out(told, ["b"]).counts == {"a": 0, "b": 301}


def of_line(name: str, state: str, **values: Any) -> ExchangeRecord:
    return replace(exchange(), line_external=name, state=state, **values)


def settled(claims: list[Claim], terms: Terms) -> Settlement:
    return plan_settlement(THREE, claims, terms, [])


def test_what_is_left_goes_each_line_s_own_way() -> None:
    terms = Terms(FreightPayer.BUYER, 201)
    claims = [Claim("a", 1), Claim("b", 1), Claim("c", 1, deduction_ppm=PPM)]
    given_first = of_line("a", "shipped", drawn_minor=700, fallback="store_credit")
    given_up = of_line("b", "converted", outcome="refund", fallback="store_credit")
    nothing = of_line("c", "failed", outcome="refund", fallback="refund")
    left = left_over(settled(claims, terms), [given_first, given_up, nothing])
    assert left.ways == {"refund": 900, "store_credit": 1000 - 101 - 700}
    assert (left.total_minor, left.drawn_minor, left.freight_minor) == (1099, 700, 201)
    assert sum(part["amount"] for part in left.parts) == left.total_minor
    assert left.along(1099) == left.ways


def test_what_was_replaced_bears_its_share_of_the_freight_and_is_owed_nothing() -> None:
    terms = Terms(FreightPayer.BUYER, 201)
    replaced = of_line("a", "released", kind="replacement")
    failed = of_line("b", "failed", kind="replacement", outcome="refund")
    left = left_over(settled([Claim("a", 1), Claim("b", 1)], terms), [replaced, failed])
    assert (left.ways, left.freight_minor) == ({"refund": 900}, 100)
    assert [(part["kind"], part["amount"]) for part in left.parts] == [
        ("goods", 1000), ("return_freight", -100),
    ]  # fmt: skip
    assert left.parts[-1]["because"] == {"asked": 201, "payer": "buyer", "cut_to": 100}
    alone = left_over(settled([Claim("a", 1)], terms), [replaced])
    assert (alone.total_minor, alone.freight_minor) == (0, 0)


def test_an_advance_leaves_one_way() -> None:
    left = all_in(settled([Claim("a", 1)], Terms()), "store_credit")
    assert left.along(300) == {"store_credit": 300}
    assert left.along(1000) == {"store_credit": 1000}


@pytest.mark.parametrize(
    ("states", "came", "keeps"),
    [
        (("released", "completed"), (True, True), True),
        (("released", "converted"), (True, True), False),
        (("released", "failed"), (True, False), True),  # an empty box came for it
        (("lapsed", "converted"), (True, True), False),
    ],
)
def test_the_outbound_shipping_is_owed_once_a_unit_ends_in_money(
    states: tuple[str, str], came: tuple[bool, bool], *, keeps: bool
) -> None:
    found = [of_line(name, state) for name, state in zip("ab", states, strict=True)]
    claims = [Claim(name, 1, came=each) for name, each in zip("ab", came, strict=True)]
    assert keeps_order(found, claims) is keeps


@settings(max_examples=40)
@given(orders().map(certify), all_terms, st.data())
def test_shares_are_the_settlement_exactly_in_any_order(
    certificate: Certificate, terms: Terms, data: st.DataObject
) -> None:
    """Whatever becomes of each line, goods and money together are what the return is due."""
    claims = [
        Claim(name, number, deduction_ppm=data.draw(rates))
        for name, number, _ in certificate.units()
        if certificate.line(name).kind is LineKind.GOODS
    ][:12]
    names = list(dict.fromkeys(claim.line for claim in claims))
    found = [
        of_line(
            name,
            data.draw(st.sampled_from(["released", "converted", "failed"])),
            outcome=data.draw(st.sampled_from(IN_MONEY)),
        )
        for name in names
    ]
    judged = plan_settlement(
        certificate, claims, replace(terms, refund_original_shipping=False), []
    )
    credit = share_out(judged.parts)
    assert sum(credit.counts.values()) == judged.total_minor
    assert min(credit.counts.values(), default=0) >= 0
    assert sum(credit.freight.values()) == judged.fees.return_freight_minor
    Random(7).shuffle(claims)
    again = plan_settlement(certificate, claims, replace(terms, refund_original_shipping=False), [])
    assert share_out(again.parts) == credit
    found = [_drawing(each, credit.of(each.line_external), data) for each in found]
    if keeps_order(found, claims):
        terms = replace(terms, refund_original_shipping=False)
    due = plan_settlement(certificate, claims, terms, [])
    ended = {each.line_external for each in found if each.ended_in_money}
    final = share_out(due.parts, ended)
    assert all(final.of(name) == credit.of(name) for name in set(names) - ended), "judged once"
    assert sum(final.counts.values()) == due.total_minor
    left = left_over(due, found)
    assert min(left.ways.values(), default=0) >= 0
    assert left.total_minor + left.drawn_minor == due.total_minor
    assert left.total_minor == sum(part["amount"] for part in left.parts)


def _drawing(each: ExchangeRecord, credit: int, data: st.DataObject) -> ExchangeRecord:
    if not each.given:
        return each
    return replace(each, outcome=None, drawn_minor=data.draw(st.integers(0, credit)))
