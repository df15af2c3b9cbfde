"""How the plain values of a document and of facts are read: amounts, shares, ranges, periods."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

Plain = dict[str, Any]

SECONDS = {"hour": 3_600, "day": 86_400, "week": 604_800}


@lru_cache(maxsize=1)
def law_files() -> tuple[list[Plain], dict[str, list[str]]]:
    """The packs and the groups of countries, read by plain PyYAML as text."""
    folder = resources.files("returns_api.domain.policy").joinpath("floors")
    packs, groups = [], {}
    for item in sorted(folder.iterdir(), key=lambda found: found.name):
        data = yaml.load(item.read_text("utf-8"), Loader=yaml.BaseLoader)
        if item.name == "places.yaml":
            groups = data["groups"]
        elif item.name.endswith(".yaml"):
            packs.append(data)
    return packs, groups


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def minor(amount: Any, currency: str, home: str) -> int | None:
    """An amount of the document in minor units of a currency with two digits."""
    if isinstance(amount, dict):
        text = amount.get(currency)
    else:
        text = amount if currency == home or float(amount) == 0 else None
    return None if text is None else round(float(text) * 100)


def in_range(value: int, asked: Plain, read: Any) -> bool:
    bounds = {name: read(raw) for name, raw in asked.items()}
    if any(bound is None for bound in bounds.values()):
        return False
    return (
        value >= bounds.get("min", value)
        and value <= bounds.get("max", value)
        and ("above" not in bounds or value > bounds["above"])
        and ("below" not in bounds or value < bounds["below"])
    )


def ppm(text: str) -> int:
    return round(float(text.rstrip("% ")) * 10_000)


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def seconds(period: str | None) -> float:
    if period is None or period == "unlimited":
        return float("inf")
    number, _, unit = period.partition(" ")
    return int(number) * SECONDS[unit.rstrip("s")]
