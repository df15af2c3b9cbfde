"""Messages and notes: both sides read each other, no buyer reads a note, words can be forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from returns_api.domain import ids
from returns_api.usecases.people import erase_by_email
from tests.support.desk import Desk, a_desk, ret_path
from tests.support.pictures import picture
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods

SECRET = "asked the supplier about batch 7"
WHO = ("buyer", "buyer1", "agent", "warehouse", "finance", "admin", "platform")


@dataclass
class Case:
    story: Story
    ret: Any
    desk: Desk

    @property
    def path(self) -> str:
        return ret_path(self.ret.id)

    async def says(self, who: str, text: str, **more: Any) -> dict[str, Any]:
        return await self.desk.do(who, f"{self.path}/messages", {"text": text, **more})


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order, other = await story.order(goods("coat", 5000)), await story.order(goods("hat", 900))
    ret = await story.open(order, {"coat": 1})
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order, other) as desk:
        yield Case(story, ret, desk)


async def test_both_sides_read_what_was_said_and_a_photo_beside_it(case: Case) -> None:
    answer = await case.desk.people["buyer"].post(
        f"{case.path}/photos",
        content=picture(1),
        headers={"content-type": "image/jpeg", "Idempotency-Key": "p"},
    )
    photo = answer.json()["photo"]
    first = await case.says("buyer", "The sleeve, see the photo.", photos=[photo])
    await case.says("agent", "Thank you, send it back.")
    for who in ("buyer", "agent", "finance"):
        items = (await case.desk.get(who, f"{case.path}/messages"))["items"]
        assert [(each["party"], each["text"]) for each in items] == [
            ("buyer", "The sleeve, see the photo."),
            ("merchant", "Thank you, send it back."),
        ]
        assert items[0] == first
        assert items[0]["photos"] == [photo]
    page = await case.desk.get("buyer", f"{case.path}/messages?limit=1")
    rest = await case.desk.get("buyer", f"{case.path}/messages?cursor={page['next_cursor']}")
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (1, 1, None)
    strange = ids.encode("ev", case.story.ctx.new_id())
    refused = await case.desk.send(
        "buyer", f"{case.path}/messages", {"text": "x", "photos": [strange]}
    )
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "photos")


async def test_no_buyer_and_no_platform_learns_of_a_note(case: Case) -> None:
    """Every principal × every place where a note could show."""
    await case.desk.do("warehouse", f"{case.path}/notes", {"text": SECRET})
    await case.desk.do("agent", f"{case.path}/notes", {"text": "and again"})
    await case.says("agent", "hello")
    staff = {"agent", "warehouse", "finance", "admin"}
    places = ("", "/messages", "/notes", "/events", "/photos", "/decision")
    for who in WHO:
        shown = {}
        for place in places:
            answer = await case.desk.people[who].get(f"{case.path}{place}")
            shown[place] = answer
            if who not in staff:
                assert SECRET not in answer.text, (who, place)
                assert "note.added" not in answer.text, (who, place)
                assert '"nt_' not in answer.text, (who, place)
        wanted = 200 if who in staff else 403
        assert shown["/notes"].status_code == wanted, who
        assert ("note.added" in shown["/events"].text) is (who in staff), who
        written = await case.desk.send(who, f"{case.path}/notes", {"text": "x"})
        assert written.status_code == (201 if who in staff else 403), who
    for what in ("messages", "notes"):
        hidden = await case.desk.people["buyer1"].get(f"{case.path}/{what}")
        assert hidden.status_code in {403, 404}


async def test_what_was_said_never_changes_and_its_words_go_with_the_person(
    case: Case, postgres: PostgresForTests, story_database: str
) -> None:
    path, said_once = f"{case.path}/messages", {"text": "My name is Anna Weber."}
    key = {"Idempotency-Key": "said"}
    first = await case.desk.send("buyer", path, said_once, **key)
    await case.desk.do("agent", f"{case.path}/notes", {"text": "Anna again"})
    owner = await asyncpg.connect(postgres.url(story_database))
    try:
        for change in ("UPDATE return_messages SET role = 'x'", "DELETE FROM return_messages"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await owner.execute(change)
        told = await case.desk.do("admin", "/v1/admin/people/export", {"email": "anna@example.com"})
        said = [each["text"] for order in told["orders"] for each in order["messages"]]
        assert said == ["My name is Anna Weber."]
        assert await erase_by_email(case.story.ctx, case.story.shop, "anna@example.com") == 2
        assert await owner.fetchval("SELECT count(*) FROM message_texts") == 0
        (kept,) = (await case.desk.get("agent", f"{case.path}/messages"))["items"]
        assert (kept["party"], kept["text"]) == ("buyer", None)
        again = await case.desk.send("buyer", path, said_once, **key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json() == {**first.json(), "text": None}
        for table in ("events", "idempotency_keys"):
            rows = [dict(row) for row in await owner.fetch(f"SELECT * FROM {table}")]
            assert "Anna" not in str(rows)
    finally:
        await owner.close()
