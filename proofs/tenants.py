"""Proof: another shop's id is an id that nobody has, and the database says so too (T22, T23).

``script/proof tenants --json`` starts the whole application on a real socket with two shops that
have everything in them, and generates the matrix from ``openapi/openapi.json``: every operation,
for every role that may call it, with the other shop's and the other buyer's id in each place of
path, query and body that takes one. Status and body must be those of an id that nobody has, no row
may change, each role is let in exactly where its scopes say so, and an operation that the app
serves but the matrix does not cover fails. The catalogue's part (row-level security, keys, roles)
is ``tests/db/test_catalogue.py``, run here as it stands. Exits 1 on any shortfall.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from tests.support.live import LiveServer, live_server, live_settings
from tests.support.matrix import Matrix, checksums, load
from tests.support.postgres import APP_ROLE, PostgresForTests, run_apart
from tests.support.world import World, build_world

from returns_api.cli.openapi import DEFAULT_FILE

CATALOGUE = "tests/db/test_catalogue.py"


async def compare(server: LiveServer, world: World, database_url: str) -> dict[str, Any]:
    """The whole matrix; its findings and whether any row changed."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=30) as http:
        matrix = Matrix(load(DEFAULT_FILE.read_text(encoding="utf-8")), world, http)
        houses = (world.ours, world.theirs)
        before = [await checksums(database_url, house.id) for house in houses]
        await matrix.foreign_is_unknown()
        cells = matrix.found.cells
        after = [await checksums(database_url, house.id) for house in houses]
        await matrix.nothing_foreign_shows()
        await matrix.scopes_hold()
        await matrix.right_key_gets_in()
        matrix.nothing_is_left_out({r.operation_id for r in server.app.state.operations})
    found = matrix.found
    return {
        "operations": len(matrix.operations),
        "foreign_id_cells": cells,
        "requests": found.requests,
        "answered_by_the_right_key": sum(status < 300 for status in found.answered.values()),
        "rows_changed_by_refused_requests": int(after != before),
        "wrong": found.wrong[:30],
    }


def catalogue() -> bool:
    """Whether every check of the catalogue passes."""
    command = [sys.executable, "-m", "pytest", "-q", CATALOGUE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout[-2000:], file=sys.stderr)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    chosen = parser.parse_args()
    started = time.perf_counter()
    postgres = PostgresForTests().start()
    try:
        name = postgres.clone()
        with tempfile.TemporaryDirectory(prefix="returns-tenants-") as folder:
            settings = live_settings(postgres.url(name, user=APP_ROLE), Path(folder))
            with live_server(settings) as server:
                world = run_apart(build_world(server.settings, postgres.url(name)))
                found = run_apart(compare(server, world, postgres.url(name)))
    finally:
        postgres.stop()
    found["catalogue_passed"] = catalogue()
    ok = not found["wrong"] and not found["rows_changed_by_refused_requests"]
    ok = ok and found["catalogue_passed"]
    result = {"proof": "tenants", "ok": ok, **found}
    result["seconds"] = round(time.perf_counter() - started, 1)
    print(json.dumps(result) if chosen.json else "\n".join(f"{k}: {v}" for k, v in result.items()))
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
