"""Runs schemathesis against a live server as one of its users: every check, every phase.

No check is switched off and no failure is filtered. The one setting of a check that differs from
the default adds 412 and 428 to what a valid request may get: whether a version that a caller read
is still the newest depends on what is stored, like 404 and 409, which the default has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.world import World

ROOT: Final = Path(__file__).resolve().parents[2]
HOOKS: Final = Path(__file__).with_name("schemathesis_hooks.py")
NOBODY: Final = "none"
ROLES: Final = (
    "admin",
    "agent",
    "warehouse",
    "finance",
    "publishable",
    "buyer",
    "recipient",
    NOBODY,
)
EXPECTED: Final = ("2xx", "3xx", "401", "403", "404", "409", "412", "428", "429", "5xx")
HANGS_SECONDS: Final = 30.0
"""An answer that takes longer hangs. How fast answers are is no matter of tests; the proof, on a
machine of its own, asks for ``PROOF_SECONDS``."""
PROOF_SECONDS: Final = 2.0
PROBABILITY: Final = 0.6
"""How often a generated id is one that exists."""
IDS: Final[Mapping[str, str]] = {
    "path.order": "ord",
    "path.return": "ret",
    "path.refund": "ref",
    "path.credit_note": "cn",
    "path.quote": "qt",
    "path.version": "pv",
    "path.endpoint": "whe",
    "path.key": "spare_key",
    "path.message": "in",
    "path.event": "evt",
    "path.reconciliation": "rcn",
    "path.import": "imp",
    "query.order": "ord",
    "query.return": "ret",
    "query.refund": "ref",
    "body.lines[*].line": "li",
    "body.lines[*].return_line": "rl",
    "body.units[*].return_line": "rl",
}


BODY_IDS: Final[Mapping[str, Mapping[str, str]]] = {
    "createQuote": {"body.order": "ord"},
    "createRefund": {"body.order": "ord"},
    "openReturn": {"body.quote": "qt"},
}
"""The same for fields that other operations take one of several of."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run said; ``text`` is its whole report."""

    ok: bool
    text: str


def run_schemathesis(
    folder: Path,
    url: str,
    description: Mapping[str, Any],
    world: World,
    role: str,
    *,
    arguments: Sequence[str],
    seconds: float,
    response_seconds: float = HANGS_SECONDS,
) -> Run:
    """One run as ``role`` of our shop, or with no key at all."""
    schema = folder / "openapi.json"
    schema.write_text(json.dumps(description), encoding="utf-8")
    config = folder / f"{role}.toml"
    config.write_text(_config(folder, world, role, response_seconds), encoding="utf-8")
    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", str(config), "run", str(schema), "--url", url,
        "--checks", "all", "--no-color", "--workers", "1", *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),  # its hooks use what lies beside them
            "PYTHONWARNINGS": "ignore",
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Run(done.returncode == 0, done.stdout + done.stderr)


def _config(folder: Path, world: World, role: str, response_seconds: float) -> str:
    things = {**world.ours.things, "spare_key": world.ours.spare_keys}
    lines = [f"hooks = {json.dumps(str(HOOKS))}", "[checks]"]
    lines.append(f"max_response_time = {response_seconds}")
    lines.append("[checks.positive_data_acceptance]")
    lines.append(f"expected-statuses = {json.dumps(EXPECTED)}")
    if role != NOBODY:
        lines += ["[auth.wfc]", f"path = {json.dumps(str(_users(folder, world)))}"]
        lines += [f"user = {json.dumps(role)}", f"peers = {json.dumps(_peers(role))}"]
    lines.append("[parameters]")
    lines += [_binding(name, prefix) for name, prefix in IDS.items()]
    lines.append("[dictionaries]")
    lines += [
        f"{prefix} = {{values = {json.dumps(things[prefix])}}}"
        for prefix in sorted({*IDS.values(), "ord", "qt"})
    ]
    for operation, bindings in BODY_IDS.items():
        lines += ["[[operations]]", f"include-operation-id = {json.dumps(operation)}"]
        lines.append("[operations.parameters]")
        lines += [_binding(name, prefix) for name, prefix in {**IDS, **bindings}.items()]
    return "\n".join(lines) + "\n"


def _binding(name: str, prefix: str) -> str:
    return f'"{name}" = {{dictionary = "{prefix}", probability = {PROBABILITY}}}'


def _users(folder: Path, world: World) -> Path:
    """Every key of both shops in the form of Web Fuzzing Commons."""
    users = [
        {"name": f"{prefix}{name}", "fixedHeaders": [_authorization(token)]}
        for prefix, house in (("", world.ours), ("stranger_", world.theirs))
        for name, token in house.keys.items()
        if name != "revoked"
    ]
    path = folder / "users.json"
    path.write_text(json.dumps({"auth": users}), encoding="utf-8")
    return path


def _authorization(token: str) -> dict[str, str]:
    return {"name": "Authorization", "value": f"Bearer {token}"}


def _peers(role: str) -> list[str]:
    """Who may not see what the other one made: the same role of the other shop, another buyer."""
    more = [f"other_{role}"] if role in {"buyer", "recipient"} else []
    return [role, f"stranger_{role}", *more]
