"""The people of a story over HTTP: each holds a key, and does what the answers say is allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.usecases.credentials import issue
from tests.support.api import an_app, client_of
from tests.support.story import Story
from tests.support.story_scene import Order

STAFF: Final = (Role.AGENT, Role.WAREHOUSE, Role.FINANCE, Role.ADMIN, Role.PLATFORM)


@dataclass(slots=True)
class Desk:
    """Clients by role; ``other_platform`` is a second arbiter's."""

    people: Mapping[str, httpx.AsyncClient]
    keys: Any = field(default_factory=lambda: count(1))

    async def get(self, who: str, path: str) -> dict[str, Any]:
        answer = await self.people[who].get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def send(self, who: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST with a key of its own."""
        key = {"Idempotency-Key": f"desk-{next(self.keys)}"}
        return await self.people[who].post(path, json=body, headers={**key, **headers})

    async def do(self, who: str, path: str, body: Any = None) -> dict[str, Any]:
        """POST that has to succeed."""
        answer = await self.send(who, path, body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def follow(
        self, who: str, shown: Mapping[str, Any], action: str, body: Any = None
    ) -> dict[str, Any]:
        """Take an action that ``shown`` offers to this reader, by its link."""
        links = {each["action"]: each["href"] for each in shown["actions"]}
        assert action in links, f"{who} may {sorted(links)}, not {action}"
        return await self.do(who, links[action], body)


def names(shown: Mapping[str, Any]) -> list[str]:
    """The actions that an answer offers."""
    return [each["action"] for each in shown["actions"]]


@asynccontextmanager
async def a_desk(story: Story, url: str, *orders: Order) -> AsyncIterator[Desk]:
    """The API on the story's database and clock, and everybody's key; a buyer for each order."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(an_app(url, story.clock))
        tokens: dict[str, str] = {}
        async with story.ctx.database.transaction(story.shop) as tx:
            for role in STAFF:
                tokens[role.value] = (await issue(tx, story.ctx, role=role, label="x")).token
            made = await issue(tx, story.ctx, role=Role.PLATFORM, label="x")
            tokens["other_platform"] = made.token
            for number, order in enumerate(orders):
                made = await issue(tx, story.ctx, role=Role.BUYER, label="buyer", order_id=order.id)
                tokens["buyer" if not number else f"buyer{number}"] = made.token
        people = {
            who: await stack.enter_async_context(client_of(app, token))
            for who, token in tokens.items()
        }
        yield Desk(people)


def ret_path(return_id: Any) -> str:
    return f"/v1/returns/{ids.encode('ret', return_id)}"
