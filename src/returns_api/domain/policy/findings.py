"""What is wrong, or odd, in a policy document: one shape for the reader and for the analysis.

Owns the record and its order. Refuses to own how findings are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy.vocabulary import Severity

MAX_FINDINGS: Final = 200
"""Findings after which a report is cut; more of them help nobody."""

Path = tuple[str | int, ...]
"""Where in a document: keys and list positions from the root."""

_ORDER: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding with its place, and a witness where a concrete case shows it.

    ``code`` is stable. ``line`` and ``column`` count from 1; 0 means the document as a whole.
    ``witness`` is a case (facts as JSON) and what the policy makes of it.
    """

    code: str
    severity: Severity
    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    suggestion: str | None = None
    witness: Mapping[str, object] | None = None

    def as_json(self) -> dict[str, object]:
        """The finding as plain data."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "suggestion": self.suggestion,
            "witness": dict(self.witness) if self.witness is not None else None,
        }


def sort_key(finding: Finding) -> tuple[int, int, str, str]:
    """Errors first, then by place."""
    return (_ORDER[finding.severity], finding.line, finding.path, finding.code)


def write_path(path: Path) -> str:
    """``("rules", 3, "when")`` as ``rules[3].when``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def invalid(findings: list[Finding]) -> PolicyInvalid:
    """The error that carries ``findings``; its sentence is about the first of them."""
    ordered = sorted(findings, key=sort_key)[:MAX_FINDINGS]
    first = ordered[0]
    where = f"Line {first.line}, {first.path or 'document'}: " if first.line else ""
    more = f" And {len(ordered) - 1} more." if len(ordered) > 1 else ""
    return PolicyInvalid(
        f"{where}{first.message}{more}", findings=[finding.as_json() for finding in ordered]
    )
