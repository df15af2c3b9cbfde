"""Proof: no value anywhere breaks anything (T20).

``script/proof fuzz --json`` puts every odd value of ``tests/support/corpus.py`` into every path and
query parameter, every header that somebody reads and every field of every body of the OpenAPI file:
no 5xx, no lost connection, a problem document for every refusal, no row written by one, and 99 of
100 answers within a second. ``--share 0.1`` takes a random tenth of it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Any, Final

import asyncpg
import httpx
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from tests.support.corpus import TEXTS, TOKENS, Fuzzer, places
from tests.support.living import Living, living_world

P99_SECONDS: Final = 1.0
SHOWN: Final = 30


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    with living_world() as living:
        figures = asyncio.run(_fuzz(living, options.share, Random(seed)))
    return finish({**figures, "seed": seed, "machine": machine()}, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof fuzz", __doc__, seed="replay a run")
    parser.add_argument("--share", type=float, default=1.0, help="of all pairs, at random")
    return parser.parse_args(arguments)


async def _fuzz(living: Living, share: float, chance: Random) -> dict[str, Any]:
    found = places(living.server.app.openapi())
    pairs = [(place, value) for place in found for value in place.values()]
    if share < 1:
        kept = set(chance.sample(range(len(pairs)), round(len(pairs) * share)))
        pairs = [pair for number, pair in enumerate(pairs) if number in kept]
    say(f"{len(found)} places, {len(pairs)} requests")
    begun = time.perf_counter()
    owner = await asyncpg.connect(living.owner_url)
    try:
        async with httpx.AsyncClient(
            base_url=living.server.url, trust_env=False, timeout=30
        ) as http:
            verdict = await Fuzzer(http, living.world, owner).run(pairs)
    finally:
        await owner.close()
    for text in verdict.wrong[:SHOWN]:
        say(text)
    return {
        "ok": not verdict.wrong and verdict.p99() <= P99_SECONDS,
        "texts": len(TEXTS),
        "json_values": len(TOKENS),
        "places": len(found),
        "requests": verdict.requests,
        "refused": verdict.refused,
        "answers": dict(sorted(verdict.statuses.items())),
        "wrong": len(verdict.wrong),
        "p99_ms": round(verdict.p99() * 1000, 1),
        "slowest_ms": round(max(verdict.seconds) * 1000, 1),
        "seconds": round(time.perf_counter() - begun, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
