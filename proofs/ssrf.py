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

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from proofs.harness.client import Client
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.stage import Lane, Size, free_ports, staged
from tests.adapters.test_addresses import NOT_PUBLIC
from tests.support.context import ADDRESS
from tests.support.receiver import Reply, receiving

from returns_api.adapters.http import WEBHOOK_PORTS, GuardedClient
from returns_api.adapters.webhooks import Webhooks
from returns_api.config import PREFIX
from returns_api.db.outbox import emit
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from returns_api.usecases.webhook_endpoints import ENDPOINTS_MAX, create_endpoint
from returns_api.wiring import running_context

STRANGER: Final = "93.184.216.34"
NOWHERE: Final = "1.2.3.4.5"
"""No address, and no name that anybody resolves."""
TRIED_SECONDS: Final = 120.0
BLOCKED: Final = frozenset({"blocked_address", "bad_url", "dns_failed", "connect_failed"})
REDIRECTS: Final = (301, 302, 303, 307, 308)
NOTATIONS: Final = (
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "127.0.0.1.",
    "localhost",
    "LocalHost",
    "localhost.",
    "ip6-localhost",
    "metadata.google.internal",
    "router.local",
    "intranet",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::1%25lo]",
    "[::]",
)
"""Ways to write this machine, its network or the metadata service as a host."""
ODD: Final = (
    "http://127.0.0.1:8443/",
    "http://stranger.example/",
    "https://stranger.example@127.0.0.1/",
    "https://127.0.0.1:443@stranger.example:8443/",
    "https://stranger.example#@127.0.0.1/",
    "https://127.0.0.1\\@stranger.example/",
    "https://stranger.example\t@127.0.0.1/",
    "https:127.0.0.1/",
    "https:///127.0.0.1/",
    "https://127.0.0.1:22/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:0/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:443/_x",
    "//127.0.0.1/",
    "https://",
)


@dataclass(slots=True)
class Canaries:
    """Listeners that should never be called; ``accepted`` counts who called."""

    ports: list[int] = field(default_factory=list)
    accepted: int = 0

    async def accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        writer.close()


class AnyDoor(Webhooks):
    """Takes every address: what is stored may have been written before there was a rule."""

    def refusal(self, url: str) -> str | None:
        del url
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="script/proof ssrf",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--keep", action="store_true", help="keep logs and data")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args(arguments)
    return finish(asyncio.run(_prove(keep=options.keep)), as_json=options.json)


async def _prove(*, keep: bool) -> dict[str, Any]:
    begun, wrong, urls = time.monotonic(), list[str](), list(_urls())
    async with AsyncExitStack() as stack:
        canaries = await stack.enter_async_context(_canaries())
        stage = await stack.enter_async_context(staged(keep=keep))
        lane = await stack.enter_async_context(stage.lane("ssrf", Size()))
        await _strict(lane)
        before = canaries.accepted
        say(f"{len(urls)} addresses at the door")
        taken = await _door(lane, urls)
        say("the same past the door")
        outcomes = await _past_the_door(lane, urls)
        say("names and redirects")
        names = await _names()
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


def _urls() -> Sequence[str]:
    """Addresses in brackets where they are of version 6, each on a port that may be used."""
    plain = [each for each in NOT_PUBLIC if each and not set(each) & set(" [") and each != NOWHERE]
    hosts = [f"[{each}]" if ":" in each else each for each in plain]
    found = [f"https://{host}/in" for host in dict.fromkeys((*hosts, *NOTATIONS))]
    return [*found, "https://127.0.0.1:8443/in", "https://[::1]:8443/in", *ODD]


@asynccontextmanager
async def _canaries() -> AsyncIterator[Canaries]:
    """On every port of a webhook that this user may listen on, and one more."""
    canaries, servers = Canaries(), []
    for port in (*sorted(WEBHOOK_PORTS), *free_ports(1)):
        for host in ("0.0.0.0", "::"):
            try:
                server = await asyncio.start_server(canaries.accept, host, port)
            except OSError:
                continue
            servers.append(server)
            canaries.ports.append(port)
    try:
        yield canaries
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


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


async def _names() -> Counter[str]:
    """What comes of names that resolve to something inside, or to another address every time."""
    outcomes: Counter[str] = Counter()
    for inside in NOT_PUBLIC:
        for answers in ([inside], [STRANGER, inside], [inside, STRANGER]):
            outcomes[await _post([answers])] += 1
    for inside in ("127.0.0.1", "::1", "169.254.169.254"):
        outcomes[await _post([[STRANGER], [inside], [inside]])] += 1
    return outcomes


async def _post(answers: list[list[str]]) -> str:
    """The resolver gives the answers in turn, the last one for ever."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    client = GuardedClient(resolve=resolve, deadline_seconds=1)
    try:
        answer = await client.post_webhook("https://stranger.example/in", {}, b"{}")
    finally:
        await client.aclose()
    # The stranger is real: where there is a way to it, it is reached or not, and nobody else is.
    pinned = answer.error in {"timeout", "broken_answer"} or answer.status is not None
    return "connect_failed" if pinned else str(answer.error)


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
