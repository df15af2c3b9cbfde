"""Proof: what does harm to its reader ends among the dead and takes nothing good along (T15).

``script/proof poison --json`` starts PostgreSQL on disk with fsync, an API process and two workers
with bounded memory, which are started again if they end, as any operator's supervisor does. First
good messages come alone at a steady pace, then ``--good`` of them with ``--poison`` others among
them, ten kinds in equal shares: unreadable and half readable bodies, an unknown topic, and a reader
(of an installed adapter) that raises, gives nonsense, exits, ends the process, crashes it, loops
without end (in Python and inside a library) or takes 500 MB more than there is. Beside them come
wake-ups of the queue that no row stands behind.

Every good one has to be applied once, and 95 % of them in at most twice the time of before; what
the first ones wait for, plans and connections of new workers, is not part of before. No worker may
end. Every other one has to be dead (the unknown topic: ignored) after at most eight tries, each
counted before it ran, and to have done its harm at the last, too; all are seen by API, started anew
by API, and, once the reader is mended, applied, too. The waits between tries, hours in all, pass at
once and are counted; leases are never shortened.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

from proofs.harness.client import Client
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.harness.stage import Lane, Size, Superuser, staged
from proofs.poison import load
from proofs.poison.shop import HARMS, install

from returns_api.usecases.inbox import MAX_FAILURES
from returns_api.wiring import running_context

CALM: Final = 0.25
"""Share of the good ones that come before."""
FIRST: Final = 100
"""Good ones before these, until both workers have their plans and connections."""
SLOWER: Final = 2.0
MEMORY_MB: Final = 1_200
QUIET_SECONDS: Final = 1_800.0
PAGE: Final = 100
_STILL: Final = "SELECT count(*) FROM inbox WHERE state = 'received' AND source = $1"
_LET_PASS: Final = (
    "WITH passed AS (UPDATE inbox SET due_at = now() WHERE state = 'received' AND"
    " leased_until IS NULL AND due_at > now() + interval '5 s' RETURNING id)"
    " SELECT count(*) FROM passed"
)
_P95: Final = (
    "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY"
    " extract(epoch FROM processed_at - received_at)) FROM inbox"
    " WHERE source = $1 AND state = 'processed' AND id > $2"
)
_LAST: Final = "SELECT id FROM inbox ORDER BY id DESC LIMIT 1"
_ENDS: Final = (
    "SELECT substring(topic FROM 8) AS kind, error, count(*) AS n FROM inbox"
    " WHERE source = 'poison' AND state = 'dead' GROUP BY 1, 2 ORDER BY 1, 2"
)
_BY_STATE: Final = "SELECT state, count(*) AS n FROM inbox WHERE {} GROUP BY 1"
_IS_POISON: Final = "(source = 'poison' OR event_id ~ '^(bad_payload|not_json)-')"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof poison", __doc__, seed="where the others come", keep=True)
    parser.add_argument("--good", type=int, default=10_000, help="good messages")
    parser.add_argument(
        "--poison", type=int, default=100, help="others, of all kinds together: 10 or more"
    )
    parser.add_argument("--rate", type=float, default=25.0, help="messages a second")
    options = parser.parse_args(arguments)
    seed = seed_of(options)
    figures = asyncio.run(_prove(options, Random(seed)))
    return finish({**figures, "seed": seed}, as_json=options.json)


async def _prove(options: argparse.Namespace, chance: Random) -> dict[str, Any]:
    begun = time.monotonic()
    size = Size(workers=2, preloaded=True, more={"worker_memory_mb": MEMORY_MB})
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        mending = install(stage.folder / "installed")
        lane = await stack.enter_async_context(stage.lane("poison", size))
        ctx, _ = await stack.enter_async_context(running_context(lane.settings, pool_size=2))
        client = await stack.enter_async_context(Client(lane.urls))
        connection = await stack.enter_async_context(lane.superuser())
        ends: Counter[int] = Counter()
        async with _supervised(lane, ends):
            scene = Scene(lane, client, connection, await load.new_shop(ctx), mending)
            figures = await scene.play(options, chance)
        figures["workers_ended"] = dict(ends)
        figures["wrong"] += ["workers ended"] if ends else []
    seconds = round(time.monotonic() - begun, 1)
    return {
        "proof": "poison", "ok": not figures["wrong"], **machine(), **figures, "seconds": seconds
    }  # fmt: skip


@asynccontextmanager
async def _supervised(lane: Lane, ends: Counter[int]) -> AsyncIterator[None]:
    """Start a worker again that ended; ``ends`` counts them by exit code, negative for signals."""

    async def watch() -> None:
        while True:
            for worker in lane.workers:
                if worker.ended():
                    ends[worker.code or 0] += 1
                    worker.start()
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


class Scene:
    """One shop, and what its messages come to."""

    def __init__(
        self, lane: Lane, client: Client, connection: Superuser, shop: load.Shop, mending: Path
    ) -> None:
        self._lane, self._client, self._connection = lane, client, connection
        self._shop, self._mending = shop, mending
        self._skipped = 0
        self._wrong: list[str] = []

    async def play(self, options: argparse.Namespace, chance: Random) -> dict[str, Any]:
        await self._timed(load.good(0, FIRST), options.rate)
        calm = FIRST + max(FIRST, round(options.good * CALM))
        say(f"{calm - FIRST} good messages alone")
        before = await self._timed(load.good(FIRST, calm - FIRST), options.rate)
        bad = list(load.poison(calm + options.good, options.poison))
        say(f"{options.good} good ones with {len(bad)} others among them")
        await load.wake_nobody(self._lane, max(1, len(bad) // len(load.KINDS)))
        all_of_them = load.mixed(load.good(calm, options.good), bad, chance)
        during = await self._timed(all_of_them, options.rate)
        say("the tries of the others")
        await self._settled()
        judged = await self._judged(calm + options.good, len(bad))
        say("all started anew, the reader mended")
        anew = await self._anew(len(bad))
        if during > SLOWER * before:
            self._wrong.append(f"95 % took {during / before:.1f} times as long")
        return {
            "good": options.good, "poison": len(bad), "kinds": len(load.KINDS), **judged,
            "p95_seconds_alone": round(before, 3), "p95_seconds_among": round(during, 3),
            "p95_ratio": round(during / before, 2), "anew": anew,
            "waits_skipped": self._skipped, "wrong": self._wrong,
        }  # fmt: skip

    async def _timed(self, sent: Sequence[load.Sent], rate: float) -> float:
        """The 95th percentile, over the good ones of these, of what they took to be applied."""
        last = await self._connection.fetchval(_LAST)
        self._wrong += (await load.send(self._client, self._shop, sent, rate))[:5]
        readable = f"{_STILL} AND NOT {_IS_POISON}"
        async with asyncio.timeout(QUIET_SECONDS):
            while await self._connection.fetchval(readable, load.GOOD):  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        return float(await self._connection.fetchval(_P95, load.GOOD, last or UUID(int=0)))

    async def _settled(self) -> None:
        """Until each message has come to an end; waits that are promised pass at once."""
        async with asyncio.timeout(QUIET_SECONDS):
            while any([await self._connection.fetchval(_STILL, each) for each in load.SOURCES]):
                self._skipped += await self._connection.fetchval(_LET_PASS)
                await asyncio.sleep(0.5)

    async def _judged(self, good: int, bad: int) -> dict[str, Any]:
        done = await self._states(f"NOT {_IS_POISON}")
        others = await self._states(_IS_POISON)
        orders = await self._count("SELECT count(*) FROM orders WHERE shop_id = $1")
        tries = await self._connection.fetchrow(
            "SELECT max(attempt - waits) FILTER (WHERE source = 'poison') AS most,"
            f" max(attempt - waits) FILTER (WHERE NOT {_IS_POISON}) AS of_good,"
            f" max(deaths) FILTER (WHERE NOT {_IS_POISON}) AS deaths_of_good FROM inbox"
        )
        unread = await self._count(
            "SELECT count(*) FROM inbox WHERE shop_id = $1 AND state = 'dead' AND"
            f" attempt - waits <> {MAX_FAILURES}"
        )
        left = await self._connection.fetchval(
            "SELECT count(*) FROM pgqueuer WHERE payload = $1", load.NO_ROW["process_inbox"]
        )
        ignored = await self._count(
            "SELECT count(*) FROM inbox WHERE shop_id = $1 AND topic = 'poison/unknown_topic'"
        )
        harms: dict[str, dict[str, int]] = {}
        for kind, error, n in await self._connection.fetch(_ENDS):
            harms.setdefault(kind, {})[error] = n
        self._check(
            {
                "good messages were not applied": done == {"processed": good} and orders == good,
                "others are neither dead nor ignored": others.get("dead", 0) == bad - ignored
                and others.get("ignored", 0) == ignored,
                f"more than {MAX_FAILURES} tries": tries["most"] <= MAX_FAILURES,
                "dead without all its tries": unread == 0,
                "wake-ups are left": left == 0,
                "others did not do their harm": harms.keys() == HARMS.keys()
                and all(HARMS[kind] >= told.keys() for kind, told in harms.items()),
            }
        )
        return {
            "good_done": done.get("processed", 0),
            "dead": others.get("dead", 0),
            "ignored": others.get("ignored", 0),
            "tries_of_poison_max": tries["most"],
            "tries_of_good_max": tries["of_good"],
            "deaths_of_good_max": tries["deaths_of_good"],
            "harms": harms,
        }

    async def _anew(self, bad: int) -> dict[str, int]:
        """Seen and started anew by API; what has become of them then."""
        self._mending.touch()
        seen = [row for state in ("dead", "ignored") for row in await self._listed(state)]
        for row in seen:
            path = f"/v1/admin/inbox/{row['message']}/replay"
            answer = await self._client.send("POST", path, self._shop.token)
            if answer.status != 202:
                self._wrong.append(f"{path}: {answer.status}")
        await self._settled()
        states = await self._states(_IS_POISON)
        unreadable = await self._count(
            f"SELECT count(*) FROM inbox WHERE shop_id = $1 AND source = 'shopify' AND {_IS_POISON}"
        )
        self._check(
            {
                "not all were seen by API": len(seen) == bad,
                "not all were applied once mended": states.get("processed") == bad - unreadable,
                "what cannot be read is not dead again": states.get("dead", 0) == unreadable,
            }
        )
        return {"seen": len(seen), **states}

    async def _listed(self, state: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            path = f"/v1/admin/inbox?state={state}&limit={PAGE}{cursor}"
            page = (await self._client.send("GET", path, self._shop.token)).json()
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def _states(self, where: str) -> dict[str, int]:
        rows = await self._connection.fetch(_BY_STATE.format(where))
        return {row["state"]: row["n"] for row in rows}

    async def _count(self, query: str) -> int:
        return int(await self._connection.fetchval(query, self._shop.id))

    def _check(self, held: dict[str, bool]) -> None:
        self._wrong += [text for text, each in held.items() if not each]


if __name__ == "__main__":
    sys.exit(main())
