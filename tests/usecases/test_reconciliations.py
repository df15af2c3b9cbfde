"""Reconciliation against the bank's own list and settlement files: each kind of difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.db import books
from returns_api.domain import ids
from returns_api.domain.errors import Conflict, DoesNotFit, Invalid, NotFound
from returns_api.domain.events import SYSTEM, By
from returns_api.ports.errors import OutcomeUnknown
from returns_api.ports.payments import Capabilities, Listing
from returns_api.usecases import reconciliation_runs, reconciliations
from returns_api.usecases.context import Context
from returns_api.usecases.reconciliation_runs import STEPS_PER_JOB, TRIES_MAX
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.refusals import listed
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import CARD, Order

PAID = 10000
HEADER = "kind,id,payment,reference,amount,currency,status,at\n"


async def an_order(story: Story) -> Order:
    return await story.order(goods("thing", PAID))


async def run(story: Story, ctx: Context | None = None) -> UUID:
    """A run that a person asks for, carried to its end."""
    ctx = ctx or story.ctx
    row = await reconciliations.start_reconciliation(ctx, story.shop, By("finance"), CARD, None)
    await sweep.drain(ctx)
    view = await reconciliations.view_reconciliation(story.ctx, story.shop, row["id"])
    assert view.row["state"] == "succeeded", view.row
    return UUID(int=row["id"].int)


async def imported(story: Story, *lines: str, **time: Any) -> UUID:
    row = await reconciliations.import_statement(
        story.ctx,
        story.shop,
        By("finance"),
        CARD,
        HEADER + "".join(f"{line}\n" for line in lines),
        time.get("since"),
        time.get("until"),
    )
    await story.drain()
    return UUID(int=row["id"].int)


async def found(story: Story, of: UUID) -> list[tuple[str, str, str, bool]]:
    """Subject, kind, proposal and whether it was done, of each difference."""
    rows = await reconciliations.list_differences(
        story.ctx, story.shop, of, before=UUID(int=2**128 - 1), limit=100, kind=None
    )
    return sorted((r["subject"], r["kind"], r["proposal"], r["applied"]) for r in rows)


async def counters(story: Story, order: Order) -> tuple[int, int, int, int]:
    payment = (await story.payments(order))["p0"]
    return payment.reserved, payment.refunded, payment.external, payment.disputed


async def test_equal_books_differ_in_nothing(story: Story) -> None:
    order = await an_order(story)
    await story.refund(order, 6000)
    await story.drain()
    of = await run(story)
    assert await found(story, of) == []
    view = await reconciliations.view_reconciliation(story.ctx, story.shop, of)
    assert (view.row["total"], view.row["done"], view.row["unmatched"]) == (1, 1, 0)
    assert await story.rows("SELECT * FROM reconciliation_lines") == [], "lines are worked off"
    assert await story.happened(of) == ["reconciliation.created", "reconciliation.succeeded"]


async def test_what_somebody_did_elsewhere_becomes_a_fact_like_by_webhook(story: Story) -> None:
    """The webhook was lost: a dashboard refund and a chargeback."""
    order = await an_order(story)
    await story.bank.dashboard_refund(order.intents[0], 700)
    await story.bank.dispute(order.intents[0], 2500)
    of = await run(story)
    assert await found(story, of) == [
        ("dispute", "missing_here", "record_fact", True),
        ("refund", "missing_here", "record_fact", True),
    ]
    assert await counters(story, order) == (0, 0, 700, 2500)
    assert (await story.happened(order.id))[-2:] == ["order.disputed", "order.refunded_elsewhere"]
    again = await run(story)
    assert await found(story, again) == []
    assert await counters(story, order) == (0, 0, 700, 2500)


async def test_the_webhook_after_the_sweep_changes_nothing(story: Story) -> None:
    order = await an_order(story)
    await story.bank.dashboard_refund(order.intents[0], 700)
    await run(story)
    events = await story.events()
    await story.provider_tells(order)
    assert await counters(story, order) == (0, 0, 700, 0)
    assert len(await story.events()) == len(events)


async def test_a_late_failure_gives_the_money_back(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (fact,) = await story.provider_list(order)
    await story.bank.settle(fact.provider_refund_id, "failed")
    of = await run(story)
    assert await found(story, of) == [("refund", "state", "take_provider_state", True)]
    assert await counters(story, order) == (0, 0, 0, 0)
    assert (await story.refund_now(view.refund["id"])).refund["state"] in {"failed", "reversed"}


async def test_a_pending_one_that_arrived_is_only_a_matter_of_time(story: Story) -> None:
    order = await an_order(story)
    await story.bank.script("pending")
    await story.refund(order, 6000)
    await story.drain()
    (fact,) = await story.provider_list(order)
    await story.bank.settle(fact.provider_refund_id, "succeeded")
    of = await run(story)
    assert await found(story, of) == [("refund", "timing", "take_provider_state", True)]
    assert await counters(story, order) == (0, 6000, 0, 0)


async def test_another_payment_of_the_account_is_none_of_ours(story: Story) -> None:
    await an_order(story)
    stray = await story.bank.pay(5000)
    await story.bank.dashboard_refund(stray, 100)
    of = await run(story)
    assert await found(story, of) == []
    view = await reconciliations.view_reconciliation(story.ctx, story.shop, of)
    assert view.row["unmatched"] == 1


async def test_what_the_provider_does_not_have_is_told_and_not_touched(story: Story) -> None:
    order = await an_order(story)
    await story.refund(order, 6000)
    await story.drain()
    before = await counters(story, order)
    other = await an_order(story)
    line = f"refund,re_else,{other.intents[0]},,300,EUR,succeeded,{story.clock().isoformat()}"
    story.clock.forward(days=10)
    of = await imported(story, line, since=story.clock() - timedelta(days=20), until=story.clock())
    assert await found(story, of) == [
        ("refund", "missing_here", "record_fact", True),
        ("refund", "missing_there", "ask_provider", False),
    ]
    assert await counters(story, order) == before
    assert await counters(story, other) == (0, 0, 300, 0)


async def test_ours_are_looked_up_in_the_other_book_by_an_index(story: Story) -> None:
    """A book of 20 000 refunds: reading all its lines for each of ours never came to an end."""
    of, since = await run(story), story.clock() - timedelta(days=1)
    values = {"shop": story.shop, "reconciliation_id": of, "after": UUID(int=0), "limit": 500}
    values |= {"provider": "stripe", "account": CARD, "since": since, "until": story.clock()}
    asked = f"EXPLAIN (FORMAT JSON) {books.TRANSFERS.sql}"
    ((text,),) = await story.rows(asked, *books.TRANSFERS.bind(values))
    looked_up = [each for each in _nodes(json.loads(text)) if "_l" in each.get("Alias", "")]
    by = " ".join(each["Index Cond"] for each in looked_up)
    assert len(looked_up) == 2, looked_up
    assert "(transfer_id = confirmed.id)" in by
    assert "(external_id = confirmed.provider_refund_id)" in by


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    if isinstance(plan, list):
        for each in plan:
            yield from _nodes(each)
    elif isinstance(plan, dict):
        yield plan
        yield from _nodes([plan.get("Plan"), plan.get("Plans")])


async def test_a_file_moves_and_contradicts_our_own(story: Story) -> None:
    orders = [await an_order(story) for _ in range(4)]
    names = []
    for order in orders:
        await story.bank.script("pending")
        view = await story.refund(order, 6000)
        names.append(ids.encode("trf", view.transfers[0]["id"]))
    await story.drain()
    facts = [(await story.provider_list(order))[0] for order in orders]
    at = story.clock().isoformat()

    def line(n: int, amount: int, currency: str, status: str) -> str:
        payment = orders[n].intents[0]
        ident = facts[n].provider_refund_id
        return f"refund,{ident},{payment},{names[n]},{amount},{currency},{status},{at}"

    of = await imported(
        story,
        line(0, 6000, "EUR", "succeeded"),
        line(1, 5999, "EUR", "succeeded"),
        line(2, 6000, "USD", "succeeded"),
        line(3, 6000, "EUR", "pending"),
    )
    assert await found(story, of) == [
        ("refund", "amount", "review", False),
        ("refund", "currency", "review", False),
        ("refund", "timing", "take_provider_state", True),
    ]
    assert [(await counters(story, order))[:2] for order in orders] == [
        (0, 6000),
        (6000, 0),
        (6000, 0),
        (6000, 0),
    ]
    await story.bank.control("POST", "advance", {"seconds": 60})
    await story.drain(minutes=20)


async def test_a_file_that_cannot_be_read_names_its_rows(story: Story) -> None:
    with pytest.raises(Invalid) as refused:
        await imported(story, "refund,a,b,,1.5,EUR,succeeded,2026-11-20T00:00:00Z", "x,,,,,,,")
    fields = [each["field"] for each in listed(refused, "errors")]
    assert fields == ["statement row 2", "statement row 3"]
    assert await story.rows("SELECT * FROM reconciliations") == []


async def test_who_cannot_be_asked_says_so(story: Story) -> None:
    gate = Gate(story.ctx.payments["stripe"])
    gate.instead["capabilities"] = Capabilities(
        None, lookup_by_reference=False, listing=Listing.NOTHING
    )
    ctx = replace(story.ctx, payments={"stripe": gate})
    with pytest.raises(DoesNotFit):
        await run(story, ctx)
    with pytest.raises(NotFound):
        await reconciliations.start_reconciliation(ctx, story.shop, SYSTEM, "nobody", None)
    story.clock.forward(minutes=16)
    await sweep.drain(ctx)
    assert await story.rows("SELECT * FROM reconciliations") == []
    (row,) = await story.rows("SELECT reconcile_at FROM connections WHERE source = $1", CARD)
    assert row["reconcile_at"] is None, "never swept again"


async def test_too_many_at_once_wait(story: Story) -> None:
    for _ in range(reconciliations.OPEN_MAX):
        await reconciliations.start_reconciliation(story.ctx, story.shop, SYSTEM, CARD, None)
    with pytest.raises(Conflict):
        await reconciliations.start_reconciliation(story.ctx, story.shop, SYSTEM, CARD, None)
    await story.drain()


async def test_the_sweep_finds_within_a_quarter_of_an_hour_what_no_webhook_told(
    story: Story,
) -> None:
    order = await an_order(story)
    await story.drain(minutes=14)
    await story.bank.dashboard_refund(order.intents[0], 700)
    assert await counters(story, order) == (0, 0, 0, 0)
    await story.drain(minutes=2)
    assert await counters(story, order) == (0, 0, 700, 0)
    (row,) = await story.rows("SELECT * FROM reconciliations")
    assert (row["origin"], row["whole"], row["state"]) == ("sweep", True, "succeeded")
    await story.drain(minutes=16)
    rows = await story.rows("SELECT whole, since, until FROM reconciliations ORDER BY id")
    assert [each["whole"] for each in rows] == [True, False]
    assert rows[1]["since"] == rows[0]["until"] - reconciliations.OVERLAP, "no gap between two"


async def test_a_provider_that_is_away_delays_a_run_and_ends_it_at_last(story: Story) -> None:
    gate = Gate(story.ctx.payments["stripe"])
    ctx = replace(story.ctx, payments={"stripe": gate})
    gate.refusals["list_activity"] = [OutcomeUnknown("no answer")]
    row = await reconciliations.start_reconciliation(ctx, story.shop, SYSTEM, CARD, None)
    await sweep.drain(ctx)

    async def state() -> tuple[str, str | None]:
        view = await reconciliations.view_reconciliation(ctx, story.shop, row["id"])
        return view.row["state"], view.row["failure"]

    assert await state() == ("queued", "no answer")
    story.clock.forward(seconds=11)
    await sweep.drain(ctx)
    assert await state() == ("succeeded", None)
    gate.refusals["list_activity"] = [OutcomeUnknown("no answer")] * (TRIES_MAX + 1)
    row = await reconciliations.start_reconciliation(ctx, story.shop, SYSTEM, CARD, None)
    for _ in range(TRIES_MAX + 1):
        await reconciliation_runs.reconcile(ctx, story.shop, row["id"])
        story.clock.forward(hours=1)
    assert await state() == ("failed", "no answer")


async def test_payments_are_asked_about_one_by_one_where_there_is_no_list_of_all(
    story: Story,
) -> None:
    """More payments than one job looks at, carried on by the next; then nothing changes twice."""

    class OneByOne(Gate):
        def __getattr__(self, name: str) -> Any:
            if name == "list_activity":
                raise AttributeError(name)
            return super().__getattr__(name)

    gate = OneByOne(story.ctx.payments["stripe"])
    gate.instead["capabilities"] = Capabilities(None, lookup_by_reference=True)
    ctx = replace(story.ctx, payments={"stripe": gate})
    orders = [await an_order(story) for _ in range(12)]
    for order in orders:
        await story.bank.dashboard_refund(order.intents[0], 700)
    of = await run(story, ctx)
    assert len(await found(story, of)) == len(orders)
    assert set(gate.calls) == {"list_refunds"}, "one by one"
    assert STEPS_PER_JOB > 2
    assert {await counters(story, order) for order in orders} == {(0, 0, 700, 0)}


async def test_a_run_that_another_worker_holds_is_left_alone(story: Story) -> None:
    gate = Gate(story.ctx.payments["stripe"])
    ctx = replace(story.ctx, payments={"stripe": gate})
    row = await reconciliations.start_reconciliation(ctx, story.shop, SYSTEM, CARD, None)
    async with ctx.database.transaction(story.shop) as tx:
        await tx.connection.execute(
            "UPDATE reconciliations SET leased_until = $1", story.clock() + timedelta(seconds=45)
        )
    await sweep.drain(ctx)
    assert gate.calls == []
    story.clock.forward(seconds=46)
    await sweep.drain(ctx)
    view = await reconciliations.view_reconciliation(ctx, story.shop, row["id"])
    assert view.row["state"] == "succeeded"
