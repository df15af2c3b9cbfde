"""Imports over HTTP, with the command line as their client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from returns_api.domain.order_documents import EXAMPLE
from returns_api.usecases.imports import PART_MAX
from returns_api.wiring import running_context
from returns_api.worker.jobs import KINDS
from returns_api.worker.sweep import sweep
from tests.support.api import Tenant
from tests.support.commands import last_json, run
from tests.support.live import LiveServer
from tests.support.world import World

LINES = {"content-type": "application/x-ndjson"}


def lines_of(*names: str) -> bytes:
    return b"".join(
        orjson.dumps({**EXAMPLE, "external_id": name, "payments": []}) + b"\n" for name in names
    )


async def test_an_import_is_begun_sent_and_started(tenant: Tenant) -> None:
    begun = await tenant.admin.post("/v1/imports", json={})
    assert (begun.status_code, begun.json()["state"]) == (201, "open")
    path = begun.headers["location"]
    part = lines_of("A1", "A2")
    sent = await tenant.admin.post(f"{path}/parts", content=part, headers=LINES)
    assert (sent.status_code, sent.json()["size"], sent.json()["total"]) == (200, len(part), 2)
    elsewhere = await tenant.admin.post(f"{path}/parts?first_byte=5", content=part, headers=LINES)
    assert (elsewhere.status_code, elsewhere.json()["received"]) == (409, len(part))
    early = await tenant.admin.post(f"{path}/start", json={"size": len(part) + 1})
    assert (early.status_code, early.json()["received"]) == (409, len(part))
    started = await tenant.admin.post(f"{path}/start", json={"size": len(part)})
    assert (started.status_code, started.json()["state"]) == (202, "queued")
    late = await tenant.admin.post(
        f"{path}/parts?first_byte={len(part)}", content=part, headers=LINES
    )
    assert (late.status_code, late.json()["state"]) == (409, "queued")
    listed = await tenant.admin.get("/v1/imports")
    assert [each["id"] for each in listed.json()["items"]] == [begun.json()["id"]]


async def test_parts_that_are_none(tenant: Tenant) -> None:
    begun = await tenant.admin.post("/v1/imports", json={})
    path = f"{begun.headers['location']}/parts"
    as_json = await tenant.admin.post(path, json={})
    assert as_json.status_code == 415
    large = await tenant.admin.post(path, content=b"x" * (PART_MAX + 1), headers=LINES)
    assert large.status_code == 413
    strange = await tenant.admin.post(f"{path}?first_byte=1_0", content=b"", headers=LINES)
    assert strange.status_code == 422


async def test_the_command_sends_follows_and_names_bad_lines(
    server: LiveServer, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "orders.ndjson"
    file.write_bytes(lines_of("C1") + b'{"external_id": "C2"}\n' + lines_of("C3"))
    own = ["--url", server.url, "--key", world.ours.keys["admin"]]
    done = await carried_on(server, "orders", "import", str(file), *own, "--json")
    told = last_json(done)
    assert (done.returncode, told["state"], told["created"]) == (1, "succeeded", 2), done.stderr
    (problem,) = told["problems"]
    assert (problem["line"], problem["external_id"]) == (2, "C2")
    assert {"field": "number", "problem": "Field required"} in problem["errors"]
    again = await carried_on(server, "orders", "import", str(file), *own)
    assert "0 created, 0 updated, 2 unchanged, 1 rejected" in again.stdout
    gone = run("orders", "import", str(tmp_path / "none"), *own, "--json")
    assert (gone.returncode, "cannot be read" in last_json(gone)["error"]) == (1, True)


async def carried_on(server: LiveServer, *words: str) -> Any:
    """The command's outcome, while due imports are carried on."""
    command = asyncio.create_task(asyncio.to_thread(run, *words))
    async with running_context(server.settings, pool_size=2) as (ctx, _):
        while not command.done():
            await sweep(ctx, {"run_import": KINDS["run_import"]})
            await asyncio.sleep(0.1)
    return await command
