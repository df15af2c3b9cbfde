"""Shapes of policy versions and of the policy that a storefront shows."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from returns_api.api.schemas.base import In, LongText, Moment, Out, PolicyVersionId, Storable
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
    starts: [delivered]
    return_shipping: 4.90
"""


class PolicyState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class PolicyDraftIn(In):
    """A policy document as text."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"source": EXAMPLE}]})

    source: Annotated[str, StringConstraints(min_length=1, max_length=SOURCE_MAX), Storable] = (
        Field(description="The document, in YAML or JSON.")
    )


class PolicyPublishIn(In):
    """From when on, and why the warnings are right."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"effective_from": "2027-01-01T00:00:00Z", "acknowledge": "Agreed with legal."}
            ]
        }
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


class PolicyVersionOut(Out):
    """A version without its text."""

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
    findings: list[FindingOut]


class PolicyVersionDetailOut(PolicyVersionOut):
    """A version with its text."""

    source: str


class PolicyVersionsOut(Out):
    """A page of versions, newest first."""

    items: list[PolicyVersionOut]
    next_cursor: str | None


class PolicyOut(Out):
    """The policy in force, as data."""

    policy_version: PolicyVersionId
    number: int
    name: str
    digest: str
    effective_from: Moment
    document: dict[str, Any] = Field(description="The document as its author could write it.")
