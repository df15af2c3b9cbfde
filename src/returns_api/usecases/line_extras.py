"""What the buyer adds to the lines of a quote: notes, evidence, and the goods wanted instead.

Owns that exactly the evidence that was asked for is given, by whom it may be given, and that goods
are named only where goods are due. Refuses to own what is quoted (``domain.quotes``), the photos
themselves (``usecases.photos``) and the opening (``usecases.opening``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.exchanges import EXCHANGE_KIND, IN_GOODS, Wanted
from returns_api.domain.policy.vocabulary import EvidenceKind
from returns_api.domain.terms import ReturnTerms
from returns_api.usecases import photos
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence: a photo that was sent here, or an address of the shop's own."""

    kind: str
    photo: UUID | None = None
    url: str | None = None

    def as_json(self) -> dict[str, str]:
        if self.photo is not None:
            return {"kind": self.kind, "photo": ids.encode("ev", self.photo)}
        assert self.url is not None
        return {"kind": self.kind, "url": self.url}


@dataclass(frozen=True, slots=True)
class LineExtras:
    """What the buyer adds to a quoted line when opening the return."""

    order_line_id: UUID
    note: str | None
    evidence: tuple[Proof, ...]
    wanted: Wanted | None = None

    def photos(self) -> list[UUID]:
        return [proof.photo for proof in self.evidence if proof.photo is not None]


NOTHING: Final = LineExtras(UUID(int=0), None, ())
_QUOTED: Final = ("order_line_id", "quantity", "units", "reason", "fault", "condition")


def opened_lines(
    ctx: Context, quote: Row, terms: ReturnTerms, extras: Sequence[LineExtras]
) -> list[dict[str, Any]]:
    """The quoted lines with the buyer's notes and proofs; exactly the proofs that were asked.

    Raises:
        DoesNotFit: a line that is not quoted or named twice, or too little evidence.
    """
    by_line = {str(extra.order_line_id): extra for extra in extras}
    if len(by_line) < len(extras):
        raise _unfit("Name each line once.", next(iter(by_line)))
    if unknown := by_line.keys() - {line["order_line_id"] for line in quote["lines"]}:
        raise _unfit("This line is not part of the quote.", min(unknown))
    found = []
    for position, line in enumerate(quote["lines"]):
        extra = by_line.get(line["order_line_id"]) or NOTHING
        _require_evidence(terms, line["order_line_id"], extra)
        found.append(
            {
                "id": ctx.new_id(),
                "position": position,
                "note": extra.note,
                "evidence": [proof.as_json() for proof in extra.evidence],
                **{name: line[name] for name in _QUOTED},
            }
        )
    return found


def _require_evidence(terms: ReturnTerms, line_id: str, extra: LineExtras) -> None:
    for kind, minimum in terms.lines[line_id].evidence:
        given = len({proof for proof in extra.evidence if proof.kind == kind})
        if given < minimum:
            raise _unfit(f"This line needs {minimum} of kind '{kind}', {given} given.", line_id)


def wanted_goods(quote: Row, extras: Sequence[LineExtras]) -> tuple[Wanted, ...]:
    """The goods that the buyer gets instead, one for each line of the quote in its order; nothing
    where it is money, the same again where they are replaced. Nobody but the shop says what they
    cost.

    Raises:
        DoesNotFit: lines of an exchange without such goods, or others with some; names each.
    """
    named = {str(extra.order_line_id): extra.wanted for extra in extras if extra.wanted is not None}
    if quote["resolution"] == EXCHANGE_KIND:
        lines = [line["order_line_id"] for line in quote["lines"]]
        problem = "Say what you want instead: its variant or its SKU."
        if missing := [line for line in lines if line not in named]:
            raise _unfit(problem, *missing)
        return tuple(named[line] for line in lines)
    if named:
        raise _unfit("Other goods are for an exchange only.", *named)
    if quote["resolution"] in IN_GOODS:
        return tuple(Wanted(variant=None, sku=line["sku"]) for line in quote["lines"])
    return ()


def refuse_hearsay(principal: Principal, extras: Sequence[LineExtras]) -> None:
    """A buyer's photo is one that was looked at here; anybody can name an address."""
    for extra in extras:
        if principal.order_id is not None and any(
            proof.kind == EvidenceKind.PHOTO and proof.url is not None for proof in extra.evidence
        ):
            raise _unfit(
                "Send the photo itself to POST /v1/orders/{order}/photos, then name it here.",
                str(extra.order_line_id),
            )


async def show_photos(
    tx: Transaction,
    quote: Row,
    return_id: UUID,
    lines: Sequence[Mapping[str, Any]],
    extras: Sequence[LineExtras],
) -> None:
    """Photos sent before belong to the new return's lines; nothing is asked where there are none.

    Raises:
        DoesNotFit: one is not there, used already, or the same picture as another of its line.
    """
    made = {line["order_line_id"]: line["id"] for line in lines}
    for extra in extras:
        named, line = extra.photos(), str(extra.order_line_id)
        if not named:
            continue
        try:
            different = await photos.use(tx, quote["order_id"], return_id, made[line], named)
        except DoesNotFit as missing:
            raise _unfit(missing.detail, line) from missing
        if different < len(named):
            raise _unfit("Two of the photos of this line are the same picture.", line)


def _unfit(problem: str, *line_ids: str) -> DoesNotFit:
    """The refusal of these lines, each named."""
    lines = [ids.encode("li", UUID(line_id)) for line_id in line_ids]
    errors = [{"field": "lines", "line": line, "problem": problem} for line in lines]
    return DoesNotFit(problem, errors=errors)
