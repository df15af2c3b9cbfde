"""Ways to have each deadline of a dispute, and of an offer that may end one, stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proofs.deadlines.cases import CHEAP, COSTLY, Case, Make, opened
from tests.support.story import Story
from tests.support.story_scene import Order

from returns_api.domain.access import Principal, Role
from returns_api.domain.disputes import DisputeRecord
from returns_api.domain.events import By
from returns_api.domain.offers import OfferRecord
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import disputes, offers, returns
from returns_api.usecases._acting import Acting


async def _dispute(story: Story) -> tuple[Order, DisputeRecord]:
    order, ret = await opened(story, COSTLY)
    await story.act(ret, returns.rejecting("worn", None, None))
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await disputes.open_dispute(
            tx,
            story.ctx,
            buyer,
            By("buyer", buyer.credential_id),
            ret.id,
            claimed_minor=500,
            statement="It came like this.",
        )
    return order, made


async def _ruled(story: Story) -> tuple[Order, DisputeRecord]:
    order, made = await _dispute(story)
    arbiter = story.who(Role.PLATFORM)
    by, agent = By("platform", arbiter.credential_id), story.agent
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await disputes.add_evidence(tx, story.ctx, agent, By("agent"), made.id, "No.", None)
        await disputes.act(tx, story.ctx, arbiter, by, made.id, "begin_review", None)
        ruled = await disputes.rule(
            tx, story.ctx, arbiter, by, made.id, award_minor=100, reason="Half.", seen=None
        )
    return order, ruled


def _disputed(made: DisputeRecord, kind: str, event: str) -> Case:
    return Case("dispute", kind, event, made.return_id, made.id)


async def evidence(story: Story) -> Case:
    return _disputed((await _dispute(story))[1], "evidence", "dispute.review_begun")


async def ruling(story: Story) -> Case:
    _, made = await _dispute(story)
    arbiter = story.who(Role.PLATFORM)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await disputes.add_evidence(tx, story.ctx, story.agent, By("agent"), made.id, "No.", None)
        await disputes.act(tx, story.ctx, arbiter, By("platform"), made.id, "begin_review", None)
    return _disputed(made, "ruling", "dispute.overdue")


async def appeal(story: Story) -> Case:
    return _disputed((await _ruled(story))[1], "appeal", "dispute.final")


async def appeal_ruling(story: Story) -> Case:
    order, made = await _ruled(story)
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await disputes.appeal(tx, story.ctx, buyer, By("buyer"), made.id, "Look again.", None)
    return _disputed(made, "appeal_ruling", "dispute.final")


async def _offer(story: Story, person: Principal) -> tuple[Order, ReturnRecord, OfferRecord]:
    order, ret = await opened(story, CHEAP)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        who = Acting(person, By(person.role.value, person.credential_id), ret.id)
        made = await offers.make_offer(tx, story.ctx, who, amount_minor=500)
    return order, ret, made


async def offer_approval(story: Story) -> Case:
    """By default an agent may promise nothing alone."""
    _, ret, made = await _offer(story, story.agent)
    return Case("offer", "offer_approval", "offer.expired", ret.id, made.id)


async def offer_answer(story: Story) -> Case:
    _, ret, made = await _offer(story, story.who(Role.ADMIN))
    return Case("offer", "offer_answer", "offer.expired", ret.id, made.id)


async def counter_answer(story: Story) -> Case:
    order, ret, made = await _offer(story, story.who(Role.ADMIN))
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        who = Acting(buyer, By("buyer", buyer.credential_id), made.id)
        countered = await offers.counter_offer(tx, story.ctx, who, amount_minor=900)
    return Case("offer", "counter_answer", "offer.expired", ret.id, countered.id)


MAKERS: Final[Mapping[str, Make]] = {
    "dispute.evidence": evidence,
    "dispute.ruling": ruling,
    "dispute.appeal": appeal,
    "dispute.appeal_ruling": appeal_ruling,
    "offer.offer_approval": offer_approval,
    "offer.offer_answer": offer_answer,
    "offer.counter_answer": counter_answer,
}
