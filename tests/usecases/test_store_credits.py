"""Store credit as an account: issued by refunds, used once, never below zero, always in the books.

After every story the invariants and the audit compare balance, lots, movements and ledger.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.domain.access import Principal, Role
from returns_api.domain.errors import (
    DoesNotFit,
    DuplicateReference,
    NotEnoughCredit,
    NotFound,
    NothingLeftToRefund,
)
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.orders import BuyerFacts, PersonErased
from returns_api.ports.errors import ProviderRejected
from returns_api.usecases import policies, store_credits
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.audits import audit_shop
from returns_api.usecases.store_credits import CreditView
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.story import CARD, POLICY, Order, Story, goods
from tests.usecases.test_ledger import balances, rules

NEWEST = UUID(int=2**128 - 1)
Row = Any


async def present(story: Story, order: Order, amount: int, **more: Any) -> UUID:
    """Goodwill as store credit; the account."""
    view = await story.refund(order, amount, kind="goodwill", to="store_credit", **more)
    return account_of(view)


def account_of(view: RefundView) -> UUID:
    (account,) = {move["store_credit_id"] for move in view.transfers}
    return UUID(str(account))


async def debit(
    story: Story, account: UUID, amount: int, reference: str | None = None, by: Role = Role.AGENT
) -> Row:
    who = story.who(by)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        return await store_credits.spend(
            tx, story.ctx, By(who.role.value, who.credential_id), account,
            amount_minor=amount, client_reference=reference, reference="#1",
        )  # fmt: skip


async def undo(story: Story, account: UUID, movement: UUID, amount: int | None = None) -> Row:
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        return await store_credits.give_back(
            tx, story.ctx, By("agent"), account, movement, amount_minor=amount, reference=None
        )


async def recover(story: Story, account: UUID, amount: int) -> tuple[int, int]:
    async with story.ctx.database.transaction(story.shop) as tx:
        found = await store_credits.recover(
            tx, story.ctx, By("finance"), account, amount_minor=amount, reference=None
        )
    return found.taken_minor, found.owed_minor


async def view(story: Story, account: UUID, by: Principal | None = None) -> CreditView:
    return await store_credits.get_credit(story.ctx, by or story.finance, account)


async def left(story: Story, account: UUID) -> int:
    return int((await view(story, account)).account["balance_minor"])


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


async def test_paying_takes_what_expires_first_and_is_refused_above_the_balance(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 100_00))
    account = account_of(await story.refund(order, 10_00, to="store_credit", buyer_agreed=True))
    await story.credit_terms(granted_lasts_days=10)
    await present(story, order, 5_00)
    paid = await debit(story, account, 7_00)
    assert (paid["balance_minor"], paid["left_minor"]) == (8_00, 7_00)
    assert [(lot["kind"], lot["remaining_minor"]) for lot in (await view(story, account)).lots] == [
        ("refund", 8_00)
    ]
    with pytest.raises(NotEnoughCredit) as refused:
        await debit(story, account, 8_01)
    assert refused.value.context["balance"] == 8_00
    assert refused.value.context["currency"] == "EUR"
    assert await left(story, account) == 8_00


async def test_a_reference_pays_once_for_ever(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 10_00)
    other = await present(
        story, await story.order(goods("thing", 100_00), buyer=BuyerFacts()), 10_00
    )
    await debit(story, account, 1_00, "checkout")
    for each in (account, other):
        with pytest.raises(DuplicateReference):
            await debit(story, each, 1_00, "checkout")
    done = await asyncio.gather(
        *(debit(story, each, 1_00, "both") for each in (account, other)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["DuplicateReference", "Record"]


async def test_two_purchases_of_the_same_last_amount_one_wins(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    for _ in range(5):
        account = await present(story, order, 10_00)
        done = await asyncio.gather(
            *(debit(story, account, 10_00) for _ in range(8)), return_exceptions=True
        )
        won = [each for each in done if not isinstance(each, BaseException)]
        assert len(won) == 1
        assert all(isinstance(each, NotEnoughCredit) for each in done if each not in won)
        assert await left(story, account) == 0


async def test_a_purchase_comes_back_in_parts_and_no_more(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 10_00)
    paid = await debit(story, account, 8_00)
    back = await undo(story, account, paid["id"], 3_00)
    assert (back["kind"], back["undoes_id"], back["balance_minor"]) == (
        "given_back", paid["id"], 5_00,
    )  # fmt: skip
    with pytest.raises(DoesNotFit, match="500 of this purchase"):
        await undo(story, account, paid["id"], 5_01)
    done = await asyncio.gather(
        *(undo(story, account, paid["id"]) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert await left(story, account) == 10_00
    with pytest.raises(DoesNotFit, match="Only a debit"):
        await undo(story, account, back["id"])
    with pytest.raises(NotFound):
        await undo(story, account, UUID(int=1))


async def test_credit_expires_on_its_day_once_however_late_and_often_it_is_swept(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 100_00))
    await story.credit_terms(granted_lasts_days=10)
    account = await present(story, order, 5_00)
    owed = await story.refund(order, 3_00, to="store_credit", buyer_agreed=True)
    assert account_of(owed) == account
    (lot, _) = (await view(story, account)).lots
    story.clock.now = lot["expires_at"] - timedelta(seconds=1)
    assert await store_credits.due_lots(story.ctx, 9) == []
    story.clock.now = lot["expires_at"] + timedelta(days=40)
    due = await store_credits.due_lots(story.ctx, 9)
    assert due == [(story.shop, lot["id"])]
    await asyncio.gather(*(store_credits.expire_lot(story.ctx, *due[0]) for _ in range(5)))
    assert await left(story, account) == 3_00
    assert (await story.happened(account)).count("store_credit.expired") == 1
    assert await store_credits.due_lots(story.ctx, 9) == []
    assert "goodwill" not in await balances(story), "the present was not used after all"


async def test_what_is_past_its_day_cannot_be_spent_before_the_sweep(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    await story.credit_terms(granted_lasts_days=1)
    account = await present(story, order, 5_00)
    story.clock.forward(days=3)
    with pytest.raises(NotEnoughCredit) as refused:
        await debit(story, account, 1)
    assert refused.value.context["balance"] == 0
    assert await recover(story, account, 1_00) == (0, 1_00)
    assert await left(story, account) == 0
    assert (await story.happened(account)).count("store_credit.expired") == 1


async def test_a_purchase_undone_after_the_last_day_comes_back_for_a_month(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    await story.credit_terms(granted_lasts_days=5)
    account = await present(story, order, 5_00)
    paid = await debit(story, account, 4_00)
    await story.drain(days=10)
    assert await left(story, account) == 0
    await undo(story, account, paid["id"])
    (lot,) = (await view(story, account)).lots
    assert (lot["kind"], lot["remaining_minor"]) == ("goodwill", 4_00)
    assert timedelta(days=30) <= lot["expires_at"] - story.clock() <= timedelta(days=31)
    await story.drain(days=32)
    assert await left(story, account) == 0


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


CREDIT_POLICY = POLICY.replace(
    "resolutions: {refund: 30 days, exchange: 60 days}",
    "resolutions: {refund: 30 days, store_credit: {within: 90 days, bonus: 10%}}",
)


@pytest.fixture
async def generous(story: Story) -> Story:
    """The story's shop adds 10 % for taking store credit."""
    await publish(story, CREDIT_POLICY)
    return story


