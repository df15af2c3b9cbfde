"""Child processes and the run file: stopped in time, never left behind, found again."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from returns_api.cli import runfile
from returns_api.cli.children import Child, Program, plain_environment, stop_together
from returns_api.db import embedded_guard
from returns_api.db.embedded_guard import parse_steps
from returns_api.db.embedded_lock import FolderLock
from tests.support.patience import PATIENCE

POLITE = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); "
    "print('up', flush=True); time.sleep(60)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)
SHOWS = "import os; print(sorted(n for n in os.environ if n.startswith('RETURNS_API')), flush=True)"

PARENT = """
import sys, time
from pathlib import Path
from returns_api.cli.children import Child, Program
variables = {"PYTHONPATH": sys.argv[1]}
child = Child(Program("child", "program", [], variables, 60), Path(sys.argv[1]) / "child.log")
print("started", flush=True)
time.sleep(60)
"""


def start(code: str, log: Path, *, seconds: float = PATIENCE, **variables: str) -> Child:
    (log.parent / "program.py").write_text(code)
    variables["PYTHONPATH"] = str(log.parent)
    return Child(Program("child", "program", [], variables, seconds), log)


def wait_for(text: str, log: Path, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if log.exists() and text in log.read_text():
            return
        time.sleep(0.01)
    raise AssertionError(f"{text!r} never came; there was {log.read_text()!r}")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def test_a_child_gets_sigterm_and_its_exit_code_is_told(log: Path) -> None:
    child = start(POLITE, log)
    wait_for("up", log)
    assert child.ended() is None
    assert stop_together([child]) == {"child": 7}


def test_a_child_that_will_not_stop_is_killed_when_its_time_is_over(log: Path) -> None:
    child = start(STUBBORN, log, seconds=0.3)
    wait_for("up", log)
    assert stop_together([child]) == {"child": 128 + signal.SIGKILL}


@pytest.mark.parametrize("number", range(10))
def test_a_child_that_is_asked_to_stop_at_once_hears_it(log: Path, number: int) -> None:
    child = start(POLITE, log)
    # Most often it ends of the signal itself, before its program has begun; never by SIGKILL.
    assert stop_together([child])["child"] in {7, 128 + signal.SIGTERM}


def test_a_child_that_ends_by_itself_is_noticed_with_its_last_words(log: Path) -> None:
    child = start("import sys; print('the reason', flush=True); sys.exit(3)", log)
    end = time.monotonic() + PATIENCE
    while child.ended() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert child.ended() == 3
    assert "the reason" in child.last_words()
    assert stop_together([child]) == {"child": 3}


def test_a_child_sees_only_the_settings_it_was_given(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETURNS_API_SECRET_KEY", "canary")
    assert "RETURNS_API_SECRET_KEY" not in plain_environment()
    child = start(SHOWS, log, RETURNS_API_PORT="1")
    wait_for("]", log)
    assert log.read_text().splitlines()[0] == "['RETURNS_API_PORT']"
    stop_together([child])


def test_kill_9_of_the_parent_stops_the_child_politely(log: Path) -> None:
    code = POLITE.replace("sys.exit(7)", "(print('asked', flush=True), sys.exit(7))")
    (log.parent / "program.py").write_text(code)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(log.parent)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        wait_for("up", log)
        parent.kill()
    wait_for("asked", log)


def test_the_log_is_closed_to_others_and_begins_anew(log: Path) -> None:
    log.write_text("old")
    child = start("print('new')", log)
    stop_together([child])
    assert "old" not in log.read_text()
    log.unlink()
    stop_together([start("print('new')", log)])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_program_that_does_not_exist_is_reported_by_the_guard() -> None:
    with subprocess.Popen(
        [sys.executable, "-I", "-S", embedded_guard.__file__, "-", "TERM:1", "/no/such"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as guard:
        assert guard.wait(PATIENCE) == 127
        assert guard.stderr is not None
        assert "/no/such: No such file or directory" in guard.stderr.read()


def test_steps_are_signals_with_seconds() -> None:
    assert parse_steps("INT:30,QUIT:0.5") == [(signal.SIGINT, 30), (signal.SIGQUIT, 0.5)]


def test_the_run_file_is_read_only_while_its_server_runs(tmp_path: Path) -> None:
    facts = {"url": "http://127.0.0.1:1", "demo": {"keys": {"admin": "k"}}}
    assert runfile.read_running(tmp_path) is None
    lock = FolderLock.try_take(tmp_path / runfile.LOCK)
    assert lock is not None
    with lock:
        assert runfile.read_running(tmp_path) is None
        runfile.write(tmp_path, facts)
        assert runfile.read_running(tmp_path) == facts
        assert stat.S_IMODE((tmp_path / runfile.NAME).stat().st_mode) == 0o600
    assert runfile.read_running(tmp_path) is None, "left behind by a kill -9: nobody is there"
    runfile.remove(tmp_path)
    runfile.remove(tmp_path)
    assert os.listdir(tmp_path) == [runfile.LOCK]


def test_whoever_only_looks_for_a_server_keeps_none_from_starting(tmp_path: Path) -> None:
    """The one who looks holds the lock for a moment; it was taken for a server that runs."""
    looking = FolderLock.try_take(tmp_path / runfile.LOCK)
    assert looking is not None
    with ThreadPoolExecutor(1) as starting:
        taken = starting.submit(FolderLock.take_soon, tmp_path / runfile.LOCK)
        looking.release()
        lock = taken.result()
    assert lock is not None
    assert FolderLock.take_soon(tmp_path / runfile.LOCK) is None
    lock.release()
