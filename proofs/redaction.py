"""Proof: nothing personal and no secret leaks, and what is erased is gone everywhere.

``script/proof redaction --json`` builds two shops with everything in them (``tests.support.world``)
over HTTP, on an API process and a worker that log at DEBUG and export traces, against providers
that do not answer. Every personal detail and every secret in them is a canary.

- **T33**: no canary in a log line, a trace, a job, an error body (every operation is called with
  canaries in every field), or in any column of any table but those that are listed here as places
  for it. No secret in any column at all.
- **T34**: one shop's people are erased by the API, the other's by the platform's compliance
  webhook. Then no personal canary is left in any table, photo or export, within 60 s, and the
  invariants still hold.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import orjson
from proofs.harness.client import Client
from proofs.harness.options import asked
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.stage import Lane, Size, staged
from proofs.invariants import violations
from tests.support import shopify
from tests.support.pictures import GPS
from tests.support.receiver import Receiver, Reply, receiving
from tests.support.seeding import build_world
from tests.support.world import RECIPIENT, SIGNING, House, World

from returns_api.db.tables import tenant_tables
from returns_api.domain import ids

ERASED_SECONDS: Final = 60.0
CALM_SECONDS: Final = 12.0
"""So long the worker works on what the seeding left, and the exporter of traces sends."""
PERSONAL: Final = {
    "email": "anna@example.com",
    "name": "Muster",
    "street": "Beispielweg",
    "phone": "5550100",
    "account": "7064055069",
    "withdrawer": "ada@buyer.example",
    "place of a photo": GPS,
    "message": "By when, please?",
    "statement": "It came with a stain.",
    "offer": "Keep it for ten less?",
    "recipient": RECIPIENT,
    "recipient's street": "Geschenkweg",
    "recipient's phone": "5550199",
}
"""What these shops' buyers and the recipients of gifts are, and what they and the shop wrote to
each other."""
SECRETS: Final = {"signing": SIGNING, "account": "sk_of_the_tests", "password": "of the tests"}
LISTED: Final[Mapping[str, frozenset[str]]] = {
    "order_people": frozenset(
        {"email", "phone", "name", "customer_id", "street1", "street2", "city", "postcode"}
    ),
    "gift_recipients": frozenset({"email", "phone", "name", "street1", "city", "postcode"}),
    "message_texts": frozenset({"text"}),
    "dispute_statements": frozenset({"text"}),
    "offers": frozenset({"note"}),
    "withdrawals": frozenset({"name", "contact"}),
    "returns": frozenset({"info_answer"}),
    "inbox": frozenset({"body"}),
    "export_parts": frozenset({"body"}),
    "label_documents": frozenset({"content"}),
    "idempotency_keys": frozenset({"body"}),
}
"""Where personal details may stand: each of them is emptied by an erasure."""
QUEUE: Final = ("pgqueuer", "pgqueuer_log")
MARK: Final = "canary-4711-in-a-field"
AROUND: Final = 120
"""Bytes that are shown around a canary."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof redaction", __doc__, keep=True)
    options = parser.parse_args(arguments)
    return finish(asyncio.run(_prove(keep=options.keep)), as_json=options.json)


async def _prove(*, keep: bool) -> dict[str, Any]:
    begun, wrong = time.monotonic(), list[str]()
    size = Size(apis=1, workers=0, more={"log_level": "debug", "otel": True})
    async with AsyncExitStack() as stack:
        collector = await stack.enter_async_context(receiving())
        collector.answer = lambda _: Reply(200)
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.base_url
        os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "1000"
        stage = await stack.enter_async_context(staged(keep=keep))
        lane = await stack.enter_async_context(stage.lane("redaction", size))
        client = await stack.enter_async_context(Client(lane.urls))
        connection = await stack.enter_async_context(lane.superuser())
        say("two shops with everything in them")
        quiet = lane.settings.model_copy(update={"otel": False})
        world = await build_world(quiet, lane.owner_url)
        worker = _worker(lane)
        stack.callback(worker.kill)
        figures = await _errors(client, world, wrong)
        await asyncio.sleep(CALM_SECONDS)
        figures |= await _leaks(lane, collector, connection, world, wrong)
        figures |= await _erased(client, lane, connection, world, wrong)
        figures |= _logged(lane, worker, collector, world, wrong)
        found = await violations(connection, quiet=False)
        figures["violations"] = found[:5]
        wrong += found
    figures |= {"wrong": wrong[:20], "seconds": round(time.monotonic() - begun, 1)}
    return {"proof": "redaction", "ok": not wrong, **machine(), **figures}


def _worker(lane: Lane) -> Program:
    """Started once the world is there: the seeding does the work of its past itself."""
    variables = lane.settings.environment_variables()
    log = lane.folder / "worker0.log"
    worker = Program("worker0", "returns_api.cli", ["worker"], variables, log)
    worker.start()
    return worker


async def _errors(client: Client, world: World, wrong: list[str]) -> dict[str, Any]:
    """Call every operation with canaries in every field; no refusal may say them again."""
    token = world.ours.keys["admin"]
    document = (await client.send("GET", "/openapi.json", token)).json()
    refused = 0
    for path, method, operation in _operations(document):
        place = path
        for name in operation["in_path"]:
            place = place.replace(f"{{{name}}}", ids.encode("ord", world.ours.id))
        query = "&".join(f"{name}={MARK}" for name in operation["in_query"])
        body = operation["body"] and dict.fromkeys(operation["body"], MARK)
        answer = await client.send(
            method, f"{place}?{query}" if query else place, token, body, key=f"{MARK}-{refused}"
        )
        refused += answer.status >= 400
        if answer.status >= 400 and MARK.encode() in answer.body:
            wrong.append(f"{method} {path}: its error says the value again")
    return {"operations_refused": refused}


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "delete":
                continue
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            name = schema.get("$ref", "").rpartition("/")[2]
            places: dict[str, list[str]] = {"path": [], "query": [], "header": []}
            for parameter in operation.get("parameters", []):
                places[parameter["in"]].append(parameter["name"])
            fields = list(schemas[name].get("properties", {})) if name else []
            told = {"in_path": places["path"], "in_query": places["query"], "body": fields}
            yield path, method.upper(), told


