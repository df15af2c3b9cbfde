"""Shapes of the answer to what may come back: line by line and reason by reason."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from returns_api.api.schemas.base import (
    LineId,
    Moment,
    OrderId,
    Out,
    PolicyVersionId,
    example,
    example_id,
)
from returns_api.api.schemas.quotes import EvidenceOut, FreightOut

_LI, _ORD, _PV = example_id("li"), example_id("ord"), example_id("pv")


class ReasonOut(Out):
    reason: str
    eligible: bool
    until: Moment | None = Field(description="Of the first resolution; null without end.")
    until_local: str | None
    resolutions: list[str]
    methods: list[str]
    freight: FreightOut
    evidence: list[EvidenceOut]
    because: list[dict[str, Any]]
    flips_if: list[dict[str, Any]] = Field(
        description="The smallest changes that would turn a refusal."
    )


class ReturnableLineOut(Out):
    line: LineId
    title: str
    delivered: int
    open: int = Field(description="Units in returns, and units returned before.")
    returned_elsewhere: int
    left: int
    reasons: list[ReasonOut]


class ReturnableOut(Out):
    model_config = example(
        {
            "order": _ORD,
            "number": "#1001",
            "currency": "EUR",
            "policy_version": _PV,
            "lines": [
                {
                    "line": _LI,
                    "title": "Field jacket, M",
                    "delivered": 2,
                    "open": 1,
                    "returned_elsewhere": 0,
                    "left": 1,
                    "reasons": [
                        {
                            "reason": "size_too_small",
                            "eligible": True,
                            "until": "2026-12-06T22:59:59Z",
                            "until_local": "2026-12-06, end of day, Europe/Berlin",
                            "resolutions": ["refund", "exchange"],
                            "methods": ["post", "dropoff"],
                            "freight": {"payer": "buyer", "fee": 490},
                            "evidence": [],
                            "because": [],
                            "flips_if": [],
                        }
                    ],
                }
            ],
        }
    )

    order: OrderId
    number: str
    currency: str
    policy_version: PolicyVersionId
    lines: list[ReturnableLineOut]
