"""The lines of an imported file, read ahead in batches: documents, and what is wrong with the rest.

While one batch is written the next one is read and computed in a thread, so that this process and
the database work at the same time; never more than one ahead. Owns how lines become documents and
how a bad one is named; refuses to own what becomes of either (``imports``, ``_documents``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson

from returns_api.db import imports as rows
from returns_api.db.engine import Row
from returns_api.domain.errors import Conflict, Invalid
from returns_api.domain.order_document_reading import read_document
from returns_api.usecases._documents import ERASED
from returns_api.usecases._prepared_orders import Prepared, prepare
from returns_api.usecases.context import Context

BATCH: Final = 250
"""Lines of one transaction."""


@dataclass(slots=True)
class Batch:
    """Some lines of a part: documents, what is wrong with the others, and how many there are."""

    part: int
    """Parts that are done after this batch."""
    line: int
    """Lines that are done of the part after these."""
    lines: int
    ends_part: bool
    ends_file: bool
    documents: list[tuple[int, Prepared]] = field(default_factory=list)
    """Each with the number of its line in the file."""
    rejected: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By their numbers."""

    def reject(self, number: int, name: str | None, errors: Sequence[dict[str, str]]) -> None:
        """Name what is wrong in a line, each with its field and what would be right."""
        self.rejected[number] = {"line": number, "external_id": name, "errors": list(errors)}


async def batches(ctx: Context, shop: UUID, run: Row) -> AsyncGenerator[Batch, None]:
    """What is left of a claimed import's file, batch by batch.

    Raises:
        Conflict: the file is gone, as it is when its shop was erased.
    """
    async with aclosing(_one_by_one(ctx, shop, run)) as made:
        coming = asyncio.ensure_future(anext(made, None))
        try:
            while (batch := await coming) is not None:
                coming = asyncio.ensure_future(anext(made, None))
                yield batch
        finally:
            # The generator cannot be closed while it runs; what it raises belongs to a batch that
            # nobody asked for.
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _one_by_one(ctx: Context, shop: UUID, run: Row) -> AsyncGenerator[Batch, None]:
    part, skip, before = run["part"], run["line"], run["done"]
    while part < run["parts"]:
        async with ctx.database.transaction(shop) as tx:
            body = await rows.body(tx, run["id"], part + 1)
        if body is None:
            raise Conflict(ERASED)
        lines = body.removesuffix(b"\n").split(b"\n")
        for first in range(skip, max(len(lines), 1), BATCH):
            some = lines[first : first + BATCH]
            ends = first + BATCH >= len(lines)
            batch = Batch(
                part=part + 1 if ends else part,
                line=0 if ends else first + len(some),
                lines=len(some),
                ends_part=ends,
                ends_file=ends and part + 1 == run["parts"],
            )
            await asyncio.to_thread(_read, ctx, some, before, batch)
            yield batch
            before += len(some)
        part, skip = part + 1, 0


def _read(ctx: Context, lines: Sequence[bytes], before: int, into: Batch) -> None:
    """``before`` is the number of lines of the file before these."""
    for number, raw in enumerate(lines, start=before + 1):
        if not raw.strip():
            continue
        try:
            into.documents.append((number, prepare(ctx, read_document(raw))))
        except Invalid as refused:
            into.reject(number, _name_in(raw), list(_errors(refused)))


def _errors(refused: Invalid) -> Iterator[dict[str, str]]:
    found: Any = refused.context.get("errors") or [{"field": "", "problem": refused.detail}]
    for each in found:
        problem = each.get("problem") or each.get("message") or refused.detail
        yield {"field": each["field"][:200], "problem": problem[:300]}


def _name_in(raw: bytes) -> str | None:
    """The order's id in a line that cannot be taken, if it can be told."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    name = found.get("external_id") if isinstance(found, dict) else None
    return name[:100].replace("\x00", "") if isinstance(name, str) else None
