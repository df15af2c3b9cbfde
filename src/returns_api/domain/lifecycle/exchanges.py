"""The life of an exchange or a replacement: goods instead of money for what comes back.

Goods go out once: after those that came back were judged and a difference that the buyer owes was
paid; or before that, as an advance that the old goods are set against (``lifecycle.advances``).
Every end without goods leaves its line of the return a stated outcome, and the money of the return
moves once, when each of its exchanges has ended or gone out.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_B, _S = (Actor.BUYER,), (Actor.SYSTEM,)
_STAFF = (Actor.AGENT, Actor.ADMIN)
_MONEY = (Actor.FINANCE, Actor.ADMIN)
_ANSWER: Final = "Say whether the goods are in stock, and at which price; or what there is instead."
_RAN_OUT: Final = "Say that they ran out, and what there is instead."
_CANCEL: Final = "Take the fallback of the accepted quote instead of goods."
_FIRST: Final = "The policy lets the new goods go before the old ones are seen, within its limits."
_RECALL: Final = (
    "The return ended, or nothing came that earns goods, and those that went first were not sent"
    " yet: they stay."
)
_CONVERT: Final = "Nobody acted in time: the return is settled in money."
_LAPSE: Final = "The return, or its line, ended without goods coming back."
_STOCK_TOLD: Final = ("awaiting_goods", "offered", "out_of_stock")

EXCHANGE: Final = Machine(
    name="exchange",
    initial=("requested", "awaiting_goods"),
    terminal=frozenset({"completed", "converted", "failed", "lapsed"}),
    rules={
        ("requested", "answer"): rule(_STAFF, *_STOCK_TOLD, meaning=_ANSWER),
        ("requested", "presume_out"): rule(
            _S, "out_of_stock", meaning="The shop did not answer in time: as if out of stock."
        ),
        ("out_of_stock", "answer"): rule(_STAFF, *_STOCK_TOLD, meaning=_ANSWER),
        ("out_of_stock", "choose"): rule(
            _B, "awaiting_goods", "converted", meaning="Take one of the alternatives."
        ),
        ("out_of_stock", "convert"): rule(_S, "converted", meaning=_CONVERT),
        ("offered", "accept"): rule(
            _B, "awaiting_goods", meaning="Agree to pay the difference once the goods were judged."
        ),
        ("offered", "answer"): rule(_STAFF, "out_of_stock", meaning=_RAN_OUT),
        ("offered", "convert"): rule(_S, "converted", meaning=_CONVERT),
        ("awaiting_goods", "answer"): rule(_STAFF, "out_of_stock", meaning=_RAN_OUT),
        ("awaiting_goods", "judge"): rule(
            _S,
            "released",
            "awaiting_payment",
            "failed",
            meaning="The goods were judged: what they count for is final.",
        ),
        ("awaiting_goods", "advance"): rule(_S, "released", meaning=_FIRST),
        ("awaiting_payment", "answer"): rule(_STAFF, "out_of_stock", meaning=_RAN_OUT),
        ("awaiting_payment", "link"): rule(
            _STAFF, "awaiting_payment", meaning="Say where the buyer can pay."
        ),
        ("awaiting_payment", "pay"): rule(
            _MONEY, "released", meaning="Take note that the buyer paid the difference."
        ),
        ("awaiting_payment", "convert"): rule(_S, "converted", meaning=_CONVERT),
        ("released", "ship"): rule(_STAFF, "shipped", meaning="The goods are on their way."),
        ("released", "overdue"): rule(
            _S, "released", meaning="Nobody sent them in time: told once, so that a person looks."
        ),
        ("shipped", "complete"): rule(
            (*_B, *_STAFF, *_S), "completed", meaning="The goods arrived; silence says so, too."
        ),
        ("released", "recall"): rule(_S, "lapsed", meaning=_RECALL),
        **{
            (state, "cancel"): rule((*_B, *_STAFF), "converted", meaning=_CANCEL)
            for state in ("requested", "offered", "awaiting_goods", "awaiting_payment")
        },
        **{
            (state, "lapse"): rule(_S, "lapsed", meaning=_LAPSE)
            for state in (
                "requested",
                "out_of_stock",
                "offered",
                "awaiting_goods",
                "awaiting_payment",
            )
        },
    },
    awaits={
        "requested": (Actor.AGENT, "answer"),
        "out_of_stock": (Actor.BUYER, "choose"),
        "offered": (Actor.BUYER, "accept"),
        "awaiting_goods": (Actor.SYSTEM, "judge"),
        "awaiting_payment": (Actor.FINANCE, "pay"),
        "released": (Actor.AGENT, "ship"),
        "shipped": (Actor.BUYER, "complete"),
    },
    timers=(
        Timer("stock_answer", ("requested",), Actor.AGENT, ("answer",), ("presume_out",), "3 days"),
        Timer("alternative", ("out_of_stock",), Actor.BUYER, ("choose",), ("convert",), "7 days"),
        Timer("price_answer", ("offered",), Actor.BUYER, ("accept",), ("convert",), "7 days"),
        Timer("difference", ("awaiting_payment",), Actor.FINANCE, ("pay",), ("convert",), "7 days"),
        Timer("dispatch", ("released",), Actor.AGENT, ("ship",), ("overdue",), "7 days"),
        Timer("arrival", ("shipped",), Actor.BUYER, ("complete",), ("complete",), "14 days"),
    ),
)

OPEN_EXCHANGE: Final = frozenset(
    {"requested", "out_of_stock", "offered", "awaiting_goods", "awaiting_payment"}
)
"""States in which neither goods nor money are decided: the return is not settled."""
RELEASED: Final = frozenset({"released", "shipped", "completed"})
"""States in which the goods are the buyer's: what they cost is drawn and paid."""
