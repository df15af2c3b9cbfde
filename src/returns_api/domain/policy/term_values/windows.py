"""What a buyer can get and for how long, and what its window counts from.

Owns resolutions, windows and starts; refuses to own when they end for a case (``policy.windows``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from returns_api.domain.calendars import Unit
from returns_api.domain.policy.conditions import only_keys
from returns_api.domain.policy.term_values._reading import UNLIMITED, one_member
from returns_api.domain.policy.values import (
    BadValue,
    Duration,
    read_date,
    read_duration,
    read_ppm,
    write_ppm,
)
from returns_api.domain.policy.vocabulary import (
    RepairCost,
    ResolutionKind,
    StartEvent,
)


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
    cost = one_member(RepairCost, raw["cost"], "a cost") if "cost" in raw else RepairCost.FREE
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
    event = one_member(StartEvent, name.strip(), "an event that a window can start from")
    if not plus:
        return Start(event)
    duration = read_duration(period.strip())
    if duration.unit is Unit.HOURS:
        raise BadValue("A window starts with a day, not with an hour.", "Write it in days.")
    return Start(event, duration)
