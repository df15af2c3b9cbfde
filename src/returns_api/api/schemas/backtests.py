"""Shapes of back-tests and their reports."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from returns_api.api.schemas.base import (
    BacktestId,
    In,
    Moment,
    Out,
    PolicyVersionId,
    example,
    example_id,
)
from returns_api.api.schemas.runs import RunState
from returns_api.api.schemas.times import MomentIn

_BACKTEST: Final = {
    "id": example_id("bt"),
    "policy_version": example_id("pv"),
    "digest": "sha256:178ad2d21d95334e60663505866b1973268bc6a027c4b9284709cc6e751670e6",
    "against": None,
    "opened_from": "2025-11-21T00:00:00Z",
    "opened_until": "2026-11-21T00:00:00Z",
    "state": "running",
    "total": 48210,
    "done": 31500,
    "failure": None,
    "created_at": "2026-11-21T09:12:44Z",
    "finished_at": None,
}
_GROUP: Final = {
    "name": "changed_mind",
    "lines": 30120,
    "turns": {"closed": 1204, "stricter": 9011},
    "money": {"EUR": -8120400},
}
_REPORT: Final[dict[str, Any]] = {
    "format": "returns-backtest/1",
    "returns": 48210,
    "lines": 61044,
    "replayed": 48210,
    "differing": 0,
    "differing_returns": [],
    "flipped": 1310,
    "turns": {
        "opened": 106,
        "closed": 1204,
        "kinder": 0,
        "stricter": 9011,
        "reviewed": 0,
        "waved_through": 0,
    },
    "changes": {"freight": 9011, "methods": 9011, "resolutions": 1204},
    "money": {"EUR": {"more_minor": 90100, "less_minor": 8210500, "net_minor": -8120400}},
    "by": {"reason": [_GROUP], "tier": [], "country": [], "sku": []},
    "most_affected": [
        {
            "return": "#1001-R1",
            "currency": "EUR",
            "delta_minor": -59900,
            "lines": [
                {
                    "sku": "JKT-M-OLIVE",
                    "reason": "changed_mind",
                    "turn": "closed",
                    "delta_minor": -59900,
                    "before": {"granted": True, "because": []},
                    "after": {
                        "granted": False,
                        "because": [{"code": "window_over", "rule": "house"}],
                    },
                }
            ],
        }
    ],
}


class BacktestIn(In):
    """Which version is to be tried on which returns."""

    model_config = example(
        {
            "policy_version": example_id("pv"),
            "opened_from": "2025-11-21T00:00:00Z",
            "opened_until": "2026-11-21T00:00:00Z",
        }
    )

    policy_version: PolicyVersionId = Field(description="The draft, or any other version.")
    against: PolicyVersionId | None = Field(
        None, description="Left out: each return against the version that it was opened under."
    )
    opened_from: MomentIn | None = Field(None, description="Left out: from the first return on.")
    opened_until: MomentIn | None = Field(None, description="Left out: until now.")


class BacktestOut(Out):
    """How far a back-test is."""

    model_config = example(_BACKTEST)

    id: BacktestId
    policy_version: PolicyVersionId
    digest: str = Field(description="Of the document as it was when the back-test was begun.")
    against: PolicyVersionId | None
    opened_from: Moment | None
    opened_until: Moment
    state: RunState
    total: int = Field(description="Returns to compare.")
    done: int
    failure: str | None
    created_at: Moment
    finished_at: Moment | None


class TurnsOut(Out):
    """Lines by what becomes of them."""

    opened: int = Field(description="Refused before, taken back under the draft.")
    closed: int = Field(description="Taken back before, refused under the draft.")
    kinder: int = Field(description="More money for the buyer.")
    stricter: int = Field(description="Less money for the buyer.")
    reviewed: int = Field(description="The same money, but a person looks at it first.")
    waved_through: int = Field(description="The same money, but nobody looks at it first.")


class MovedOut(Out):
    """Money that moves, in minor units; towards the buyer is positive."""

    more_minor: int
    less_minor: int
    net_minor: int


class BacktestGroupOut(Out):
    name: str
    lines: int
    turns: dict[str, int]
    money: dict[str, int] = Field(description="Net by currency, in minor units.")


class BacktestGroupsOut(Out):
    """At most 100 of each, the most affected first."""

    reason: list[BacktestGroupOut]
    tier: list[BacktestGroupOut]
    country: list[BacktestGroupOut]
    sku: list[BacktestGroupOut]


class AffectedOut(Out):
    """One return with what becomes of its lines."""

    return_: str = Field(alias="return", description="The return's number.")
    currency: str
    delta_minor: int
    lines: list[dict[str, Any]]


class BacktestReportOut(Out):
    """What the draft would have changed."""

    model_config = example(_REPORT)

    format: str
    returns: int
    lines: int
    replayed: int = Field(
        description="Returns whose stored decision came out byte for byte the same again."
    )
    differing: int = Field(description="Returns of which it did not; always 0.")
    differing_returns: list[str] = Field(description="The numbers of ten of them.")
    flipped: int = Field(description="Lines that were opened or closed.")
    turns: TurnsOut
    changes: dict[str, int] = Field(
        description="Lines by the part of the outcome that differs, also where no money moves."
    )
    money: dict[str, MovedOut] = Field(description="By currency.")
    by: BacktestGroupsOut
    most_affected: list[AffectedOut]


class BacktestDetailOut(BacktestOut):
    """A back-test with its report."""

    model_config = example(
        {
            **_BACKTEST,
            "state": "succeeded",
            "done": 48210,
            "finished_at": "2026-11-21T09:13:05Z",
            "report": _REPORT,
        }
    )

    report: BacktestReportOut | None


class BacktestsOut(Out):
    """A page of back-tests, newest first."""

    model_config = example({"items": [_BACKTEST], "next_cursor": None})

    items: list[BacktestOut]
    next_cursor: str | None
