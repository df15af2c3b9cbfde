"""How far something is, for whoever waits at a terminal; and waiting for the end of a run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import typer

from returns_api.cli.output import Failure
from returns_api.cli.policy_remote import ask

if TYPE_CHECKING:
    import httpx

POLL_SECONDS: Final = 0.5


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere; told (done, total)."""
    with typer.progressbar(
        length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty(), show_pos=True
    ) as shown:

        def tell(done: int, total: int) -> None:
            shown.length = max(total, done, 1)
            shown.update(done - shown.pos)

        yield tell


def follow(http: httpx.Client, path: str, label: str, seconds: float) -> dict[str, Any]:
    """A run at its end, with a bar meanwhile. Raises ``Failure`` when it does not end in time."""
    end = time.monotonic() + seconds
    with bar(label) as tell:
        while True:
            run: dict[str, Any] = ask(http, "GET", path).json()
            tell(run["done"], run["total"])
            if run["state"] in {"succeeded", "failed"}:
                return run
            if time.monotonic() > end:
                raise Failure(
                    f"{run['id']} is not at its end after {seconds:.0f} s; it goes on there."
                )
            time.sleep(POLL_SECONDS)
