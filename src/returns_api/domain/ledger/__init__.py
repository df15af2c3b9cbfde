"""The books: every movement of money as a double entry, made from business facts by named rules.

``rules`` is the table of accounts and rules, ``entries`` says what an entry is, ``postings`` turns
facts into entries, ``chain`` seals them one after another. All pure; writing is ``db.ledger``'s.
Nothing else may make a posting.
"""

from __future__ import annotations

from returns_api.domain.ledger.chain import canonical, digest_of, genesis
from returns_api.domain.ledger.entries import Entry, Posting, Stamp
from returns_api.domain.ledger.postings import (
    DRAWN_BY_GOODS,
    PAID_IN_ADVANCE,
    Captured,
    ClaimRef,
    ExchangeRef,
    Moved,
    RecoveryRef,
    RefundRef,
    RepairRef,
    advance_settled,
    captures,
    claim_moved,
    credit_moved,
    difference_paid,
    goods_advanced,
    goods_exchanged,
    moves_elsewhere,
    recovery_moved,
    refund_given_up,
    refund_requested,
    refund_taken_up,
    repair_paid,
    transfer_credited,
    transfer_moved,
    transfers_added,
)
from returns_api.domain.ledger.rules import DEBT_OF, OWNER, RULES, Account, Rule

__all__ = [
    "DEBT_OF",
    "DRAWN_BY_GOODS",
    "OWNER",
    "PAID_IN_ADVANCE",
    "RULES",
    "Account",
    "Captured",
    "ClaimRef",
    "Entry",
    "ExchangeRef",
    "Moved",
    "Posting",
    "RecoveryRef",
    "RefundRef",
    "RepairRef",
    "Rule",
    "Stamp",
    "advance_settled",
    "canonical",
    "captures",
    "claim_moved",
    "credit_moved",
    "difference_paid",
    "digest_of",
    "genesis",
    "goods_advanced",
    "goods_exchanged",
    "moves_elsewhere",
    "recovery_moved",
    "refund_given_up",
    "refund_requested",
    "refund_taken_up",
    "repair_paid",
    "transfer_credited",
    "transfer_moved",
    "transfers_added",
]
