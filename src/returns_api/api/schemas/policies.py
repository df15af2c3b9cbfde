"""Shapes of policy versions, their findings and their history."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    In,
    KeyId,
    LongText,
    Moment,
    Out,
    PolicyStepId,
    PolicyVersionId,
    Storable,
    TextFormat,
    example,
    example_id,
)
from returns_api.api.schemas.times import MomentIn
from returns_api.usecases.policies import SOURCE_MAX

EXAMPLE = """\
policy: returns-policy/v1
name: Field & Loom
timezone: Europe/Berlin
currency: EUR
rules:
  - id: house
    resolutions: {refund: 30 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: free
    original_shipping: refund
    grades: {used_worn: 30%}
    evidence: none
    methods: [post]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""
VERSION_EXAMPLE: Final = {
    "id": example_id("pv"),
    "number": 7,
    "state": "published",
    "name": "Field & Loom",
    "digest": "sha256:178ad2d21d95334e60663505866b1973268bc6a027c4b9284709cc6e751670e6",
    "effective_from": "2026-12-01T00:00:00Z",
    "created_at": "2026-11-21T09:12:44Z",
    "published_at": "2026-11-21T09:20:00Z",
    "published_by": example_id("key"),
    "acknowledged": None,
    "checked_at": "2026-11-21T09:18:10Z",
    "retired_at": None,
    "in_force": True,
    "counts": {"error": 0, "warning": 1, "info": 0},
}
_FINDING: Final = {
    "code": "law.below_floor",
    "severity": "warning",
    "message": "house sets refund_within below what the law gives (kr-withdrawal); buyers there"
    " get the law's.",
    "path": "rules[0].refund_within",
    "line": 16,
    "column": 20,
    "suggestion": "The law: {'within': '3 days', 'after': 'receipt'}.",
    "witness": {"shows": "kr-withdrawal holds instead", "facts": {"country": "KR"}},
}
Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=SOURCE_MAX),
    Storable,
    TextFormat("returns-policy"),
]
Language = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$", max_length=35)
]
"""A language tag, such as ``de`` or ``de-AT``."""


class PolicyState(StrEnum):
    DRAFT = "draft"
    CHECKED = "checked"
    PUBLISHED = "published"
    RETIRED = "retired"


class PolicyDraftIn(In):
    """A policy document as text."""

    model_config = example({"source": EXAMPLE})

    source: Source = Field(description="The document, in YAML or JSON.")


class PolicyRetireIn(In):
    """Why."""

    model_config = example({"note": "Replaced by version 8."})

    note: LongText | None = Field(None, description="Kept in the history.")


class PolicyPublishIn(In):
    """From when on, and why the warnings are right."""

    model_config = example(
        {"effective_from": "2027-01-01T00:00:00Z", "acknowledge": "Agreed with legal."}
    )

    effective_from: MomentIn | None = Field(
        None, description="Orders placed from then on; left out, from now on."
    )
    acknowledge: LongText | None = Field(
        None, description="Needed when there are warnings: why publishing is right all the same."
    )


class FindingOut(Out):
    """One thing that is wrong, or odd, in the document."""

    code: str
    severity: str
    message: str
    path: str
    line: int = Field(description="From 1; 0 is the document as a whole.")
    column: int
    suggestion: str | None
    witness: dict[str, Any] | None = Field(description="A case that shows it.")


class ReportOut(Out):
    """What the analysis says about a text. Nothing was stored."""

    model_config = example(
        {
            "name": "Field & Loom",
            "digest": VERSION_EXAMPLE["digest"],
            "publishable": True,
            "complete": True,
            "steps": 70,
            "steps_bound": 400_000,
            "findings": [_FINDING],
        }
    )

    name: str
    digest: str
    publishable: bool = Field(description="Whether nothing forbids publishing.")
    complete: bool = Field(description="False where it was too large to be analysed.")
    steps: int
    steps_bound: int
    findings: list[FindingOut]


class FindingCountsOut(Out):
    error: int
    warning: int
    info: int


class PolicyVersionOut(Out):
    """A version without its text and findings."""

    model_config = example(VERSION_EXAMPLE)

    id: PolicyVersionId
    number: int
    state: PolicyState
    name: str
    digest: str = Field(description="Names the document and the law it is judged under.")
    effective_from: Moment | None
    created_at: Moment
    published_at: Moment | None
    published_by: str | None = Field(description="The key that published it.")
    acknowledged: str | None
    checked_at: Moment | None
    retired_at: Moment | None = Field(description="It judges no order placed from then on.")
    in_force: bool = Field(description="Whether it judges an order placed now.")
    counts: FindingCountsOut


class PolicyVersionDetailOut(PolicyVersionOut):
    """A version with its text and findings."""

    model_config = example({**VERSION_EXAMPLE, "findings": [_FINDING], "source": EXAMPLE})

    findings: list[FindingOut]
    source: str


class PolicyVersionsOut(Out):
    """A page of versions, newest first."""

    model_config = example({"items": [VERSION_EXAMPLE], "next_cursor": None})

    items: list[PolicyVersionOut]
    next_cursor: str | None


class AcknowledgedOut(Out):
    """A warning that was published all the same."""

    code: str
    severity: str
    message: str
    path: str
    line: int


class PolicyStepOut(Out):
    """One step in the life of a version; never changed."""

    model_config = example(
        {
            "id": example_id("ph"),
            "policy_version": example_id("pv"),
            "number": 7,
            "action": "published",
            "at": "2026-11-21T09:20:00Z",
            "actor": "admin",
            "key": example_id("key"),
            "digest": VERSION_EXAMPLE["digest"],
            "note": "Agreed with legal.",
            "acknowledged": [
                {n: _FINDING[n] for n in ("code", "severity", "message", "path", "line")}
            ],
            "effective_from": "2026-12-01T00:00:00Z",
        }
    )

    id: PolicyStepId
    policy_version: PolicyVersionId
    number: int
    action: str = Field(description="`drafted`, `edited`, `checked`, `published`, `retired`.")
    at: Moment
    actor: str
    key: KeyId | None
    digest: str = Field(description="Of the document as it was then.")
    note: str | None
    acknowledged: list[AcknowledgedOut]
    effective_from: Moment | None


class PolicyHistoryOut(Out):
    """A page of steps, newest first."""

    items: list[PolicyStepOut]
    next_cursor: str | None
