"""Logs: one JSON object a line, a request id, and no value that is not on the list."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from returns_api import logs

CANARY = "canary@example.com"
PROGRAM = """
import asyncio, logging, sys
from returns_api import logs

canary = sys.argv[1]
logs.configure("debug")
log = logs.get_logger("a.module")
logs.begin_request("req-1")
log.info("refund sent", email=canary, body={"name": canary}, status="sent", attempt=2,
         took_ms=1.5, refund="ref_01k9zzzzzzzzzzzzzzzzzzzzzz", context={"email": canary, "code": 1})
log.info("nested", status={"email": canary, "code": "x"}, where=[canary[:0], "a"])
try:
    try:
        raise ValueError(canary)
    except ValueError as first:
        raise RuntimeError(canary) from first
except RuntimeError:
    log.exception("it failed")
    logging.getLogger("library").exception("failed for %s", canary)
logging.getLogger("library").warning("sent %s", canary)
logging.getLogger("library").warning("Task died\\nfuture: %r" % canary)
logging.getLogger("uvicorn.error").info("listening on port %d", 80)

async def main():
    async def dies():
        raise ValueError(canary)
    task = asyncio.create_task(dies())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    import gc
    gc.collect()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, CANARY], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert CANARY not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_listed_fields_ids_and_measures_pass_and_the_rest_is_redacted(
    lines: list[dict[str, Any]],
) -> None:
    first = lines[0]
    assert first["event"] == "refund sent"
    assert (first["status"], first["attempt"], first["took_ms"]) == ("sent", 2, 1.5)
    assert first["refund"] == "ref_01k9zzzzzzzzzzzzzzzzzzzzzz"
    assert first["email"] == first["body"] == first["context"] == logs.REDACTED


def test_a_mapping_under_a_listed_name_is_filtered_too(lines: list[dict[str, Any]]) -> None:
    assert lines[1]["status"] == {"email": logs.REDACTED, "code": "x"}
    assert lines[1]["where"] == ["", "a"]


def test_every_line_has_its_level_time_module_and_request(lines: list[dict[str, Any]]) -> None:
    for line in lines[:7]:
        assert line["request_id"] == "req-1"
        assert line["timestamp"].endswith("Z")
        assert line["level"] in {"info", "warning", "error"}
        assert line["module"]


def test_an_exception_is_its_type_and_place_never_its_message(lines: list[dict[str, Any]]) -> None:
    for line in lines[2:4]:
        assert line["error"] == "RuntimeError"
        assert line["where"] == ["<string>:16 <module>"]
        assert line["causes"] == ["ValueError <string>:14 <module>"]


def test_a_library_s_arguments_are_left_out(lines: list[dict[str, Any]]) -> None:
    assert lines[4]["event"] == "sent %s"
    assert lines[5]["event"] == "Task died"
    assert lines[6]["event"] == "listening on port 80"
    lost = [line for line in lines if line["event"] == "Task exception was never retrieved"]
    assert [line["error"] for line in lost] == ["ValueError"]


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("abc-1.2_Z", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("", False),
        (None, False),
        ("a b", False),
        ("a\nb", False),
        ("é", False),
    ],
)
def test_only_a_harmless_request_id_is_taken_over(offered: str | None, kept: bool) -> None:
    chosen = logs.begin_request(offered)
    assert (chosen == offered) is kept
    assert logs.request_id.get() == chosen


async def test_each_task_has_its_own_request_id() -> None:
    async def one(name: str) -> str | None:
        logs.begin_request(name)
        await asyncio.sleep(0)
        return logs.request_id.get()

    names = [f"r{n}" for n in range(5)]
    assert await asyncio.gather(*(one(name) for name in names)) == names


def test_long_texts_and_lists_are_cut() -> None:
    kept = logs.redact(None, "info", {"event": "x" * 1000, "where": list(range(1000))})
    assert len(kept["event"]) == logs.TEXT_LIMIT
    assert len(kept["where"]) == logs.ITEMS_LIMIT
