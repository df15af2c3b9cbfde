"""A gift comes back by its recipient: for credit of their own, without a word of what was paid or
by whom, and without a word to the buyer; once, whoever else reaches for the same units."""

from __future__ import annotations

import asyncio
from uuid import UUID

from returns_api.db import shipments
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.people import normalise_email
from returns_api.domain.returns import ReturnRecord
from returns_api.ports.messaging import Sender
from returns_api.usecases import notification_settings
from returns_api.usecases._labels import label_request
from returns_api.usecases.audits import audit_shop
from returns_api.usecases.notification_settings import NotificationValues
from returns_api.usecases.packing_slips import get_packing_slip
from tests.support.desk import Desk, ret_path
from tests.support.gifts import (
    ADDRESS,
    BEA,
    BONUS,
    CREDIT,
    OF_BEA,
    OF_THE_BUYER,
    accounts,
    brought,
    coats,
    desk,
    everything,
    given,
    hold,
    order_path,
    record,
    story_policy,
    terms,
    wanted,
)
from tests.support.mailbox import Mailbox, a_mailbox
from tests.support.story import Story
from tests.support.story_scene import Order

__all__ = ["coats", "desk", "story_policy"]


async def told_by_mail(story: Story, mailbox: Mailbox) -> None:
    await story.connect("mail", "messaging", "smtp", mailbox.url, "")
    values = NotificationValues(Sender("returns@shop.example", "Field & Loom"), True, ())
    await notification_settings.put_settings(story.ctx, story.shop, SYSTEM, "mail", values, None)


async def test_a_gift_comes_back_for_its_recipient_s_own_credit(
    story: Story, coats: Order, desk: Desk
) -> None:
    async with a_mailbox() as mailbox:
        await told_by_mail(story, mailbox)
        receipt = await given(desk, coats)
        told = await hold(desk, receipt["code"].lower().replace("-", " "))
        opened = await brought(desk, coats)
        assert opened["credit"] == {"expected": CREDIT, "credited": 0}
        ret = await record(story, opened)
        await story.drain()
        view = await story.view(ret)
        assert view.shipment is not None
        async with story.ctx.database.transaction(story.shop) as tx:
            (parcel,) = await shipments.of_returns(tx, [ret.id])
            asked = await label_request(tx, parcel, coats.id)
        assert asked is not None
        assert (asked.sender.name, asked.sender.city) == (ADDRESS["name"], ADDRESS["city"])
        slip = await get_packing_slip(story.ctx, story.agent, ret.id)
        assert slip.sender[0] == ADDRESS["name"]
        assert [word for word in OF_THE_BUYER if word in str(slip)] == []
        href = f"/v1/gift/returns/{opened['return']}"
        shown = await desk.get("holder", href)
        assert shown["label"]["tracking"]
        await desk.follow("holder", shown, "ship")
        await _unseen_by_the_buyer(desk, coats, ret)
        await story.bring_back(ret)
        await story.drain()
        shown = await desk.get("holder", href)
        assert (shown["state"], shown["credit"]["credited"]) == ("completed", CREDIT)
        await _unseen_by_the_buyer(desk, coats, ret)
        mails = [(str(mail["To"]), mail.as_string()) for mail in mailbox.received]
    key = story.ctx.sealer.keyed_hash(normalise_email(BEA))
    assert await accounts(story) == [("email", key, CREDIT + BONUS)]
    assert (await story.payments(coats))["p0"].refunded == CREDIT
    assert await story.provider_list(coats) == [], "no money went anywhere"
    assert {to for to, _ in mails} == {BEA}
    assert mailbox.kinds.count("store_credit.issued") == 2
    for text in (*told, *(words for _, words in mails)):
        assert [word for word in OF_THE_BUYER if word in text] == []
    staff = await desk.get("agent", ret_path(ret.id))
    assert staff["gift_receipt"] == receipt["gift_receipt"]
    assert "offer" not in [each["action"] for each in staff["actions"]]


async def _unseen_by_the_buyer(desk: Desk, order: Order, ret: ReturnRecord) -> None:
    """The units are taken; by whom and for what, no answer to the buyer says."""
    buyer = desk.people["buyer"]
    name = ids.encode("ret", ret.id)
    for path in (ret_path(ret.id), f"{ret_path(ret.id)}/events", f"{ret_path(ret.id)}/photos"):
        assert (await buyer.get(path)).status_code == 404
    for action in ("cancel", "ship"):
        assert (await desk.send("buyer", f"{ret_path(ret.id)}/{action}")).status_code == 404
    for path in ("/v1/returns", "/v1/refunds", "/v1/credit-notes", "/v1/store-credits"):
        answer = await buyer.get(path)
        assert (answer.status_code, answer.json()["items"]) == (200, []), path
    refunds = (await desk.get("finance", f"/v1/refunds?return={name}"))["items"]
    notes = (await desk.get("finance", "/v1/credit-notes"))["items"]
    for row in refunds:
        assert (await buyer.get(f"/v1/refunds/{row['refund']}")).status_code == 404
    for row in notes:
        assert (await buyer.get(f"/v1/credit-notes/{row['credit_note']}")).status_code == 404
    shown = await buyer.get(order_path(order))
    (line,) = shown.json()["lines"]
    assert (line["claimed"], line["left"]) == (1, 1)
    assert [word for word in (*OF_BEA, name) if word in shown.text] == []