async def publish(story: Story, policy: str) -> None:
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, policy)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    story.clock.forward(days=11)


async def test_a_return_for_store_credit_pays_what_was_quoted_and_the_bonus(
    generous: Story,
) -> None:
    story = generous
    order = await story.order(goods("shirt", 50_01, 2), paid=[60_00, 40_02])
    quote = await story.quote(order, {"shirt": 1}, resolution="store_credit")
    assert (quote.body["total"], quote.body["bonus"]) == (45_11, 4_52)
    ret = await story.accept(order, quote)
    await story.bring_back(ret.ret)
    refund = await story.refund_of(ret.ret)
    assert refund.refund["state"] == "succeeded"
    account = account_of(refund)
    assert [(lot["kind"], lot["remaining_minor"]) for lot in (await view(story, account)).lots] == [
        ("refund", 45_11),
        ("bonus", 4_52),
    ]
    assert (await story.view(ret.ret)).ret.state == "completed"
    assert (await balances(story))["goodwill"] == 4_52
    assert (await rules(story, order))[-1] == ("bonus_granted", 4_52)
    with pytest.raises(NothingLeftToRefund):
        await story.refund(order, 100_02 - 45_11 + 1)


async def test_the_bonus_follows_what_is_due_after_the_inspection(generous: Story) -> None:
    story = generous
    order = await story.order(goods("shirt", 100_00))
    ret = await story.accept(
        order, await story.quote(order, {"shirt": 1}, resolution="store_credit")
    )
    await story.bring_back(ret.ret, "used_worn")
    refund = await story.refund_of(ret.ret)
    assert refund.refund["amount_minor"] == 65_10
    assert await left(story, account_of(refund)) == 65_10 + 6_51


