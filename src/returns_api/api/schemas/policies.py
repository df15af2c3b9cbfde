"""Shapes of policy versions and of the policy that a storefront shows."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    In,
    LongText,
    Moment,
    Out,
    PolicyVersionId,
    Storable,
    example_id,
)
from returns_api.api.schemas.returns import example
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


_VERSION: Final = {
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
    "findings": [],
}


class PolicyState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class PolicyDraftIn(In):
    """A policy document as text."""

    model_config = example({"source": EXAMPLE})

    source: Annotated[str, StringConstraints(min_length=1, max_length=SOURCE_MAX), Storable] = (
        Field(description="The document, in YAML or JSON.")
    )


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


class PolicyVersionOut(Out):
    """A version without its text."""

    model_config = example(_VERSION)

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

    model_config = example({**_VERSION, "source": EXAMPLE})

    source: str


class PolicyVersionsOut(Out):
    """A page of versions, newest first."""

    model_config = example({"items": [_VERSION], "next_cursor": None})

    items: list[PolicyVersionOut]
    next_cursor: str | None


class PolicyOut(Out):
    """The policy in force, as data."""

    model_config = example(
        {
            "policy_version": example_id("pv"),
            "number": 7,
            "name": "Field & Loom",
            "digest": _VERSION["digest"],
            "effective_from": "2026-12-01T00:00:00Z",
            "document": {
                "policy": "returns-policy/v1",
                "name": "Field & Loom",
                "timezone": "Europe/Berlin",
                "currency": ["EUR"],
                "rules": [{"id": "house", "resolutions": {"refund": "30 days"}}],
            },
        }
    )

    policy_version: PolicyVersionId
    number: int
    name: str
    digest: str
    effective_from: Moment
    document: dict[str, Any] = Field(description="The document as its author could write it.")
