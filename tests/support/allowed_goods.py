"""Who may do what to goods: returns, their parcels, what is not wanted before it comes.

The lifecycle tables a second time, in the shape in which people ask: who changes a table changes it
here too.
"""

from __future__ import annotations

from returns_api.domain.lifecycle.machine import Actor
from tests.support.actors import ADMIN, AGENT, BUYER, FINANCE, SYSTEM, WAREHOUSE

REVIEW = {"approve", "reject", "request_info", "cancel", "offer", "agree"}
CONTEST = {state: {"dispute"} for state in ("rejected", "refunding", "completed")}
CLAIMANT = {"opened": {"submit", "withdraw"}, "submitted": {"withdraw"}}
COURIER = {"booked": {"cancel", "miss"}, "missed": {"rebook"}, "failed": {"rebook"}}
GOODS: dict[str, dict[Actor, dict[str, set[str]]]] = {
    "return": {
        BUYER: {
            "requested": {"cancel", "agree"},
            "info_needed": {"provide_info", "cancel", "agree"},
            "approved": {"ship", "cancel", "agree"},
            **CONTEST,
        },
        AGENT: {
            "requested": REVIEW,
            "info_needed": {"provide_info", "reject", "cancel", "offer", "agree"},
            "approved": {"ship", "cancel", "offer", "agree"},
            "in_transit": {"cancel"},
        },
        WAREHOUSE: {
            "approved": {"receive"},
            "in_transit": {"receive"},
            "received": {"receive", "inspect"},
            "refunding": {"inspect"},
            "completed": {"inspect"},
        },
        FINANCE: {},
        ADMIN: {
            "requested": REVIEW,
            "info_needed": {"provide_info", "reject", "cancel", "offer", "agree"},
            "approved": {"ship", "cancel", "receive", "offer", "agree"},
            "in_transit": {"cancel", "receive"},
            "received": {"receive", "inspect"},
            "refunding": {"inspect"},
            "completed": {"inspect"},
        },
        SYSTEM: {
            "requested": {"approve", "reject"},
            "info_needed": {"reject"},
            "approved": {"ship", "expire"},
            "in_transit": {"overdue"},
            "received": {"settle", "overdue"},
            "inspected": {"settle"},
            "refunding": {"complete", "overdue", "let_stand"},
            "completed": {"reopen", "let_stand"},
            "rejected": {"let_stand"},
        },
    },
    "return line": {
        BUYER: {"requested": {"cancel", "keep"}, "approved": {"cancel", "keep"}},
        AGENT: {
            "requested": {"approve", "reject", "cancel", "keep"},
            "approved": {"cancel", "keep"},
        },
        WAREHOUSE: {
            "approved": {"receive", "close"},
            "received": {"receive", "inspect"},
            "settled": {"inspect"},
        },
        FINANCE: {},
        ADMIN: {
            "requested": {"approve", "reject", "cancel", "keep"},
            "approved": {"cancel", "receive", "close", "keep"},
            "received": {"receive", "inspect"},
            "settled": {"inspect"},
        },
        SYSTEM: {
            "requested": {"approve", "reject"},
            "approved": {"expire"},
            "received": {"settle"},
            "inspected": {"settle"},
        },
    },
    "shipment": {
        BUYER: {},
        AGENT: {"label_failed": {"retry"}, "void_failed": {"retry"}},
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: {"label_failed": {"retry"}, "void_failed": {"retry"}},
        SYSTEM: {
            "label_due": {"buy", "void"},
            "label_failed": {"buy", "void"},
            "label_ready": {"announce", "void", "scan"},
            "in_transit": {"scan", "stall"},
            "lost": {"scan"},
            "delivered": {"scan"},
            "void_due": {"buy", "void"},
            "void_failed": {"buy"},
            "voided": {"buy"},
        },
    },
    "pickup": {
        BUYER: COURIER,
        AGENT: COURIER,
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: COURIER,
        SYSTEM: {
            "booking": {"book"},
            "booked": {"collect", "cancel", "miss"},
            "canceling": {"end", "collect"},
            "missed": {"collect", "lapse"},
            "failed": {"lapse"},
        },
    },
    "transport claim": {
        BUYER: {},
        AGENT: CLAIMANT,
        WAREHOUSE: {},
        FINANCE: {"submitted": {"accept", "reject"}, "accepted": {"pay", "reject"}},
        ADMIN: {
            "opened": {"submit", "withdraw"},
            "submitted": {"withdraw", "accept", "reject"},
            "accepted": {"pay", "reject"},
        },
        SYSTEM: {
            "opened": {"withdraw", "overdue"},
            "submitted": {"withdraw", "overdue"},
            "withdrawn": {"reopen"},
        },
    },
    "cancellation": {
        BUYER: {"requested": {"withdraw"}},
        AGENT: {
            "requested": {"confirm", "turn_back", "decline", "withdraw"},
            "coming_back": {"decline"},
        },
        WAREHOUSE: {"coming_back": {"receive"}},
        FINANCE: {},
        ADMIN: {
            "requested": {"confirm", "turn_back", "decline", "withdraw"},
            "coming_back": {"receive", "decline"},
        },
        SYSTEM: {
            "requested": {"confirm", "turn_back", "decline", "reduce"},
            "coming_back": {"overdue"},
            "confirmed": {"overrun"},
        },
    },
    "address change": {
        BUYER: {"requested": {"withdraw"}},
        AGENT: {"requested": {"apply", "decline", "withdraw"}},
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: {"requested": {"apply", "decline", "withdraw"}},
        SYSTEM: {"requested": {"decline"}},
    },
}
