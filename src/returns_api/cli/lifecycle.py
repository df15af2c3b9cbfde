"""``returns-api lifecycle``: check the tables that every object lives by, and write their page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from returns_api.cli.output import AsJson, Failure, answer, reported, say

DEFAULT_FILE = Path(__file__).resolve().parents[3] / "docs" / "lifecycle.md"

CheckOnly = Annotated[bool, typer.Option("--check", help="Write nothing; fail when it differs.")]
File = Annotated[Path, typer.Option("--file", help="Where the page lies.")]

lifecycle = typer.Typer(name="lifecycle", no_args_is_help=True, help="The tables of states.")


@lifecycle.command()
def check(as_json: AsJson = False) -> None:
    """Walk every (state, action, actor) of every table: sound, or each fault named."""
    with reported(as_json):
        from returns_api.domain.lifecycle import MACHINES  # noqa: PLC0415 - only this command
        from returns_api.domain.lifecycle.describe import census  # noqa: PLC0415

        found = {machine.name: (machine, census(machine)) for machine in MACHINES}
        faults = [fault for _, seen in found.values() for fault in seen.faults]
        tables = {
            name: {
                "states": len(machine.states),
                "actions": len(machine.actions),
                "pairs": seen.pairs,
                "allowed": seen.allowed,
                "refused": seen.refused,
                "conditions": seen.conditions,
                "deadlines": len(machine.timers),
            }
            for name, (machine, seen) in found.items()
        }
        pairs = sum(seen.pairs for _, seen in found.values())
        text = f"{len(tables)} tables, {pairs} pairs of state, action and actor: "
        text += "sound." if not faults else f"{len(faults)} faults."
        for fault in faults:
            say(fault)
        deadlines = sum(len(machine.timers) for machine, _ in found.values())
        result = {"ok": not faults, "pairs": pairs, "deadlines": deadlines, "tables": tables}
        result["faults"] = faults
        answer(result, text, as_json=as_json)
    if faults:
        raise typer.Exit(1)


@lifecycle.command()
def docs(check: CheckOnly = False, file: File = DEFAULT_FILE, as_json: AsJson = False) -> None:
    """Write the page with all tables and their diagrams."""
    with reported(as_json):
        from returns_api.domain.lifecycle import MACHINES  # noqa: PLC0415 - only this command
        from returns_api.domain.lifecycle.describe import page  # noqa: PLC0415

        text = page(MACHINES)
        current = file.read_text(encoding="utf-8") if file.exists() else None
        if check and current != text:
            raise Failure(f"{file} differs from the tables. Run: returns-api lifecycle docs")
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        state = "is up to date" if current == text else "was written"
        result = {"ok": True, "file": str(file), "changed": current != text}
        answer(result, f"{file} {state}.", as_json=as_json)
