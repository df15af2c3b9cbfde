"""``script/bench open-return``: opening a return over HTTP, against its own SQL and a bare route.

In one run, on one machine: (a) the statements that one opening sends, recorded from the real use
case and replayed by bare asyncpg; (b) a FastAPI route that only echoes the body; (c) one API
process under ``POST /v1/returns``, with idempotency, lock, event, delivery, job and stored answer
in its transaction. Rounds are interleaved, medians reported; goals are reported, not enforced.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvloop
from proofs.harness.options import asked

from bench.load import Measured, request, run, summary
from bench.seeding import Shop, make_quotes, make_shop
from returns_api.config import Settings
from returns_api.db.embedded import EmbeddedPostgres
from returns_api.db.engine import Database, Transaction
from returns_api.db.idempotency import Claim
from returns_api.db.migrations import upgrade
from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Principal, Role
from returns_api.domain.events import By
from returns_api.usecases import opening
from returns_api.usecases.context import Context
from returns_api.usecases.once import Answer, Keyed, once
from returns_api.wiring import running_context

GOAL_TO_FLOOR, GOAL_TAIL = 0.50, 5.0
Statement = tuple[str, str, tuple[Any, ...]]


class Recorder(Database):
    """Runs every transaction for real, notes its statements, and rolls it back."""

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=2)
        self.notes: list[Statement] = []

    @asynccontextmanager
    async def transaction(
        self, shop: UUID, *, savepoint: bool = False
    ) -> AsyncIterator[Transaction]:
        async with self.pool.acquire() as connection:
            noted = Noted(connection, self.notes)
            opening = f"BEGIN; SET LOCAL app.shop = '{shop}'"
            await noted.execute(opening + ("; SAVEPOINT work" if savepoint else ""))
            yield Transaction(noted, shop)  # type: ignore[arg-type]
            await connection.execute("ROLLBACK")
            self.notes.append(("execute", "COMMIT", ()))


class Noted:
    """A connection that notes every statement before it runs it."""

    def __init__(self, connection: Any, notes: list[Statement]) -> None:
        self._connection, self._notes = connection, notes

    def __getattr__(self, method: str) -> Any:
        async def call(sql: str, *args: Any) -> Any:
            self._notes.append((method, sql, args))
            return await getattr(self._connection, method)(sql, *args)

        return call


async def record(settings: Settings, shop: Shop, quotes: list[UUID]) -> list[list[Statement]]:
    """The statements of one opening for each quote, exactly as the service sends them."""
    recorder = Recorder(settings.app_address)
    await recorder.open()
    found = []
    principal = Principal(shop.id, shop.admin_id, Role.ADMIN, ROLE_SCOPES[Role.ADMIN])
    async with running_context(settings, pool_size=1, database=recorder) as (ctx, _):
        for quote in quotes:
            recorder.notes = []
            keyed = Keyed(Claim(shop.admin_id, quote.bytes * 2, quote.bytes * 2), lambda _: None)
            await once(
                ctx,
                shop.id,
                keyed,
                partial(_open, ctx, principal, quote),
                lambda _: Answer(201, b"x" * 1500),
            )
            found.append(recorder.notes)
    await recorder.close()
    return found


async def _open(ctx: Context, principal: Principal, quote: UUID, tx: Transaction) -> None:
    await opening.open_return(tx, ctx, principal, By("admin"), quote, [])


async def replay(url: str, work: list[list[Statement]], concurrency: int) -> Measured:
    """The floor: the recorded statements by bare asyncpg in one process."""
    pool = await asyncpg.create_pool(
        url, min_size=concurrency, max_size=concurrency, init=_codec, reset=_keep,
        server_settings={"role": "returns_app", "jit": "off"},
    )  # fmt: skip
    waiting, seconds = iter(work), list[float]()

    async def client() -> None:
        async with pool.acquire() as connection:
            for statements in waiting:
                started = time.perf_counter()
                for method, sql, args in statements:
                    await getattr(connection, method)(sql, *args)
                seconds.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    measured = summary(seconds, time.perf_counter() - started, {})
    await pool.close()
    return measured


async def _codec(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=lambda v: orjson.dumps(v, default=str).decode(), decoder=orjson.loads,
        schema="pg_catalog",
    )  # fmt: skip


async def _keep(_connection: Any) -> None:
    """No reset between uses, as in the service."""


ECHO = """
from typing import Any
from fastapi import FastAPI
from pydantic import BaseModel
class Body(BaseModel):
    quote: str
    lines: list[dict[str, Any]] = []
