"""The terms a buyer accepted: one set for the whole return, made from the decisions of its lines.

A return is one parcel and one refund, its lines may be judged differently. Where only one value can
hold, the kinder one for the buyer does: the merchant pays the freight as soon as one line says so,
the longest time to send, the shortest time to answer and to refund, which is never longer than a
law that binds any line allows. Each line keeps its own grades and restocking fee. Stored with the
quote and the return, so that nothing is ever asked of a newer policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.domain.policy import Decision
from returns_api.domain.policy.decisions import Advance, ExchangeFirst
from returns_api.domain.refund_clocks import STAGES, LawClock, law_clocks, shortest
from returns_api.domain.shops import WAREHOUSE

PPM: Final = 1_000_000
NOTHING_CAME: Final = frozenset({"empty_box", "wrong_item", "counterfeit_suspected"})
"""The buyer's unit did not come back: nothing is due for it, unless the policy is kinder."""


@dataclass(frozen=True, slots=True)
class LineTerms:
    """What holds for one order line; ``grades`` are deductions in parts per million."""

    grades: Mapping[str, int]
    restocking_ppm: int
    evidence: tuple[tuple[str, int], ...]
    expected_minor: int | None = None
    """What its units count for where the buyer gets goods; None in a return of one line that was
    quoted before there were several."""
    fallback: str | None = None
    """Where the buyer gets goods: what its exchange ends in if they give those up."""

    @property
    def worst_ppm(self) -> int:
        return max(self.grades.values(), default=0)

    def deduction_ppm(self, grade: str) -> int:
        return self.grades.get(grade, PPM if grade in NOTHING_CAME else 0)


@dataclass(frozen=True, slots=True)
class AdvanceTerms:
    """What the policy lets go out before the goods are seen, and up to which limits.

    ``at`` is the moment (``request``: approved, ``first_scan``: the carrier has the parcel). What
    one buyer may have out at once and what the shop gives in a day are minor units, the time in
    which the goods have to come is seconds; None where the policy sets no limit.
    """

    at: str
    per_buyer_minor: int | None
    per_day_minor: int | None
    recover_within_seconds: int | None


@dataclass(frozen=True, slots=True)
class InsuranceTerms:
    """A cover of freight that the buyer pays, taken with the order: up to ``cover_minor``, of which
    ``excess_minor`` stays with the buyer."""

    cover_minor: int
    excess_minor: int


@dataclass(frozen=True, slots=True)
class RepairTerms:
    """What a repair can cost, in minor units: nothing where it is ``free``. Else ``freight_minor``
    for the way to the repair point, and ``decline_minor`` at most, with that, if the buyer declines
    what the workshop quotes. ``replaceable``: the policy offers the same goods again, besides."""

    free: bool
    freight_minor: int
    decline_minor: int
    replaceable: bool = False


@dataclass(frozen=True, slots=True)
class ReviewTerms:
    """What makes a person look at a return, for staff: no buyer reads it.

    ``signals`` held when it was quoted (name, and the facts that it looked at); after ``room``
    further returns of the buyer those named in ``then`` hold too. ``within_seconds`` is how long a
    person may take, None where a law has it approved at once.
    """

    within_seconds: int | None
    signals: tuple[Mapping[str, Any], ...] = ()
    room: int | None = None
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """Amounts in minor units, times in seconds, shares in parts per million."""

    approval_auto: bool
    respond_within_seconds: int | None
    on_silence: str | None
    ship_within_seconds: int | None
    inspect_within_seconds: int | None
    refund_within_seconds: int | None
    refund_at: str
    freight_payer: str
    freight_fee_minor: int
    refund_original_shipping: bool
    lines: Mapping[str, LineTerms]
    """By the order line's id, as text."""
    quoted_freight_minor: int = 0
    quoted_restocking_minor: int = 0
    own_label: bool = False
    """The buyer sends the parcel with a label of the own and pays the carrier: we buy none."""
    bonus_ppm: int = 0
    """Added to what is due where it becomes store credit, in parts per million of it."""
    certificate_version: int | None = None
    """The certificate that priced the quote: a later edit of the order does not change an accepted
    quote. None takes the newest."""
    law_clocks: tuple[LawClock, ...] = ()
    """When the laws that bind want the refund paid; the first to end holds."""
    advance: AdvanceTerms | None = None
    """Set where every line may be paid before it is seen or, in an exchange, its new goods may go
    first. No promise: beyond its limits the money comes at ``refund_at``, the goods once the old
    ones were judged."""
    insurance: InsuranceTerms | None = None
    """Set where freight that the buyer pays is insured for any line."""

    send_to: str = WAREHOUSE
    """The place that the goods go to, by the shop's names (``shops.ShopSettings.destinations``)."""
    fallback: str | None = None
    """Where the buyer chose goods: what the return is settled as if the buyer gives them up, None
    where its lines differ. Money is always there for what the shop cannot deliver. Where the goods
    are repaired: the money that the policy offers besides, None where it offers none."""
    repair: RepairTerms | None = None
    """Set where the buyer chose a repair."""
    review: ReviewTerms | None = None
    """None for what was quoted before there were signals."""
    late: bool = False
    """Whether it was asked for in the last third of its window; see ``reviewing.opened_late``."""

    def of_line(self, order_line_id: UUID) -> LineTerms:
        return self.lines[str(order_line_id)]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ReturnTerms:
        lines = {
            line: LineTerms(
                grades=terms["grades"],
                restocking_ppm=terms["restocking_ppm"],
                evidence=tuple((kind, count) for kind, count in terms["evidence"]),
                expected_minor=terms.get("expected_minor"),
                fallback=terms.get("fallback"),
            )
            for line, terms in data["lines"].items()
        }
        clocks = tuple(LawClock(**clock) for clock in data.get("law_clocks", ()))
        early = data.get("advance")
        advance = None if early is None else AdvanceTerms(**early)
        cover = data.get("insurance")
        repair = data.get("repair")
        review = data.get("review")
        return ReturnTerms(
            **{
                **data,
                "lines": lines,
                "law_clocks": clocks,
                "advance": advance,
                "insurance": None if cover is None else InsuranceTerms(**cover),
                "repair": None if repair is None else RepairTerms(**repair),
                "review": None if review is None else _review(review),
            }
        )


