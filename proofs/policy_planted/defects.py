"""All planted defects, in the order of the families."""

from __future__ import annotations

from typing import Final

from proofs.policy_planted import costs, law, names, rules
from proofs.policy_planted.documents import Planted

PLANTED: Final[tuple[Planted, ...]] = (
    *rules.DEFECTS,
    *costs.DEFECTS,
    *names.DEFECTS,
    *law.DEFECTS,
)
