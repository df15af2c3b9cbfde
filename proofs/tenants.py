"""Proof: another's id cannot be told from one that nobody has (T22, and the catalogue of T23).

``script/proof tenants --json`` reads ``openapi/openapi.json`` and asks every operation, as every
principal that may call it, with the id of another shop (and, as a buyer, of another buyer) in each
place where an id can stand: path, query, body, nested. Status, body and headers must be those of
an id that nobody has, and no row of either shop may change. Then every operation × every role
against the scopes that it declares, no key, a wrong key and a revoked one; no list may show
anything of the other shop; an operation or a parameter that the matrix does not know is a failure.
Last, the time of foreign and unknown ids over pairs asked in turn.

All of it runs twice: as the service is, and with ``shop_id = …`` taken out of every statement, so
that only the database's own row-level security stands (it has to be enough by itself). The rules
of that are proven from the catalogue by ``tests/db/test_catalogue.py``, which this runs too.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from proofs.harness.options import asked

ROOT: Final = Path(__file__).resolve().parents[1]
WITHOUT_WHERE: Final = "RETURNS_PROOF_WITHOUT_WHERE"
"""Set in a child process: statements do not name the shop there."""
PAIRS: Final = 1_000
GAP_MS: Final = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if os.environ.get(WITHOUT_WHERE):
        _strip()
    from proofs.harness.report import finish, machine, say  # noqa: PLC0415 - after _strip

    figures = _matrix(options.pairs)
    if not os.environ.get(WITHOUT_WHERE):
        say("the same with row-level security alone")
        figures["without_where"] = _again(options)
        say("the catalogue")
        figures["catalogue_passed"] = _catalogue()
        figures["ok"] = bool(
            figures["ok"] and figures["without_where"].get("ok") and figures["catalogue_passed"]
        )
    figures["machine"] = machine()
    return finish(figures, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof tenants", __doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="pairs of the timing")
    return parser.parse_args(arguments)


def _strip() -> None:
    """Before any statement is built: ``here(table)`` is true for every row."""
    from sqlalchemy import ColumnElement, FromClause, true  # noqa: PLC0415

    from returns_api.db import query  # noqa: PLC0415

    def here(table: FromClause) -> ColumnElement[bool]:
        return true()

    query.here = here


def _matrix(pairs: int) -> dict[str, Any]:
    from tests.support.living import living_world  # noqa: PLC0415 - after _strip

    with living_world() as living:
        return asyncio.run(_ask(living, pairs))


async def _ask(living: Any, pairs: int) -> dict[str, Any]:
    import httpx  # noqa: PLC0415
    from proofs.harness.report import say  # noqa: PLC0415
    from tests.support.checksums import checksums  # noqa: PLC0415
    from tests.support.described import load  # noqa: PLC0415
    from tests.support.matrix import Matrix  # noqa: PLC0415

    from returns_api.cli.openapi import DEFAULT_FILE  # noqa: PLC0415

    world = living.world
    houses = (world.ours.id, world.theirs.id)
    async with httpx.AsyncClient(base_url=living.server.url, trust_env=False, timeout=30) as http:
        matrix = Matrix(load(DEFAULT_FILE.read_text(encoding="utf-8")), world, http)
        before = [await checksums(living.owner_url, shop) for shop in houses]
        await matrix.foreign_is_unknown()
        compared = matrix.found.cells
        say(f"{compared} foreign ids compared")
        gaps = await _gaps(matrix, pairs)
        if [await checksums(living.owner_url, shop) for shop in houses] != before:
            matrix.found.wrong.append("a refused request changed rows")
        await matrix.nothing_foreign_shows()
        await matrix.scopes_hold()
        await matrix.right_key_gets_in()
        matrix.nothing_is_left_out(
            {route.operation_id for route in living.server.app.state.operations}
        )
    for text in matrix.found.wrong[:20]:
        say(text)
    wide = {name: gap for name, gap in gaps.items() if abs(gap) >= GAP_MS}
    found = matrix.found
    return {
        "ok": not found.wrong and not wide,
        "statements_that_name_the_shop": _naming_the_shop(),
        "operations": len(matrix.operations),
        "covered": len(found.covered),
        "id_places": sum(len(operation.slots) for operation in matrix.operations),
        "foreign_ids_compared": compared,
        "cells": found.cells,
        "requests": found.requests,
        "differences": len(found.wrong),
        "operations_that_succeeded": sum(status < 300 for status in found.answered.values()),
        "median_gap_ms": gaps,
    }


def _naming_the_shop() -> int:
    """How many statements have the WHERE clause: many, or next to none where it was taken out."""
    from returns_api.db.query import Query  # noqa: PLC0415

    built = [each for each in gc.get_objects() if isinstance(each, Query)]
    return sum(1 for each in built if re.search(r"shop_id = \$", each.sql))


async def _gaps(matrix: Any, pairs: int) -> dict[str, float]:
    """Median time of a foreign id minus that of an unknown one, in milliseconds, asked in turn."""
    from tests.support.matrix import nobody  # noqa: PLC0415

    ours, theirs = matrix.world.ours, matrix.world.theirs
    found = {}
    for name in ("getOrder", "getReturn", "getRefund", "getQuote"):
        operation = next(each for each in matrix.operations if each.id == name)
        slot, token = operation.slots[0], ours.keys["admin"]
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(pairs * 2):
            foreign = turn % 2
            value = theirs.made[0][slot.prefix] if foreign else nobody(slot.prefix)
            begun = time.perf_counter()
            await matrix.http.get(
                operation.path.replace(f"{{{slot.at[0]}}}", value),
                headers={"authorization": f"Bearer {token}"},
            )
            times[foreign].append((time.perf_counter() - begun) * 1000)
        found[name] = round(statistics.median(times[1]) - statistics.median(times[0]), 3)
    return found


def _again(options: argparse.Namespace) -> dict[str, Any]:
    """The same matrix in a process whose statements do not name the shop."""
    import json  # noqa: PLC0415

    done = subprocess.run(
        [sys.executable, "-m", "proofs.tenants", "--json", "--pairs", str(options.pairs)],
        cwd=ROOT,
        env={**os.environ, WITHOUT_WHERE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stderr[-4000:])
    try:
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        return {"ok": False, "exit": done.returncode}


def _catalogue() -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/db/test_catalogue.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:])
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
