"""When the money is due: the first of the merchant's and the law's clocks to end.

Owns the arithmetic of ``RefundDue``. Refuses to own what has happened (the caller knows) and what
follows from being late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from returns_api.domain.policy.decisions import Decision, RefundDue
from returns_api.domain.policy.vocabulary import RefundAt


def refund_due(decision: Decision, happened: Mapping[RefundAt, datetime]) -> datetime | None:
    """The latest instant at which the refund is in time; None while no clock runs.

    ``happened`` holds the instants of the events so far. A clock that may wait for another event
    (``not_before``) runs only once that has happened, and then ends no earlier than it.
    """
    ends = [end for clock in decision.refund_due if (end := _end(clock, happened)) is not None]
    return min(ends, default=None)


def _end(clock: RefundDue, happened: Mapping[RefundAt, datetime]) -> datetime | None:
    began = happened.get(clock.after)
    if began is None:
        return None
    end = began + timedelta(seconds=clock.within_seconds)
    if clock.not_before is None:
        return end
    allowed = happened.get(clock.not_before)
    return None if allowed is None else max(end, allowed)
