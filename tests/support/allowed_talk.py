"""Who may do what where two sides talk: offers, disputes, complaints, exchanges, policies.

The lifecycle tables a second time, in the shape in which people ask: who changes a table changes it
here too.
"""

from __future__ import annotations

from returns_api.domain.lifecycle.machine import Actor
from tests.support.actors import ADMIN, AGENT, BUYER, FINANCE, PLATFORM, SYSTEM, WAREHOUSE

ENDS = {"expire", "lapse"}
SIDE = {"evidence": {"add_evidence"}, "ruled": {"appeal"}, "appealed": {"add_evidence"}}
HEARD = {
    **{state: {"progress", "ask", "resolve"} for state in ("open", "in_progress")},
    "waiting": {"answer", "resolve"},
    "escalated": {"progress", "resolve"},
    "resolved": {"reopen"},
}
SHOP_MAY = {
    "requested": {"answer", "cancel"},
    "out_of_stock": {"answer"},
    "offered": {"answer", "cancel"},
    "awaiting_goods": {"answer", "cancel"},
    "awaiting_payment": {"answer", "cancel", "link"},
    "released": {"ship"},
    "shipped": {"complete"},
}
OWNERS_MAY = {
    "draft": {"edit", "check", "publish"},
    "checked": {"edit", "check", "publish"},
    "published": {"retire"},
}
TALK: dict[str, dict[Actor, dict[str, set[str]]]] = {
    "offer": {
        BUYER: {
            "awaiting_buyer": {"accept", "counter", "decline"},
            "awaiting_merchant": {"withdraw"},
        },
        AGENT: {
            "awaiting_approval": {"withdraw"},
            "awaiting_buyer": {"withdraw"},
            "awaiting_merchant": {"accept", "counter", "decline"},
        },
        WAREHOUSE: {},
        FINANCE: {"awaiting_approval": {"approve"}},
        ADMIN: {
            "awaiting_approval": {"approve", "decline", "withdraw"},
            "awaiting_buyer": {"withdraw"},
            "awaiting_merchant": {"accept", "counter", "decline"},
        },
        SYSTEM: dict.fromkeys(("awaiting_approval", "awaiting_buyer", "awaiting_merchant"), ENDS),
    },
    "dispute": {
        BUYER: {
            "evidence": {"add_evidence", "withdraw"},
            "review": {"withdraw"},
            "ruled": {"appeal"},
            "appealed": {"add_evidence"},
        },
        AGENT: SIDE,
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: SIDE,
        PLATFORM: {"evidence": {"begin_review"}, "review": {"rule"}, "appealed": {"rule"}},
        SYSTEM: {
            "evidence": {"close_evidence"},
            "review": {"overdue"},
            "ruled": {"finalize"},
            "appealed": {"finalize"},
        },
    },
    "complaint": {
        BUYER: {
            **{state: {"withdraw"} for state in ("open", "in_progress", "escalated")},
            "waiting": {"answer", "withdraw"},
            "resolved": {"reopen", "rate"},
            "closed": {"rate"},
        },
        AGENT: HEARD,
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: HEARD,
        SYSTEM: {
            "open": {"escalate"},
            "in_progress": {"escalate"},
            "waiting": {"lapse"},
            "escalated": {"overdue"},
            "resolved": {"close"},
            "closed": {"let_be"},
        },
    },
    "exchange": {
        BUYER: {
            "requested": {"cancel"},
            "out_of_stock": {"choose"},
            "offered": {"accept", "cancel"},
            "awaiting_goods": {"cancel"},
            "awaiting_payment": {"cancel"},
            "shipped": {"complete"},
        },
        AGENT: SHOP_MAY,
        WAREHOUSE: {},
        FINANCE: {"awaiting_payment": {"pay"}},
        ADMIN: SHOP_MAY | {"awaiting_payment": {"answer", "cancel", "link", "pay"}},
        SYSTEM: {
            "requested": {"presume_out", "lapse"},
            "out_of_stock": {"convert", "lapse"},
            "offered": {"convert", "lapse"},
            "awaiting_goods": {"advance", "judge", "lapse"},
            "awaiting_payment": {"convert", "lapse"},
            "released": {"overdue", "recall"},
            "shipped": {"complete"},
        },
    },
    "policy version": {
        BUYER: {},
        AGENT: {},
        WAREHOUSE: {},
        FINANCE: {},
        ADMIN: OWNERS_MAY,
        SYSTEM: OWNERS_MAY,
    },
}