async def _leaks(
    lane: Lane, collector: Receiver, connection: Any, world: World, wrong: list[str]
) -> dict[str, Any]:
    """Where canaries stand while everything is alive."""
    places = await _places(connection, {**PERSONAL, **_secrets(world), "mark": MARK})
    for (table, column, what), count in sorted(places.items()):
        listed = what in PERSONAL and column in LISTED.get(table, frozenset())
        if not listed:
            wrong.append(f"{what} in {table}.{column}: {count} rows")
    seen = {what for (_, _, what) in places}
    missing = {"email", "name", "street", "phone", "message", "statement", "offer"} - seen
    wrong += [f"{what} is nowhere: nothing was looked for" for what in sorted(missing)]
    return {"places": sorted({f"{table}.{column}" for table, column, _ in places})}


def _secrets(world: World) -> dict[str, str]:
    keys = {
        f"{house.shop} {name}": token
        for house in (world.ours, world.theirs)
        for name, token in house.keys.items()
    }
    return {**SECRETS, **keys}


async def _places(connection: Any, canaries: Mapping[str, str]) -> Counter[tuple[str, str, str]]:
    """Table, column and canary: in how many rows; bytes are looked through as they are."""
    found: Counter[tuple[str, str, str]] = Counter()
    for table in (*(each.name for each in tenant_tables()), *QUEUE):
        for row in await connection.fetch(f"SELECT * FROM {table}"):
            for column, value in row.items():
                text = value if isinstance(value, bytes) else str(value).encode()
                for what, canary in canaries.items():
                    found[table, column, what] += canary.encode() in text
    return +found


async def _erased(
    client: Client, lane: Lane, connection: Any, world: World, wrong: list[str]
) -> dict[str, Any]:
    """Erase both shops' people, by API and by webhook, and wait until nothing is left."""
    begun = time.monotonic()
    for email in (PERSONAL["email"], RECIPIENT):
        answer = await client.send(
            "POST",
            "/v1/admin/people/erase",
            world.ours.keys["admin"],
            {"email": email},
            key=f"erase-{email}",
        )
        if answer.status != 200:
            wrong.append(f"the erasure was refused: {answer.status} {answer.body!r}")
    await _comply(client, world.theirs, connection)
    left = await _places(connection, PERSONAL)
    while left and time.monotonic() - begun < ERASED_SECONDS:
        await asyncio.sleep(0.5)
        left = await _places(connection, PERSONAL)
    seconds = round(time.monotonic() - begun, 1)
    files = [
        file.name
        for file in (lane.folder / "photos").rglob("*")
        if file.is_file() and any(text.encode() in file.read_bytes() for text in PERSONAL.values())
    ]
    wrong += [f"{what} is left in {t}.{c}: {n} rows" for (t, c, what), n in sorted(left.items())]
    wrong += [f"a canary is left in the photo {name}" for name in files]
    return {"erased_seconds": seconds, "left_after_erasure": sum(left.values()) + len(files)}


async def _comply(client: Client, house: House, connection: Any) -> None:
    """The platform's own requests to forget a customer, and one who only got something."""
    orders = await connection.fetch(
        "SELECT external_id FROM orders WHERE shop_id = $1 AND source = 'shopify'", house.id
    )
    ordered = [int(row["external_id"]) for row in orders]
    for customer, email, theirs in (
        (int(PERSONAL["account"]), PERSONAL["email"], ordered),
        (1, RECIPIENT, []),
    ):
        body = orjson.dumps(
            {
                "shop_domain": shopify.DOMAIN,
                "customer": {"id": customer, "email": email},
                "orders_to_redact": theirs,
            }
        )
        name = f"redact-{len(theirs)}"
        headers = shopify.headers("customers/redact", body, secret=SIGNING, webhook_id=name)
        answer = await client.send_raw("POST", f"/v1/hooks/{house.shop}/shopify", headers, body)
        assert answer.status == 200, answer


def _logged(
    lane: Lane, worker: Program, collector: Receiver, world: World, wrong: list[str]
) -> dict[str, Any]:
    """Logs at DEBUG and traces, from the seeding to after the erasure."""
    logs = b"".join(program.log.read_bytes() for program in (*lane.apis, worker))
    traces = b"".join(one.body for one in collector.received)
    canaries = {**PERSONAL, **_secrets(world), "mark": MARK}
    wrong += [f"{what} in the logs: {where!r}" for what, where in _in(logs, canaries)]
    wrong += [f"{what} in the traces: {where!r}" for what, where in _in(traces, canaries)]
    lines = logs.count(b"\n")
    if not lines or not traces:
        wrong.append("no logs or no traces: nothing was looked for")
    return {"log_lines": lines, "trace_bytes": len(traces)}


def _in(text: bytes, canaries: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Which of them are there, and what stands around the first one."""
    for what, canary in canaries.items():
        place = text.find(canary.encode())
        if place >= 0:
            yield what, text[max(place - AROUND, 0) : place + AROUND]


if __name__ == "__main__":
    sys.exit(main())
