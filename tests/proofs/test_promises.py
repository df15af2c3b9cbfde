"""Every promise names what holds it, and what it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))
COMMANDS = sorted(set(re.findall(r"`script/(proof|bench) ([a-z-]+)`", TEXT)))


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[f"{p}::{n}" for p, n in NAMED])
def test_a_test_that_a_promise_names_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    assert not name or name in functions(ROOT / path)


@pytest.mark.parametrize(("kind", "name"), COMMANDS)
def test_a_proof_that_a_promise_names_exists(kind: str, name: str) -> None:
    folder = ROOT / {"proof": "proofs", "bench": "bench"}[kind]
    module = name.replace("-", "_")
    assert (folder / f"{module}.py").is_file() or (folder / module / "__main__.py").is_file()


def test_each_row_of_a_promise_names_something() -> None:
    for row in re.findall(r"^\| S\d+ \|.*$", TEXT, re.MULTILINE):
        assert re.search(r"`(tests|script)/", row), row
