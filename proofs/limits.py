"""Proof: guest look-ups are counted exactly over processes, and no wrong guess tells anything.

``script/proof limits --json`` runs two API processes on one database.

- **T28**: in each of many shops, at once: more tries of one order number from everywhere, more
  tries of one caller for different orders (who claims another address each time), and more tries
  of different orders from everywhere than a minute allows. Exactly as many pass as the limit says,
  whichever process they reach; every refusal has ``Retry-After``.
- **T29**: no order, another address than the order's, an order without an address, one whose
  person was erased, one of another shop: one answer, header by header, and times that cannot be
  told from those of an order that does not exist (two-sample Kolmogorov-Smirnov). Who knows number
  and address gets in, which is the door's purpose, and is not among them.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Final

import httpx
from proofs.harness.client import Client
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.harness.stage import Lane, Size, staged
from tests.support.context import ADDRESS

from returns_api.domain.access import Role
from returns_api.domain.order_documents import EXAMPLE
from returns_api.domain.shops import ShopSettings
from returns_api.usecases._lookups import PER_CALLER, PER_NUMBER, PER_SHOP
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue
from returns_api.usecases.shops import create_shop
from returns_api.wiring import running_context

PATH: Final = "/v1/buyer-sessions"
TRIES: Final = {"number": 40, "caller": 60, "shop": 300}
LIMITS: Final = {"number": PER_NUMBER, "caller": PER_CALLER, "shop": PER_SHOP}
CALLERS: Final = 60
"""Addresses of loopback from which the tries come."""
MOST: Final = 5
"""Guesses before the counters are emptied, so that no limit is reached where times are taken."""
ALPHA: Final = 0.01
UNTOLD: Final = ("x-request-id", "date")
"""Headers that are another one in each answer."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof limits", __doc__, seed="the sequence of guesses", keep=True)
    parser.add_argument("--shops", type=int, default=20, help="shops whose limits are tried")
    parser.add_argument("--guesses", type=int, default=1_000, help="of each kind")
    options = parser.parse_args(arguments)
    seed = seed_of(options)
    figures = asyncio.run(_prove(options, Random(seed)))
    return finish({**figures, "seed": seed}, as_json=options.json)


async def _prove(options: argparse.Namespace, chance: Random) -> dict[str, Any]:
    begun = time.monotonic()
    async with (
        staged(keep=options.keep) as stage,
        stage.lane("limits", Size(apis=2, workers=0)) as lane,
        running_context(lane.settings, pool_size=2) as (ctx, _),
    ):
        say(f"limits of {options.shops} shops, over two processes")
        limits, wrong = await _limits(lane, ctx, options.shops)
        say(f"{options.guesses} guesses of each kind")
        guesses, more = await _guesses(lane, ctx, options.guesses, chance)
        wrong += more + lane.errors()[:5]
    seconds = round(time.monotonic() - begun, 1)
    figures = {"limits": limits, "guesses": guesses, "wrong": wrong[:20], "seconds": seconds}
    return {"proof": "limits", "ok": not wrong, **machine(), **figures}


async def _limits(lane: Lane, ctx: Context, shops: int) -> tuple[dict[str, Any], list[str]]:
    """How many tries passed, by limit; a shop of its own for each of them."""
    passed: dict[str, Counter[int]] = {name: Counter() for name in TRIES}
    wrong: list[str] = []
    callers = [
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                local_address=f"127.0.0.{10 + n}", limits=httpx.Limits(max_keepalive_connections=0)
            ),
            timeout=60,
        )
        for n in range(CALLERS)
    ]
    for number in range(shops):
        for name, tries in TRIES.items():
            _, token = await _shop(ctx)
            begun = time.perf_counter()
            answers = await asyncio.gather(
                *(_try(callers, lane.urls, token, name, number, n) for n in range(tries))
            )
            let_in = sum(answer.status_code == 404 for answer in answers)
            passed[name][let_in] += 1
            refused = [answer for answer in answers if answer.status_code == 429]
            # The minute slides: what was let in fades while the burst goes on.
            faded = int(LIMITS[name] * (time.perf_counter() - begun) / 60)
            if not LIMITS[name] <= let_in <= LIMITS[name] + faded:
                wrong.append(f"{let_in} of {tries} passed, by {name}")
            if len(refused) + let_in != tries or not all(_waits(each) for each in refused):
                wrong.append(f"other answers or no Retry-After, by {name}")
    for caller in callers:
        await caller.aclose()
    told = {name: {"limit": LIMITS[name], "passed": dict(passed[name])} for name in TRIES}
    return {"shops": shops, "tries": shops * sum(TRIES.values()), **told}, wrong


def _waits(answer: httpx.Response) -> bool:
    wait: str = answer.headers.get("retry-after", "")
    return wait.isdigit()


async def _try(
    callers: Sequence[httpx.AsyncClient],
    urls: Sequence[str],
    token: str,
    name: str,
    shop: int,
    number: int,
) -> httpx.Response:
    caller = callers[0 if name == "caller" else number % len(callers)]
    order = str(shop) if name == "number" else f"{shop}-{number}"
    claimed = {"x-forwarded-for": f"198.51.100.{number % 250}", "forwarded": "for=203.0.113.7"}
    return await caller.post(
        urls[number % len(urls)] + PATH,
        json={"number": order, "email": f"{number}@example.com"},
        headers={"authorization": f"Bearer {token}", **claimed},
    )


