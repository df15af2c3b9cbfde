"""Policy as checked data: read, judged, decided, explained.

A merchant writes one document (``docs/policy.md``); ``load_policy`` reads it, ``compile_policy``
makes it fast, ``Policy.decide`` turns facts about one order line into a decision that says who set
every term. Everything here is pure; versions, jobs and endpoints live above.

Store ``LoadedPolicy.canonical`` with a version and rebuild it with ``restore_policy``: the law of
the day is pinned inside, so that a decision can be recomputed bit for bit years later.
"""

from returns_api.domain.policy.decision_json import canonical_json, decision_bytes, decision_to_json
from returns_api.domain.policy.decisions import Decision
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.evaluate import Policy, compile_policy
from returns_api.domain.policy.facts import BuyerHistory, Facts, rollout_place
from returns_api.domain.policy.findings import Finding
from returns_api.domain.policy.law import Law, default_law, read_law
from returns_api.domain.policy.loader import LoadedPolicy, load_policy, restore_policy
from returns_api.domain.policy.weighed import Weighed

__all__ = [
    "BuyerHistory",
    "Decision",
    "Facts",
    "Finding",
    "Law",
    "LoadedPolicy",
    "Policy",
    "PolicyDocument",
    "Weighed",
    "canonical_json",
    "compile_policy",
    "decision_bytes",
    "decision_to_json",
    "default_law",
    "load_policy",
    "read_law",
    "restore_policy",
    "rollout_place",
]
