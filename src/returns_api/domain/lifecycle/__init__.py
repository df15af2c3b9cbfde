"""The life of each object as one table: (state, action) -> who may, and what follows.

Nothing moves a state outside these tables. Checks, the next allowed actions of a caller, the
diagrams in ``docs/`` and the exhaustive tests are all read from them.
"""

from returns_api.domain.lifecycle.machine import Actor, Machine, Rule

__all__ = ["Actor", "Machine", "Rule"]