async def test_a_refund_has_no_bonus_though_the_policy_names_one(generous: Story) -> None:
    story = generous
    order = await story.order(goods("shirt", 100_00))
    quote = await story.quote(order, {"shirt": 1})
    assert quote.body["bonus"] == 0
    ret = await story.accept(order, quote)
    await story.bring_back(ret.ret)
    await story.drain()
    assert await story.rows("SELECT FROM store_credits") == []


async def test_a_gift_card_is_paid_back_as_store_credit_where_the_shop_says_so(
    story: Story,
) -> None:
    """M4: two tenders in their order, the card's money and the gift card's credit."""
    await story.credit_terms(gateways=["gift_card"])
    order = await story.order(
        goods("thing", 80_00), paid=[50_00, 30_00], gateways=[CARD, "gift_card"]
    )
    made = await story.refund(order, 80_00)
    assert [(m["provider"], m["amount_minor"], m["state"]) for m in made.transfers] == [
        ("stripe", 50_00, "queued"),
        ("store_credit", 30_00, "succeeded"),
    ]
    await story.drain()
    done = await story.refund_now(made.refund["id"])
    assert done.refund["state"] == "succeeded"
    (credit,) = {m["store_credit_id"] for m in done.transfers} - {None}
    assert await left(story, credit) == 30_00


async def test_gateways_that_the_shop_does_not_name_stay_as_they_are(story: Story) -> None:
    await story.credit_terms(gateways=["gift_card", CARD])
    order = await story.order(goods("thing", 80_00), paid=[50_00, 30_00], gateways=[CARD, "cash"])
    made = await story.refund(order, 80_00)
    assert {m["store_credit_id"] for m in made.transfers} == {None}, "a card has an account"


async def test_what_a_provider_refuses_becomes_credit_once_and_no_more_than_was_paid(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 80_00), paid=[50_00, 30_00])
    made = await story.refund(order, 80_00)
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderRejected("card_gone", "the card is gone")]
    await sweep.drain(replace(story.ctx, payments={"stripe": gate}))
    await story.drain()
    stuck = await story.refund_now(made.refund["id"])
    assert stuck.refund["state"] == "partially_succeeded"
    await story.cancel(made.refund["id"])
    rest = await story.refund(order, None, to="store_credit", buyer_agreed=True)
    arrived = sum(m["amount_minor"] for m in stuck.transfers if m["state"] == "succeeded")
    assert await left(story, account_of(rest)) == 80_00 - arrived
    with pytest.raises(NothingLeftToRefund):
        await story.refund(order, 1)


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
