"""Proof: webhooks of both directions hold what is promised, at full size and under every spoiling.

``script/proof webhooks --json`` sends 10 000 deliveries of each shop platform, spoilt and shuffled,
through an API process and a worker (T13, ``inbound``), and 10 000 events of our own to receivers
that fail, over a clock of five days (T14, ``outbound``). PostgreSQL is on disk with fsync.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine
from proofs.harness.stage import Size, Stage, staged
from proofs.webhooks.inbound import prove_inbound
from proofs.webhooks.outbound import prove_outbound
from proofs.webhooks.told import PLATFORMS

from returns_api.logs import configure


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof webhooks", __doc__, seed="what is spoilt, and when", keep=True)
    parser.add_argument("--deliveries", type=int, default=10_000, help="of each platform")
    parser.add_argument("--events", type=int, default=10_000, help="of our own")
    options = parser.parse_args(arguments)
    configure("warning")
    seed = seed_of(options)
    figures = asyncio.run(_prove(options, Random(seed)))
    return finish({**figures, "seed": seed}, as_json=options.json)


async def _prove(options: argparse.Namespace, chance: Random) -> dict[str, Any]:
    begun, figures = time.monotonic(), dict[str, Any](proof="webhooks", ok=False, **machine())
    async with staged(keep=options.keep) as stage:
        for name in PLATFORMS:
            figures[name] = await _inbound(stage, name, options.deliveries, chance)
        async with stage.lane("outbound", Size(apis=1, workers=0)) as lane:
            figures["outbound"] = await prove_outbound(lane, options.events, chance)
            figures["outbound"]["wrong"] += lane.errors()[:5]
    figures["seconds"] = round(time.monotonic() - begun, 1)
    figures["ok"] = not any(figures[name]["wrong"] for name in (*PLATFORMS, "outbound"))
    return figures


async def _inbound(stage: Stage, name: str, deliveries: int, chance: Random) -> dict[str, Any]:
    async with stage.lane(name, Size(apis=1, workers=1)) as lane:
        found = await prove_inbound(lane, name, deliveries, chance)
        found["wrong"] += lane.errors()[:5]
    return found


if __name__ == "__main__":
    sys.exit(main())
