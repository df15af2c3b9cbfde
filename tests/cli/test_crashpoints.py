"""Crash points: off unless armed, and then a death that runs no clean-up."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from returns_api import crashpoints
from returns_api.crashpoints import REGISTRY, parse

SOURCES = Path(crashpoints.__file__).parent
PROGRAM = """
from returns_api.crashpoints import crashpoint
try:
    for round in range(3):
        crashpoint("W2")
        print("before", flush=True)
        crashpoint("W3")
finally:
    print("cleaned", flush=True)
"""


def run(armed: str | None) -> subprocess.CompletedProcess[str]:
    variables = {name: text for name, text in os.environ.items() if name != crashpoints.VARIABLE}
    if armed is not None:
        variables[crashpoints.VARIABLE] = armed
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("armed", [None, "", "A1", "W3:4"])
def test_nothing_happens_unless_this_point_is_reached(armed: str | None) -> None:
    done = run(armed)
    assert done.returncode == 0
    assert done.stdout.split() == ["before"] * 3 + ["cleaned"]


@pytest.mark.parametrize(("armed", "rounds"), [("W3", 1), ("W3:1", 1), ("W3:3", 3), ("W2:2", 1)])
def test_the_process_dies_at_the_asked_hit_without_clean_up(armed: str, rounds: int) -> None:
    done = run(armed)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["before"] * rounds


def test_the_zombie_is_stopped_and_goes_on_when_continued() -> None:
    program = PROGRAM.replace('"W3"', '"W8"')
    variables = {**os.environ, crashpoints.VARIABLE: "W8:2"}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        assert process.stdout is not None
        assert process.stdout.read().split() == ["before"] * 3 + ["cleaned"]
    assert process.returncode == 0


@pytest.mark.parametrize("armed", ["W9", "w3", "W3:0", "W3:", "W3:x", "W3:-1", "W3:²"])
def test_a_name_or_number_that_is_not_known_is_refused_at_import(armed: str) -> None:
    with pytest.raises(ValueError, match="RETURNS_API_CRASHPOINT"):
        parse(armed)
    assert "RETURNS_API_CRASHPOINT" in run(armed).stderr


CALLS = {"crashpoint", "crashpoint_flushed"}


def test_the_code_calls_only_points_of_the_registry() -> None:
    """A misspelt name would be a crash point that no proof ever reaches."""
    for source in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
                names = literals(node.args[0])
                assert set(names) <= set(REGISTRY), f"{source}:{node.lineno} calls {names}"


def literals(node: ast.expr) -> list[object]:
    """The names an argument can have: a literal, or a choice between literals."""
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value if isinstance(node, ast.Constant) else ast.unparse(node)]
