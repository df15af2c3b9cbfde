"""How a return is carried on: ways back, who says yes, deadlines, and what the refund follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from returns_api.domain.policy.conditions import only_keys
from returns_api.domain.policy.term_values._reading import UNLIMITED, one_member
from returns_api.domain.policy.values import (
    Amount,
    BadValue,
    Duration,
    one_of,
    read_amount,
    read_elapsed,
)
from returns_api.domain.policy.vocabulary import (
    MethodKind,
    OnSilence,
    RefundAt,
)


@dataclass(frozen=True, slots=True)
class Methods:
    """Ways back, the preferred one first."""

    items: tuple[MethodKind, ...]

    def written(self) -> object:
        """As an author writes it."""
        return [method.value for method in self.items]


def read_methods(raw: Any) -> Methods:
    """``[post, dropoff, pickup]``."""
    if isinstance(raw, Methods):
        return raw
    items = raw if isinstance(raw, list | tuple) else [raw]
    found = tuple(one_member(MethodKind, item, "a way back") for item in items)
    if not found or len(set(found)) != len(found):
        raise BadValue("Name each way back once.", "Write [post, dropoff].")
    return Methods(found)


@dataclass(frozen=True, slots=True)
class ApprovalTerm:
    """``auto``, or a person answers within a time, and what silence means."""

    auto: bool = False
    respond_within: Duration | None = None
    on_silence: OnSilence | None = None

    def written(self) -> object:
        """As an author writes it."""
        if self.auto:
            return "auto"
        parts: dict[str, object] = {}
        if self.respond_within:
            parts["respond_within"] = str(self.respond_within)
        if self.on_silence:
            parts["on_silence"] = self.on_silence.value
        return parts or "review"


def read_approval(raw: Any) -> ApprovalTerm:
    """``auto``, ``review``, or ``{respond_within: 48 hours, on_silence: approve}``."""
    if isinstance(raw, ApprovalTerm):
        return raw
    if isinstance(raw, str) or not isinstance(raw, Mapping):
        return ApprovalTerm(auto=one_of(raw, ("auto", "review"), "a way to approve") == "auto")
    only_keys(raw, ("respond_within", "on_silence"))
    within = read_elapsed(raw["respond_within"]) if "respond_within" in raw else None
    silence = raw.get("on_silence")
    return ApprovalTerm(
        respond_within=within,
        on_silence=one_member(OnSilence, silence, "an outcome") if "on_silence" in raw else None,
    )


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time to act within; None = no end."""

    within: Duration | None

    def written(self) -> str:
        """As an author writes it."""
        return str(self.within) if self.within else UNLIMITED

    @property
    def seconds(self) -> int | None:
        """Elapsed seconds, or None for no end."""
        return self.within.seconds if self.within else None


def read_deadline(raw: Any) -> Deadline:
    """``14 days``, ``48 hours`` or ``unlimited``."""
    if isinstance(raw, Deadline):
        return raw
    return Deadline(None) if raw == UNLIMITED else Deadline(read_elapsed(raw))


@dataclass(frozen=True, slots=True)
class RefundTiming:
    """When the refund falls due; before the goods are seen, only within limits.

    ``per_buyer`` and ``per_day`` bound what is out at once for one buyer and what the shop gives
    in a day; beyond them ``otherwise`` holds. Goods that have not come ``recover_within`` the time
    are charged back.
    """

    at: RefundAt
    per_buyer: Amount | None = None
    per_day: Amount | None = None
    recover_within: Duration | None = None
    otherwise: RefundAt = RefundAt.INSPECTION

    def written(self) -> object:
        """As an author writes it."""
        parts: dict[str, object] = {"at": self.at.value}
        if self.per_buyer:
            parts["per_buyer"] = self.per_buyer.written()
        if self.per_day:
            parts["per_day"] = self.per_day.written()
        if self.recover_within:
            parts["recover_within"] = str(self.recover_within)
        if self.otherwise is not RefundAt.INSPECTION:
            parts["otherwise"] = self.otherwise.value
        return parts if len(parts) > 1 else self.at.value


def read_exchange_at(raw: Any) -> RefundTiming:
    """``inspection``, or ``{at: first_scan, per_buyer: 300.00, per_day: 5000.00, …}``: when the new
    goods of an exchange go out. They wait for the judgement of the old ones, or for none."""
    if isinstance(raw, RefundTiming):
        return raw
    if isinstance(raw, Mapping):
        only_keys(raw, ("at", "per_buyer", "per_day", "recover_within"))
    timing = read_refund_at(raw)
    if timing.at is RefundAt.RECEIPT:
        raise BadValue("Goods of an exchange do not go out at receipt.", "Write inspection.")
    return timing


def read_refund_at(raw: Any) -> RefundTiming:
    """``inspection``, or ``{at: first_scan, per_buyer: 300.00, per_day: 5000.00, …}``."""
    if isinstance(raw, RefundTiming):
        return raw
    if not isinstance(raw, Mapping):
        return RefundTiming(one_member(RefundAt, raw, "a moment of the refund"))
    only_keys(raw, ("at", "per_buyer", "per_day", "recover_within", "otherwise"))

    def read(key: str) -> Amount | None:
        return read_amount(raw[key]) if key in raw else None

    within = read_elapsed(raw["recover_within"]) if "recover_within" in raw else None
    other = raw.get("otherwise", RefundAt.INSPECTION.value)
    return RefundTiming(
        one_member(RefundAt, raw.get("at"), "a moment of the refund"), read("per_buyer"),
        read("per_day"), within, one_member(RefundAt, other, "a moment of the refund"),
    )  # fmt: skip
