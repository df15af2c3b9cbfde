"""Every table by noun. The migrations, the statements and the catalogue tests read these."""

from returns_api.db.tables._base import metadata, tenant_tables
from returns_api.db.tables.address_changes import address_changes
from returns_api.db.tables.advances import (
    advances,
    fast_refund_caps,
    recoveries,
    recovery_steps,
)
from returns_api.db.tables.audits import audits
from returns_api.db.tables.cancellations import cancellation_lines, cancellations
from returns_api.db.tables.complaints import complaints
from returns_api.db.tables.conversations import message_texts, return_messages
from returns_api.db.tables.credit_notes import credit_notes, number_series
from returns_api.db.tables.deadlines import deadlines, order_deadlines
from returns_api.db.tables.disputes import dispute_statements, disputes
from returns_api.db.tables.exchanges import exchange_draws, exchange_gifts, exchanges
from returns_api.db.tables.exports import export_parts, exports
from returns_api.db.tables.gifts import gift_receipt_lines, gift_receipts, gift_recipients
from returns_api.db.tables.imports import import_parts, import_problems, imports
from returns_api.db.tables.ledger import (
    ledger_entries,
    ledger_postings,
    ledger_seals,
    ledger_unsealed,
)
from returns_api.db.tables.listings import listings
from returns_api.db.tables.messages import (
    deliveries,
    delivery_attempts,
    events,
    inbox,
    webhook_endpoints,
)
from returns_api.db.tables.notifications import (
    notification_opt_outs,
    notification_settings,
    notifications,
)
from returns_api.db.tables.offers import offers
from returns_api.db.tables.orders import (
    certificates,
    order_lines,
    order_people,
    orders,
    outside_facts,
    parcel_lines,
    parcels,
    payments,
)
from returns_api.db.tables.payment_references import payment_references
from returns_api.db.tables.photos import photos
from returns_api.db.tables.pickups import pickups
from returns_api.db.tables.policies import backtests, policy_history, policy_versions
from returns_api.db.tables.reconciliations import (
    reconciliation_differences,
    reconciliation_lines,
    reconciliations,
)
from returns_api.db.tables.refunds import (
    refund_allowances,
    refund_approvals,
    refunds,
    transfer_attempts,
    transfers,
)
from returns_api.db.tables.repairs import repairs
from returns_api.db.tables.reports import report_progress, report_rollups
from returns_api.db.tables.returns import (
    decisions,
    inspected_units,
    inspections,
    quotes,
    receipt_lines,
    receipts,
    return_lines,
    returns,
    unit_claims,
)
from returns_api.db.tables.shipments import label_documents, scans, shipments
from returns_api.db.tables.shops import (
    connections,
    credentials,
    idempotency_keys,
    rate_limits,
    shops,
)
from returns_api.db.tables.store_credits import (
    store_credit_draws,
    store_credit_lots,
    store_credit_movements,
    store_credits,
)
from returns_api.db.tables.transport_claims import transport_claims
from returns_api.db.tables.withdrawals import withdrawal_acknowledgements, withdrawals

__all__ = [
    "address_changes",
    "advances",
    "audits",
    "backtests",
    "cancellation_lines",
    "cancellations",
    "certificates",
    "complaints",
    "connections",
    "credentials",
    "credit_notes",
    "deadlines",
    "decisions",
    "deliveries",
    "delivery_attempts",
    "dispute_statements",
    "disputes",
    "events",
    "exchange_draws",
    "exchange_gifts",
    "exchanges",
    "export_parts",
    "exports",
    "fast_refund_caps",
    "gift_receipt_lines",
    "gift_receipts",
    "gift_recipients",
    "idempotency_keys",
    "import_parts",
    "import_problems",
    "imports",
    "inbox",
    "inspected_units",
    "inspections",
    "label_documents",
    "ledger_entries",
    "ledger_postings",
    "ledger_seals",
    "ledger_unsealed",
    "listings",
    "message_texts",
    "metadata",
    "notification_opt_outs",
    "notification_settings",
    "notifications",
    "number_series",
    "offers",
    "order_deadlines",
    "order_lines",
    "order_people",
    "orders",
    "outside_facts",
    "parcel_lines",
    "parcels",
    "payment_references",
    "payments",
    "photos",
    "pickups",
    "policy_history",
    "policy_versions",
    "quotes",
    "rate_limits",
    "receipt_lines",
    "receipts",
    "reconciliation_differences",
    "reconciliation_lines",
    "reconciliations",
    "recoveries",
    "recovery_steps",
    "refund_allowances",
    "refund_approvals",
    "refunds",
    "repairs",
    "report_progress",
    "report_rollups",
    "return_lines",
    "return_messages",
    "returns",
    "scans",
    "shipments",
    "shops",
    "store_credit_draws",
    "store_credit_lots",
    "store_credit_movements",
    "store_credits",
    "tenant_tables",
    "transfer_attempts",
    "transfers",
    "transport_claims",
    "unit_claims",
    "webhook_endpoints",
    "withdrawal_acknowledgements",
    "withdrawals",
]
