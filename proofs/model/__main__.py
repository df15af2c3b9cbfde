"""Proof: no life of a few orders breaks a promise (T18). ``script/proof model --json``.

Hypothesis draws sequences of steps: orders come, are edited and sent; returns are opened, decided,
received and inspected; refunds are asked by several people, approved, retried and canceled; the
bank fails, pends and fails late; money goes back elsewhere; webhooks come late, twice or never;
workers die; several things happen at once; time jumps. Each sequence plays in a database of its own
against the real use cases, PostgreSQL, bank and carrier. After **every** step all invariants N1-N11
are checked by the service's own audit and against the bank's ledger (``proofs.invariants``); at the
end of a sequence everything settles and both books have to be equal.

Prints its seed, which draws the same sequences again. ``--with-bug NAME`` runs on a copy of the
tree with a patch of ``proofs/seeded`` in it, and has to exit with 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.model.machine import Rules, machine_on
from proofs.model.play import Play
from proofs.model.scene import Scene, Tally, scene
from proofs.seeded.tree import rerun_with_bug

from returns_api import logs

BATCH: Final = 20
"""Sequences that Hypothesis draws with one seed; the next batch has the next seed."""
DEEP: Final = 6
"""Frames of a traceback that are told."""
ENOUGH: Final = 100
"""From so many sequences on, every kind of step must have been done."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if options.with_bug:
        rest = [each for each in (arguments or sys.argv[1:]) if each != options.with_bug]
        rest.remove("--with-bug")
        return rerun_with_bug(options.with_bug, "proofs.model", rest)
    drawn = seed_of(options)
    logs.configure("error")
    begun = time.monotonic()
    with scene() as place:
        tally = play(place, drawn, options.sequences, options.steps, options.minutes)
    return finish(_figures(tally, drawn, time.monotonic() - begun), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof model", __doc__, seed="draw the sequences of a run again")
    parser.add_argument("--sequences", type=int, default=500)
    parser.add_argument("--steps", type=int, default=50, help="of each sequence, at most")
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no step after that")
    parser.add_argument("--with-bug", metavar="NAME", help="must fail, see above")
    return parser.parse_args(arguments)


def play(place: Scene, drawn: int, sequences: int, steps: int, minutes: float = 600.0) -> Tally:
    """Play them, until the first violation, which the tally names."""
    tally = Tally(until=time.monotonic() + minutes * 60)
    number = 0
    while tally.sequences < sequences and not tally.over and not tally.violations:
        left = min(BATCH, sequences - tally.sequences)
        before = tally.sequences
        try:
            _batch(place, tally, drawn + number, left, steps)
        except Exception as broken:
            tally.violations += [f"seed {drawn + number}: {each}" for each in _causes(broken)]
        number += 1
        say(f"  {tally.sequences} sequences, {tally.steps} steps")
        if tally.sequences == before:
            break
    return tally


def _causes(broken: Exception) -> list[str]:
    """What went wrong, and where; what Hypothesis could not make happen again says what it was."""
    inner = getattr(broken, "exceptions", ())
    said = "".join(traceback.format_exception_only(broken)).strip()
    frames = traceback.extract_tb(broken.__traceback__)[-DEEP:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return [f"{said} ({where})", *(text for each in inner for text in _causes(each))]


def _batch(place: Scene, tally: Tally, drawn: int, sequences: int, steps: int) -> None:
    run_state_machine_as_test(
        seed(drawn)(machine_on(place, tally)),
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _figures(tally: Tally, drawn: int, seconds: float) -> dict[str, Any]:
    rules: dict[str, dict[str, int]] = defaultdict(dict)
    for name, count in sorted(tally.rules.items()):
        rule, _, outcome = name.rpartition(" ")
        rules[rule][outcome] = count
    never = [name for name in _steps() if not rules.get(name, {}).get("done")]
    lacking = never if tally.sequences >= ENOUGH else []
    return {
        "proof": "model",
        "ok": not tally.violations and not lacking and tally.steps > 0,
        "seed": drawn,
        **machine(),
        "seconds": round(seconds, 1),
        "sequences": tally.sequences,
        "steps": tally.steps,
        "checks_of_all_invariants": tally.checks,
        "kinds_of_steps": len(_steps()),
        "never_done": never,
        "rules": rules,
        "faults_fired": {name: count for name, count in tally.faults.items() if count},
        "violations": tally.violations,
    }


def _steps() -> list[str]:
    return sorted(name for name in vars(Rules) if name[0] != "_" and hasattr(Play, name))


if __name__ == "__main__":
    sys.exit(main())
