"""The bank's books in one file: payments, refunds, disputes, remembered answers, and movements.

Owns what concerns several of them. Refuses to own HTTP and faults; a caller says under which faults
a refund lives.
"""

from __future__ import annotations

from ..kit.store import Store
from . import answers, disputes, movements, payments, refunds
from .answers import Answers
from .disputes import Disputes
from .movements import Movements
from .payments import Payments
from .refunds import Refunds

SCHEMA = "".join(each.SCHEMA for each in (payments, refunds, disputes, movements, answers))
TABLES = ("payments", "refunds", "disputes", "movements", "keys")


class Ledger:
    """One of each; money that moves is written down by ``movements`` in the same transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.movements = Movements(store)
        self.payments = Payments(store, self.movements)
        self.refunds = Refunds(store, self.movements)
        self.disputes = Disputes(store, self.movements)
        self.answers = Answers(store)

    def hasten(self, seconds: float) -> None:
        """Bring every pending change ``seconds`` nearer, and age every remembered key by it."""
        with self._store.transaction():
            self.refunds.hasten(seconds)
            self.answers.age(seconds)
