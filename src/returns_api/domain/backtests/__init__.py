"""A draft against returns of the past: what would be decided otherwise, and for how much money.

A ``Trial`` judges one past return by two policies, a ``Tally`` counts many. All pure: where the
history comes from (the database, a file) and who waits for it are the business of the storeys
above.
"""

from returns_api.domain.backtests.compare import Compared, Trial, Turn
from returns_api.domain.backtests.history import PastLine, PastReturn
from returns_api.domain.backtests.tally import Tally

__all__ = ["Compared", "PastLine", "PastReturn", "Tally", "Trial", "Turn"]
