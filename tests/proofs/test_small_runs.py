"""The demo and the proofs in small, as commands: they start what they need and end well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from proofs.harness.stage import free_ports

from returns_api.config import PREFIX
from tests.support.postgres import PREFIX as FOLDER_PREFIX

ROOT = Path(__file__).parents[2]
SECONDS = 500
"""A machine that is busy with other tests takes its time."""

pytestmark = pytest.mark.timeout(SECONDS + 30)


def run(module: str, *words: str, **settings: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON object on the last line."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    variables |= {PREFIX + name.upper(): text for name, text in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", module, *words, "--json"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return done.returncode, json.loads(lines[-1])


@pytest.fixture
def folder() -> Iterator[Path]:
    """On a disk, and open to the database's user."""
    made = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir="/var/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_the_demo_starts_a_server_and_walks_one_return(folder: Path) -> None:
    code, told = run(
        "returns_api.cli", "demo", "--data-dir", str(folder), port=str(free_ports(1)[0])
    )
    assert (code, told["ok"]) == (0, True), told
    assert told["bank_movements"] == 1
    assert told["bank_refunded_minor"] == told["expected_minor"] > 0
    assert told["webhooks_verified"] >= 2
    assert len(told["steps"]) == 16
    assert not (folder / "run.json").exists()


def test_deadlines_in_small() -> None:
    code, told = run("proofs.deadlines", "--copies", "2", "--seed", "7")
    assert (code, told["ok"]) == (0, True), told
    assert told["passed"] == 3 * 2 * told["outcomes"]
    assert told["ways"]["killed"]["kills"] > 0


def test_races_in_small() -> None:
    code, told = run(
        "proofs.races",
        *("--orders", "1", "--refunds", "60", "--keys", "1", "--repeats", "40"),
        *("--lines", "1", "--returns", "15", "--limits", "1", "--persons", "15"),
        *("--caps", "2", "--fast", "40"),
    )
    assert (code, told["ok"]) == (0, True), told
    assert told["requests"] == 60 + 40 + 15 + 2 * 15 + 2 * 40
    assert told["over_refunded_minor"] == told["duplicate_executions"] == 0


def test_without_its_guard_more_is_accepted_than_there_is_and_the_proof_says_so() -> None:
    code, told = run("proofs.races", "--orders", "1", "--refunds", "200", "--without-guard")
    assert (code, told["ok"]) == (1, False), told
    assert told["over_accepted_minor"] > 0
    assert any(text.startswith("N1") for text in told["violations"])


def test_poison_in_small() -> None:
    """Its speed is not judged here: each message counts for a hundredth of it."""
    code, told = run("proofs.poison", "--good", "100", "--poison", "10", "--rate", "50")
    assert code in {0, 1}
    assert [text for text in told["wrong"] if not text.startswith("95 %")] == [], told
    assert (told["good_done"], told["dead"], told["ignored"]) == (300, 9, 1)
    assert told["workers_ended"] == {}


def test_chaos_in_small() -> None:
    code, told = run("proofs.chaos", "--minutes", "0.3", "--rate", "120", "--fired", "0")
    assert (code, told["ok"]) == (0, True), told
    assert sum(told["kills"].values()) >= 4
    assert told["refunds"] >= 36
    assert told["double"] == told["lost"] == told["stuck"] == 0


def test_an_outage_in_small() -> None:
    """Its speed is not judged here: a second of another test is more than the whole difference."""
    code, told = run("proofs.outage", "--minutes", "0.3", "--calm", "5", "--rate", "2")
    assert code in {0, 1}
    assert told["failed_by_outage"] == told["others_failed"] == 0, told
    assert told["done_in_time"] == 1.0
    assert told["violations"] == told["wrong"] == told["errors_logged"] == []


def test_one_crash_of_each_process_at_each_door() -> None:
    code, told = run(
        "proofs.crash", "--only", "A3", "W3", "I2", "O3", "--seeds", "1", "--lanes", "1"
    )
    assert (code, told["ok"]) == (0, True), told
    assert told["kills"] == 4