async def test_a_code_lets_in_whoever_has_it_and_nobody_else(
    story: Story, coats: Order, desk: Desk
) -> None:
    first, revoked = await given(desk, coats, lasts_days=2), await given(desk, coats)
    gone = f"/v1/gift-receipts/{revoked['gift_receipt']}"
    for _ in range(2):
        assert (await desk.people["buyer"].delete(gone)).status_code == 204
    listed = await desk.get("buyer", f"{order_path(coats)}/gift-receipts")
    assert "code" not in listed["items"][0]
    code = first["code"].replace("-", "")
    assert code.lower() not in (await everything(story)).lower().replace("-", "")
    answers = []
    for guess in (revoked["code"], first["code"][:-1] + "?", "x", " "):
        answer = await desk.send("agent", "/v1/gift-sessions", {"code": guess})
        answers.append((answer.status_code, {**answer.json(), "request_id": ""}))
    assert answers == [answers[0]] * 4
    assert answers[0][0] == 404
    await hold(desk, first["code"])
    await brought(desk, coats)
    story.clock.forward(days=3)
    await hold(desk, first["code"], "later")  # what it opened can still be followed
    shown = await desk.get("later", "/v1/gift")
    assert (shown["open"], shown["lines"][0]["left"], len(shown["returns"])) == (False, 0, 1)
    over = await desk.send("later", "/v1/gift/quotes", wanted(coats))
    assert over.status_code == 409
    for number in range(20):
        guest = {"number": f"#{number}", "email": "x@example.com"}
        refused = await desk.send("agent", "/v1/buyer-sessions", guest)
    assert refused.status_code == 429
    refused = await desk.send("agent", "/v1/gift-sessions", {"code": first["code"]})
    assert refused.status_code == 429, "guesses at both are counted together"


