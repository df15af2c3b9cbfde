"""The values that a rule's terms can take, how they are read and how they are written back.

A term is one promise of the policy (see ``document.Terms``). Owns the shapes; refuses to own who
wins when several rules or laws speak (``merge``) and what a value means for a case (``evaluate``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from returns_api.domain.calendars import Unit
from returns_api.domain.policy.conditions import only_keys
from returns_api.domain.policy.values import (
    Amount,
    BadValue,
    Duration,
    one_of,
    read_amount,
    read_date,
    read_duration,
    read_elapsed,
    read_ppm,
    write_ppm,
)
from returns_api.domain.policy.vocabulary import (
    EvidenceKind,
    Grade,
    MethodKind,
    OnSilence,
    RefundAt,
    RepairCost,
    ResolutionKind,
    StartEvent,
)

UNLIMITED: Final = "unlimited"
MAX_PROOFS: Final = 20

_E = TypeVar("_E", bound=StrEnum)


def _enum(kind: type[_E], raw: object, what: str) -> _E:
    return kind(one_of(raw, tuple(member.value for member in kind), what))


@dataclass(frozen=True, slots=True)
class Window:
    """How long: a period from the start, up to a fixed day, or (both None) for ever."""

    period: Duration | None = None
    until: date | None = None

    def written(self) -> str:
        """As an author writes it."""
        if self.period is not None:
            return str(self.period)
        return f"until {self.until.isoformat()}" if self.until else UNLIMITED


def read_window(raw: object) -> Window:
    """``30 days``, ``10 business days``, ``until 2027-01-31`` or ``unlimited``."""
    if raw == UNLIMITED:
        return Window()
    if isinstance(raw, str) and raw.startswith("until "):
        return Window(until=read_date(raw.removeprefix("until ").strip()))
    period = read_duration(raw)
    if period.unit is Unit.HOURS:
        raise BadValue("A window ends with a day, not with an hour.", 'Write it in days: "2 days".')
    return Window(period)


@dataclass(frozen=True, slots=True)
class ResolutionTerm:
    """One thing the buyer can get, and until when."""

    kind: ResolutionKind
    window: Window
    bonus_ppm: int = 0
    cost: RepairCost = RepairCost.FREE

    def written(self) -> object:
        """As an author writes it."""
        parts: dict[str, object] = {"within": self.window.written()}
        if self.bonus_ppm:
            parts["bonus"] = write_ppm(self.bonus_ppm)
        if self.cost is not RepairCost.FREE:
            parts["cost"] = self.cost.value
        return parts if len(parts) > 1 else parts["within"]


@dataclass(frozen=True, slots=True)
class Resolutions:
    """All that the buyer can get, in the order of the enumeration."""

    items: tuple[ResolutionTerm, ...]

    def written(self) -> object:
        """As an author writes it."""
        return {item.kind.value: item.written() for item in self.items}


def read_resolutions(raw: Any) -> Resolutions:
    """``{refund: 30 days, store_credit: {within: 90 days, bonus: 10%}}``."""
    if isinstance(raw, Resolutions):
        return raw
    known = tuple(kind.value for kind in ResolutionKind)
    if not isinstance(raw, Mapping):
        raise BadValue("What the buyer can get is due here.", "Write {refund: 30 days}.")
    only_keys(raw, known)
    items = {ResolutionKind(name): _read_resolution(name, value) for name, value in raw.items()}
    return Resolutions(tuple(items[kind] for kind in ResolutionKind if kind in items))


def _read_resolution(name: str, raw: Any) -> ResolutionTerm:
    kind = ResolutionKind(name)
    if not isinstance(raw, Mapping):
        return ResolutionTerm(kind, read_window(raw))
    options = {ResolutionKind.STORE_CREDIT: "bonus", ResolutionKind.REPAIR: "cost"}
    only_keys(raw, ("within", *([options[kind]] if kind in options else [])))
    if "within" not in raw:
        raise BadValue(f"{name} does not say how long.", "Add within: 30 days.")
    bonus = read_ppm(raw["bonus"]) if "bonus" in raw else 0
    cost = _enum(RepairCost, raw["cost"], "a cost") if "cost" in raw else RepairCost.FREE
    return ResolutionTerm(kind, read_window(raw["within"]), bonus, cost)


@dataclass(frozen=True, slots=True)
class Start:
    """An event that a window can count from, with days that stand in for the way of the parcel."""

    event: StartEvent
    plus: Duration | None = None

    def written(self) -> str:
        """As an author writes it."""
        return f"{self.event.value} + {self.plus}" if self.plus else self.event.value


@dataclass(frozen=True, slots=True)
class Starts:
    """Windows count from the first of these events that is known."""

    items: tuple[Start, ...]

    def written(self) -> object:
        """As an author writes it."""
        return [item.written() for item in self.items]


DEFAULT_STARTS: Final = Starts(
    (Start(StartEvent.DELIVERED), Start(StartEvent.FULFILLED, Duration(7, Unit.DAYS)))
)


def read_starts(raw: Any) -> Starts:
    """``[delivered, fulfilled + 7 days]``: the first that is known."""
    if isinstance(raw, Starts):
        return raw
    items = tuple(_read_start(item) for item in (raw if isinstance(raw, list | tuple) else [raw]))
    events = [item.event for item in items]
    if not items or len(set(events)) != len(events):
        raise BadValue("Each event may stand here once.", "Write [delivered, fulfilled + 7 days].")
    return Starts(items)


def _read_start(raw: object) -> Start:
    name, plus, period = (raw if isinstance(raw, str) else str(raw)).partition("+")
    event = _enum(StartEvent, name.strip(), "an event that a window can start from")
    if not plus:
        return Start(event)
    duration = read_duration(period.strip())
    if duration.unit is Unit.HOURS:
        raise BadValue("A window starts with a day, not with an hour.", "Write it in days.")
    return Start(event, duration)


@dataclass(frozen=True, slots=True)
class ReturnShipping:
    """What the buyer pays for the way back: ``free``, ``own_cost``, one fee, or one by method.

    ``own_cost``: the buyer sends the parcel and pays the carrier; we charge nothing.
    """

    free: bool = False
    own_cost: bool = False
    fee: Amount | None = None
    by_method: tuple[tuple[MethodKind, Amount], ...] = ()

    def written(self) -> object:
        """As an author writes it."""
        if self.fee is not None:
            return self.fee.written()
        if self.by_method:
            return {method.value: amount.written() for method, amount in self.by_method}
        return "free" if self.free else "own_cost"


def read_return_shipping(raw: Any) -> ReturnShipping:
    """``free``, ``own_cost``, ``4.90``, ``{EUR: 4.90, …}`` or ``{post: 4.90, dropoff: 2.90}``."""
    if isinstance(raw, ReturnShipping):
        return raw
    if raw == "free":
        return ReturnShipping(free=True)
    if raw == "own_cost":
        return ReturnShipping(own_cost=True)
    methods = tuple(kind.value for kind in MethodKind)
    if isinstance(raw, Mapping) and not all(str(key).isupper() for key in raw):
        only_keys(raw, methods)
        fees = {MethodKind(name): read_amount(value) for name, value in raw.items()}
        return ReturnShipping(by_method=tuple((m, fees[m]) for m in MethodKind if m in fees))
    if isinstance(raw, str) and raw[:1].isalpha():
        raise BadValue(f"“{raw[:60]}” is not known here.", "Write free, own_cost or 4.90.")
    return ReturnShipping(fee=read_amount(raw))


@dataclass(frozen=True, slots=True)
class Grades:
    """What each grade costs the buyer, as a share of the price; None = not taken back."""

    items: tuple[tuple[Grade, int | None], ...]

    def written(self) -> object:
        """As an author writes it."""
        return {
            grade.value: "refused" if share is None else write_ppm(share)
            for grade, share in self.items
        }


def read_grades(raw: Any) -> Grades:
    """``{used_worn: 30%, damaged_buyer: refused}``; ``full`` is 0 % off."""
    if isinstance(raw, Grades):
        return raw
    if not isinstance(raw, Mapping):
        raise BadValue("Deductions by grade are due here.", "Write {used_worn: 30%}.")
    only_keys(raw, tuple(grade.value for grade in Grade))
    found = {Grade(name): _read_share(value) for name, value in raw.items()}
    return Grades(tuple((grade, found[grade]) for grade in Grade if grade in found))


def _read_share(raw: object) -> int | None:
    if raw == "refused":
        return None
    return 0 if raw == "full" else read_ppm(raw)


@dataclass(frozen=True, slots=True)
class EvidenceTerm:
    """Proofs the buyer must give, with the least number of each; empty = none."""

    items: tuple[tuple[EvidenceKind, int], ...]

    def written(self) -> object:
        """As an author writes it."""
        return {kind.value: number for kind, number in self.items} or "none"


def read_evidence(raw: Any) -> EvidenceTerm:
    """``none`` or ``{photo: 2, serial_number: 1}``."""
    if isinstance(raw, EvidenceTerm):
        return raw
    if raw == "none":
        return EvidenceTerm(())
    if not isinstance(raw, Mapping):
        raise BadValue("Proofs are due here.", "Write {photo: 1} or none.")
    only_keys(raw, tuple(kind.value for kind in EvidenceKind))
    found: dict[EvidenceKind, int] = {}
    for name, number in raw.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_PROOFS:
            raise BadValue(f"“{str(number)[:20]}” is not a number of proofs.",
                           f"Write 1 to {MAX_PROOFS}.")  # fmt: skip
        found[EvidenceKind(name)] = number
    return EvidenceTerm(tuple((kind, found[kind]) for kind in EvidenceKind if kind in found))


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
    found = tuple(_enum(MethodKind, item, "a way back") for item in items)
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
        on_silence=_enum(OnSilence, silence, "an outcome") if "on_silence" in raw else None,
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


def read_refund_at(raw: Any) -> RefundTiming:
    """``inspection``, or ``{at: first_scan, per_buyer: 300.00, per_day: 5000.00, …}``."""
    if isinstance(raw, RefundTiming):
        return raw
    if not isinstance(raw, Mapping):
        return RefundTiming(_enum(RefundAt, raw, "a moment of the refund"))
    only_keys(raw, ("at", "per_buyer", "per_day", "recover_within", "otherwise"))

    def read(key: str) -> Amount | None:
        return read_amount(raw[key]) if key in raw else None

    within = read_elapsed(raw["recover_within"]) if "recover_within" in raw else None
    other = raw.get("otherwise", RefundAt.INSPECTION.value)
    return RefundTiming(
        _enum(RefundAt, raw.get("at"), "a moment of the refund"), read("per_buyer"),
        read("per_day"), within, _enum(RefundAt, other, "a moment of the refund"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class InsuranceTerm:
    """Insurance of freight that the buyer pays: paid back up to ``cover``, less ``excess``."""

    cover: Amount
    excess: Amount | None = None

    def written(self) -> object:
        """As an author writes it."""
        parts: dict[str, object] = {"cover": self.cover.written()}
        if self.excess:
            parts["excess"] = self.excess.written()
        return parts


def read_insurance(raw: Any) -> InsuranceTerm:
    """``{cover: 12.00, excess: 2.00}``."""
    if isinstance(raw, InsuranceTerm):
        return raw
    if not isinstance(raw, Mapping):
        raise BadValue("The cover is due here.", "Write {cover: 12.00}.")
    only_keys(raw, ("cover", "excess"))
    if "cover" not in raw:
        raise BadValue("The insurance does not say how much it covers.", "Add cover: 12.00.")
    excess = read_amount(raw["excess"]) if "excess" in raw else None
    return InsuranceTerm(read_amount(raw["cover"]), excess)


@dataclass(frozen=True, slots=True)
class KeepItem:
    """When the buyer keeps the goods: never, always, or when the label costs over a share of them.

    ``label_over_ppm`` is that share of the price; None with ``always`` False means never.
    """

    always: bool = False
    label_over_ppm: int | None = None

    def written(self) -> object:
        """As an author writes it."""
        if self.label_over_ppm is not None:
            return {"label_over": write_ppm(self.label_over_ppm)}
        return "always" if self.always else "never"


def read_keep_item(raw: Any) -> KeepItem:
    """``never``, ``always`` or ``{label_over: 60%}``."""
    if isinstance(raw, KeepItem):
        return raw
    if isinstance(raw, Mapping):
        only_keys(raw, ("label_over",))
        return KeepItem(label_over_ppm=read_ppm(raw["label_over"]))
    return KeepItem(always=one_of(raw, ("never", "always"), "an answer") == "always")
