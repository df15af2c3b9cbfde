"""How each trigger is broken: by its name, the statements that it has to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

_ANOTHER = str(uuid4())


NEW_PAYMENT = """
INSERT INTO payments SELECT (r.p).* FROM (
    SELECT jsonb_populate_record(p, jsonb_build_object(
        'id', gen_random_uuid(), 'external_id', 'new', 'provider_payment_id', 'new',
        'reserved', {reserved}, 'refunded', {refunded}, 'exchanged', {exchanged})) AS p
    FROM payments p LIMIT 1) r
"""


HELD_REFUND = "SELECT id FROM refunds WHERE hold_reason IS NOT NULL LIMIT 1"


FREE_REFUND = "(SELECT id FROM refunds WHERE hold_reason IS NULL LIMIT 1)"


APPROVED = {"refund": "a.refund_id", "requester": "a.requester_id", "amount": "a.amount_minor",
            "currency": "a.currency", "releases": "a.releases"}  # fmt: skip


NEW_APPROVAL = """
INSERT INTO refund_approvals (shop_id, id, refund_id, requester_id, approver_id, amount_minor,
                              currency, binding, releases, at)
SELECT a.shop_id, gen_random_uuid(), {refund}, {requester}, gen_random_uuid(), {amount},
       {currency}, 'another', {releases}, now() FROM refund_approvals a LIMIT 1
"""


ANOTHER_HELD = f"""
INSERT INTO transfers SELECT (jsonb_populate_record(t, jsonb_build_object(
    'id', '{_ANOTHER}', 'state', 'on_hold', 'amount_minor', {{0}},
    'provider_key', 'new', 'provider_refund_id', 'new'))).*