async def test_the_last_unit_comes_back_once(story: Story, coats: Order, desk: Desk) -> None:
    """Two who share a receipt for one coat; then the recipient and the buyer, for the other one."""
    first, second = await given(desk, coats), await given(desk, coats)
    for name in ("holder", "other"):
        await hold(desk, first["code"], name)
    quotes = [await desk.do(who, "/v1/gift/quotes", wanted(coats)) for who in ("holder", "other")]
    both = [("holder", terms(quotes[0])), ("other", terms(quotes[1]))]
    answers = await asyncio.gather(
        *(desk.send(who, "/v1/gift/returns", body) for who, body in both)
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    refused = next(each.json() for each in answers if each.status_code == 409)
    assert (refused["code"], refused["left"]) == ("nothing_left_to_return", 0)
    await hold(desk, second["code"], "third")
    gift = await desk.do("third", "/v1/gift/quotes", wanted(coats))
    own = await story.quote(coats, {"coat": 1})
    theirs, buyers = await asyncio.gather(
        desk.send("third", "/v1/gift/returns", terms(gift)),
        desk.send("buyer", "/v1/returns", {"quote": ids.encode("qt", own.id)}),
    )
    assert sorted((theirs.status_code, buyers.status_code)) == [201, 409]
    if theirs.status_code == 409:
        assert "lines" not in theirs.json(), "no counts of the order"
    assert (await story.load(coats.id)).lines[0].claimed == 2


async def test_nobody_takes_up_what_is_another_s(story: Story, coats: Order, desk: Desk) -> None:
    first, second = await given(desk, coats), await given(desk, coats)
    for name, receipt in (("holder", first), ("other", second)):
        await hold(desk, receipt["code"], name)
    mine = await desk.do("holder", "/v1/gift/quotes", wanted(coats))
    own = {"quote": ids.encode("qt", (await story.quote(coats, {"coat": 1})).id)}
    path = f"/v1/gift/quotes/{mine['quote']}"
    assert (await desk.people["other"].get(path)).status_code == 404
    assert (await desk.people["buyer"].get(f"/v1/quotes/{mine['quote']}")).status_code == 404
    for who, where, body in (
        ("buyer", "/v1/returns", {"quote": mine["quote"]}),
        ("other", "/v1/gift/returns", terms(mine)),
        ("holder", "/v1/gift/returns", {**terms(mine), **own}),
    ):
        assert (await desk.send(who, where, body)).status_code == 404, who
    for who in ("agent", "admin"):  # they could name nobody whose the credit is
        refused = await desk.send(who, "/v1/returns", {"quote": mine["quote"]})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict"), who
        assert (await desk.get(who, f"/v1/quotes/{mine['quote']}"))["actions"] == []
    opened = await desk.follow("holder", mine, "open", terms(mine))
    where = f"/v1/gift/returns/{opened['return']}"
    assert (await desk.people["other"].get(where)).status_code == 404
    assert (await desk.send("other", f"{where}/cancel")).status_code == 404
    abroad = await desk.do("other", "/v1/gift/quotes", wanted(coats))
    elsewhere = {**terms(abroad), "address": {**ADDRESS, "country": "DE"}}
    refused = await desk.send("other", "/v1/gift/returns", elsewhere)
    assert refused.json()["code"] == "does_not_fit", refused.text
    for path in (order_path(coats), ret_path(ids.decode("ret", opened["return"])), "/v1/refunds"):
        assert (await desk.people["holder"].get(path)).status_code == 403
    kept = await desk.follow("holder", await desk.get("holder", where), "cancel")
    assert kept["state"] == "canceled"
    assert (await desk.get("holder", "/v1/gift"))["lines"][0]["left"] == 1


async def test_a_recipient_is_told_of_and_forgotten_apart_from_the_buyer(
    story: Story, coats: Order, desk: Desk
) -> None:
    await hold(desk, (await given(desk, coats))["code"])
    opened = await brought(desk, coats)
    ret = await record(story, opened)
    people = "/v1/admin/people"
    bea, anna = {"email": BEA.upper()}, {"email": "anna@example.com"}
    told = await desk.do("admin", f"{people}/export", bea)
    assert (told["orders"], told["gifts"][0]["return"]) == ([], opened["return"])
    assert told["gifts"][0]["recipient"]["street1"] == ADDRESS["street1"]
    (order,) = (await desk.do("admin", f"{people}/export", anna))["orders"]
    assert (order["returns"], order["refunds"], order["notifications"]) == ([], [], [])
    assert (await desk.do("admin", f"{people}/erase", bea))["orders"] == 0
    left = await everything(story)
    assert [word for word in OF_BEA if word in left] == []
    assert "anna@example.com" in left, "the buyer is somebody else"
    await story.bring_back(ret)
    await story.drain()
    assert await accounts(story) == [("nobody", None, CREDIT + BONUS)]
    assert (await desk.do("admin", f"{people}/export", bea))["gifts"] == []


async def test_whatever_is_due_later_is_the_recipient_s_too(
    story: Story, coats: Order, desk: Desk
) -> None:
    """Four eyes on the credit; then money that was not there when it was due."""
    await hold(desk, (await given(desk, coats, 2))["code"])
    await story.limit(return_above=100_00)
    first = await record(story, await brought(desk, coats))
    await story.bring_back(first)
    held = await story.refund_of(first)
    assert (held.refund["state"], await accounts(story)) == ("requested", [_hers(story, 0)])
    await story.approve(held)
    assert await accounts(story) == [_hers(story, CREDIT + BONUS)]
    second = await record(story, await brought(desk, coats))
    rest = await story.refund(coats, by=story.agent)  # all that is left, until a second person
    await story.bring_back(second)
    late = await story.refund_of(second)
    assert late.transfers == []
    await story.cancel(rest.refund["id"])
    again = await story.retry(UUID(str(late.refund["id"])))
    assert {move["payment_id"] is not None for move in again.transfers} == {True}
    assert {move["store_credit_id"] is not None for move in again.transfers} == {True}
    await story.approve(again)
    assert await accounts(story) == [_hers(story, 2 * (CREDIT + BONUS))]
    await story.drain()
    assert await story.provider_list(coats) == []
    for table, column, harm, check in (
        ("gift_receipt_lines", "quantity", "1", "units brought back by a gift receipt"),
        ("store_credits", "holder_key", "'somebody else'", "credit of a gift's recipient"),
    ):
        (kept,) = await story.rows(f"SELECT {column} AS value FROM {table}")
        await story.rows(f"UPDATE {table} SET {column} = {harm}")
        found = (await audit_shop(story.ctx, story.shop)).tally.findings
        assert {each["check"] for each in found} == {check}
        await story.rows(f"UPDATE {table} SET {column} = $1", kept["value"])


def _hers(story: Story, balance: int) -> tuple[str, bytes, int]:
    return ("email", story.ctx.sealer.keyed_hash(normalise_email(BEA)), balance)
