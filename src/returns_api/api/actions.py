"""What the caller may do next, from the lifecycle tables: link, deadline, silence.

A client can drive the whole flow by following these and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.disputes import DisputeRecord
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.lifecycle.deadlines import OPEN, Deadline
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor, Machine
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.lifecycle.withdrawals import WITHDRAWAL
from returns_api.domain.offers import OfferRecord
from returns_api.domain.pickups import PickupRecord
from returns_api.domain.repairs import RepairRecord
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import ShipmentRecord
from returns_api.domain.transport_claims import ClaimRecord


@dataclass(frozen=True, slots=True)
class Link:
    """Where an action is called, below its object or from the root, and which scope it needs."""

    path: str
    scope: Scope


LINKS: Final[dict[str, Link]] = {
    "approve": Link("approve", Scope.RETURNS_REVIEW),
    "reject": Link("reject", Scope.RETURNS_REVIEW),
    "request_info": Link("request-info", Scope.RETURNS_REVIEW),
    "provide_info": Link("provide-info", Scope.RETURNS_ACT),
    "cancel": Link("cancel", Scope.RETURNS_ACT),
    "ship": Link("ship", Scope.RETURNS_ACT),
    "receive": Link("receipts", Scope.RECEIPTS_WRITE),
    "inspect": Link("inspections", Scope.RECEIPTS_WRITE),
    "offer": Link("offers", Scope.RETURNS_REVIEW),
    "dispute": Link("disputes", Scope.RETURNS_ACT),
}
DISPUTE_LINKS: Final[dict[str, Link]] = {
    "add_evidence": Link("evidence", Scope.RETURNS_ACT),
    "appeal": Link("appeal", Scope.RETURNS_ACT),
    "withdraw": Link("withdraw", Scope.RETURNS_ACT),
    "begin_review": Link("begin-review", Scope.DISPUTES_RULE),
    "rule": Link("rule", Scope.DISPUTES_RULE),
}
OFFER_LINKS: Final[dict[str, Link]] = {
    "approve": Link("approve", Scope.REFUNDS_MANAGE),
    **{
        name: Link(name, Scope.RETURNS_ACT) for name in ("accept", "counter", "decline", "withdraw")
    },
}
EXCHANGE_LINKS: Final[dict[str, Link]] = {
    "answer": Link("answer", Scope.RETURNS_REVIEW),
    "accept": Link("accept", Scope.RETURNS_ACT),
    "choose": Link("choose", Scope.RETURNS_ACT),
    "cancel": Link("cancel", Scope.RETURNS_ACT),
    "link": Link("payment-link", Scope.RETURNS_REVIEW),
    "pay": Link("payments", Scope.REFUNDS_MANAGE),
    "ship": Link("ship", Scope.RETURNS_REVIEW),
    "complete": Link("complete", Scope.RETURNS_ACT),
}
REPAIR_LINKS: Final[dict[str, Link]] = {
    **{
        name: Link(name.replace("_", "-"), Scope.RETURNS_REVIEW)
        for name in ("quote", "give_up", "finish", "ship")
    },
    **{name: Link(name, Scope.RETURNS_ACT) for name in ("accept", "decline", "choose", "complete")},
    "link": Link("payment-link", Scope.RETURNS_REVIEW),
    "pay": Link("payments", Scope.REFUNDS_MANAGE),
    "waive": Link("waive", Scope.REFUNDS_MANAGE),
}
CLAIM_LINKS: Final[dict[str, Link]] = {
    **{name: Link(name, Scope.REFUNDS_CREATE) for name in ("submit", "withdraw")},
    **{name: Link(name, Scope.REFUNDS_MANAGE) for name in ("accept", "reject", "pay")},
}
PICKUP_LINKS: Final[dict[str, Link]] = {
    name: Link(name, Scope.RETURNS_ACT) for name in ("rebook", "cancel", "miss")
}
WITHDRAWAL_LINKS: Final[dict[str, Link]] = {"confirm": Link("confirm", Scope.RETURNS_CREATE)}
RETRY_LABEL: Final = Link("retry-label", Scope.RETURNS_REVIEW)
PLACES: Final[dict[str, tuple[str, str]]] = {
    "order": ("orders", "ord"),
    "quote": ("quotes", "qt"),
    "return": ("returns", "ret"),
    "offer": ("offers", "off"),
    "dispute": ("disputes", "dsp"),
    "complaint": ("complaints", "cpl"),
    "exchange": ("exchanges", "exc"),
    "repair": ("repairs", "rep"),
    "pickup": ("pickups", "pku"),
    "transport_claim": ("transport-claims", "clm"),
    "withdrawal": ("withdrawals", "wdr"),
    "cancellation": ("cancellations", "can"),
    "address_change": ("address-changes", "adc"),
}
"""Collection and prefix of everything that is read at an address of its own and has actions."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the caller may do now. ``until`` is the deadline; ``on_silence`` what then is."""

    action: str
    href: str
    until: datetime | None
    on_silence: str | None


