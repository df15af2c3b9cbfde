"""How fast files of orders come in, and that a kill costs nothing: ``script/bench import --json``.

Everything is real: PostgreSQL on disk with fsync, an API and a worker process, and the command line
``returns-api orders import`` that sends the file over HTTP.

- **rows per second**: from the start of the import to its end, without the sending; the time that a
  killed worker's lease holds the import is told apart and left out.
- **kill**: the worker is killed (SIGKILL) again and again on the way, and started anew. At the end
  every good line is one order with one event, one certificate and one entry in the books, every bad
  line is named, and a second import of the same file changes nothing.
- **memory**: the largest resident size of worker and API, and of the worker early and late.

``--rows 1000000`` is the promise; the default is a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import uvloop
from proofs.harness.cpu import per_job, spent
from proofs.harness.memory import peak_mb, resident_mb
from proofs.harness.options import asked
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.stage import Lane, Size, staged

from returns_api.domain.order_documents import EXAMPLE

LEASE_SECONDS: Final = 5.0
BAD_EVERY: Final = 1_000
"""One line of so many has a quantity of zero."""
TABLES: Final = {
    "orders": "SELECT count(*) FROM orders WHERE source = 'api'",
    "different": "SELECT count(DISTINCT external_id) FROM orders WHERE source = 'api'",
    "events": "SELECT count(*) FROM events WHERE type = 'order.received' AND order_id IN"
    " (SELECT id FROM orders WHERE source = 'api')",
    "certificates": "SELECT count(*) FROM certificates WHERE order_id IN"
    " (SELECT id FROM orders WHERE source = 'api')",
    "entries": "SELECT count(*) FROM ledger_entries WHERE order_id IN"
    " (SELECT id FROM orders WHERE source = 'api')",
    "parts_left": "SELECT count(*) FROM import_parts",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return finish(uvloop.run(_measure(options)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("bench import", __doc__, keep=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=2)
    return parser.parse_args(arguments)


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"bench": "import", "ok": False, "rows": options.rows, **machine()}
    size = Size(apis=1, workers=1, lease_seconds=LEASE_SECONDS)
    async with (
        staged(keep=options.keep) as stage,
        stage.lane("bench", size) as lane,
        lane.superuser() as connection,
    ):
        file = lane.folder / "orders.ndjson"
        bad = _write(file, options.rows)
        figures["bytes"] = file.stat().st_size
        before = spent(lane)
        first = await _import(lane, file, connection, options.kills)
        figures |= first["figures"]
        figures["cpu_ms_per_row"] = per_job(before, spent(lane), options.rows)
        counted = {name: await connection.fetchval(query) for name, query in TABLES.items()}
        say("the same file again")
        again = await _import(lane, file, connection, 0)
        same = {name: await connection.fetchval(query) for name, query in TABLES.items()}
        figures |= {"again_rows_per_second": again["figures"]["rows_per_second"], **counted}
        figures["named"] = first["told"]["rejected"]
        figures["changed_by_the_second"] = sum(again["told"][n] for n in ("created", "updated"))
        figures["errors_logged"] = lane.errors()[:5]
    good = options.rows - bad
    figures["lost"] = good - counted["different"]
    figures["doubled"] = counted["orders"] - counted["different"]
    figures["ok"] = (
        all(
            counted[n] == good for n in ("orders", "different", "events", "certificates", "entries")
        )
        and counted == same
        and counted["parts_left"] == 0
        and figures["named"] == bad
        and figures["changed_by_the_second"] == 0
        and not figures["errors_logged"]
    )
    return figures


def _write(file: Path, rows: int) -> int:
    """The file; how many of its lines are bad."""
    bad = 0
    with file.open("wb") as out:
        for number in range(rows):
            made = {**EXAMPLE, "external_id": f"B{number}", "number": f"#B{number}"}
            payment = {**EXAMPLE["payments"][0], "provider_payment_id": f"pi_bench_{number}"}
            made["payments"] = [payment]
            if number % BAD_EVERY == BAD_EVERY - 1:
                made["lines"] = [{**EXAMPLE["lines"][0], "quantity": 0}, *EXAMPLE["lines"][1:]]
                bad += 1
            out.write(orjson.dumps(made) + b"\n")
    return bad


async def _import(lane: Lane, file: Path, connection: Any, kills: int) -> dict[str, Any]:
    """By the command line, killing the worker on the way; what it told, and the figures."""
    words = ["orders", "import", str(file), "--url", lane.urls[0], "--json"]
    log = lane.folder / f"import-{time.monotonic_ns()}.log"
    key = {"RETURNS_API_KEY": str(lane.demo["keys"]["admin"])}
    command = Program("import", "returns_api.cli", words, key, log)
    command.start()
    (worker,) = lane.workers
    seen, early, waited, made = 0, 0, 0.0, 0
    begun = last = 0.0
    while not command.ended():
        await asyncio.sleep(0.2)
        row = await connection.fetchrow("SELECT * FROM imports ORDER BY id DESC LIMIT 1")
        now = time.monotonic()
        if row is None or row["state"] == "open":
            continue
        begun = begun or now
        if row["done"] > seen:
            if now - last > LEASE_SECONDS / 2 and last:
                waited += now - last
            seen, last = row["done"], now
            early = early or (resident_mb(worker) if seen > row["total"] / 10 else 0)
        if made < kills and seen > row["total"] * (made + 1) / (kills + 1):
            worker.kill()
            worker.start()
            made += 1
            say(f"killed the worker after {seen} lines")
        if row["finished_at"] is not None:
            last = last if kills else now
    told = orjson.loads(log.read_text().splitlines()[-1])
    run = await connection.fetchrow("SELECT * FROM imports ORDER BY id DESC LIMIT 1")
    seconds = max(last - begun - waited, 0.001)
    return {
        "told": told,
        "figures": {
            "seconds": round(seconds, 1),
            "rows_per_second": round(run["done"] / seconds, 1),
            "kills": made,
            "attempts": run["attempt"],
            "held_by_dead_workers_seconds": round(waited, 1),
            "worker_mb_early": early,
            "worker_mb_at_the_end": resident_mb(worker),
            "worker_mb_peak": peak_mb(worker),
            "api_mb_peak": peak_mb(lane.apis[0]),
        },
    }


if __name__ == "__main__":
    sys.exit(main())
