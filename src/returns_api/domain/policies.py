"""What may be published, and from when: the rules between a checked draft and the orders it judges.

Owns that an error forbids publishing, that warnings need words from somebody who could read them,
and that no version reaches into the past. Refuses to own what a finding is
(``domain.policy.analysis``), the states (``lifecycle.policies``) and storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from returns_api.domain.errors import Conflict, DoesNotFit, PolicyInvalid

Findings = Sequence[Mapping[str, Any]]
"""Findings as they are stored: what ``Finding.as_json`` gives."""

_SAME: Final = ("code", "path", "message")
"""What makes two findings the same one, wherever it moved in the text."""


def plan_begin(wanted: datetime | None, now: datetime) -> datetime:
    """The first instant whose orders a version judges: ``wanted``, or now.

    Raises ``DoesNotFit`` for the past: those orders have been judged.
    """
    if wanted is not None and wanted < now:
        raise DoesNotFit(
            "A policy cannot apply to orders of the past.",
            errors=[{"field": "effective_from", "problem": "in the past"}],
        )
    return wanted or now


def plan_publish(
    findings: Findings, acknowledge: str | None, shown: Findings | None
) -> list[dict[str, Any]]:
    """The warnings that ``acknowledge`` (words why it is right all the same) accepts, in short.

    ``shown`` are the findings of an earlier check where one was, None where nobody checked before:
    words written for those cannot be meant for warnings that a change of the law brought since.

    Raises:
        PolicyInvalid: an error, whatever anybody says.
        Conflict: a warning without words, or one that nobody can have read.
    """
    errors = _of(findings, "error")
    if errors:
        raise PolicyInvalid("The findings forbid publishing this version.", findings=errors)
    warnings = _of(findings, "warning")
    if warnings and not acknowledge:
        raise Conflict(
            "There are warnings: read them, then say in 'acknowledge' why it is right.",
            findings=warnings,
        )
    if shown is not None:
        known = set(map(_key, shown))
        new = [warning for warning in warnings if _key(warning) not in known]
        if new:
            raise Conflict(
                "The law changed since the check and brought these warnings: read them first.",
                findings=new,
            )
    return [_short(warning) for warning in warnings]


def _of(findings: Iterable[Mapping[str, Any]], severity: str) -> list[Mapping[str, Any]]:
    return [finding for finding in findings if finding["severity"] == severity]


def _key(finding: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(finding[name] for name in _SAME)


def _short(finding: Mapping[str, Any]) -> dict[str, Any]:
    """What the history keeps of a warning that was accepted."""
    return {name: finding[name] for name in ("code", "severity", "message", "path", "line")}