def place_of(kind: str, object_id: UUID) -> str:
    """Where a thing is read, with what its reader may do."""
    collection, prefix = PLACES[kind]
    return f"/v1/{collection}/{ids.encode(prefix, object_id)}"


def allowed_actions(ret: ReturnRecord, principal: Principal) -> list[Action]:
    """What the caller may do with a return, in the order of its table."""
    href = place_of("return", ret.id)
    return links_of(RETURN, ret.state, ret.holds(), LINKS, href, ret.deadlines, principal)


def offer_actions(offer: OfferRecord, principal: Principal) -> list[Action]:
    """What the caller may do with an offer, in the order of its table."""
    href, holds = place_of("offer", offer.id), offer.holds(principal.credential_id)
    return links_of(OFFER, offer.state, holds, OFFER_LINKS, href, offer.deadlines, principal)


def pickup_actions(pickup: PickupRecord, principal: Principal) -> list[Action]:
    """What the caller may do about a courier's visit, in the order of its table."""
    href = place_of("pickup", pickup.id)
    return links_of(PICKUP, pickup.state, (), PICKUP_LINKS, href, pickup.deadlines, principal)


def claim_actions(claim: ClaimRecord, principal: Principal) -> list[Action]:
    """What the caller may do about a transport claim, in the order of its table."""
    href = place_of("transport_claim", claim.id)
    return links_of(TRANSPORT_CLAIM, claim.state, (), CLAIM_LINKS, href, claim.deadlines, principal)


def courier_actions(
    ret: ReturnRecord, shipment: ShipmentRecord | None, principal: Principal
) -> list[Action]:
    """The way to a courier, once there is a label that one could take and none is asked for."""
    asked = any(each.of == "pickup" and each.deadline.stands for each in ret.hanging)
    ready = shipment is not None and shipment.state == "label_ready" and not asked
    if not ready or (ret.method, ret.state) != ("pickup", "approved"):
        return []
    if Scope.RETURNS_ACT not in principal.scopes:
        return []
    href = f"{place_of('return', ret.id)}/pickups"
    return [Action("book_pickup", href, None, None)]


def parcel_actions(
    ret: ReturnRecord, shipment: ShipmentRecord | None, principal: Principal
) -> list[Action]:
    """What staff can do about a parcel that does not arrive: claim one that stands still of the
    carrier, and pay the buyer for one that is lost (such a one is claimed by itself)."""
    late = ret.state == "in_transit" and Scope.REFUNDS_CREATE in principal.scopes
    if not late or shipment is None:
        return []
    claimed = any(each.of == "transport_claim" and each.deadline.stands for each in ret.hanging)
    if shipment.state == "lost":
        return [Action("refund", "/v1/refunds", None, None)]
    if shipment.state != "in_transit" or claimed:
        return []
    return [Action("claim_parcel", f"{place_of('return', ret.id)}/transport-claims", None, None)]


