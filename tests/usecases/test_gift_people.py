"""The recipient of a gift as a person: erased with all that was said of them, whoever else was
erased before, and whatever is under way; and unseen by the buyer, also where staff write for them.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.orders import ShopErased
from returns_api.domain.people import normalise_email
from returns_api.ports.carriers import Form, Label, LabelDocument
from returns_api.usecases import exports
from returns_api.usecases._labels import remember
from returns_api.usecases._store_credits import account_of
from tests.support.desk import Desk, ret_path
from tests.support.gifts import (
    BEA,
    BONUS,
    CREDIT,
    OF_BEA,
    accounts,
    brought,
    coats,
    desk,
    everything,
    given,
    hold,
    record,
    story_policy,
)
from tests.support.story import Story
from tests.support.story_scene import Order

__all__ = ["coats", "desk", "story_policy"]

PEOPLE = "/v1/admin/people"
SAID = {"text": "Dear Bea, is it the coat from the Geschenkweg?"}


async def test_what_staff_wrote_of_a_recipient_goes_with_them(
    story: Story, coats: Order, desk: Desk
) -> None:
    """Messages, notes and complaints about the gift, and the answers that are kept of them; nothing
    that was said about the buyer's own return of the same order."""
    await hold(desk, (await given(desk, coats))["code"])
    gift = await brought(desk, coats)
    own = await story.open(coats, {"coat": 1})
    path, buyers = f"/v1/returns/{gift['return']}", ret_path(own.id)
    await desk.do("agent", f"{path}/messages", SAID)
    await desk.do("agent", f"{path}/notes", SAID)
    about = {"order": ids.encode("ord", coats.id), "return": gift["return"], "category": "other"}
    complaint = await desk.do("agent", "/v1/complaints", {**about, **SAID})
    await desk.do("agent", f"/v1/complaints/{complaint['complaint']}/progress", SAID)
    (told,) = (await desk.do("admin", f"{PEOPLE}/export", {"email": BEA}))["gifts"]
    assert [each["text"] for each in told["messages"]] == [SAID["text"]] * 3, "not the note"
    kept = {"text": "Dear Anna, thank you."}
    await desk.do("agent", f"{buyers}/messages", kept)
    assert (await desk.do("admin", f"{PEOPLE}/erase", {"email": BEA}))["orders"] == 0
    left = await everything(story)
    assert [word for word in OF_BEA if word in left] == []
    assert left.count(kept["text"]) == 2, "the message and its kept answer"


async def test_a_shop_that_is_erased_keeps_no_recipient(
    story: Story, coats: Order, desk: Desk
) -> None:
    """Also where the buyer of the gift was erased before; what comes later is nobody's."""
    await hold(desk, (await given(desk, coats))["code"])
    ret = await record(story, await brought(desk, coats))
    key = story.ctx.sealer.keyed_hash(normalise_email(BEA))
    await story.rows(
        "INSERT INTO notification_opt_outs (shop_id, address_key, channel, created_at)"
        " VALUES ($1, $2, 'email', now())",
        story.shop,
        key,
    )
    await desk.do("admin", f"{PEOPLE}/erase", {"email": "anna@example.com"})
    assert [word for word in OF_BEA if word in await everything(story)] != []
    await exports.start_export(story.ctx, story.shop, SYSTEM, "returns")
    await story.see(ShopErased())
    assert await exports.list_exports(story.ctx, story.shop, UUID(int=2**128 - 1), 9) == []
    left = await everything(story)
    assert [word for word in (*OF_BEA, key.hex()) if word in left] == []
    await story.bring_back(ret)
    await story.drain()
    assert await accounts(story) == [("nobody", None, CREDIT + BONUS)]


async def test_credit_that_is_given_while_its_recipient_is_erased_is_nobody_s(
    story: Story, coats: Order, desk: Desk
) -> None:
    await hold(desk, (await given(desk, coats))["code"])
    ret = await record(story, await brought(desk, coats))
    async with story.ctx.database.transaction(story.shop) as tx:
        _, opened = await account_of(tx, story.ctx, coats.id, "EUR", SYSTEM, ret.id)
        await emit(tx, opened)
        erasing = asyncio.create_task(desk.do("admin", f"{PEOPLE}/erase", {"email": BEA}))
        await asyncio.wait({erasing}, timeout=0.3)
    await erasing
    assert await accounts(story) == [("nobody", None, 0)]


async def test_a_label_that_comes_after_its_sender_was_erased_is_not_kept(
    story: Story, coats: Order, desk: Desk
) -> None:
    """The carrier was asked before: recipient and buyer, each by their own return."""
    await hold(desk, (await given(desk, coats))["code"])
    gift = await record(story, await brought(desk, coats))
    own = await story.open(coats, {"coat": 1})
    file = LabelDocument(Form.LABEL, "application/pdf", b"%PDF sent by Bea or Anna")
    carrier = story.ctx.carriers["easypost"]
    for gone, kept in ((BEA, [own]), ("anna@example.com", [])):
        await desk.do("admin", f"{PEOPLE}/erase", {"email": gone})
        for ret in (gift, own):
            parcel = (await story.view(ret)).shipment
            assert parcel is not None
            name = str(parcel.id)
            label = Label(name, name, "UPS", "Ground", None, None, None, documents=(file,))
            async with story.ctx.database.transaction(story.shop) as tx:
                await remember(tx, story.ctx, parcel.id, carrier, label)
        found = await story.rows(
            "SELECT s.return_id FROM label_documents d JOIN shipments s ON s.id = d.shipment_id"
        )
        assert [row["return_id"] for row in found] == [ret.id for ret in kept], gone


async def test_the_buyer_sees_no_complaint_about_a_gift(
    story: Story, coats: Order, desk: Desk
) -> None:
    """That staff wrote down for whoever brought it back; their own they see."""
    await hold(desk, (await given(desk, coats))["code"])
    gift = await brought(desk, coats)
    order = {"order": ids.encode("ord", coats.id), "category": "other"}
    theirs = await desk.do("agent", "/v1/complaints", {**order, "return": gift["return"], **SAID})
    own = await desk.do("buyer", "/v1/complaints", {**order, "text": "Where is my parcel?"})
    path = f"/v1/complaints/{theirs['complaint']}"
    listed = await desk.get("buyer", "/v1/complaints")
    assert [each["complaint"] for each in listed["items"]] == [own["complaint"]]
    assert len((await desk.get("agent", "/v1/complaints"))["items"]) == 2
    for where in (path, f"{path}/messages"):
        assert (await desk.people["buyer"].get(where)).status_code == 404, where
    assert (await desk.send("buyer", f"{path}/withdraw")).status_code == 404
    told = await desk.do("admin", f"{PEOPLE}/export", {"email": "anna@example.com"})
    assert [each["text"] for each in told["orders"][0]["messages"]] == ["Where is my parcel?"]
    assert (await desk.get("agent", path))["state"] == "open"
