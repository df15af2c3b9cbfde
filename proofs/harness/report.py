"""How a proof ends: figures last, one JSON object on the last line when asked, an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any


def say(text: str) -> None:
    """A line about progress; on standard error, so that standard output stays the result."""
    print(text, file=sys.stderr, flush=True)


def finish(figures: Mapping[str, Any], *, as_json: bool) -> int:
    """Print the figures; returns the exit code, 0 only when ``figures["ok"]``."""
    if as_json:
        print(json.dumps(figures, default=str), flush=True)
    else:
        for name, value in figures.items():
            print(f"{name}: {_text(value)}", flush=True)
    return 0 if figures["ok"] else 1


def machine() -> dict[str, Any]:
    """What a figure of speed means nothing without."""
    return {"cores": os.cpu_count(), "load_1m": round(os.getloadavg()[0], 2)}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"\n  {name}: {inner}" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"\n  {inner}" for inner in value) or "none"
    return str(value)