def dispute_actions(dispute: DisputeRecord, principal: Principal) -> list[Action]:
    """What the caller may do with a dispute, in the order of its table."""
    href = place_of("dispute", dispute.id)
    holds = dispute.holds(principal.credential_id)
    return links_of(
        DISPUTE, dispute.state, holds, DISPUTE_LINKS, href, dispute.deadlines, principal
    )


def exchange_actions(exchange: ExchangeRecord, principal: Principal) -> list[Action]:
    """What the caller may do with an exchange, in the order of its table."""
    href = place_of("exchange", exchange.id)
    return links_of(
        EXCHANGE, exchange.state, (), EXCHANGE_LINKS, href, exchange.deadlines, principal
    )


def repair_actions(repair: RepairRecord, principal: Principal) -> list[Action]:
    """What the caller may do with a repair, in the order of its table."""
    href = place_of("repair", repair.id)
    return links_of(REPAIR, repair.state, (), REPAIR_LINKS, href, repair.deadlines, principal)


def withdrawal_actions(withdrawal_id: UUID, state: str, principal: Principal) -> list[Action]:
    """What the caller may do with a withdrawal."""
    href = place_of("withdrawal", withdrawal_id)
    return links_of(WITHDRAWAL, state, (), WITHDRAWAL_LINKS, href, (), principal)


def links_of(
    machine: Machine,
    state: str,
    holds: Collection[str],
    links: Mapping[str, Link],
    href: str,
    deadlines: Sequence[Deadline],
    principal: Principal,
) -> list[Action]:
    """What the caller may do with an object in ``state``, in the order of its table."""
    actor = actor_of(principal)
    if actor is None:
        return []
    return [
        _action(machine, state, name, _address(href, links[name].path), deadlines)
        for name in machine.allowed(state, actor, holds)
        if name in links and links[name].scope in principal.scopes
    ]


def _address(href: str, path: str) -> str:
    return path if path.startswith("/") else f"{href}/{path}"


def actor_of(principal: Principal) -> Actor | None:
    """Who the caller is in the lifecycle tables; None for one who only opens doors."""
    role = principal.acts_as
    return Actor(role) if role in set(Actor) else None


def waiting_for(machine: Machine, state: str) -> tuple[str, str] | None:
    """Who has to act and to do what; None when it is over or at rest."""
    found = machine.awaits.get(state)
    return None if found is None else (found[0].value, found[1])


def becomes(machine: Machine, state: str | None, deadline: Deadline) -> str:
    """What silence makes of an object in ``state``; the name of the default where it stays."""
    timer = machine.timer(deadline.kind)
    at = state if state in timer.states else timer.states[0]
    to = machine.rules[at, deadline.on_silence].to[0]
    return deadline.on_silence if to == at else to


def label_actions(
    return_id: UUID, shipment: ShipmentRecord | None, principal: Principal
) -> list[Action]:
    """What the caller may do about a label that the carrier refused."""
    actor = actor_of(principal)
    if shipment is None or actor is None or RETRY_LABEL.scope not in principal.scopes:
        return []
    href = f"{place_of('return', return_id)}/{RETRY_LABEL.path}"
    return [
        Action(f"{name}_label", href, None, None)
        for name in SHIPMENT.allowed(shipment.state, actor)
        if name == "retry"
    ]


def _action(
    machine: Machine, state: str, name: str, href: str, deadlines: Sequence[Deadline]
) -> Action:
    """With the running deadline that it keeps, where there is one."""
    timed = next(
        (
            each
            for each in deadlines
            if each.state == OPEN and name in machine.timer(each.kind).keeps
        ),
        None,
    )
    if timed is None:
        return Action(name, href, None, None)
    return Action(name, href, timed.due_at, becomes(machine, state, timed))
