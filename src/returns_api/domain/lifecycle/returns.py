"""The life of a return and of its lines."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_B, _A, _W, _S = Actor.BUYER, Actor.AGENT, Actor.WAREHOUSE, Actor.SYSTEM
_ADM = Actor.ADMIN
_STAFF = (_A, _ADM)

RETURN: Final = Machine(
    name="return",
    initial=("requested", "approved"),
    terminal=frozenset({"rejected", "canceled", "expired"}),
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
        ("received", "receive"): rule((_W, _ADM), "received", meaning="Count in a further part."),
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
        ("refunding", "inspect"): rule(
            (_W, _ADM), "refunding", meaning="Grade what was paid for at receipt."
        ),
        ("completed", "reopen"): rule(
            (_S,), "refunding", meaning="The provider took the success back."
        ),
        ("completed", "inspect"): rule(
            (_W, _ADM), "completed", meaning="Grade what was paid for at receipt."
        ),
    },
)

LINE: Final = Machine(
    name="return line",
    initial=("requested", "approved"),
    terminal=frozenset({"rejected", "canceled", "expired"}),
    rules={
        ("requested", "approve"): rule((*_STAFF, _S), "approved", meaning="May come back."),
        ("requested", "reject"): rule((*_STAFF, _S), "rejected", meaning="May not come back."),
        ("requested", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Given up."),
        ("approved", "cancel"): rule((_B, *_STAFF), "canceled", meaning="Given up."),
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
)