app = FastAPI()
@app.post("/echo")
async def echo(body: Body) -> Body:
    return body
"""


@contextmanager
def serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """A server process that answers on ``port`` until the block ends."""
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def bodies(shop: Shop, quotes: list[UUID], path: str) -> list[bytes]:
    return [
        request(path, shop.admin_key, orjson.dumps({"quote": ids.encode("qt", q)}), str(q))
        for q in quotes
    ]


async def measure(
    settings: Settings, owner_url: str, ports: tuple[int, int], count: int, rounds: int
) -> dict[str, Any]:
    """All three at both concurrencies, interleaved."""
    owner = await asyncpg.connect(owner_url)
    shop = await make_shop(owner)
    found: dict[str, list[Measured]] = {}
    for number in range(rounds + 1):
        for concurrency in (1, 16):
            size = count if concurrency > 1 else max(count // 4, 50)
            work = await record(settings, shop, await make_quotes(owner, shop.id, size))
            quotes = await make_quotes(owner, shop.id, size)
            results = {
                "sql_floor": await replay(settings.app_address, work, concurrency),
                "echo": await run(
                    "127.0.0.1", ports[1], bodies(shop, quotes, "/echo"), concurrency
                ),
                "open_return": await run(
                    "127.0.0.1", ports[0], bodies(shop, quotes, "/v1/returns"), concurrency
                ),
            }
            if number:  # the first round only warms up
                for name, measured in results.items():
                    found.setdefault(f"{name}@{concurrency}", []).append(measured)
        _progress(number, rounds)
    await owner.close()
    return {name: _median(all_) for name, all_ in found.items()}


def _median(rounds: list[Measured]) -> dict[str, Any]:
    best = sorted(rounds, key=lambda m: m.per_second)[len(rounds) // 2]
    return best.as_dict() | {
        "per_second": round(median(m.per_second for m in rounds), 1),
        "p50_ms": round(median(m.p50_ms for m in rounds), 2),
        "p99_ms": round(median(m.p99_ms for m in rounds), 2),
    }


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\rround {done}/{total}", end="" if done < total else "\n", file=sys.stderr)


def ratios(found: dict[str, Any]) -> dict[str, Any]:
    opened, tail = found["open_return@16"], found["open_return@16"]
    return {
        "to_sql_floor": round(opened["per_second"] / found["sql_floor@16"]["per_second"], 3),
        "to_echo": round(opened["per_second"] / found["echo@16"]["per_second"], 3),
        "to_sql_floor_at_1": round(
            found["open_return@1"]["per_second"] / found["sql_floor@1"]["per_second"], 3
        ),
        "p99_to_p50": round(tail["p99_ms"] / tail["p50_ms"], 2),
        "goals": {"to_sql_floor": GOAL_TO_FLOOR, "p99_to_p50": GOAL_TAIL},
    }


def main() -> int:
    parser = asked("bench open-return", __doc__)
    parser.add_argument("--count", type=int, default=1500, help="requests per round")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="returns-bench-") as folder:
        found = _run(Path(folder), chosen.count, chosen.rounds)
    result = {"bench": "open-return", "ok": True, **ratios(found), "figures": found}
    if chosen.json:
        print(orjson.dumps(result).decode())
    else:
        for name, measured in found.items():
            print(f"{name:16} {measured}")
        print({k: v for k, v in result.items() if k != "figures"})
    return 0


def _run(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    with EmbeddedPostgres(folder / "db") as server:
        owner_url = server.url()
        uvloop.run(upgrade(owner_url))
        api, echo = free_port(), free_port()
        settings = Settings(
            database_url=server.url(user="returns_app"),
            owner_database_url=owner_url,
            data_dir=folder,
            port=api,
            log_level="warning",
            api_pool_size=16,
        )
        environment = {**os.environ, **settings.environment_variables()}
        (folder / "echo.py").write_text(ECHO)
        serve = [sys.executable, "-m", "returns_api.cli", "serve"]
        bare = [sys.executable, "-m", "uvicorn", "echo:app", "--app-dir", str(folder), "--port",
                str(echo), "--log-level", "warning", "--no-access-log"]  # fmt: skip
        with serving(serve, api, environment), serving(bare, echo, environment):
            return uvloop.run(measure(settings, owner_url, (api, echo), count, rounds))


if __name__ == "__main__":
    raise SystemExit(main())