async def _shop(ctx: Context) -> tuple[str, str]:
    """A new shop's admin key and publishable key."""
    made = await create_shop(ctx, ShopSettings("S", "Europe/Berlin", "EUR", "DE", "de", ADDRESS))
    async with ctx.database.transaction(made.id) as tx:
        return made.key.token, (await issue(tx, ctx, role=Role.PUBLISHABLE, label="p")).token


async def _guesses(
    lane: Lane, ctx: Context, count: int, chance: Random
) -> tuple[dict[str, Any], list[str]]:
    """Answers and times of each kind of wrong guess, in one random sequence."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(lane.urls[:1]))
        connection = await stack.enter_async_context(lane.superuser())
        kinds, token = await _kinds(client, ctx)
        took: dict[str, list[float]] = {kind: [] for kind in kinds}
        answers: dict[str, set[Any]] = {kind: set() for kind in kinds}
        sequence = [kind for kind in kinds for _ in range(count)]
        chance.shuffle(sequence)
        for number, kind in enumerate(sequence):
            if number % MOST == 0:
                await connection.execute("DELETE FROM rate_limits")
            begun = time.perf_counter()
            answer = await client.send("POST", PATH, token, kinds[kind])
            took[kind].append(time.perf_counter() - begun)
            answers[kind].add(_seen(answer.status, answer.headers, answer.json()))
        await connection.execute("DELETE FROM rate_limits")
        right = await client.send("POST", PATH, token, {"number": "G1", "email": "a@example.com"})
    return _compared(count, took, answers, right.status)


def _compared(
    count: int,
    took: Mapping[str, Sequence[float]],
    answers: Mapping[str, set[Any]],
    right: int,
) -> tuple[dict[str, Any], list[str]]:
    first = took["no order"]
    others = {kind: _ks(first, each) for kind, each in took.items() if kind != "no order"}
    same = len({each for found in answers.values() for each in found}) == 1
    floor = ALPHA / len(others)
    wrong = [f"{kind}: p = {p:.4f}" for kind, p in others.items() if p <= floor]
    wrong += [] if same else ["wrong guesses are answered differently"]
    wrong += [] if right == 201 else [f"who knows the order got {right}"]
    told = {
        "each": count,
        "answers": len({each for found in answers.values() for each in found}),
        "ms_p50": {kind: round(sorted(each)[count // 2] * 1000, 2) for kind, each in took.items()},
        "p_values": {kind: round(p, 4) for kind, p in others.items()},
        "p_must_exceed": floor,
    }
    return told, wrong


async def _kinds(client: Client, ctx: Context) -> tuple[dict[str, dict[str, str]], str]:
    """What is asked for each kind of wrong guess, and a publishable key of the shop."""
    admin, token = await _shop(ctx)
    other, _ = await _shop(ctx)
    for key, name, email in (
        (admin, "G1", "a@example.com"),
        (admin, "G2", None),
        (admin, "G3", "c@example.com"),
        (other, "G4", "d@example.com"),
    ):
        await _order(client, key, name, email)
    erased = await client.send(
        "POST", "/v1/admin/people/erase", admin, {"email": "c@example.com"}, key="erase"
    )
    assert erased.status == 200, erased
    return {
        "no order": {"number": "G9", "email": "a@example.com"},
        "wrong address": {"number": "G1", "email": "b@example.com"},
        "no address": {"number": "G2", "email": "a@example.com"},
        "erased": {"number": "G3", "email": "c@example.com"},
        "another shop's": {"number": "G4", "email": "d@example.com"},
    }, token


async def _order(client: Client, token: str, name: str, email: str | None) -> None:
    payment = {**EXAMPLE["payments"][0], "provider_payment_id": f"pi_{name}"}
    made = {**EXAMPLE, "external_id": name, "number": name, "payments": [payment]}
    made["buyer"] = {} if email is None else {"email": email}
    answer = await client.send("PUT", f"/v1/orders/{name}", token, made)
    assert answer.status == 201, answer


def _seen(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> Any:
    """What a guesser can tell apart."""
    kept = {name: value for name, value in headers.items() if name not in UNTOLD}
    told = {name: value for name, value in body.items() if name != "request_id"}
    return status, str(sorted(kept.items())), str(sorted(told.items()))


def _ks(one: Sequence[float], other: Sequence[float]) -> float:
    """The p-value of the two-sample Kolmogorov-Smirnov test, by its limit distribution (Stephens).

    Source: Press et al., Numerical Recipes, 14.3.
    """
    left, right = sorted(one), sorted(other)
    most = max(
        abs(bisect_right(left, at) / len(left) - bisect_right(right, at) / len(right))
        for at in (*left, *right)
    )
    size = math.sqrt(len(left) * len(right) / (len(left) + len(right)))
    scaled = (size + 0.12 + 0.11 / size) * most
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return min(max(2 * sum(terms), 0.0), 1.0) if scaled > 0.2 else 1.0


if __name__ == "__main__":
    sys.exit(main())
