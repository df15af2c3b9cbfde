"""Which operation is which action of a lifecycle table, and which shapes show its states.

Owns these two lists; the description of the API is told from them (``openapi``).
"""

from __future__ import annotations

from typing import Final

from returns_api.api.actions import (
    CLAIM_LINKS,
    OFFER_LINKS,
    PICKUP_LINKS,
)
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE
from returns_api.domain.lifecycle.advances import ADVANCE, RECOVERY
from returns_api.domain.lifecycle.cancellations import CANCELLATION
from returns_api.domain.lifecycle.complaints import COMPLAINT
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Machine
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.orders import ORDER
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.policies import POLICY
from returns_api.domain.lifecycle.quotes import QUOTE
from returns_api.domain.lifecycle.refunds import REFUND, TRANSFER
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.lifecycle.withdrawals import WITHDRAWAL

OPERATIONS: Final[dict[str, tuple[Machine, str]]] = {
    "createQuote": (ORDER, "quote"),
    "addOrderPhoto": (ORDER, "add_photo"),
    "cancelOrder": (ORDER, "cancel"),
    "askAddressChange": (ORDER, "change_address"),
    "submitWithdrawal": (ORDER, "withdraw"),
    "createGiftReceipt": (ORDER, "give"),
    "openReturn": (QUOTE, "open"),
    "createGiftQuote": (ORDER, "quote"),
    "openGiftReturn": (QUOTE, "open"),
    "provideGiftReturnInfo": (RETURN, "provide_info"),
    "cancelGiftReturn": (RETURN, "cancel"),
    "shipGiftReturn": (RETURN, "ship"),
    "approveReturn": (RETURN, "approve"),
    "rejectReturn": (RETURN, "reject"),
    "requestReturnInfo": (RETURN, "request_info"),
    "provideReturnInfo": (RETURN, "provide_info"),
    "cancelReturn": (RETURN, "cancel"),
    "shipReturn": (RETURN, "ship"),
    "createReceipt": (RETURN, "receive"),
    "createInspection": (RETURN, "inspect"),
    "makeOffer": (RETURN, "offer"),
    "openDispute": (RETURN, "dispute"),
    "confirmWithdrawal": (WITHDRAWAL, "confirm"),
    "addDisputeEvidence": (DISPUTE, "add_evidence"),
    "appealRuling": (DISPUTE, "appeal"),
    "withdrawDispute": (DISPUTE, "withdraw"),
    "beginDisputeReview": (DISPUTE, "begin_review"),
    "ruleDispute": (DISPUTE, "rule"),
    "reportComplaintProgress": (COMPLAINT, "progress"),
    "askComplaintQuestion": (COMPLAINT, "ask"),
    "answerComplaintQuestion": (COMPLAINT, "answer"),
    **{f"{name}Complaint": (COMPLAINT, name) for name in ("resolve", "withdraw", "reopen", "rate")},
    **{f"{name}Offer": (OFFER, name) for name in OFFER_LINKS},
    "answerExchange": (EXCHANGE, "answer"),
    "acceptExchange": (EXCHANGE, "accept"),
    "chooseAlternative": (EXCHANGE, "choose"),
    "cancelExchange": (EXCHANGE, "cancel"),
    "setExchangePaymentLink": (EXCHANGE, "link"),
    "recordExchangePayment": (EXCHANGE, "pay"),
    "shipExchange": (EXCHANGE, "ship"),
    "completeExchange": (EXCHANGE, "complete"),
    **{
        f"{name}Repair": (REPAIR, name)
        for name in ("quote", "accept", "decline", "finish", "waive", "ship", "complete")
    },
    "giveUpRepair": (REPAIR, "give_up"),
    "chooseInstead": (REPAIR, "choose"),
    "setRepairPaymentLink": (REPAIR, "link"),
    "recordRepairPayment": (REPAIR, "pay"),
    **{f"{name}Pickup": (PICKUP, name) for name in PICKUP_LINKS},
    **{f"{name}TransportClaim": (TRANSPORT_CLAIM, name) for name in CLAIM_LINKS},
    "confirmCancellation": (CANCELLATION, "confirm"),
    "turnBackParcel": (CANCELLATION, "turn_back"),
    "declineCancellation": (CANCELLATION, "decline"),
    "withdrawCancellation": (CANCELLATION, "withdraw"),
    "receiveCancelledParcel": (CANCELLATION, "receive"),
    **{f"{name}AddressChange": (ADDRESS_CHANGE, name) for name in ("apply", "decline", "withdraw")},
    "retryLabel": (SHIPMENT, "retry"),
    "approveRefund": (REFUND, "approve"),
    "retryRefund": (REFUND, "retry"),
    "cancelRefund": (REFUND, "cancel"),
    "requestRecovery": (RECOVERY, "request"),
    "recordRecoveryPayment": (RECOVERY, "pay"),
    "writeOffRecovery": (RECOVERY, "write_off"),
    "waiveRecovery": (RECOVERY, "waive"),
    "approveRecovery": (RECOVERY, "approve"),
    "declineRecovery": (RECOVERY, "decline"),
    "editPolicy": (POLICY, "edit"),
    "checkPolicy": (POLICY, "check"),
    "publishPolicy": (POLICY, "publish"),
    "retirePolicy": (POLICY, "retire"),
}
"""Operations of the description and the action that each is."""
STATES: Final[dict[str, Machine]] = {
    "ReturnOut": RETURN,
    "ReturnLineOut": LINE,
    "GiftReturnOut": RETURN,
    "GiftReturnLineOut": LINE,
    "LabelOut": SHIPMENT,
    "RefundOut": REFUND,
    "TransferOut": TRANSFER,
    "AdvanceOut": ADVANCE,
    "AdvanceRecoveryOut": RECOVERY,
    "OfferOut": OFFER,
    "DisputeOut": DISPUTE,
    "ComplaintOut": COMPLAINT,
    "ExchangeOut": EXCHANGE,
    "RepairOut": REPAIR,
    "PickupOut": PICKUP,
    "WithdrawalOut": WITHDRAWAL,
    "TransportClaimOut": TRANSPORT_CLAIM,
    "CancellationOut": CANCELLATION,
    "AddressChangeOut": ADDRESS_CHANGE,
}
"""Shapes whose ``state`` is a state of a table."""
