"""The checker: is there an order of events in which all that was told is true?

Pure; ``tests/proofs/test_history.py`` plants each kind of lie. Refunds of one reference are a
register that is written once, so what a linearizable service may tell can be said directly:

- what was told ``ok`` is there, under one id, with the order and the amount that were asked for;
- what was told ``fail`` is not there and is never shown; what is there was asked for;
- a look that began after an ``ok`` was told shows it (read-your-writes, whoever looks), and shows
  nothing that nobody had asked for when it ended;
- whoever looks later never sees an earlier state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from proofs.history.told import History, Outcome, Read, Shown, Write


def check(history: History, stored: Mapping[str, Shown]) -> list[str]:
    """What cannot be, in words; ``stored`` is what the tables hold at the end, by reference."""
    tries: dict[str, list[Write]] = defaultdict(list)
    for write in history.writes:
        tries[write.reference].append(write)
    found = [text for each in tries.values() for text in _end(each, stored)]
    found += [f"{name} is there and nobody asked for it" for name in stored if name not in tries]
    by_order: dict[str, list[Sequence[Write]]] = defaultdict(list)
    for each in tries.values():
        by_order[each[0].order].append(each)
    for read in history.reads:
        found += _look(read, by_order[read.order], tries)
    return found + list(_backwards(history.reads))


def _end(tries: Sequence[Write], stored: Mapping[str, Shown]) -> Iterator[str]:
    name, told = tries[0].reference, {each.outcome for each in tries}
    refunds = {each.refund for each in tries if each.outcome is Outcome.OK}
    there = stored.get(name)
    if {Outcome.OK, Outcome.FAIL} <= told:
        yield f"{name} was told to be done and to be refused"
    if len(refunds) > 1:
        yield f"{name} has two ids: {sorted(map(str, refunds))}"
    if Outcome.OK in told and there is None:
        yield f"{name} was told to be done and is not there"
    if Outcome.FAIL in told and there is not None:
        yield f"{name} was refused and is there"
    if there is not None:
        yield from _differs(tries[0], there)
        if refunds and there.refund not in refunds:
            yield f"{name} is there under another id than was told"


def _differs(asked: Write, there: Shown) -> Iterator[str]:
    if (asked.order, asked.amount) != (there.order, there.amount):
        yield f"{asked.reference} is not what was asked for: {there}"


def _look(
    read: Read, of_order: Sequence[Sequence[Write]], tries: Mapping[str, Sequence[Write]]
) -> Iterator[str]:
    for each in of_order:
        told = [write for write in each if write.outcome is Outcome.OK]
        if told and min(write.ended for write in told) <= read.begun:
            name = each[0].reference
            if name not in read.shown:
                yield f"client {read.client} looked after {name} was told and did not see it"
    for name, shown in read.shown.items():
        asked = tries.get(name, ())
        if not asked or min(write.begun for write in asked) > read.ended:
            yield f"client {read.client} saw {name} before anybody asked for it"
        else:
            yield from _differs(asked[0], shown)
        if any(write.outcome is Outcome.FAIL for write in asked):
            yield f"client {read.client} saw {name}, which was refused"


def _backwards(reads: Sequence[Read]) -> Iterator[str]:
    """A state that is older than one that somebody had seen before the look began."""
    newest: dict[str, int] = {}
    ended = sorted(reads, key=lambda each: each.ended)
    place = 0
    for read in sorted(reads, key=lambda each: each.begun):
        while place < len(ended) and ended[place].ended <= read.begun:
            for name, shown in ended[place].shown.items():
                newest[name] = max(newest.get(name, 0), shown.sequence)
            place += 1
        for name, shown in read.shown.items():
            if shown.sequence < newest.get(name, 0):
                yield (
                    f"client {read.client} saw {name} at {shown.sequence}"
                    f" after {newest[name]} had been seen"
                )
