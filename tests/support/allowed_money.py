"""Who may do what to money: transfers, refunds, credit, and what was paid too early.

The lifecycle tables a second time, in the shape in which people ask: who changes a table changes it
here too.
"""

from __future__ import annotations

from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import REFUND_STATES
from tests.support.actors import ADMIN, AGENT, BUYER, FINANCE, SYSTEM, WAREHOUSE

FINANCE_MAY = {
    "requested": {"approve", "cancel"},
    "queued": {"approve", "cancel"},
    **{state: {"approve"} for state in ("sending", "unknown", "pending", "requires_action")},
    "needs_review": {"approve", "retry", "cancel"},
    "partially_succeeded": {"retry", "cancel"},
    "failed": {"retry", "cancel"},
    "reversed": {"retry", "cancel"},
}
RECOVERY_MAY = {
    "open": {"request", "pay", "debit", "write_off", "waive"},
    "requested": {"pay", "debit", "write_off", "waive"},
    "to_approve": {"approve", "decline", "pay", "debit"},
}
MONEY: dict[str, dict[Actor, dict[str, set[str]]]] = {
    "transfer": {
        BUYER: {},
        AGENT: {},
        WAREHOUSE: {},
        FINANCE: {
            "on_hold": {"release", "cancel"},
            "queued": {"cancel"},
            "needs_review": {"retry", "cancel"},
        },
        ADMIN: {
            "on_hold": {"release", "cancel"},
            "queued": {"cancel"},
            "needs_review": {"retry", "cancel"},
        },
        SYSTEM: {
            "queued": {"send", "fact", "put_back", "lose", "give_up"},
            "sending": {"fact", "put_back", "lose", "give_up"},
            "unknown": {"fact", "put_back", "lose", "give_up"},
            "pending": {"fact", "wait", "give_up"},
            "requires_action": {"fact", "wait", "give_up"},
            "succeeded": {"fact"},
            "needs_review": {"fact"},
        },
    },
    "store credit lot": {
        BUYER: {},
        AGENT: {"open": {"spend", "give_back"}, "used": {"give_back"}},
        WAREHOUSE: {},
        FINANCE: {"open": {"spend", "recover", "give_back"}, "used": {"give_back"}},
        ADMIN: {"open": {"spend", "recover", "give_back"}, "used": {"give_back"}},
        SYSTEM: {"open": {"recover", "expire"}},
    },
    "refund": {
        BUYER: {},
        AGENT: {},
        WAREHOUSE: {},
        FINANCE: FINANCE_MAY,
        ADMIN: FINANCE_MAY,
        SYSTEM: {state: {"follow"} for state in REFUND_STATES if state != "canceled"},
    },
    "advance": {
        BUYER: {},
        AGENT: {},
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: {},
        SYSTEM: {"outstanding": {"settle"}},
    },
    "recovery": {
        BUYER: {},
        AGENT: {},
        WAREHOUSE: {},
        FINANCE: RECOVERY_MAY,
        ADMIN: RECOVERY_MAY,
        SYSTEM: {
            "open": {"clear"},
            "requested": {"lapse", "clear"},
            **{state: {"clear"} for state in ("to_approve", "paid", "written_off", "waived")},
        },
    },
}
