"""Where local days end, a second time: from the bytes of the zone files, in plain integers.

Reads TZif (RFC 9636) and the POSIX rule in its footer itself; shares neither ``zoneinfo`` nor
``datetime`` nor the calendar code with the engine. A zone is a list of stretches of time with one
offset each; the end of a local day is the last instant, over all stretches, at which the local date
is not yet a later one. Seconds count from 1970-01-01T00:00Z, days from 1970-01-01.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from importlib import resources

DAY = 86_400
LAST_YEAR = 9999

_RULE = re.compile(
    r"(?P<std><[^>]+>|[A-Za-z]+)(?P<stdoff>[-+]?[0-9:]+)"
    r"(?:(?P<dst><[^>]+>|[A-Za-z]+)(?P<dstoff>[-+]?[0-9:]+)?,(?P<start>[^,]+),(?P<end>.+))?"
)


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the proleptic Gregorian calendar."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """The date that is ``days`` after 1970-01-01."""
    days += 719_468
    era = days // 146_097
    of_era = days - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


def _clock(text: str) -> int:
    """``[+-]h[:mm[:ss]]`` in seconds."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _change_day(rule: str, year: int) -> int:
    """The day of a POSIX change rule in ``year``, without its time."""
    if rule.startswith("M"):
        month, week, weekday = (int(part) for part in rule[1:].split("."))
        first = days_from_civil(year, month, 1)
        found = first + (weekday - (first + 4) % 7) % 7 + (week - 1) * 7
        after = days_from_civil(year + month // 12, month % 12 + 1, 1)
        return found if found < after else found - 7
    start = days_from_civil(year, 1, 1)
    if rule.startswith("J"):
        number = int(rule[1:])
        return start + number - 1 + (_is_leap(year) and number >= 60)
    return start + int(rule)


@dataclass(frozen=True, slots=True)
class Zone:
    """Stretches of time: ``offsets[n]`` holds from ``starts[n]`` until ``starts[n + 1]``."""

    starts: tuple[int, ...]
    offsets: tuple[int, ...]

    def local_day(self, instant: int) -> int:
        """The local date at ``instant``."""
        return (instant + self.offsets[max(bisect_right(self.starts, instant) - 1, 0)]) // DAY

    def over(self, day: int) -> int:
        """The first instant from which on every local date is later than ``day``."""
        midnight = (day + 1) * DAY
        low = max(bisect_right(self.starts, midnight - 2 * DAY) - 1, 0)
        found = None
        for n in range(low, len(self.starts)):
            start = self.starts[n]
            if start > midnight + 2 * DAY:
                break
            end = self.starts[n + 1] if n + 1 < len(self.starts) else None
            until = midnight - self.offsets[n]
            if until > start or n == 0:
                found = until if end is None else min(until, end)
        assert found is not None
        return found


@cache
def zone(name: str) -> Zone:
    """The zone, with the changes of its footer written out to the last year."""
    data = resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    counts = struct.unpack(">6l", data[20:44])
    isut, isstd, leap, times, types, chars = counts
    first = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    isut, isstd, leap, times, types, chars = struct.unpack(">6l", data[first + 20 : first + 44])
    at = first + 44
    transitions = list(struct.unpack(f">{times}q", data[at : at + times * 8]))
    at += times * 8
    kinds = list(data[at : at + times])
    at += times
    offsets = [struct.unpack(">l", data[at + n * 6 : at + n * 6 + 4])[0] for n in range(types)]
    at += types * 6 + chars + leap * 12 + isstd + isut
    footer = data[at:].strip(b"\n").decode()
    starts = [-(10**12), *transitions]
    found = [offsets[0], *(offsets[kind] for kind in kinds)]
    for start, offset in _footer(footer, transitions[-1] if transitions else -(10**12)):
        starts.append(start)
        found.append(offset)
    return Zone(tuple(starts), tuple(found))


def _footer(text: str, after: int) -> list[tuple[int, int]]:
    """Changes by the POSIX rule after the last one that the file lists."""
    match = _RULE.fullmatch(text)
    if match is None:
        return []
    standard = -_clock(match["stdoff"])
    if match["dst"] is None:
        return [(after, standard)] if after > -(10**12) else []
    summer = -_clock(match["dstoff"]) if match["dstoff"] else standard + 3600
    year = max(civil_from_days(after // DAY)[0], 1970)
    found = []
    for current in range(year, LAST_YEAR + 1):
        for rule, before, offset in (
            (match["start"], standard, summer),
            (match["end"], summer, standard),
        ):
            day, _, time = rule.partition("/")
            local = _change_day(day, current) * DAY + _clock(time or "2")
            if local - before > after:
                found.append((local - before, offset))
    return sorted(found)
