"""``returns-api policy …``: a policy document checked, explained, tried and published.

``check``, ``explain`` and ``render`` need a file and nothing else: no database, no server.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from returns_api.cli.output import AsJson, answer, reported
from returns_api.cli.policy_backtest import backtest
from returns_api.cli.policy_files import finding_line, read_facts_file, read_policy, understood
from returns_api.cli.policy_history import recompute
from returns_api.cli.policy_remote import publish

policy = typer.Typer(
    name="policy",
    help="Check, explain, try, publish and show a return policy.",
    no_args_is_help=True,
)


class Form(StrEnum):
    TEXT = "text"
    JSONLD = "jsonld"
    JSON = "json"


PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="The document, YAML or JSON.")]
Lang = Annotated[str, typer.Option("--lang", help="Language: en, de, fr, es, zh; else English.")]


@policy.command()
def check(file: PolicyFile, as_json: AsJson = False) -> None:
    """Find what is wrong or odd in a document. Exit code 1: errors; 2: it cannot be read."""
    with reported(as_json), understood(as_json):
        from returns_api.domain.policy.analysis import analyse  # noqa: PLC0415

        loaded = read_policy(file)
        report = analyse(loaded)
        data: dict[str, Any] = report.as_json()
        findings = data["findings"]
        levels = [finding["severity"] for finding in findings]
        counts = {name: levels.count(name) for name in ("error", "warning", "info")}
        result = {
            "ok": report.publishable,
            "file": file,
            "name": loaded.document.name,
            "digest": loaded.digest,
            **data,
            "counts": counts,
        }
        figures = (
            f"{counts['error']} errors, {counts['warning']} warnings, {counts['info']} remarks; "
            f"{data['steps']} of {data['steps_bound']} steps."
        )
        lines = [finding_line(file, finding) for finding in findings]
        answer(result, "\n".join([*lines, figures]), as_json=as_json)
    if not report.publishable:
        raise typer.Exit(1)


@policy.command()
def explain(
    file: PolicyFile,
    facts: Annotated[Path, typer.Option("--facts", help="The facts of one case, JSON.")],
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Judge one case: the decision, why, and the smallest change that would turn it."""
    with reported(as_json), understood(as_json):
        from returns_api.domain.policy import compile_policy  # noqa: PLC0415
        from returns_api.usecases.explaining import explain_case  # noqa: PLC0415

        loaded = read_policy(file)
        found = explain_case(compile_policy(loaded), read_facts_file(facts), lang).as_json()
        result = {"ok": True, "digest": loaded.digest, **found}
        answer(result, _told(found), as_json=as_json)


@policy.command()
def render(
    file: PolicyFile,
    lang: Lang = "en",
    form: Annotated[
        Form, typer.Option("--format", help="Plain language, schema.org, or plain data.")
    ] = Form.TEXT,
    country: Annotated[
        str | None, typer.Option("--country", help="One market only: DE, US …")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a document as buyers would read it on a delivery today."""
    with reported(as_json), understood(as_json):
        from returns_api.domain.policy import compile_policy  # noqa: PLC0415
        from returns_api.domain.publications import (  # noqa: PLC0415
            Asked,
            publish,
            special_rules,
            to_jsonld,
            to_text,
        )

        loaded = read_policy(file)
        judge = compile_policy(loaded)
        found = publish(judge, Asked(country=country), datetime.now(UTC))
        if form is Form.TEXT:
            text = to_text(judge, found, loaded.digest, lang)
            answer({"ok": True, "digest": loaded.digest, "text": text}, text, as_json=as_json)
            return
        data: dict[str, Any] = {"name": found.name, "currency": found.currency}
        data["markets"] = list(found.markets)
        special = special_rules(judge, country, None, lang)
        data["special_rules"] = [{"rule": one.rule, "text": one.text} for one in special]
        if form is Form.JSONLD:
            data = to_jsonld(found, version=loaded.digest, groups=judge.law.groups)
        shown = json.dumps(data, ensure_ascii=False, indent=2)
        answer({"ok": True, "digest": loaded.digest, form.value: data}, shown, as_json=as_json)


def _told(found: dict[str, Any]) -> str:
    """The decision for a person who reads terminals."""
    lines = ["Eligible." if found["eligible"] else "Not eligible."]
    lines += [
        f"  because: {one['text']} ({one['rule'] or one['code']})" for one in found["because"]
    ]
    lines += [f"  otherwise: {flip['text']}" for flip in found["flips_if"]]
    lines += [f"  a person looks: {one['signal']}" for one in found["signals"]]
    terms = found["decision"]["terms"]
    width = max((len(term["term"]) for term in terms), default=0)
    lines += [f"  {term['term']:<{width}}  {term['value']}  ({_by(term)})" for term in terms]
    return "\n".join(lines)


def _by(term: dict[str, Any]) -> str:
    by = term["set_by"]
    if "law" in by:
        return f"law {by['law']}"
    if "rule" not in by:
        return "nobody said otherwise"
    return f"rule {by['rule']}, line {by['line']}" if by["line"] else f"rule {by['rule']}"


policy.command()(backtest)
policy.command()(publish)
policy.command()(recompute)
