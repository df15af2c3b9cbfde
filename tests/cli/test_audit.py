"""``returns-api audit``: nothing found exits 0, a planted breach is named and exits 1."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.support.commands import last_json, run
from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.world import World

__all__ = ["server", "world"]


def plant(url: str, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(f"SET session_replication_role = replica; {statement}")
        await connection.close()

    asyncio.run(execute())


def test_a_breach_is_named_and_exits_with_1(
    server: LiveServer, world: World, database_url: str, app_database_url: str
) -> None:
    assert server.url
    settings = {"database_url": app_database_url}
    done = run("audit", "--json", **settings)
    found = last_json(done)
    assert (done.returncode, found["ok"], found["shops"]) == (0, True, 2), done.stdout
    assert found["looked_at"] > 20
    plant(database_url, "UPDATE payments SET refunded = refunded + 1")
    done = run("audit", "--shop", world.ours.shop, "--json", **settings)
    found = last_json(done)
    assert (done.returncode, found["ok"], found["shops"]) == (1, False, 1)
    assert {"N2 payment counters", "N6 ledger of a payment"} <= set(found["by_shop"][0]["counts"])
    shown = run("audit", **settings)
    assert shown.returncode == 1
    assert "N2 payment counters" in shown.stdout
    plant(database_url, "UPDATE payments SET refunded = refunded - 1")
