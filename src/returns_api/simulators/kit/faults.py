"""Which fault fires when: by script, else by seeded chance; every one that fired is counted.

Owns the choice and the counters. The choice for a call depends on the seed, on what the call is
about and on how often that was called, never on the order in which calls of others arrive, so a
run with the same seed meets the same faults.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from .store import Store
from .web import Problem

TRANSPORT = (
    "reset_before",
    "reset_after",
    "error_before",
    "error_after",
    "hang_before",
    "hang_after",
    "drip",
    "rate_limited",
    "key_in_use",
    "truncate",
    "flood",
    "bomb",
    "garbage",
    "nan",
    "redirect",
    "wrong_amount",
    "wrong_currency",
    "wrong_owner",
)
HOOKS = ("webhook_lost", "webhook_duplicate", "webhook_shuffled", "webhook_first")
CHAOS = TRANSPORT[:9]
"""What ``"chaos": 0.3`` spreads its rate over: what providers do when they are merely unwell."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS fired (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with one call. ``seconds`` is how long a hang lasts."""

    transport: str | None = None
    life: str | None = None
    hooks: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class Settings:
    """All that a control call can set; see ``docs/adapters.md`` for the meaning of each."""

    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    hang_seconds: tuple[float, float] = (0.0, 60.0)
    life_seconds: float = 2.0
    shuffle_seconds: float = 3.0
    retry_after_seconds: int = 1
    key_ttl_seconds: float | None = 86_400.0
    idempotency: bool = True
    lenient: bool = True
    auto_walk: bool = False


class Plan:
    """Draws faults. ``lives`` names the simulator's own faults of a thing's later life."""

    def __init__(self, store: Store, lives: Sequence[str]) -> None:
        self.settings = Settings()
        self._store = store
        self._lives = tuple(lives)
        self._script: list[dict[str, Any]] = []
        self._calls: Counter[tuple[str, str]] = Counter()
        self._fired = Counter({row["name"]: row["n"] for row in store.rows("SELECT * FROM fired")})
        saved = store.row("SELECT json FROM settings")
        if saved is not None:
            self.configure(orjson.loads(saved["json"]))

    @property
    def names(self) -> tuple[str, ...]:
        """Every fault that exists here."""
        return (*TRANSPORT, *HOOKS, *self._lives)

    @property
    def fired(self) -> dict[str, int]:
        """How often each fault fired since the last reset; those that never did are 0."""
        return {name: self._fired[name] for name in self.names}

    def configure(self, wanted: Mapping[str, Any]) -> None:
        """Replace all settings. ``chaos`` is a total rate; ``rates`` adds to or overrides it."""
        known = set(Settings.__dataclass_fields__) | {"chaos"}
        if unknown := set(wanted) - known:
            raise Problem(400, {"error": f"unknown settings: {sorted(unknown)}"})
        chaos = float(wanted.get("chaos", 0))
        rates = dict.fromkeys(CHAOS, chaos / len(CHAOS)) if chaos else {}
        rates.update(wanted.get("rates", {}))
        self._check_names(rates)
        rest = {name: value for name, value in wanted.items() if name not in {"rates", "chaos"}}
        self.settings = Settings(rates=rates, **rest)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO settings VALUES (1, ?)", (orjson.dumps(wanted).decode(),)
            )

    def extend_script(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Append faults for the next calls: ``{"fault": name, "on": kind, "seconds": n}``.

        ``faults`` instead of ``fault`` names several at once, ``"none"`` a call that goes well.
        Each step is used up by the first call of its kind (``refund`` or ``label`` when missing,
        ``any`` for whichever comes).
        """
        for step in steps:
            names = [*step.get("faults", ()), *([step["fault"]] if "fault" in step else [])]
            self._check_names([name for name in names if name != "none"])
            self._script.append({**step, "names": names})

    def draw(self, kind: str, key: str, *, main: bool) -> Faults:
        """The faults of this call. ``main`` marks the kind that scripts mean by default."""
        if not self._script and not self.settings.rates:
            return Faults()
        step = self._next_step(kind, main=main)
        chance = self._chance(kind, key)
        if step is None:
            return self._by_chance(chance)
        names = step["names"]
        return Faults(
            transport=next((name for name in names if name in TRANSPORT), None),
            life=next((name for name in names if name in self._lives), None),
            hooks=tuple(name for name in names if name in HOOKS),
            seconds=float(step.get("seconds", self._hang(chance))),
        )

    def count(self, *names: str) -> None:
        """Note that a fault did fire, durably: a run that met none of them proves nothing."""
        with self._store.transaction() as db:
            for name in names:
                self._fired[name] += 1
                db.execute("INSERT OR REPLACE INTO fired VALUES (?, ?)", (name, self._fired[name]))

    def delay(self, key: str) -> float:
        """Seconds by which a shuffled webhook is late."""
        return self._chance("shuffle", key).uniform(0, self.settings.shuffle_seconds)

    def reset(self) -> None:
        """Back to no faults, no script, all counters 0."""
        self._store.wipe("fired", "settings")
        self.settings = Settings()
        self._script.clear()
        self._calls.clear()
        self._fired.clear()

    def _next_step(self, kind: str, *, main: bool) -> dict[str, Any] | None:
        for position, step in enumerate(self._script):
            on = step.get("on")
            if on in {kind, "any"} or (on is None and main):
                return self._script.pop(position)
        return None

    def _chance(self, kind: str, key: str) -> random.Random:
        self._calls[kind, key] += 1
        return random.Random(f"{self.settings.seed}:{kind}:{key}:{self._calls[kind, key]}")  # noqa: S311

    def _by_chance(self, chance: random.Random) -> Faults:
        rates = self.settings.rates
        if not rates:
            return Faults()
        return Faults(
            transport=_pick(chance, rates, TRANSPORT),
            life=_pick(chance, rates, self._lives),
            hooks=tuple(name for name in HOOKS if chance.random() < rates.get(name, 0)),
            seconds=self._hang(chance),
        )

    def _hang(self, chance: random.Random) -> float:
        low, high = self.settings.hang_seconds
        return chance.uniform(low, high)

    def _check_names(self, names: Mapping[str, float] | Sequence[str]) -> None:
        if unknown := [name for name in names if name not in self.names]:
            raise Problem(400, {"error": f"unknown faults: {unknown}", "known": list(self.names)})


def _pick(chance: random.Random, rates: Mapping[str, float], names: Sequence[str]) -> str | None:
    roll = chance.random()
    for name in names:
        roll -= rates.get(name, 0)
        if roll < 0:
            return name
    return None
