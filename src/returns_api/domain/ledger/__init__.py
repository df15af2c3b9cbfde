"""The books: every movement of money as a double entry, made from business facts by named rules.

``rules`` is the table of accounts and rules, ``postings`` turns facts into entries, ``chain`` seals
entries one after another. All pure; writing is ``db.ledger``'s. Nothing else may make a posting.
"""

from __future__ import annotations

from returns_api.domain.ledger.chain import canonical, digest_of, genesis
from returns_api.domain.ledger.postings import (
    Captured,
    Entry,
    Moved,
    Posting,
    RefundRef,
    Stamp,
    captures,
    credit_moved,
    moves_elsewhere,
    refund_given_up,
    refund_requested,
    refund_taken_up,
    transfer_credited,
    transfer_moved,
    transfers_added,
)
from returns_api.domain.ledger.rules import DEBT_OF, OWNER, RULES, Account, Rule

__all__ = [
    "DEBT_OF",
    "OWNER",
    "RULES",
    "Account",
    "Captured",
    "Entry",
    "Moved",
    "Posting",
    "RefundRef",
    "Rule",
    "Stamp",
    "canonical",
    "captures",
    "credit_moved",
    "digest_of",
    "genesis",
    "moves_elsewhere",
    "refund_given_up",
    "refund_requested",
    "refund_taken_up",
    "transfer_credited",
    "transfer_moved",
    "transfers_added",
]
