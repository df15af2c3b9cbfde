"""The books: every movement of money as a double entry, made from business facts by named rules.

``rules`` is the table of accounts and rules, ``entries`` says what an entry is, ``subjects`` what
one is about, ``postings`` and ``goods_postings`` turn facts of money and of goods into entries,
``chain`` seals them one after another. All pure; writing is ``db.ledger``'s.
Nothing else may make a posting.
"""

from __future__ import annotations

from returns_api.domain.ledger.chain import canonical, digest_of, genesis
from returns_api.domain.ledger.debts import DRAWN_BY_GOODS, PAID_IN_ADVANCE
from returns_api.domain.ledger.entries import Entry, Posting, Stamp
from returns_api.domain.ledger.goods_postings import (
    advance_settled,
    claim_moved,
    difference_paid,
    goods_advanced,
    goods_exchanged,
    recovery_moved,
    repair_paid,
    return_settled,
)
from returns_api.domain.ledger.postings import (
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
from returns_api.domain.ledger.subjects import (
    Captured,
    ClaimRef,
    ExchangeRef,
    Moved,
    RecoveryRef,
    RefundRef,
    RepairRef,
    ReturnRef,
)

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
    "ReturnRef",
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
    "return_settled",
    "transfer_credited",
    "transfer_moved",
    "transfers_added",
]
