"""``up``, whole: real processes, one port, every way to end it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from returns_api.cli import runfile
from returns_api.config import PREFIX
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.postgres import PREFIX as FOLDER_PREFIX

PROGRAMS = {"serve", "worker", "bank", "carrier"}


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One folder for all, so that only the first start makes a database."""
    made = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir="/var/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def command(data_dir: Path, port: int) -> list[str]:
    arguments = ["up", "--json", "--no-demo", "--data-dir", str(data_dir), "--port", str(port)]
    return [sys.executable, "-m", "returns_api.cli", *arguments]


def variables() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}


@contextmanager
def running(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server that is ready, and what it said; stopped at the end if it still runs."""
    with subprocess.Popen(
        command(data_dir, free_port()),
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.stderr.read())
        facts = json.loads(line)
        assert facts["ok"], facts
        try:
            yield process, facts
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)


def status(url: str, path: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def ready(url: str, seconds: float = PATIENCE) -> bool:
    """Whether it gets ready; while its database is slow to answer it says that it is not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if status(url, "/readyz") == 200:
            return True
        time.sleep(0.05)
    return False


def closed(url: str, seconds: float = PATIENCE) -> bool:
    """Whether nothing listens at ``url`` any more."""
    parts = urlsplit(url)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex((parts.hostname or "", parts.port or 0)) != 0:
                return True
        time.sleep(0.05)
    return False


def programs_of(data_dir: Path) -> dict[str, int]:
    """The pids of the programs that ``up`` runs, by name; they carry the folder or its settings."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "-m" not in words or "-I" in words:
            continue  # not a program of ours, or its guard
        module = words[words.index("-m") + 1]
        if module.startswith("returns_api.simulators.") and str(data_dir) in " ".join(words):
            found[module.rpartition(".")[2]] = int(folder.name)
        if module == "returns_api.cli" and f"{PREFIX}DATA_DIR={data_dir}" in environment:
            found[words[words.index("-m") + 2]] = int(folder.name)
    return found


def all_programs(data_dir: Path, seconds: float = PATIENCE) -> dict[str, int]:
    """``programs_of`` once all four are there: the worker is begun when the API already answers."""
    end = time.monotonic() + seconds
    while (found := programs_of(data_dir)).keys() != PROGRAMS and time.monotonic() < end:
        time.sleep(0.05)
    assert found.keys() == PROGRAMS
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_gets_ready_says_where_and_stops_in_order(data_dir: Path, number: int) -> None:
    with running(data_dir) as (process, facts):
        assert ready(facts["url"])
        assert status(facts["docs_url"], "/docs") == 200
        assert runfile.read_running(data_dir) == facts
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output + errors
        assert errors.splitlines()[-1] == "Stopped."
    for name in ("url", "bank_url", "carrier_url"):
        assert closed(facts[name])
    assert not (data_dir / runfile.NAME).exists()


def test_a_second_one_on_the_same_folder_or_port_is_refused(data_dir: Path) -> None:
    with running(data_dir) as (_, facts):
        port = urlsplit(facts["url"]).port or 0
        for folder, words in (
            (data_dir, f"runs already at {facts['url']}"),
            (data_dir / "other", "is taken by another program"),
        ):
            second = subprocess.run(
                command(folder, port), env=variables(), capture_output=True, text=True, check=False
            )
            assert second.returncode == 1
            assert words in json.loads(second.stdout)["error"]
        assert ready(facts["url"])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes by /proc")
@pytest.mark.parametrize("name", ["serve", "worker", "bank"])
def test_a_child_that_dies_ends_everything_and_is_named(data_dir: Path, name: str) -> None:
    with running(data_dir) as (process, facts):
        os.kill(all_programs(data_dir)[name], signal.SIGKILL)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        error = json.loads(out.splitlines()[-1])["error"]
        assert {"serve": "API", "worker": "worker", "bank": "bank"}[name] in error
        assert "exit code 137" in error
    assert closed(facts["url"])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes by /proc")
def test_kill_9_leaves_nothing_behind_and_the_next_start_works(data_dir: Path) -> None:
    with running(data_dir) as (process, facts):
        all_programs(data_dir)
        process.kill()
    end = time.monotonic() + PATIENCE
    while programs_of(data_dir) and time.monotonic() < end:
        time.sleep(0.05)
    assert programs_of(data_dir) == {}
    assert closed(facts["url"])
    assert runfile.read_running(data_dir) is None
    with running(data_dir) as (_, again):
        assert ready(again["url"])
