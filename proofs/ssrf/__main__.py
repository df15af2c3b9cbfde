"""Proof: no webhook address reaches this machine, however it is written.

``script/proof ssrf --json`` has canaries listen on every port that a webhook may use, on every
address of this machine, and counts whom they accept (T31):

- **door**: each address is offered to the API; those that lead inside by what they say are refused.
- **past the door**: every one of them is stored all the same, as if it had been harmless when it
  was written, and a worker with the default settings delivers to it.
- **names**: resolvers that answer with public and private addresses at once, with a private one
  only, or with another one at every question.
- **redirects**: a receiver that sends us on to the canary with each status that can.
- **production**: the setting that permits private targets stops the service from starting.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from proofs.harness.client import Client
from proofs.harness.options import asked
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.stage import Lane, Size, staged
from proofs.ssrf.addresses import urls_inside
from proofs.ssrf.canaries import Canaries, listening
from proofs.ssrf.names import outcomes_of_names
from tests.support.context import ADDRESS
from tests.support.receiver import Reply, receiving

from returns_api.adapters.http import GuardedClient
from returns_api.adapters.webhooks import Webhooks
from returns_api.config import PREFIX
from returns_api.db.outbox import emit
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from returns_api.usecases.webhook_endpoints import ENDPOINTS_MAX, create_endpoint
from returns_api.wiring import running_context

TRIED_SECONDS: Final = 120.0
BLOCKED: Final = frozenset({"blocked_address", "bad_url", "dns_failed", "connect_failed"})
REDIRECTS: Final = (301, 302, 303, 307, 308)


class AnyDoor(Webhooks):
    """Takes every address: what is stored may have been written before there was a rule."""

    def refusal(self, url: str) -> str | None:
        del url
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof ssrf", __doc__, keep=True)
    options = parser.parse_args(arguments)
    return finish(asyncio.run(_prove(keep=options.keep)), as_json=options.json)


async def _prove(*, keep: bool) -> dict[str, Any]:
    begun, wrong, urls = time.monotonic(), list[str](), list(urls_inside())
    async with AsyncExitStack() as stack:
        canaries = await stack.enter_async_context(listening())
        stage = await stack.enter_async_context(staged(keep=keep))
        lane = await stack.enter_async_context(stage.lane("ssrf", Size()))
        await _strict(lane)
        before = canaries.accepted
        say(f"{len(urls)} addresses at the door")
        taken = await _door(lane, urls)
        say("the same past the door")
        outcomes = await _past_the_door(lane, urls)
        say("names and redirects")
        names = await outcomes_of_names()
        redirects = await _redirects(canaries)
        production = await asyncio.to_thread(_starts_in_production, lane)
    wrong += [f"the door took {url}" for url in taken]
    wrong += [f"{what}: {n} tries" for what, n in outcomes.items() if what not in BLOCKED]
    wrong += [f"{what}: {n} names" for what, n in names.items() if what not in BLOCKED]
    wrong += [] if sum(outcomes.values()) == len(urls) else ["not every address was tried"]
    wrong += ["a canary was called"] if canaries.accepted > before else []
    wrong += ["production takes private targets"] if production else []
    wrong += ["a redirect was followed"] if redirects != len(REDIRECTS) else []
    return {
        "proof": "ssrf",
        "ok": not wrong,
        **machine(),
        "addresses": len(urls),
        "canary_ports": canaries.ports,
        "canaries_called": canaries.accepted - before,
        "taken_at_the_door": len(taken),
        "outcomes_past_the_door": dict(outcomes),
        "outcomes_of_names": dict(names),
        "redirects_not_followed": redirects,
        "wrong": wrong[:20],
        "seconds": round(time.monotonic() - begun, 1),
    }


async def _strict(lane: Lane) -> None:
    """Start the processes again with what is the default: only the lane's own simulators, which
    are on loopback, need the setting of development."""
    for program in (*lane.apis, *lane.workers):
        program.kill()
        program.start(allow_private_webhook_targets="false")
    await lane.ready()


async def _door(lane: Lane, urls: Sequence[str]) -> list[str]:
    """Which of them the API takes. A name that only a resolver could judge is none of them."""
    taken = []
    async with Client(lane.urls) as client:
        for number, url in enumerate(urls):
            body = {"url": url, "topics": ["refund.*"]}
            answer = await client.send(
                "POST", "/v1/admin/webhook-endpoints", lane.demo["keys"]["admin"], body,
                key=f"door-{number}",
            )  # fmt: skip
            if answer.status < 400:
                taken.append(url)
            elif answer.status >= 500:
                taken.append(f"{url} (answered {answer.status})")
    return taken


async def _past_the_door(lane: Lane, urls: Sequence[str]) -> Counter[str]:
    """What became of the first try of each, by the worker of the lane."""
    door = AnyDoor(GuardedClient())
    async with (
        running_context(lane.settings, pool_size=2, webhooks=door) as (ctx, _),
        lane.superuser() as connection,
    ):
        for first in range(0, len(urls), ENDPOINTS_MAX):
            await _listening_shop(ctx, urls[first : first + ENDPOINTS_MAX])
        async with asyncio.timeout(TRIED_SECONDS):
            while True:
                rows = await connection.fetch(
                    "SELECT status, error FROM delivery_attempts WHERE no = 1"
                )
                if len(rows) >= len(urls):
                    return Counter(row["error"] or str(row["status"]) for row in rows)
                await asyncio.sleep(0.2)


async def _listening_shop(ctx: Context, urls: Sequence[str]) -> None:
    made = await create_shop(ctx, ShopSettings("S", "Europe/Berlin", "EUR", "DE", "de", ADDRESS))
    for url in urls:
        await create_endpoint(ctx, made.id, SYSTEM, url=url, topics=("refund.*",), description=None)
    event = Event(
        id=ctx.new_id(), type="refund.succeeded", resource_type="refund",
        resource_id=ctx.new_id(), sequence=1, at=ctx.clock(), by=SYSTEM, data={},
    )  # fmt: skip
    async with ctx.database.transaction(made.id) as tx:
        await emit(tx, [event])
    ctx.wake()


def _always(reply: Reply, _: object) -> Reply:
    return reply


async def _redirects(canaries: Canaries) -> int:
    """How many redirects to the canary stayed where they were."""
    stayed, before = 0, canaries.accepted
    async with receiving() as receiver:
        client = GuardedClient(allow_loopback=True)
        for status in REDIRECTS:
            target = f"http://127.0.0.1:{canaries.ports[-1]}/"
            reply = Reply(status, (("location", target),))
            receiver.answer = partial(_always, reply)
            answer = await client.post_webhook(f"{receiver.base_url}/in", {}, b"{}")
            stayed += answer.status == status and canaries.accepted == before
        await client.aclose()
    return stayed


def _starts_in_production(lane: Lane) -> bool:
    """Whether an API process starts there with the setting of development."""
    variables = lane.settings.environment_variables()
    variables |= {f"{PREFIX}ENVIRONMENT": "production"}
    variables |= {f"{PREFIX}ALLOW_PRIVATE_WEBHOOK_TARGETS": "true"}
    log = lane.folder / "production.log"
    program = Program("production", "returns_api.cli", ["serve"], variables, log)
    program.start()
    end = time.monotonic() + 30
    while not program.ended() and time.monotonic() < end:
        time.sleep(0.1)
    ended, said = program.ended(), "is for development only" in program.last_words()
    program.kill()
    return not (ended and said)


if __name__ == "__main__":
    sys.exit(main())