FROM transfers t WHERE refund_id = ({HELD_REFUND})
"""
"""A further transfer of a refund that was approved already: for other transfers than this."""


SEND_IT = f"UPDATE transfers SET state = 'queued' WHERE id = '{_ANOTHER}'"


APPROVE_OTHER = NEW_APPROVAL.format(**{**APPROVED, "releases": f"""
    (SELECT jsonb_agg(jsonb_build_object('transfer', t.id, 'payment', t.payment_id,
        'amount', t.amount_minor + 1, 'currency', t.currency)) FROM transfers t
     WHERE t.id = '{_ANOTHER}')"""})  # fmt: skip
"""Approves the transfer, but not its amount."""


TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "payments_growth": (
        "UPDATE payments SET reserved = captured + 1",
        "UPDATE payments SET exchanged = captured + 1",
        "UPDATE payments SET external = captured - refunded; "
        "UPDATE payments SET exchanged = exchanged + 1",
        "UPDATE payments SET external = captured - refunded; "
        "UPDATE payments SET reserved = reserved + 1",
        "UPDATE payments SET disputed = captured * 2, reserved = reserved + 1",
    ),
    "payments_start_untouched": (
        NEW_PAYMENT.format(reserved=1, refunded=0, exchanged=0),
        NEW_PAYMENT.format(reserved=0, refunded=1, exchanged=0),
        NEW_PAYMENT.format(reserved=0, refunded=0, exchanged=1),
    ),
    "order_lines_growth": (
        "UPDATE order_lines SET claimed = shipped + 1 WHERE kind = 'goods'",
        "UPDATE order_lines SET outside_returned = shipped WHERE kind = 'goods'; "
        "UPDATE order_lines SET claimed = claimed + 1 WHERE kind = 'goods'",
        "UPDATE order_lines SET removed = ordered WHERE kind = 'goods'; "
        "UPDATE order_lines SET claimed = claimed + 1 WHERE kind = 'goods'",
        "UPDATE order_lines SET outside_cancelled = ordered WHERE kind = 'goods'; "
        "UPDATE order_lines SET claimed = claimed + 1 WHERE kind = 'goods'",
    ),
    "cancellation_lines_unsent": (
        "INSERT INTO cancellation_lines SELECT (jsonb_populate_record(x, jsonb_build_object("
        "'id', gen_random_uuid(), 'dispatched', false))).* FROM cancellation_lines x LIMIT 1",
        "UPDATE order_lines SET shipped = 0, claimed = 0, cancelled = 0, outside_returned = 0,"
        " outside_cancelled = ordered; INSERT INTO cancellation_lines SELECT"
        " (jsonb_populate_record(x, jsonb_build_object('id', gen_random_uuid(), 'dispatched',"
        " false))).* FROM cancellation_lines x LIMIT 1",
    ),
    "policy_versions_fixed": (
        "DELETE FROM policy_versions WHERE state = 'published'",
        *(
            f"UPDATE policy_versions SET {change} WHERE state = 'published'"
            for change in (
                "source = 'another'",
                "canonical = 'another'",
                "digest = 'another'",
                "number = number + 100",
                "findings = findings || '[1]'",
                "effective_from = now()",
                "state = 'draft'",
            )
        ),
    ),
    "refund_approvals_bound": tuple(
        NEW_APPROVAL.format(**{**APPROVED, **other})
        for other in (
            {"amount": "a.amount_minor + 1"},
            {"currency": "'XXX'"},
            {"requester": "gen_random_uuid()"},
            {"refund": FREE_REFUND},
        )
    ),
    "transfers_start_held": (
        "INSERT INTO transfers SELECT (jsonb_populate_record(t, jsonb_build_object("
        "'id', gen_random_uuid(), 'provider_key', 'new', 'provider_refund_id', 'new'))).*"
        f" FROM transfers t WHERE refund_id = ({HELD_REFUND})",
    ),
    "transfers_released": (
        f"""{ANOTHER_HELD.format("amount_minor")}; {SEND_IT}""",
        f"""{ANOTHER_HELD.format("amount_minor")}; {APPROVE_OTHER}; {SEND_IT}""",
    ),
    "transfers_fixed": tuple(
        f"UPDATE transfers SET {change}"
        for change in (
            "amount_minor = amount_minor + 1",
            "payment_id = (SELECT p.id FROM payments p WHERE p.id <> transfers.payment_id LIMIT 1)",
            "store_credit_id = (SELECT s.id FROM store_credits s LIMIT 1)",
        )
    ),
    "refunds_fixed": tuple(
        f"UPDATE refunds SET {change} WHERE hold_reason IS NOT NULL"
        for change in (
            "amount_minor = amount_minor + 1",
            "currency = 'XXX'",
            "hold_reason = NULL",
            "requested_by = NULL",
            "kind = 'cancellation'",
        )
    ),
    "number_series_step": (
        "UPDATE number_series SET last_number = last_number - 1",
        "UPDATE number_series SET last_number = last_number",
        "UPDATE number_series SET name = 'another', last_number = last_number + 1",
    ),
    "number_series_kept": ("DELETE FROM number_series",),
    "number_series_used": (
        "UPDATE number_series SET last_number = last_number + 1; SET CONSTRAINTS ALL IMMEDIATE",
        "UPDATE number_series SET last_number = last_number + 2; SET CONSTRAINTS ALL IMMEDIATE",
    ),
    "credit_notes_drawn": tuple(
        "INSERT INTO credit_notes SELECT (jsonb_populate_record(n, jsonb_build_object("
        f"'id', gen_random_uuid(), 'number', n.number + {ahead}))).* FROM credit_notes n"
        " ORDER BY number DESC LIMIT 1"
        for ahead in (1, 5)
    ),
    "store_credits_moved": (
        "UPDATE store_credits SET balance_minor = balance_minor + 1; SET CONSTRAINTS ALL IMMEDIATE",
        "UPDATE store_credits SET balance_minor = balance_minor + 1, sequence = sequence + 1;"
        " SET CONSTRAINTS ALL IMMEDIATE",
        "INSERT INTO store_credits SELECT shop_id, gen_random_uuid(), 'nobody', NULL, 'EUR', 1, 1,"
        " now(), now() FROM store_credits LIMIT 1; SET CONSTRAINTS ALL IMMEDIATE",
    ),
    "append_only": (),  # test_catalogue attacks it on every table that has it
}
