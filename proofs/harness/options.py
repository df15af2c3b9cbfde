"""What every proof and bench is asked on its command line, and the seed that draws a run again."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from secrets import randbits

from proofs.harness.report import say

SEED_BITS = 32


def asked(
    name: str, about: str | None, *, seed: str | None = None, keep: bool = False
) -> ArgumentParser:
    """The parser of ``script/{name}`` with ``--json``; with ``--seed`` where ``seed`` says what it
    draws, with ``--keep`` where processes leave logs and data."""
    parser = ArgumentParser(
        prog=f"script/{name}", description=about, formatter_class=RawDescriptionHelpFormatter
    )
    if seed is not None:
        parser.add_argument("--seed", type=int, help=seed)
    if keep:
        parser.add_argument("--keep", action="store_true", help="keep logs and data")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


def seed_of(options: Namespace) -> int:
    """The seed of this run: as asked, or a new one. Said at once, so that a run that dies can be
    played again."""
    seed: int = randbits(SEED_BITS) if options.seed is None else options.seed
    say(f"seed {seed}")
    return seed
