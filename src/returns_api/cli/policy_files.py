"""Files that the policy commands are given: read whole, bounded, refused plainly.

A file that cannot be read as what it should be ends the command with exit code 2, so that a script
can tell "there are findings" from "there was nothing to look at".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from returns_api.cli.output import say

if TYPE_CHECKING:
    from returns_api.domain.policy import Facts, LoadedPolicy

FILE_MAX: Final = 1_000_000
"""Bytes of a document or a file of facts."""

UNREADABLE: Final = 2


class Unreadable(Exception):
    """A file is not what it should be; ``findings`` say where, if somebody could tell."""

    def __init__(
        self, file: Path, problem: str, findings: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.findings = findings


@contextmanager
def understood(as_json: bool) -> Iterator[None]:
    """Turn ``Unreadable`` into sentences (or JSON) and exit code 2."""
    try:
        yield
    except Unreadable as error:
        if as_json:
            told = {"ok": False, "error": str(error), "findings": list(error.findings)}
            print(json.dumps(told), flush=True)
        else:
            lines = [finding_line(error.file, finding) for finding in error.findings]
            say("\n".join([*lines, str(error)]))
        raise typer.Exit(UNREADABLE) from None


def read_bytes(file: Path) -> bytes:
    """The content of a file of at most ``FILE_MAX`` bytes. Raises ``Unreadable``."""
    try:
        with file.open("rb") as opened:
            found = opened.read(FILE_MAX + 1)
    except OSError as error:
        raise Unreadable(file, f"{error.strerror or 'it cannot be read'}.") from None
    if len(found) > FILE_MAX:
        raise Unreadable(file, f"it is larger than {FILE_MAX} bytes.")
    return found


def read_policy(file: Path) -> LoadedPolicy:
    """The document in a file. Raises ``Unreadable`` with every fault and its place."""
    from returns_api.domain.errors import PolicyInvalid  # noqa: PLC0415
    from returns_api.domain.policy import load_policy  # noqa: PLC0415

    try:
        return load_policy(read_bytes(file))
    except PolicyInvalid as error:
        findings = error.context.get("findings")
        raise Unreadable(
            file, error.detail, findings if isinstance(findings, list) else []
        ) from None


def read_facts_file(file: Path) -> Facts:
    """The facts in a JSON file. Raises ``Unreadable``."""
    from returns_api.domain.errors import Invalid  # noqa: PLC0415
    from returns_api.usecases.explaining import read_facts  # noqa: PLC0415

    try:
        data = json.loads(read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise Unreadable(file, f"it is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise Unreadable(file, "an object with the facts of one case is due here.")
    try:
        return read_facts(data)
    except Invalid as error:
        raise Unreadable(file, error.detail) from None


def finding_line(file: Path | str, finding: Mapping[str, Any]) -> str:
    """A finding as compilers write them, with its suggestion and what shows it."""
    text = f"{file}:{finding['line']}:{finding['column']}: {finding['severity']}"
    text += f" {finding['code']}: {finding['message']}"
    if finding["path"]:
        text += f" [{finding['path']}]"
    if finding["suggestion"]:
        text += f"\n    {finding['suggestion']}"
    witness = finding["witness"]
    if witness and witness.get("shows"):
        text += f"\n    a case that shows it: {witness['shows']}"
    return text
