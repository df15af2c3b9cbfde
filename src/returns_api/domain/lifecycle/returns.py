"""The life of a return and of its lines."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_B, _A, _W, _S = Actor.BUYER, Actor.AGENT, Actor.WAREHOUSE, Actor.SYSTEM
_ADM = Actor.ADMIN
_STAFF = (_A, _ADM)
_OFFER: Final = "Offer an amount for keeping the goods; at most one stands at a time."
_AGREE: Final = "One side accepted the other's offer: the goods stay, the money goes out."
_CONTEST: Final = "Contest what was decided; the platform rules."
_STANDS: Final = "Nobody contested it in time: what was decided stands. Told nobody."
_OVERDUE: Final = "Nobody acted in time: told once, so that a person looks."

RETURN: Final = Machine(
    name="return",
    initial=("requested", "approved"),
    terminal=frozenset({"canceled", "expired"}),
    rules={
        ("requested", "approve"): rule(
            (*_STAFF, _S), "approved", "requested", meaning="Let the goods come back."
        ),
        ("requested", "reject"): rule(
            (*_STAFF, _S), "rejected", "requested", "approved", meaning="Refuse, with a reason."
        ),
        ("requested", "request_info"): rule(
            _STAFF, "info_needed", meaning="Ask the buyer; the review clock pauses."
        ),
        ("requested", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Give up the return."),
        ("info_needed", "provide_info"): rule(
            (_B, *_STAFF), "requested", meaning="Answer; the review clock runs on."
        ),
        ("info_needed", "reject"): rule(
            (*_STAFF, _S),
            "rejected",
            "approved",
            meaning="Refuse what is undecided: with a reason, or since no answer came in time.",
        ),
        ("info_needed", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Give up the return."),
        **{
            (state, action): found
            for state in ("requested", "info_needed", "approved")
            for action, found in (
                ("offer", rule(_STAFF, state, meaning=_OFFER, when="no_offer_open")),
                (
                    "agree",
                    rule(
                        (_B, *_STAFF), "refunding", "completed", meaning=_AGREE, when="offer_open"
                    ),
                ),
            )
        },
        **{
            (state, action): found
            for state in ("rejected", "refunding", "completed")
            for action, found in (
                ("dispute", rule((_B,), state, meaning=_CONTEST, when="dispute_window")),
                ("let_stand", rule((_S,), state, meaning=_STANDS)),
            )
        },
        ("approved", "ship"): rule(
            (_B, *_STAFF, _S), "in_transit", meaning="The parcel is on its way."
        ),
        ("approved", "receive"): rule(
            (_W, _ADM), "received", meaning="Count goods in, also without a scan."
        ),
        ("approved", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Give up the return."),
        ("approved", "expire"): rule((_S,), "expired", meaning="Nothing was sent in time."),
        ("in_transit", "receive"): rule((_W, _ADM), "received", meaning="Count goods in."),
        ("in_transit", "cancel"): rule(
            _STAFF, "canceled", meaning="The parcel was never sent, or is lost."
        ),
        ("in_transit", "overdue"): rule((_S,), "in_transit", meaning=_OVERDUE),
        ("received", "receive"): rule((_W, _ADM), "received", meaning="Count in a further part."),
        ("received", "overdue"): rule((_S,), "received", meaning=_OVERDUE),
        ("received", "inspect"): rule(
            (_W, _ADM), "inspected", "received", meaning="Grade each unit."
        ),
        ("received", "settle"): rule(
            (_S,), "refunding", "completed", meaning="Money is due at receipt."
        ),
        ("inspected", "settle"): rule(
            (_S,), "refunding", "completed", meaning="Money is due after inspection."
        ),
        ("refunding", "complete"): rule(
            (_S,),
            "completed",
            meaning="The provider's evidence says the money arrived, or finance gave up the rest.",
        ),
        ("refunding", "overdue"): rule((_S,), "refunding", meaning=_OVERDUE),
        ("refunding", "inspect"): rule(
            (_W, _ADM),
            "refunding",
            meaning="Grade what was paid for at receipt.",
            when="units_ungraded",
        ),
        ("completed", "reopen"): rule(
            (_S,),
            "refunding",
            meaning="Money is open again: a success was taken back, or a ruling added some.",
        ),
        ("completed", "inspect"): rule(
            (_W, _ADM),
            "completed",
            meaning="Grade what was paid for at receipt.",
            when="units_ungraded",
        ),
    },
    rest=frozenset({"completed", "rejected"}),
    awaits={
        "requested": (_A, "approve"),
        "info_needed": (_B, "provide_info"),
        "approved": (_B, "ship"),
        "in_transit": (_W, "receive"),
        "received": (_W, "inspect"),
        "inspected": (_S, "settle"),
        "refunding": (_S, "complete"),
    },
    timers=(
        Timer(
            "respond",
            ("requested",),
            _A,
            ("approve", "reject"),
            ("approve", "reject"),
            "the policy's `respond_within`; none without one",
            paused_in=("info_needed",),
        ),
        Timer(
            "answer",
            ("info_needed",),
            _B,
            ("provide_info",),
            ("reject",),
            "30 days",
        ),
        Timer(
            "ship",
            ("approved",),
            _B,
            ("ship",),
            ("expire",),
            "the policy's `ship_within`, or 30 days",
        ),
        Timer("arrive", ("in_transit",), _W, ("receive",), ("overdue",), "14 days"),
        Timer(
            "inspect",
            ("received",),
            _W,
            ("inspect",),
            ("overdue",),
            "the policy's `inspect_within`; none without one",
        ),
        Timer(
            "refund",
            ("refunding",),
            _S,
            ("complete",),
            ("overdue",),
            "the policy's `refund_within` or the law's; none without one",
        ),
        Timer(
            "dispute_window",
            ("rejected", "refunding", "completed"),
            _B,
            ("dispute",),
            ("let_stand",),
            "14 days from the rejection or the settlement",
        ),
    ),
    conditions={
        "units_ungraded": "units are here that nobody has graded",
        "offer_open": "an offer stands",
        "no_offer_open": "no offer stands",
        "dispute_window": "the dispute window is open",
    },
)

LINE: Final = Machine(
    name="return line",
    initial=("requested", "approved"),
    terminal=frozenset({"rejected", "canceled", "expired", "kept"}),
    rules={
        ("requested", "approve"): rule((*_STAFF, _S), "approved", meaning="May come back."),
        ("requested", "reject"): rule((*_STAFF, _S), "rejected", meaning="May not come back."),
        ("requested", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Given up."),
        ("approved", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Given up."),
        ("requested", "keep"): rule((_B, *_STAFF), "kept", meaning="Stays with the buyer."),
        ("approved", "keep"): rule((_B, *_STAFF), "kept", meaning="Stays with the buyer."),
        ("approved", "expire"): rule((_S,), "expired", meaning="Not sent in time."),
        ("approved", "receive"): rule((_W, _ADM), "received", meaning="Units counted in."),
        ("approved", "close"): rule((_W, _ADM), "canceled", meaning="None of it came."),
        ("received", "receive"): rule((_W, _ADM), "received", meaning="More units counted in."),
        ("received", "inspect"): rule((_W, _ADM), "inspected", "received", meaning="Graded."),
        ("received", "settle"): rule((_S,), "settled", meaning="Paid at receipt."),
        ("inspected", "settle"): rule((_S,), "settled", meaning="Paid after inspection."),
        ("settled", "inspect"): rule(
            (_W, _ADM), "settled", meaning="Graded after the money: for the stock alone."
        ),
    },
    rest=frozenset({"settled"}),
    awaits={
        "requested": (_A, "approve"),
        "approved": (_W, "receive"),
        "received": (_W, "inspect"),
        "inspected": (_S, "settle"),
    },
)