def _review(data: Mapping[str, Any]) -> ReviewTerms:
    return ReviewTerms(**{**data, "signals": tuple(data["signals"]), "then": tuple(data["then"])})


def combine(decisions: Mapping[UUID, Decision], method: str) -> ReturnTerms:
    """One set of terms from the decisions of all lines, for the chosen method."""
    every = list(decisions.values())
    reviews = [d.approval for d in every if not d.approval.auto]
    own_label = all(d.freight.own_label for d in every)
    fees = [_fee(d, method) for d in every if not d.freight.own_label]
    merchant_pays = not own_label and 0 in fees
    refund_at = max((_refund_at(d) for d in every), key=STAGES.index)
    clocks = law_clocks(every)
    promised = [d.deadlines.refund_within_seconds for d in every]
    return ReturnTerms(
        approval_auto=not reviews,
        respond_within_seconds=_least([a.respond_within_seconds for a in reviews]),
        on_silence=_silence([a.on_silence.value if a.on_silence else None for a in reviews]),
        ship_within_seconds=_most([d.deadlines.ship_within_seconds for d in every]),
        inspect_within_seconds=_least([d.deadlines.inspect_within_seconds for d in every]),
        refund_within_seconds=_least([*promised, shortest(clocks, refund_at)]),
        refund_at=refund_at,
        freight_payer="merchant" if merchant_pays else "buyer",
        freight_fee_minor=freight_fee(every, method),
        own_label=own_label,
        refund_original_shipping=any(d.refund_original_shipping for d in every),
        lines={str(line): _line(d) for line, d in decisions.items()},
        law_clocks=clocks,
        advance=_advance(every),
        insurance=_insurance(every),
        send_to=_send_to(every),
    )


def _insurance(decisions: Sequence[Decision]) -> InsuranceTerms | None:
    """One parcel, one freight: of several covers the one that pays most."""
    covers = [
        InsuranceTerms(each.insurance.cover_minor, each.insurance.excess_minor)
        for each in decisions
        if each.insurance is not None
    ]
    return max(covers, key=lambda each: each.cover_minor - each.excess_minor, default=None)


def _send_to(decisions: Sequence[Decision]) -> str:
    """One parcel goes to one place: where its lines belong to several, to the warehouse, which
    sends on."""
    places = {each.send_to for each in decisions}
    return places.pop() if len(places) == 1 else WAREHOUSE


def freight_fee(decisions: Sequence[Decision], method: str) -> int:
    """What the buyer pays us for this way back, in minor units."""
    fees = [_fee(each, method) for each in decisions if not each.freight.own_label]
    return 0 if not fees or 0 in fees else max(fees)


def _line(decision: Decision) -> LineTerms:
    grades = {grade.value: PPM if share is None else share
              for grade, share in decision.grades.items()}  # fmt: skip
    for grade in NOTHING_CAME:
        grades.setdefault(grade, PPM)
    return LineTerms(
        grades=grades,
        restocking_ppm=decision.restocking_ppm,
        evidence=tuple((e.kind.value, e.minimum) for e in decision.evidence),
    )


def _refund_at(decision: Decision) -> str:
    """When the money is due at the latest. An advance may not be granted, so its ``otherwise``
    holds: what is promised in a quote has to be kept."""
    at = decision.refund_at if decision.advance is None else decision.advance.otherwise
    return max(at.value, "receipt", key=STAGES.index)


def _advance(decisions: Sequence[Decision]) -> AdvanceTerms | None:
    """One advance for the whole parcel, or none: the latest moment and the tightest limits."""
    early = [(d.refund_at.value, d.advance) for d in decisions if d.advance is not None]
    return tightest(early) if len(early) == len(decisions) else None


def tightest(early: Sequence[tuple[str, Advance | ExchangeFirst]]) -> AdvanceTerms:
    """Of moments with their limits, one of each line, what they all allow."""
    return AdvanceTerms(
        at=max((at for at, _ in early), key=STAGES.index),
        per_buyer_minor=_least([a.per_buyer_minor for _, a in early]),
        per_day_minor=_least([a.per_day_minor for _, a in early]),
        recover_within_seconds=_least([a.recover_within_seconds for _, a in early]),
    )


def _fee(decision: Decision, method: str) -> int:
    return next((m.fee_minor for m in decision.methods if m.kind.value == method), 0)


def _least(values: Sequence[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) and known else None


def _silence(values: Sequence[str | None]) -> str | None:
    """Approve where any line would be approved by silence: the buyer may rely on it."""
    known = {value for value in values if value is not None}
    return "approve" if "approve" in known else "reject" if "reject" in known else None
