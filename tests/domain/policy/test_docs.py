"""Every snippet of the guide is run, as a reader would use it."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from returns_api.cli import app
from returns_api.domain.policy import compile_policy, load_policy
from returns_api.domain.policy.analysis import analyse
from returns_api.domain.policy.conditions import SetChoice
from returns_api.domain.policy.document import TERM_NAMES, When
from returns_api.domain.policy.explain import explain
from returns_api.domain.policy.law import LEGAL_GOODS
from returns_api.domain.policy.tree import read_tree
from tests.domain.policy.support import EXAMPLES, facts, utc

GUIDE = (EXAMPLES.parents[1] / "docs" / "policy.md").read_text("utf-8")
SNIPPETS = re.findall(r"```(\w+) ?([^\n]*)\n(.*?)```", GUIDE, re.DOTALL)
FIRST = next(body for _, kind, body in SNIPPETS if kind == "policy")


def snippets(kind: str) -> list[str]:
    return [body for _, name, body in SNIPPETS if name.split(" ")[0] == kind]


def with_rules(rules: str, header: str = "") -> str:
    """The guide's first policy with rules above its own and names in its header."""
    indented = "".join(f"  {line}\n" if line else "\n" for line in rules.rstrip().split("\n"))
    top, _, house = FIRST.partition("rules:\n")
    return f"{top}{header}rules:\n{indented}{house}"


def test_every_snippet_is_of_a_kind_that_is_run() -> None:
    kinds = {name.split(" ")[0] for _, name, _ in SNIPPETS}
    assert kinds == {
        "policy", "rules", "header", "check", "decide", "explain", "facts", "history", "run",
        "publish", "",
    }  # fmt: skip
    assert [body for _, name, body in SNIPPETS if not name] == [
        "# yaml-language-server: $schema=../openapi/policy.schema.json\n"
    ]
    assert len(SNIPPETS) >= 9


@pytest.mark.parametrize("source", snippets("policy"))
def test_complete_policies_are_clean(source: str) -> None:
    report = analyse(load_policy(source))
    codes = [finding.code for finding in report.findings]
    assert codes in ([], ["fee.above_refund"])
    assert report.publishable


def test_rules_fit_above_the_first_policy() -> None:
    header = snippets("header")[0]
    for rules in snippets("rules"):
        report = analyse(load_policy(with_rules(rules, header if "goods:" in rules else "")))
        assert report.publishable, [finding.message for finding in report.findings]


def test_the_checked_document_has_the_findings_that_are_named() -> None:
    (name, source), = ((n, b) for _, n, b in SNIPPETS if n.startswith("check"))  # fmt: skip
    found = {finding.code for finding in analyse(load_policy(source)).findings}
    assert found == set(name.split(" ")[1:])


def commented(source: str) -> list[tuple[str, str]]:
    """Lines that show a value: the expression and what the comment says it is."""
    lines = (line.partition("  # ") for line in source.splitlines())
    pairs = [(code.strip(), said.strip()) for code, _, said in lines]
    return [(code, said) for code, said in pairs if said[:1] in {'"', "T"}]


@pytest.mark.parametrize("kind", ["decide", "explain"])
def test_the_programs_give_what_their_comments_say(kind: str) -> None:
    policy = compile_policy(load_policy(FIRST))
    names: dict[str, Any] = {
        "policy": policy,
        "facts": facts(),
        "explain": explain,
        "late": replace(facts(), asked_at=utc(2026, 4, 12, 12)),
    }
    late_only = FIRST.replace(", exchange: 60 days", "")
    if kind == "explain":
        names["policy"] = compile_policy(load_policy(late_only))
    (source,) = snippets(kind)
    exec(source, names)
    shown = commented(source)
    assert shown
    for code, said in shown:
        assert eval(code, names) == eval(said), code


def test_the_tables_name_every_condition_and_every_term() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(When.model_fields) | set(TERM_NAMES)


def test_the_examples_in_the_tables_can_be_written() -> None:
    rows = [line.split("|") for line in GUIDE.splitlines() if line.startswith("| `")]
    for row in rows:
        names = re.findall(r"`(\w+)`", row[1])
        if names[0] in When.model_fields:
            _try_conditions(names, re.findall(r"`([^`]+)`", row[3]))


def _try_conditions(names: list[str], examples: list[str]) -> None:
    for example in examples:
        value = example.replace("[…]", "[x]")
        for name in names:
            if name == "condition" and value == "x":
                continue
            when = When.model_validate(read_tree(f"{name}: {value}").value)
            condition = getattr(when, name)
            assert condition is not None
            assert not isinstance(condition, SetChoice) or condition.values


def test_the_guide_names_the_goods_that_the_law_knows() -> None:
    assert [name for name in LEGAL_GOODS if f"`{name}`" not in GUIDE] == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has saved on the way through the guide."""
    (facts_json,), (history,) = snippets("facts"), snippets("history")
    for name, content in (
        ("policy.yaml", FIRST),
        ("facts.json", facts_json),
        ("history.ndjson", history),
        ("draft.yaml", with_rules(snippets("rules")[0])),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(line: str) -> Result:
    program, *arguments = shlex.split(line)
    assert program == "returns-api"
    return CliRunner().invoke(app, arguments)


RUN = [line for block in snippets("run") for line in block.splitlines()]


@pytest.mark.parametrize("line", RUN)
def test_the_commands_work_on_what_the_reader_saved(folder: Path, line: str) -> None:
    done = command(line)
    assert done.exit_code == 0, done.output
    shows = {
        "check": "0 errors, 0 warnings, 0 remarks",
        "explain": "(rule house, line 7)",
        "--lang de": "Rückgabebedingungen von Lumen Audio",
        "jsonld": "https://schema.org/MerchantReturnFiniteReturnWindow",
        "backtest": "1 returns, 1 lines: 0 flipped",
    }
    (said,) = (words for part, words in shows.items() if part in line)
    assert said in done.output


def test_the_command_that_publishes_gets_as_far_as_the_service(folder: Path) -> None:
    """It is run against a service in ``tests/cli/test_policy_service``; here nobody listens."""
    (line,) = snippets("publish")
    done = command(line.replace("$API", "http://127.0.0.1:9").replace("$KEY", "rk_x"))
    assert done.exit_code == 1
    assert "127.0.0.1:9" in done.output


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_examples_are_clean_and_commented(file: Path) -> None:
    source = file.read_text("utf-8")
    assert [finding.message for finding in analyse(load_policy(source)).findings] == []
    assert source.count("#") >= 3
