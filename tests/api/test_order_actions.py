"""What each reader may do about an order and a quote, by what became of the units."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.api.order_actions import order_actions, quote_actions
from returns_api.domain.access import ROLE_SCOPES, Principal, Role
from returns_api.domain.allocation import certify
from returns_api.domain.order_record import OrderRecord
from tests.domain.test_allocation_orders import line, order
from tests.support.quoting import NOW, record

ID = UUID(int=5)
FACTS = order([line("coat", 100, 3)], paid=[300])
ALL_HERE = record(FACTS, certify(FACTS))

HERE = {"quote", "add_photo"}
NOT_YET = {"change_address"}
ANY = {"cancel", "withdraw", "give", "complain"}


def who(role: Role) -> Principal:
    return Principal(ID, ID, role, ROLE_SCOPES[role], ID if role is Role.BUYER else None)


def an_order(*, parcel: dict[str, Any] | None = None, paid: int = 300, **units: Any) -> OrderRecord:
    """Three coats, all delivered, but for what is said; without a ``parcel``, none was sent."""
    (coat,), (sent,), (payment,) = ALL_HERE.lines, ALL_HERE.parcels, ALL_HERE.payments
    parcels = () if parcel is None else (replace(sent, **parcel),)
    lines = (replace(coat, **units),)
    payments = (replace(payment, refunded=300 - paid),)
    return replace(ALL_HERE, lines=lines, parcels=parcels, payments=payments)


ON_ITS_WAY = {"shipped_at": NOW - timedelta(days=1), "delivered_at": None}


@pytest.mark.parametrize(
    ("found", "buyer"),
    [
        (an_order(shipped=0, delivered=0), ANY | NOT_YET),
        (an_order(parcel=ON_ITS_WAY, delivered=0), ANY),
        (an_order(parcel={}), ANY | HERE),
        (an_order(parcel={}, ordered=4), ANY | HERE | NOT_YET),
        (an_order(parcel={}, claimed=1, claimed_units=(1,)), ANY | HERE),
        (an_order(parcel={}, claimed=3, claimed_units=(1, 2, 3)), {"complain"}),
        (an_order(shipped=0, delivered=0, cancelled=3), {"complain"}),
    ],
    ids=[
        "unsent",
        "on its way",
        "here",
        "one to come",
        "one returned",
        "all returned",
        "cancelled",
    ],
)
def test_what_can_be_asked_about_an_order(found: OrderRecord, buyer: set[str]) -> None:
    def names(role: Role) -> set[str]:
        return {each.action for each in order_actions(found, who(role), NOW)}

    assert names(Role.BUYER) == buyer
    assert names(Role.AGENT) == names(Role.ADMIN) == buyer | {"refund"}
    assert names(Role.FINANCE) == {"refund"}
    assert names(Role.WAREHOUSE) == names(Role.PLATFORM) == names(Role.PUBLISHABLE) == set()


def test_each_is_asked_at_its_address_and_refunds_need_money() -> None:
    found = {a.action: a.href for a in order_actions(an_order(parcel={}), who(Role.BUYER), NOW)}
    here = found["cancel"].removesuffix("/cancellations")
    assert here.startswith("/v1/orders/ord_")
    assert found["quote"] == "/v1/quotes"
    assert found["withdraw"] == f"{here}/withdrawals"
    assert order_actions(an_order(parcel={}, paid=0), who(Role.FINANCE), NOW) == []


def test_a_quote_can_be_accepted_once_and_in_time() -> None:
    end = NOW + timedelta(days=3)
    (accept,) = quote_actions(ID, None, end, who(Role.BUYER), NOW)
    assert (accept.action, accept.href) == ("open", "/v1/returns")
    assert (accept.until, accept.on_silence) == (end, "expired")
    assert quote_actions(ID, ID, end, who(Role.BUYER), NOW) == []
    assert quote_actions(ID, None, end, who(Role.BUYER), end) == []
    assert quote_actions(ID, None, end, who(Role.FINANCE), NOW) == []
