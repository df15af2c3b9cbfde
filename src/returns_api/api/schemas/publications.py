"""Shapes of the policy that a storefront shows."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from returns_api.api.schemas.base import Moment, Out, PolicyVersionId, example_id
from returns_api.api.schemas.returns import example

_DIGEST: Final = "sha256:178ad2d21d95334e60663505866b1973268bc6a027c4b9284709cc6e751670e6"


class PolicyOut(Out):
    """The policy in force, as data."""

    model_config = example(
        {
            "policy_version": example_id("pv"),
            "number": 7,
            "name": "Field & Loom",
            "digest": _DIGEST,
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
