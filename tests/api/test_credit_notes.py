"""Credit notes over HTTP: listed, read, printed; by the buyer of the order too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import World, bearer


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


async def test_a_buyer_reads_and_prints_their_note(http: httpx.AsyncClient, world: World) -> None:
    made, key = world.ours.made[0], bearer(world.ours.keys["buyer"])
    listed = (await http.get("/v1/credit-notes", headers=key)).json()["items"]
    assert {note["order"] for note in listed} == {made["ord"]}
    (note,) = [note for note in listed if note["credit_note"] == made["cn"]]
    assert (note["amount"], note["kind"], note["order"]) == (50, "credit_note", made["ord"])
    assert (await http.get(f"/v1/credit-notes/{made['cn']}", headers=key)).json() == note
    page = await http.get(note["document"], headers=key)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in page.headers["content-security-policy"]
    assert "0.50 EUR" in page.text
    assert (await http.get(note["document"], headers=key, params={"format": "doc"})).is_error


async def test_the_numbers_of_a_shop_have_no_gap(http: httpx.AsyncClient, world: World) -> None:
    key = bearer(world.ours.keys["finance"])
    first = (await http.get("/v1/credit-notes", headers=key, params={"limit": "1"})).json()
    more = {"limit": "1", "cursor": first["next_cursor"]}
    second = (await http.get("/v1/credit-notes", headers=key, params=more)).json()
    newest, before = (page["items"][0]["number"] for page in (first, second))
    assert newest == before + 1 > 2


async def test_a_note_is_printed_as_pdf(http: httpx.AsyncClient, world: World) -> None:
    key, note = bearer(world.ours.keys["finance"]), world.ours.made[0]["cn"]
    printed = await http.get(
        f"/v1/credit-notes/{note}/document", headers=key, params={"format": "pdf"}
    )
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
