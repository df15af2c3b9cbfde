"""The lifecycle commands: the tables are sound, the page is the tables, and both are noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from returns_api.cli import app
from returns_api.cli.lifecycle import DEFAULT_FILE
from returns_api.domain.lifecycle import MACHINES, Machine
from returns_api.domain.lifecycle.describe import census, page
from returns_api.domain.lifecycle.machine import Actor, rule


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["lifecycle", *arguments])
    return done.exit_code, done.output


def test_check_counts_every_pair() -> None:
    code, output = run("check", "--json")
    found = json.loads(output.splitlines()[-1])
    assert (code, found["ok"], found["faults"]) == (0, True, [])
    expected = {m.name: len(m.states) * len(m.actions) * len(Actor) for m in MACHINES}
    assert {name: table["pairs"] for name, table in found["tables"].items()} == expected
    assert found["pairs"] == sum(expected.values())
    assert all(t["allowed"] + t["refused"] == t["pairs"] for t in found["tables"].values())


def test_an_unsound_table_is_found() -> None:
    stuck = {("a", "go"): rule((Actor.SYSTEM,), "b", meaning="x")}
    seen = census(Machine("m", ("a",), frozenset(), stuck))
    assert seen.faults == (
        "m: 'b' has no way out and is not terminal",
        "m: in 'a' it is not said who has to act, or said in vain",
        "m: in 'b' it is not said who has to act, or said in vain",
    )
    assert (seen.allowed, seen.refused) == (1, 2 * 1 * len(Actor) - 1)


def test_the_page_is_up_to_date() -> None:
    assert DEFAULT_FILE.read_text(encoding="utf-8") == page(MACHINES)
    assert run("docs", "--check")[0] == 0


def test_a_page_that_differs_fails(tmp_path: Path) -> None:
    file = tmp_path / "lifecycle.md"
    assert run("docs", "--check", "--file", str(file))[0] == 1
    assert run("docs", "--file", str(file))[0] == 0
    assert run("docs", "--check", "--file", str(file))[0] == 0
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert run("docs", "--check", "--file", str(file))[0] == 1


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_the_page_shows_every_rule(machine: Machine) -> None:
    text = page([machine])
    for (state, action), found in machine.rules.items():
        if action == "follow":
            continue
        assert f"| `{state}` | `{action}` |" in text
        for to in found.to:
            assert f"    {state} --> {to}: {action}" in text
