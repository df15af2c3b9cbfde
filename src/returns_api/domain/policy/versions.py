"""The life of a policy version: draft, checked, published from a date, retired.

Owns the rules: what may follow what, that only a checked document without errors is published, that
warnings need an acknowledgement which is kept, which version is in force for an order, and that a
published one never changes. Pure: facts in, a plan (the version as it will be) or an error out.
Refuses to own storage, ids and clocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from returns_api.domain.errors import ActionNotAllowed, Conflict, Invalid, PolicyInvalid
from returns_api.domain.policy.analysis import Report


class VersionState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    CHECKED = "checked"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who accepted which warnings when: the codes and paths of the findings."""

    by: str
    at: datetime
    findings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a shop's policy. ``digest`` names its content."""

    number: int
    digest: str
    state: VersionState = VersionState.DRAFT
    report_digest: str | None = None
    """The digest that was checked; another content has to be checked again."""
    in_force_from: datetime | None = None
    in_force_until: datetime | None = None
    acknowledged: Acknowledgement | None = None


def plan_check(version: Version, digest: str, report: Report) -> Version:
    """The version after its content ``digest`` was analysed.

    A document with errors stays a draft. Raises ``ActionNotAllowed`` for what is already published.
    """
    _require(version, "check", VersionState.DRAFT, VersionState.CHECKED)
    state = VersionState.CHECKED if report.publishable else VersionState.DRAFT
    return replace(version, digest=digest, state=state, report_digest=digest)


def plan_publish(
    version: Version,
    report: Report,
    *,
    from_: datetime,
    now: datetime,
    acknowledgement: Acknowledgement | None = None,
) -> Version:
    """The version as published from ``from_`` on.

    Raises ``PolicyInvalid`` with the findings for errors, ``Conflict`` where warnings are not all
    acknowledged or the content changed since the check, ``Invalid`` for a date in the past,
    ``ActionNotAllowed`` for a version that is not checked.
    """
    if not report.publishable:
        findings = [finding.as_json() for finding in report.findings]
        raise PolicyInvalid("The document has errors and cannot be published.", findings=findings)
    _require(version, "publish", VersionState.CHECKED)
    if version.report_digest != version.digest:
        raise Conflict("The document was changed after it was checked; check it again.")
    if from_ < now:
        detail = "A policy cannot come into force in the past: orders were placed under another."
        raise Invalid(detail, errors=[{"field": "from", "message": detail}])
    missing = _missing(report, acknowledgement)
    if missing:
        raise Conflict(
            f"{len(missing)} warnings are not acknowledged.",
            warnings=[{"code": code, "path": path} for code, path in missing],
        )
    kept = acknowledgement if report.warnings else None
    return replace(version, state=VersionState.PUBLISHED, in_force_from=from_, acknowledged=kept)


def plan_retire(version: Version, *, at: datetime, successor_from: datetime | None) -> Version:
    """The published version as ended ``at``; some version must be in force at every moment.

    ``successor_from``: when the next published version begins, None where there is none. Orders
    placed before ``at`` stay with this version. Raises ``Conflict`` without a successor in time and
    ``ActionNotAllowed`` for a version that is not published.
    """
    _require(version, "retire", VersionState.PUBLISHED)
    if successor_from is None or successor_from > at:
        raise Conflict("No later version would be in force then; publish one first.")
    return replace(version, state=VersionState.RETIRED, in_force_until=at)


def in_force(versions: Iterable[Version], placed_at: datetime) -> Version | None:
    """The version that judges an order placed at ``placed_at``: the last one that had begun.

    Drafts never judge. Among versions that begin at the same instant the higher number counts.
    """
    begun = [
        (version.in_force_from, version.number, version)
        for version in versions
        if version.in_force_from is not None
        and version.in_force_from <= placed_at
        and (version.in_force_until is None or placed_at < version.in_force_until)
        and version.state in {VersionState.PUBLISHED, VersionState.RETIRED}
    ]
    return max(begun, key=lambda found: found[:2])[2] if begun else None


def _missing(report: Report, acknowledgement: Acknowledgement | None) -> list[tuple[str, str]]:
    accepted = set(acknowledgement.findings) if acknowledgement else set()
    warned = dict.fromkeys((finding.code, finding.path) for finding in report.warnings)
    return [finding for finding in warned if finding not in accepted]


_ALLOWED = {
    VersionState.DRAFT: ("edit", "check"),
    VersionState.CHECKED: ("edit", "check", "publish"),
    VersionState.PUBLISHED: ("retire",),
    VersionState.RETIRED: (),
}


def _require(version: Version, action: str, *states: VersionState) -> None:
    if version.state not in states:
        raise ActionNotAllowed(
            f"A {version.state.value} version cannot be used for: {action}.",
            state=version.state.value,
            allowed=list(_ALLOWED[version.state]),
        )
