"""Store credit as an account: issued by refunds, never below zero, always in the books.

After every story the invariants and the audit compare balance, lots, movements and ledger.
"""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import asyncpg
import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import (
    DoesNotFit,
    NotEnoughCredit,
    NotFound,
    NothingLeftToRefund,
)
from returns_api.domain.orders import BuyerFacts, PersonErased
from returns_api.usecases import store_credits
from returns_api.usecases.audits import audit_shop
from tests.support.credit import NEWEST, account_of, debit, left, present, recover, undo, view
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.usecases.test_ledger import balances, rules


async def test_owed_money_becomes_credit_once_and_is_not_refundable_again(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    made = await story.refund(order, 40_00, to="store_credit", buyer_agreed=True)
    assert made.refund["state"] == "succeeded"
    assert await left(story, account_of(made)) == 40_00
    assert await balances(story, order) == {
        "clearing": 100_00,
        "merchant": -60_00,
        "store_credit": -40_00,
    }
    assert await story.happened(made.refund["id"]) == ["refund.requested", "refund.succeeded"]
    with pytest.raises(NothingLeftToRefund):
        await story.refund(order, 60_01)
    await story.refund(order, 60_00)
    await story.drain()
    assert await story.provider_list(order) != []
    (note,) = await story.rows(
        "SELECT amount_minor FROM credit_notes WHERE refund_id = $1", made.refund["id"]
    )
    assert note["amount_minor"] == 40_00


async def test_the_buyer_has_to_agree_to_credit_for_what_is_owed(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    with pytest.raises(DoesNotFit, match="agreed"):
        await story.refund(order, 40_00, to="store_credit")
    with pytest.raises(DoesNotFit, match="how much"):
        await story.refund(order, None, kind="goodwill", to="store_credit")
    assert await story.rows("SELECT FROM store_credits") == []


async def test_a_present_draws_on_no_payment(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 150_00)
    assert await left(story, account) == 150_00
    assert await rules(story, order) == [
        ("payment_captured", 100_00),
        ("goodwill_owed", 150_00),
        ("goodwill_credited", 150_00),
    ]
    await story.refund(order, 100_00)


async def test_one_person_has_one_account_for_each_currency(story: Story) -> None:
    first, second = [await story.order(goods("thing", 100_00)) for _ in range(2)]
    guest = await story.order(goods("thing", 100_00), buyer=BuyerFacts(email="Bo@example.com"))
    other = await story.order(goods("thing", 100_00), buyer=BuyerFacts(email="bo@EXAMPLE.com "))
    nobody = await story.order(goods("thing", 100_00), buyer=BuyerFacts())
    made = [await present(story, order, 1_00) for order in (first, second, guest, other, nobody)]
    assert made[0] == made[1]
    assert made[2] == made[3]
    assert len(set(made)) == 3
    holders = [(await view(story, account)).account["holder"] for account in made]
    assert holders == ["customer", "customer", "email", "email", "order"]
    for order, account in ((first, made[0]), (guest, made[2]), (nobody, made[4])):
        buyer = story.who(Role.BUYER, order)
        assert (await view(story, account, buyer)).account["id"] == account
        (own,) = await store_credits.list_credits(
            story.ctx, buyer, before=NEWEST, limit=9, order_id=None
        )
        assert own.account["id"] == account
    with pytest.raises(NotFound):
        await view(story, made[0], story.who(Role.BUYER, guest))


async def test_an_erased_person_s_credit_is_nobody_s(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 5_00)
    await story.see(PersonErased("c-1", "anna@example.com", (order.name,)))
    kept = (await view(story, account)).account
    assert (kept["holder"], kept["holder_key"], kept["balance_minor"]) == ("nobody", None, 5_00)
    assert await present(story, order, 1_00) != account


async def test_a_recovery_never_goes_below_zero_and_tells_the_rest(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 5_00)
    assert await recover(story, account, 3_00) == (3_00, 0)
    assert await recover(story, account, 3_00) == (2_00, 1_00)
    assert await recover(story, account, 3_00) == (0, 3_00)
    done = await story.happened(account)
    assert done.count("store_credit.recovered") == 2


async def test_an_agent_s_present_above_the_limit_waits_for_a_second_person(story: Story) -> None:
    await story.limit(agent_per_order=20_00, agent_per_day=50_00)
    order = await story.order(goods("thing", 100_00))
    waiting = await story.refund(order, 20_01, by=story.agent, kind="goodwill", to="store_credit")
    account = account_of(waiting)
    assert (waiting.refund["state"], await left(story, account)) == ("requested", 0)
    done = await story.approve(waiting)
    assert (done.refund["state"], await left(story, account)) == ("succeeded", 20_01)
    again = await story.refund(order, 20_01, by=story.agent, kind="goodwill", to="store_credit")
    canceled = await story.cancel(again.refund["id"])
    assert (canceled.refund["state"], await left(story, account)) == ("canceled", 20_01)


async def test_owed_credit_above_the_limit_is_reserved_until_it_is_approved(story: Story) -> None:
    order = await story.order(goods("thing", 60_00), paid=[40_00, 20_00])
    view_ = await story.refund(order, 50_00, by=story.agent, to="store_credit", buyer_agreed=True)
    assert view_.refund["state"] == "requested"
    with pytest.raises(NothingLeftToRefund):
        await story.refund(order, 10_01)
    done = await story.approve(view_)
    assert done.refund["state"] == "succeeded"
    assert [move["amount_minor"] for move in done.transfers] == [40_00, 10_00]
    assert await left(story, account_of(done)) == 50_00


async def test_a_transfer_is_credited_once_says_the_database(story: Story) -> None:
    """Money case 17: the same settlement twice is one credit."""
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 5_00)
    with pytest.raises(asyncpg.UniqueViolationError, match="uq_store_credit_movements_transfer"):
        await story.rows(
            "INSERT INTO store_credit_movements SELECT (jsonb_populate_record(m,"
            " jsonb_build_object('id', gen_random_uuid(), 'no', 99))).*"
            " FROM store_credit_movements m WHERE store_credit_id = $1",
            account,
        )
    with pytest.raises(asyncpg.CheckViolationError):
        await story.rows("UPDATE store_credits SET balance_minor = -1 WHERE id = $1", account)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_four_books_say_the_same(story: Story, seed: int) -> None:
    """T18 for store credit: random steps, two at once, over days; then the audit."""
    chance, model = random.Random(seed), 0
    await story.credit_terms(granted_lasts_days=9, owed_lasts_days=1827)
    order = await story.order(goods("thing", 5000_00))
    account = await present(story, order, 1)
    paid: list[UUID] = []

    async def step() -> None:
        amount = chance.randint(1, 20_00)
        match chance.choice(("owed", "present", "spend", "spend", "undo", "recover", "wait")):
            case "owed":
                await story.refund(order, amount, to="store_credit", buyer_agreed=True)
            case "present":
                await present(story, order, amount)
            case "spend":
                paid.append((await debit(story, account, amount))["id"])
            case "undo" if paid:
                await undo(story, account, chance.choice(paid), amount)
            case "recover":
                await recover(story, account, amount)
            case "wait":
                await story.drain(hours=chance.randint(1, 72))

    for _ in range(20):
        done = await asyncio.gather(step(), step(), return_exceptions=True)
        for each in done:
            assert each is None or isinstance(each, NotEnoughCredit | DoesNotFit), each
    for row in await story.rows(
        "SELECT kind, amount_minor FROM store_credit_movements ORDER BY no"
    ):
        taken = row["kind"] in {"spent", "expired", "recovered"}
        model += -row["amount_minor"] if taken else row["amount_minor"]
        assert model >= 0
    assert model == await left(story, account)
    assert -(await balances(story)).get("store_credit", 0) == model


@pytest.mark.parametrize(
    ("table", "column", "found"),
    [
        ("store_credit_lots", "remaining_minor", {"N2 balance of store credit"}),
        ("store_credit_draws", "amount_minor", {"N2 purchase and its lots"}),
        ("store_credits", "sequence", {"N2 balance of store credit", "N7 untold movement of store "
                                       "credit"}),
    ],
)  # fmt: skip
async def test_an_audit_names_credit_that_does_not_add_up(
    story: Story, table: str, column: str, found: set[str]
) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 10_00)
    await debit(story, account, 4_00)
    await story.rows(f"UPDATE {table} SET {column} = {column} - 1")
    audited = await audit_shop(story.ctx, story.shop)
    assert set(audited.tally.counts) == found
    await story.rows(f"UPDATE {table} SET {column} = {column} + 1")
