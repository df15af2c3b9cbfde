"""Policy commands on files: findings with their place, honest exit codes, JSON on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from returns_api.cli.policy_files import FILE_MAX
from tests.support.commands import last_json, run

GOOD = """\
policy: returns-policy/v1
name: Field & Loom
timezone: Europe/Berlin
currency: EUR
markets: [US]
rules:
  - id: house
    resolutions: {refund: 30 days}
    return_shipping: free
    original_shipping: refund
    restocking_fee: 0%
    grades: {used_worn: 30%}
    evidence: none
    methods: [post]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""
FACTS = {
    "reason": "changed_mind",
    "currency": "EUR",
    "placed_at": "2026-10-01T10:00:00Z",
    "delivered_at": "2026-10-05T12:00:00Z",
    "asked_at": "2026-11-21T09:12:44Z",
    "unit_paid_minor": 9900,
    "order_paid_minor": 9900,
    "country": "US",
}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD, encoding="utf-8")
    return file


def facts_file(tmp_path: Path, facts: Any) -> str:
    file = tmp_path / "facts.json"
    file.write_text(facts if isinstance(facts, str) else json.dumps(facts), encoding="utf-8")
    return str(file)


def test_a_document_without_errors_is_fine(good: Path) -> None:
    done = run("policy", "check", str(good), "--json")
    found = last_json(done)
    assert done.returncode == 0, found
    assert (found["ok"], found["publishable"], found["counts"]["error"]) == (True, True, 0)
    assert found["digest"].startswith("sha256:")
    plain = run("policy", "check", str(good))
    assert plain.returncode == 0
    assert plain.stdout.splitlines()[-1].startswith("0 errors, ")


def test_an_error_is_named_with_place_witness_and_suggestion(good: Path) -> None:
    good.write_text(GOOD.replace("    refund_within: 5 days\n", ""), encoding="utf-8")
    done = run("policy", "check", str(good), "--json")
    finding = last_json(done)["findings"][0]
    assert (done.returncode, last_json(done)["ok"]) == (1, False)
    assert (finding["severity"], finding["code"]) == ("error", "term.gap")
    assert finding["witness"]["facts"]["currency"] == "EUR"
    plain = run("policy", "check", str(good))
    assert plain.returncode == 1
    place = f"{good}:{finding['line']}:{finding['column']}: error term.gap:"
    assert plain.stdout.startswith(place)
    assert finding["suggestion"] in plain.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.replace("name:", "nmae:").encode(), "Did you mean name?"),
        (b"\xff\xfe\x00", ""),
        (b"a: &x [1]\nb: *x\n", ""),
        (b"policy: 1\npolicy: 2\n", ""),
        (b"x" * (FILE_MAX + 1), f"larger than {FILE_MAX} bytes"),
        (b"", ""),
        (None, "No such file"),
    ],
)
@pytest.mark.parametrize("command", ["check", "explain"])
def test_what_cannot_be_read_is_told_apart(
    tmp_path: Path, content: bytes | None, words: str, command: str
) -> None:
    file = tmp_path / "bad.yaml"
    if content is not None:
        file.write_bytes(content)
    more = ["--facts", facts_file(tmp_path, FACTS)] if command == "explain" else []
    done = run("policy", command, str(file), *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    as_json = last_json(run("policy", command, str(file), *more, "--json"))
    assert as_json["ok"] is False


def test_a_refusal_is_explained_in_the_language_that_was_asked_for(
    good: Path, tmp_path: Path
) -> None:
    facts = facts_file(tmp_path, FACTS)
    done = run("policy", "explain", str(good), "--facts", facts, "--lang", "de-AT", "--json")
    found = last_json(done)
    assert (done.returncode, found["language"], found["eligible"]) == (0, "de", False)
    assert found["because"][0]["code"] == "window_over"
    assert found["because"][0]["rule"] == "house"
    flip = found["flips_if"][0]
    again = facts_file(tmp_path, {**FACTS, **flip["change"]})
    turned = last_json(run("policy", "explain", str(good), "--facts", again, "--json"))
    assert turned["eligible"] is True
    plain = run("policy", "explain", str(good), "--facts", facts)
    assert plain.stdout.splitlines()[0] == "Eligible."
    assert "(rule house, line 7)" in plain.stdout


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "an object"),
        ("[" * 100_000, "not JSON"),
        ({}, "reason"),
        ({**FACTS, "surprise": 1}, "surprise"),
        ({**FACTS, "condition": "nice"}, "condition"),
        ({**FACTS, "asked_at": "yesterday"}, "asked_at"),
        ({**FACTS, "unit_paid_minor": 1.5}, "unit_paid_minor"),
    ],
)
def test_facts_that_are_none_are_refused(
    good: Path, tmp_path: Path, facts: Any, words: str
) -> None:
    done = run("policy", "explain", str(good), "--facts", facts_file(tmp_path, facts))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_document_is_shown_as_buyers_would_read_it(good: Path) -> None:
    text = run("policy", "render", str(good), "--lang", "de")
    assert text.returncode == 0
    assert text.stdout.startswith("Rückgabebedingungen von Field & Loom\n")
    assert "30 Tage" in text.stdout
    linked = json.loads(run("policy", "render", str(good), "--format", "jsonld").stdout)
    assert linked["@graph"][0]["merchantReturnDays"] == 30
    plain = run("policy", "render", str(good), "--format", "json", "--country", "US", "--json")
    found = last_json(plain)
    assert linked["@graph"][0]["identifier"] == found["digest"]
    assert found["json"]["markets"][0]["places"] == ["US"]
    assert run("policy", "render", str(good), "--format", "pdf").returncode == 2
    good.write_text("a: 1", encoding="utf-8")
    assert run("policy", "render", str(good)).returncode == 2
