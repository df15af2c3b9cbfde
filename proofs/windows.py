"""Proof T17: return windows end where an independent reading of the zone files says.

``python -m proofs.windows --json`` draws random (zone, delivery, days) and compares the engine's
calendar, and a compiled policy's ``until``, with ``windows_reference``. Corners are drawn on
purpose: around every clock change of twenty zones, 29 February, Lord Howe (30 minutes), Apia
2011-12-30 (a day that never was), midnights that are skipped or happen twice, and year 9999.

Also checks eligibility itself: one second before the end is in time, the end is too late. Prints
its seed; exits 1 on any mismatch or a corner that was never met.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from proofs import windows_reference as reference
from proofs.harness.options import asked, seed_of

from returns_api.domain.calendars import (
    Unit,
    WorkingDays,
    add,
    day_end,
    find_zone,
    local_date,
    zone_names,
)
from returns_api.domain.policy import Facts, Law, Policy, compile_policy, load_policy

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CHANGING: Final = (
    "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles",
    "America/Havana", "America/Santiago", "America/Asuncion", "America/Sao_Paulo",
    "America/St_Johns", "Africa/Casablanca", "Africa/Cairo", "Asia/Beirut", "Asia/Jerusalem",
    "Asia/Tehran", "Asia/Amman", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Apia", "Atlantic/Azores", "America/Scoresbysund",
)  # fmt: skip
DAYS: Final = (0, 1, 7, 14, 30, 60, 90, 365, 730)
SHOWN: Final = 10
NO_LAW: Final = Law((), {})
_ALL: Final = tuple(sorted(zone_names()))
_YEARS: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    mismatches: list[str] = []
    for number in range(options.cases):
        mismatches += check_case(seed, number, counts)
        if number % 500 == 0:
            _bar(number, options.cases)
    _bar(options.cases, options.cases)
    for line in mismatches[:SHOWN]:
        print(line)
    unmet = [name for name in CORNERS if not counts[name]] if options.cases >= 20_000 else []
    report = {
        "proof": "windows",
        "ok": not mismatches and not unmet,
        "seed": seed,
        "cases": options.cases,
        "mismatches": len(mismatches),
        "never_met": unmet,
        "zones": len([name for name in counts if "/" in name]),
        **{name: counts[name] for name in CORNERS},
        "seconds": round(time.monotonic() - started, 1),
    }
    text = "\n".join(f"{name}: {value}" for name, value in report.items())
    print(json.dumps(report) if options.json else text, flush=True)
    return 0 if report["ok"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof windows", __doc__, seed="replay a run")
    parser.add_argument("--cases", type=int, default=100_000)
    return parser.parse_args(arguments)


def _instant(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def _random_case(random: Random) -> tuple[str, datetime, int, str]:
    """A zone, a delivery, a number of days, and the corner it was drawn for."""
    kind = random.choice(("any", "any", "change", "change", "leap", "apia", "late"))
    days = random.choice((*DAYS, random.randint(0, 400)))
    low, high = _YEARS
    span = int((high - low).total_seconds())
    if kind == "any":
        return random.choice(_ALL), low + timedelta(seconds=random.randrange(span)), days, "any"
    if kind == "change":
        return (*_near_change(random, days), "change")
    if kind == "leap":
        year = random.choice((2024, 2028, 2000, 2100, 2026))
        end = datetime(year, 2, 28, tzinfo=UTC) + timedelta(hours=random.randint(-26, 50))
        return random.choice(CHANGING), end - timedelta(days=days), days, "leap"
    if kind == "apia":
        delivered = datetime(2011, 12, 30, tzinfo=UTC) + timedelta(hours=random.randint(-200, 60))
        return "Pacific/Apia", delivered, random.randint(0, 10), "apia"
    delivered = datetime(9999, 12, 1, tzinfo=UTC) + timedelta(hours=random.randrange(720))
    return random.choice(CHANGING), delivered, random.randint(0, 40), "late"


def _near_change(random: Random, days: int) -> tuple[str, datetime, int]:
    """A delivery whose window ends within two days of a change of the clocks."""
    name = random.choice(CHANGING)
    low, high = (int((edge - EPOCH).total_seconds()) for edge in _YEARS)
    changes = [start for start in reference.zone(name).starts if low <= start < high]
    if not changes:
        return name, _instant(random.randrange(low, high)), days
    near = random.choice(changes) + random.randint(-2 * 86_400, 2 * 86_400)
    return name, _instant(near) - timedelta(days=days), days


CORNERS: Final = (
    "any", "change", "leap", "apia", "late", "midnight_skipped", "midnight_twice", "no_end",
    "half_hour_change", "day_that_never_was",
)  # fmt: skip


def check_case(seed: int, number: int, counts: Counter[str]) -> list[str]:
    """One case against the reference; the problems found."""
    random = Random(f"{seed}:{number}")
    name, delivered, days, kind = _random_case(random)
    counts[kind] += 1
    counts[name] += 1
    zone, other = find_zone(name), reference.zone(name)
    assert zone is not None
    begun = other.local_day(int((delivered - EPOCH).total_seconds()))
    problems = []
    if (local_date(delivered, zone) - date(1970, 1, 1)).days != begun:
        problems.append("the local date of the delivery")
    end = add(local_date(delivered, zone), days, Unit.DAYS, WorkingDays())
    last = begun + days
    if last > reference.days_from_civil(9999, 12, 30):
        counts["no_end"] += 1
        found = None if end is None else day_end(end, zone)
        return [] if found is None else [f"case {number}: ends after the end of time"]
    expected = other.over(last)
    found = day_end(end, zone) if end is not None else None
    if found is None or found.over != _instant(expected):
        problems.append(f"{name} {delivered} +{days}: {found} is not {_instant(expected)}")
    _count_corner(other, last, expected, counts)
    problems += _check_policy(name, delivered, days, _instant(expected))
    return [f"case {number} (--seed {seed}): {problem}" for problem in problems]


def _count_corner(zone: reference.Zone, day: int, over: int, counts: Counter[str]) -> None:
    """Whether something odd happened at the end of ``day``."""
    near = [n for n, start in enumerate(zone.starts) if n and abs(start - over) <= 7_200]
    for n in near:
        change = zone.offsets[n] - zone.offsets[n - 1]
        counts["half_hour_change"] += abs(change) == 1_800
        counts["day_that_never_was"] += change >= 86_400
        counts["midnight_skipped"] += change > 0 and zone.starts[n] == over
        local = zone.starts[n] + zone.offsets[n - 1]
        midnight = (day + 1) * 86_400
        counts["midnight_twice"] += change < 0 and local + change <= midnight < local


_POLICIES: dict[tuple[str, int], Policy] = {}


def _policy(name: str, days: int) -> Policy:
    key = (name, days)
    if key not in _POLICIES:
        if len(_POLICIES) > 2_000:
            _POLICIES.clear()
        rule = {"id": "all", "resolutions": {"exchange": f"{days} days"}, "starts": "delivered"}
        text = {"policy": "returns-policy/v1", "name": "T17", "timezone": name,
                "currency": "EUR", "rules": [rule]}  # fmt: skip
        _POLICIES[key] = compile_policy(load_policy(json.dumps(text), NO_LAW), NO_LAW)
    return _POLICIES[key]


def _check_policy(name: str, delivered: datetime, days: int, over: datetime) -> list[str]:
    """A second before the end is in time; the end is too late."""
    policy = _policy(name, days)
    facts = Facts("changed_mind", "EUR", delivered, over, delivered_at=delivered)
    problems = []
    if policy.decide(facts).eligible:
        problems.append(f"{name} {delivered} +{days}: eligible at {over}")
    in_time = policy.decide(replace(facts, asked_at=over - timedelta(microseconds=1)))
    if not in_time.eligible or in_time.resolutions[0].until != over - timedelta(seconds=1):
        problems.append(f"{name} {delivered} +{days}: not eligible just before {over}")
    return problems


def _bar(done: int, whole: int) -> None:
    if sys.stderr.isatty() and whole:
        filled = 40 * done // whole
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{whole} cases{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
