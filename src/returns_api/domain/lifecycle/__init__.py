"""The life of each object as one table: (state, action) -> who may, and what follows.

Nothing moves a state outside these tables. Checks, the next allowed actions of a caller, the
diagrams in ``docs/`` and the exhaustive tests are all read from them.
"""

from typing import Final

from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE
from returns_api.domain.lifecycle.advances import ADVANCE, RECOVERY
from returns_api.domain.lifecycle.cancellations import CANCELLATION
from returns_api.domain.lifecycle.complaints import COMPLAINT
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor, Machine, Rule
from returns_api.domain.lifecycle.notifications import NOTIFICATION
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.orders import ORDER
from returns_api.domain.lifecycle.photos import PHOTO
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.policies import POLICY
from returns_api.domain.lifecycle.quotes import QUOTE
from returns_api.domain.lifecycle.refunds import REFUND, TRANSFER
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.store_credits import LOT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.lifecycle.withdrawals import WITHDRAWAL

MACHINES: Final = (
    ORDER,
    QUOTE,
    WITHDRAWAL,
    CANCELLATION,
    ADDRESS_CHANGE,
    RETURN,
    LINE,
    SHIPMENT,
    PICKUP,
    TRANSPORT_CLAIM,
    PHOTO,
    REFUND,
    TRANSFER,
    ADVANCE,
    RECOVERY,
    OFFER,
    DISPUTE,
    COMPLAINT,
    EXCHANGE,
    REPAIR,
    LOT,
    NOTIFICATION,
    POLICY,
)
"""Every table."""

__all__ = ["MACHINES", "Actor", "Machine", "Rule"]
