"""The smallest change of a case that turns an outcome: found exactly, or shown not to exist.

``Flips.smallest`` first looks at single changes with a few set operations (``singles``) and, where
none helps, searches the whole fact space of the policy, nearest first (``search``).

*Smallest* means: without a ``far`` change if that is possible at all; then the fewest facts; then
first in the order ``changes.AXES``; then the closest value on each axis in that order. Owns that
meaning; refuses to own sentences (``words``) and what a buyer could want (``goals``).
"""

from returns_api.domain.policy.flips.changes import Change
from returns_api.domain.policy.flips.finder import Flips, Found

__all__ = ["Change", "Flips", "Found"]
