"""The values that a rule's terms can take, how they are read and how they are written back.

A term is one promise of the policy (see ``document.Terms``). Owns the shapes, by noun; refuses to
own who wins when several rules or laws speak (``merge``) and what a value means for a case
(``evaluate``).
"""

from returns_api.domain.policy.term_values.freight import (
    InsuranceTerm,
    ReturnShipping,
    read_insurance,
    read_return_shipping,
)
from returns_api.domain.policy.term_values.goods import (
    MAX_PROOFS,
    EvidenceTerm,
    Grades,
    KeepItem,
    read_evidence,
    read_grades,
    read_keep_item,
)
from returns_api.domain.policy.term_values.handling import (
    ApprovalTerm,
    Deadline,
    Methods,
    RefundTiming,
    read_approval,
    read_deadline,
    read_exchange_at,
    read_methods,
    read_refund_at,
)
from returns_api.domain.policy.term_values.windows import (
    DEFAULT_STARTS,
    Resolutions,
    ResolutionTerm,
    Start,
    Starts,
    Window,
    read_resolutions,
    read_starts,
    read_window,
)

__all__ = [
    "DEFAULT_STARTS",
    "MAX_PROOFS",
    "ApprovalTerm",
    "Deadline",
    "EvidenceTerm",
    "Grades",
    "InsuranceTerm",
    "KeepItem",
    "Methods",
    "RefundTiming",
    "ResolutionTerm",
    "Resolutions",
    "ReturnShipping",
    "Start",
    "Starts",
    "Window",
    "read_approval",
    "read_deadline",
    "read_evidence",
    "read_exchange_at",
    "read_grades",
    "read_insurance",
    "read_keep_item",
    "read_methods",
    "read_refund_at",
    "read_resolutions",
    "read_return_shipping",
    "read_starts",
    "read_window",
]
