"""One return from the quote to the bank's own evidence, and what each storey knows of it."""

from __future__ import annotations

from tests.support.story import Story
from tests.support.story_orders import goods


async def test_a_return_goes_the_whole_way(story: Story) -> None:
    order = await story.order(goods("jacket", 9900, 2), goods("shirt", 2000))
    quote = await story.quote(order, {"jacket": 2})
    assert quote.body["total"] == 19800 - 490
    ret = (await story.accept(order, quote)).ret
    assert (ret.state, ret.decided_by, ret.number) == ("approved", "system", "#1001-R1")

    await story.drain()
    view = await story.view(ret)
    assert view.shipment is not None
    assert view.shipment.state == "label_ready"

    await story.scan(ret, "in_transit")
    assert (await story.again(ret)).state == "in_transit"
    await story.scan(ret, "delivered")
    await story.receive(ret, {"jacket": 1}, "r1")
    await story.receive(ret, {"jacket": 1}, "r2")
    done = await story.inspect(ret, ("jacket", "sealed"), ("jacket", "used_worn"))
    assert done.ret.state == "refunding"
    refund = await story.refund_of(ret)
    assert refund.refund["amount_minor"] == 9900 + 9900 * 70 // 100 - 490
    assert [move["state"] for move in refund.transfers] == ["queued"]

    await story.drain()
    after = await story.again(ret)
    assert (after.state, after.refunded_minor) == ("completed", 16340)
    assert (await story.payments(order))["p0"].refunded == 16340
    assert await story.happened(ret.id) == [
        "return.opened",
        "return.in_transit",
        "return.received",
        "return.received",
        "return.inspected",
        "return.settled",
        "return.completed",
    ]
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == 16340
