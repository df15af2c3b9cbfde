"""What the warehouse is told before a parcel comes, and what lies in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from returns_api.adapters.documents import PdfPrinter
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.errors import Conflict, Invalid, NotFound
from returns_api.domain.events import SYSTEM
from returns_api.usecases import returns
from returns_api.usecases._labels import label_request
from returns_api.usecases.packing_slips import get_packing_slip
from returns_api.usecases.shops import change_shop, view_shop
from tests.support.context import ADDRESS
from tests.support.story import POLICY, Story
from tests.support.story_orders import BUYER, goods


@pytest.fixture
def story_policy() -> str:
    """What the merchant or the carrier spoilt goes back to the supplier."""
    return POLICY.replace("  - id: faulty\n", "  - id: faulty\n    send_to: supplier\n", 1)


async def test_the_slip_says_what_comes_and_where_to(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 2), goods("coat", 3000))
    ret = await story.open(order, {"shirt": 2, "coat": 1})
    await story.drain()
    slip = await get_packing_slip(story.ctx, story.who(Role.BUYER, order), ret.id)
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    assert slip.code == ret.number
    assert slip.title == "Begleitschein"
    assert slip.rows == (("shirt", "SKU-shirt", "2"), ("coat", "SKU-coat", "1"))
    assert slip.total == ("Stücke im Paket", "3")
    assert slip.sender[0] == BUYER.name
    assert ADDRESS["street1"] in slip.recipient
    assert ("Sendung", shipment.tracking_code) in slip.facts
    assert PdfPrinter().pdf(slip).startswith(b"%PDF-")
    other = replace(story.who(Role.BUYER, order), order_id=story.ctx.new_id())
    with pytest.raises(NotFound):
        await get_packing_slip(story.ctx, other, ret.id)
    await story.act(ret, returns.canceling)
    with pytest.raises(Conflict):
        await get_packing_slip(story.ctx, story.agent, ret.id)


async def test_the_warehouse_hears_once_of_what_comes(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 2))
    ret = await story.open(order, {"shirt": 1})
    assert await _expected(story) == []
    await story.drain()
    await story.drain(days=1)
    (told,) = await _expected(story)
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    assert told["data"]["return"] == ids.encode("ret", ret.id)
    assert told["data"]["tracking"] == shipment.tracking_code
    assert told["data"]["destination"]["kind"] == "warehouse"
    assert told["data"]["destination"]["street1"] == ADDRESS["street1"]
    assert [(line["sku"], line["quantity"]) for line in told["data"]["lines"]] == [("SKU-shirt", 1)]
    assert BUYER.street1 is not None
    assert BUYER.street1 not in str(told["data"])


async def test_faulty_goods_go_to_the_supplier_where_the_policy_says_so(story: Story) -> None:
    """Label, slip and notice name one place; one parcel of both kinds goes to the warehouse."""
    there = {**ADDRESS, "name": "Supplier", "street1": "Werk 7"}
    version = (await view_shop(story.ctx, story.shop))["version"]
    changes = {"destinations": {"supplier": there}}
    await change_shop(story.ctx, story.shop, SYSTEM, version, changes)
    order = await story.order(goods("shirt", 2000, 2), goods("coat", 3000))
    ret = await story.open(order, {"shirt": 1}, reason="defective", photos={"shirt": 1})
    assert ret.terms.send_to == "supplier"
    await story.drain()
    (told,) = await _expected(story)
    assert told["data"]["destination"]["kind"] == "supplier"
    assert told["data"]["destination"]["street1"] == "Werk 7"
    slip = await get_packing_slip(story.ctx, story.agent, ret.id)
    assert "Werk 7" in slip.recipient
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    async with story.ctx.database.transaction(story.shop) as tx:
        asked = await label_request(tx, shipment, order.id)
    assert asked is not None
    assert asked.receiver.street1 == "Werk 7"
    plain = await story.open(order, {"coat": 1})
    assert plain.terms.send_to == "warehouse"
    wrong = {"destinations": {"supplier": {**there, "country": "XX"}}}
    with pytest.raises(Invalid):
        await change_shop(story.ctx, story.shop, SYSTEM, version + 1, wrong)


async def _expected(story: Story) -> list[dict[str, Any]]:
    rows = await story.rows("SELECT data FROM events WHERE type = 'return.expected'")
    return [dict(row.items()) for row in rows]
