"""A gift's recipient in the tests: what they hold and ask for, and what nobody may tell them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from returns_api.db.tables import tenant_tables
from returns_api.domain import ids
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases.returns import get_return
from tests.support.desk import Desk, a_desk
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

GIFT_POLICY = POLICY.replace(
    "resolutions: {refund: 30 days, exchange: 60 days}",
    "resolutions: {refund: 30 days, store_credit: {within: 90 days, bonus: 10%}}",
)
PRICE = 123_45
CREDIT = PRICE - 490
BONUS = 11_86
BEA = "bea@gifts.example"
OF_BEA = ("bea@", "Bea", "Geschenk", "5550199")
OF_THE_BUYER = ("anna@", "Anna", "Weber", "Canary", "12345", "123.45", "123,45", "pi_", "card")
"""Who bought it, and what it cost and how: no answer and no mail to a recipient has any of it."""
ADDRESS = {
    "name": "Bea Beispiel",
    "street1": "Geschenkweg 2",
    "city": "Bern",
    "postcode": "3011",
    "country": "CH",
    "phone": "+41 31 5550199",
}


@pytest.fixture
def story_policy() -> str:
    """What a shop of gifts publishes; a module may say it otherwise."""
    return GIFT_POLICY


@pytest.fixture
async def coats(story: Story) -> Order:
    """Two of them, of which one is a gift; it was expensive enough to be looked at."""
    return await story.order(goods("coat", PRICE, 2))


@pytest.fixture
async def desk(
    story: Story, coats: Order, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Desk]:
    """The roles' clients about ``coats``, which a module may order otherwise."""
    url = postgres.url(story_database, user=APP_ROLE)
    async with a_desk(story, url, coats) as found:
        yield found


def order_path(order: Order) -> str:
    return f"/v1/orders/{ids.encode('ord', order.id)}"


async def given(desk: Desk, order: Order, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """The buyer makes a gift receipt for coats."""
    units = [{"line": ids.encode("li", order.lines["coat"]), "quantity": quantity}]
    shown = await desk.get("buyer", order_path(order))
    return await desk.follow("buyer", shown, "give", {"lines": units, **more})


async def hold(desk: Desk, code: str, name: str = "holder") -> list[str]:
    """Whoever has the code is let in; what they are told from then on is kept."""
    session = await desk.do("agent", "/v1/gift-sessions", {"code": code})
    told: list[str] = []

    async def listen(answer: httpx.Response) -> None:
        told.append((await answer.aread()).decode())

    agent = desk.people["agent"]
    client = httpx.AsyncClient(
        transport=agent._transport,
        base_url=agent.base_url,
        headers={"authorization": f"Bearer {session['token']}"},
        event_hooks={"response": [listen]},
    )
    desk.people[name] = client  # type: ignore[index]  # it is a dict
    return told


def wanted(order: Order, quantity: int = 1) -> dict[str, Any]:
    line = ids.encode("li", order.lines["coat"])
    return {"lines": [{"line": line, "quantity": quantity, "reason": "gift_not_wanted"}]}


def terms(quote: Mapping[str, Any]) -> dict[str, Any]:
    return {"quote": quote["quote"], "email": BEA, "address": ADDRESS, "locale": "en"}


async def brought(desk: Desk, order: Order, who: str = "holder") -> dict[str, Any]:
    """The holder has a coat quoted and opens its return, as they are offered to."""
    quote = await desk.follow(who, await desk.get(who, "/v1/gift"), "quote", wanted(order))
    return await desk.follow(who, quote, "open", terms(quote))


async def record(story: Story, shown: Mapping[str, Any]) -> ReturnRecord:
    key = ids.decode("ret", shown["return"])
    assert key is not None
    return (await get_return(story.ctx, story.agent, key)).ret


async def accounts(story: Story) -> list[tuple[str, bytes | None, int]]:
    rows = await story.rows("SELECT holder, holder_key, balance_minor FROM store_credits")
    return [(row["holder"], row["holder_key"], row["balance_minor"]) for row in rows]


async def everything(story: Story) -> str:
    """Every row of the shop as text, and the answers that are kept for replays."""
    found = [await story.rows(f"SELECT t::text AS t FROM {t.name} t") for t in tenant_tables()]
    found.append(await story.rows("SELECT convert_from(body, 'UTF8') AS t FROM idempotency_keys"))
    return "\n".join(str(row["t"]) for rows in found for row in rows)
