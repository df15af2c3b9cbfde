"""A history file against a draft, on every processor, with memory that does not grow with the file.

The file is read in batches of lines; each batch is tallied by another process, and few batches are
under way at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from returns_api.cli.policy_files import Unreadable

if TYPE_CHECKING:
    from returns_api.domain.backtests import Tally, Trial

LINE_MAX: Final = 1_000_000
"""Bytes of one line of a history."""
BATCH_BYTES: Final = 1_000_000
ALONE_BYTES: Final = 2_000_000
"""A file up to this size is done before other processes would have started."""

Batch = tuple[int, list[bytes]]
"""The number of the first line, and the lines."""
Told = Callable[[int], None]


class BadLine(Exception):
    """A line of a history that is none; made of its number and what is wrong."""


def tally_file(file: Path, before: bytes | None, after: bytes, tell: Told) -> Tally:
    """Tally a history file under two policies (canonical bytes); ``tell`` hears bytes done.

    Without a policy ``before``, the decisions that the file records take its place. Raises
    ``Unreadable`` naming the first bad line.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            batches = _batches(file, opened)
            if size <= ALONE_BYTES:
                return _alone(batches, before, after, tell)
            return _together(batches, before, after, tell)
    except BadLine as bad:
        raise Unreadable(file, f"line {bad.args[0]}: {bad.args[1]}") from None
    except OSError as error:
        raise Unreadable(file, f"{error.strerror or 'it cannot be read'}.") from None


def records_decisions(file: Path) -> bool:
    """Whether the first line with anything in it records what was decided."""
    import orjson  # noqa: PLC0415

    try:
        with file.open("rb") as opened:
            written = (line for _, batch in _batches(file, opened) for line in batch)
            first = next((line for line in written if not line.isspace()), b"{}")
        found = orjson.loads(first)
    except OSError as error:
        raise Unreadable(file, f"{error.strerror or 'it cannot be read'}.") from None
    except ValueError:
        return False  # said with its line when it is read
    lines = found.get("lines", [found]) if isinstance(found, dict) else []
    return any(isinstance(line, dict) and line.get("decision") is not None for line in lines)


def _batches(file: Path, opened: Any) -> Iterator[Batch]:
    first, number, lines, size = 1, 0, [], 0
    while line := opened.readline(LINE_MAX + 1):
        number += 1
        if len(line) > LINE_MAX:
            raise Unreadable(file, f"line {number}: it is longer than {LINE_MAX} bytes.")
        lines.append(line)
        size += len(line)
        if size >= BATCH_BYTES:
            yield first, lines
            first, lines, size = number + 1, [], 0
    if lines:
        yield first, lines


def _alone(batches: Iterator[Batch], before: bytes | None, after: bytes, tell: Told) -> Tally:
    from returns_api.domain.backtests import Tally  # noqa: PLC0415

    trial = _trial(before, after)
    whole, done = Tally(), 0
    for batch in batches:
        _count(whole, batch, trial)
        done += _size(batch)
        tell(done)
    return whole


def _together(batches: Iterator[Batch], before: bytes | None, after: bytes, tell: Told) -> Tally:
    from returns_api.domain.backtests import Tally  # noqa: PLC0415

    workers = max(2, os.cpu_count() or 1)
    whole, done = Tally(), 0
    under_way: dict[Future[dict[str, Any]], int] = {}
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_prepare, initargs=(before, after)
    ) as pool:
        try:
            for batch in batches:
                under_way[pool.submit(_tally, batch)] = _size(batch)
                if len(under_way) > 2 * workers:
                    done += _gather(whole, under_way)
                    tell(done)
            while under_way:
                done += _gather(whole, under_way)
                tell(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return whole


def _gather(whole: Tally, under_way: dict[Future[dict[str, Any]], int]) -> int:
    """Add up what is ready, waiting for the first; returns the bytes that it was made from."""
    ready, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in ready:
        whole.merge(future.result())
    return sum(under_way.pop(future) for future in ready)


def _size(batch: Batch) -> int:
    return sum(map(len, batch[1]))


_trials: list[Trial] = []
"""Of a worker process: compiled once when it starts."""


def _prepare(before: bytes | None, after: bytes) -> None:
    _trials.append(_trial(before, after))


def _trial(before: bytes | None, after: bytes) -> Trial:
    from returns_api.domain.backtests import Trial  # noqa: PLC0415
    from returns_api.domain.policy import compile_policy, restore_policy  # noqa: PLC0415

    old, new = (
        None if one is None else compile_policy(restore_policy(one)) for one in (before, after)
    )
    assert new is not None
    return Trial(old, new)


def _tally(batch: Batch) -> dict[str, Any]:
    from returns_api.domain.backtests import Tally  # noqa: PLC0415

    part = Tally()
    _count(part, batch, _trials[-1])
    return part.to_json()


def _count(tally: Tally, batch: Batch, trial: Trial) -> None:
    """Raises ``BadLine``."""
    import orjson  # noqa: PLC0415

    from returns_api.domain.backtests import PastReturn  # noqa: PLC0415
    from returns_api.domain.errors import Invalid  # noqa: PLC0415

    first, lines = batch
    for number, line in enumerate(lines, first):
        if line.isspace():
            continue
        try:
            tally.add(trial.compare(PastReturn.from_json(orjson.loads(line))))
        except Invalid as bad:
            raise BadLine(number, bad.detail) from None
        except orjson.JSONDecodeError as bad:
            raise BadLine(number, f"it is not JSON: {bad}.") from None
