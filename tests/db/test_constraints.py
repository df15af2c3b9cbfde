"""T24: every CHECK, key, reference and trigger, attacked by raw SQL as the service's own role.

The attacks are generated from the catalogue: a row that exists is changed in the one place that a
constraint forbids. A constraint that nobody knows how to attack fails the test, so that a later
migration cannot add one that guards nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.db.test_catalogue import append_only, tenant_tables
from tests.support.world import World

pytestmark = pytest.mark.timeout(300)

MONEY_NAMES = re.compile(r"_minor$|^(captured|reserved|refunded|external|disputed|exchanged)$")

SUPPLEMENT = (
    """INSERT INTO outside_facts (shop_id, id, order_id, payment_id, kind, provider, external_id,
                                  amount_minor, currency, at, lines)
       SELECT shop_id, gen_random_uuid(), order_id, id, 'refund', 'stripe', id::text, 1, currency,
              now(), '[]' FROM payments""",
    """INSERT INTO scans (shop_id, shipment_id, status, at)
       SELECT shop_id, id, 'in_transit', now() FROM shipments""",
    """INSERT INTO transfer_attempts (shop_id, transfer_id, no, kind, state, started_at)
       SELECT shop_id, id, 1, 'send', 'in_flight', now() FROM transfers""",
    """INSERT INTO delivery_attempts (shop_id, event_id, endpoint_id, no, at, duration_ms)
       SELECT shop_id, event_id, endpoint_id, 1, now(), 5 FROM deliveries""",
    """INSERT INTO backtests (shop_id, id, policy_version_id, digest, opened_until, state)
       SELECT shop_id, gen_random_uuid(), id, digest, now(), 'queued' FROM policy_versions""",
    """INSERT INTO reconciliation_lines (shop_id, reconciliation_id, kind, external_id,
                                         amount_minor, currency, status)
       SELECT shop_id, id, 'refund', id::text, 1, 'EUR', 'succeeded' FROM reconciliations""",
    """INSERT INTO reconciliation_differences (shop_id, id, reconciliation_id, subject, kind, about,
                                               order_id, payment_id, transfer_id, refund_id,
                                               proposal, created_at)
       SELECT r.shop_id, gen_random_uuid(), r.id, 'refund', 'state', 'x', t.order_id,
              t.payment_id, t.id, t.refund_id, 'review', now()
       FROM reconciliations r JOIN LATERAL (SELECT * FROM transfers t WHERE t.shop_id = r.shop_id
                                            LIMIT 1) t ON true""",
    """INSERT INTO import_problems (shop_id, import_id, line, errors)
       SELECT shop_id, id, 1, '[]' FROM imports""",
    """INSERT INTO notification_opt_outs (shop_id, address_key, channel, created_at)
       SELECT shop_id, 'x', 'email', now() FROM shops""",
    """INSERT INTO report_progress (shop_id, zone, due_at)
       SELECT shop_id, 'Europe/Berlin', now() FROM shops""",
    """INSERT INTO report_rollups (shop_id, source, span, starts_on, keys, currency, figures)
       SELECT shop_id, 'reasons', 'day', current_date, '{style,buyer,preference}', '', '{1,1,0,0,0}'
       FROM shops""",
    """INSERT INTO rate_limits (shop_id, bucket, window_start, hits)
       SELECT shop_id, 'x', now(), 1 FROM shops""",
    """INSERT INTO ledger_seals (shop_id, position, entry_id, digest)
       SELECT shop_id, row_number() OVER (PARTITION BY shop_id ORDER BY id), id, '' FROM
       ledger_entries""",
    """INSERT INTO store_credit_movements
       SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'no', no + 100,
               'kind', 'expired', 'transfer_id', NULL))).*
       FROM store_credit_movements m WHERE kind = 'issued'""",
    """INSERT INTO exchange_gifts (shop_id, exchange_id, order_id, refund_id, amount_minor)
       SELECT x.shop_id, x.id, x.order_id, r.id, 1 FROM exchanges x
       JOIN LATERAL (SELECT id FROM refunds f WHERE f.shop_id = x.shop_id
                     AND f.order_id = x.order_id LIMIT 1) r ON true
       WHERE x.id = (SELECT id FROM exchanges o WHERE o.shop_id = x.shop_id ORDER BY id LIMIT 1)""",
    """UPDATE photos p SET return_id = l.return_id, return_line_id = l.id FROM return_lines l
       WHERE l.shop_id = p.shop_id AND l.order_id = p.order_id""",
    """UPDATE withdrawals w SET state = 'opened', due_at = NULL, return_id = (
           SELECT id FROM returns r WHERE r.shop_id = w.shop_id AND r.order_id = w.order_id LIMIT 1)
       WHERE state = 'confirmed'""",
    "UPDATE refunds SET client_reference = id::text",
    "UPDATE transfers SET provider_refund_id = id::text",
    "UPDATE payments SET provider_payment_id = id::text",
    "UPDATE shipments SET carrier_shipment_id = id::text",
    "UPDATE exchanges o SET refund_id = (SELECT id FROM refunds r WHERE r.shop_id = o.shop_id"
    " AND r.order_id = o.order_id LIMIT 1)",
    "UPDATE transport_claims o SET refund_id = (SELECT id FROM refunds r"
    " WHERE r.shop_id = o.shop_id AND r.order_id = o.order_id LIMIT 1)",
    "UPDATE cancellations o SET state = 'confirmed', refund_id = (SELECT id FROM refunds r"
    " WHERE r.shop_id = o.shop_id AND r.order_id = o.order_id LIMIT 1) WHERE state = 'withdrawn'",
    "UPDATE disputes o SET refund_id = (SELECT id FROM refunds r WHERE r.shop_id = o.shop_id"
    " AND r.order_id = o.order_id LIMIT 1)",
    "UPDATE offers o SET refund_id = (SELECT id FROM refunds r WHERE r.shop_id = o.shop_id"
    " AND r.order_id = o.order_id LIMIT 1)",
    *(
        f"UPDATE {table} t SET refund_id = NULL, exchange_id = (SELECT id FROM exchanges x"
        " WHERE x.shop_id = t.shop_id AND x.order_id = t.order_id LIMIT 1)"
        f" WHERE t.refund_id IS NOT NULL AND t.id = (SELECT id FROM {table} o"
        " WHERE o.shop_id = t.shop_id ORDER BY o.id LIMIT 1)"
        for table in ("advances", "recoveries")
    ),
)
"""Rows that no request makes by itself, so that every table has one to attack."""

_SAME = str(uuid4())
_THEN = "2026-11-22T10:00:00+00:00"
_DECLINED = {"state": "declined", "refund_id": None, "exchange_id": None, "settled_at": None}
_ENDED = {
    "state": "paid",
    "closed_at": _THEN,
    "amount_minor": 5,
    "paid_minor": 5,
    "written_off_minor": 0,
    "waived_minor": 0,
    "cleared_minor": 0,
}
_IN_MONEY = {
    "state": "converted",
    "outcome": "refund",
    "drawn_minor": 0,
    "paid_minor": 0,
    "payment_reference": None,
    "refund_id": None,
}
_NO_REPAIR = {
    "state": "converted",
    "outcome": "refund",
    "fallback": "refund",
    "result": None,
    "due_minor": None,
    "paid_minor": 0,
    "payment_reference": None,
}
BY_HAND: Mapping[str, Mapping[str, Any]] = {
    "ck_outside_facts_counted_on_a_payment": {"payment_id": None, "counted": True},
    "ck_ledger_postings_between_two_accounts": {
        "debit": "merchant",
        "debit_of": None,
        "credit": "merchant",
        "credit_of": None,
    },
    "ck_deadlines_state": {
        "state": "x",
        "wake_at": None,
        "paused_at": None,
        "ended_at": "2026-11-01T00:00:00Z",
    },
    "ck_deadlines_open_ones_wake": {"wake_at": None, "state": "open"},
    "ck_deadlines_paused_since": {"paused_at": None, "wake_at": None, "state": "paused"},
    "ck_deadlines_ended_at": {"ended_at": None, "wake_at": None, "state": "kept"},
    "ck_address_changes_state": {"state": "no such word"},
    "ck_address_changes_reason": {"state": "declined", "reason": "no such word"},
    "ck_address_changes_declined_for_a_reason": {"reason": "dispatched"},
    "ck_order_deadlines_state": {"state": "x", "wake_at": None, "ended_at": _THEN},
    "ck_order_deadlines_open_ones_wake": {"state": "open", "wake_at": None, "ended_at": None},
    "ck_order_deadlines_paused_since": {"state": "paused", "wake_at": None, "ended_at": None},
    "ck_order_deadlines_ended_at": {"ended_at": None, "wake_at": None, "state": "kept"},
    "ck_cancellations_state": {"state": "no such word", "refund_id": None},
    "ck_cancellations_reason": {"state": "declined", "refund_id": None, "reason": "no such word"},
    "ck_cancellations_sent_in_a_parcel": {"parcel_id": None},
    "ck_cancellations_declined_for_a_reason": {"reason": "too_late"},
    "ck_cancellations_paid_once_confirmed": {"state": "withdrawn"},
    "ck_cancellations_overrun_once_confirmed": {
        "state": "withdrawn",
        "refund_id": None,
        "overrun": 1,
    },
    "ck_cancellation_lines_quantity_min": {"quantity": 0, "units": []},
    "ck_cancellation_lines_at_most_what_was_asked": {"quantity": 1, "units": [1, 2]},
    "ck_unit_claims_held_by_one": {"return_line_id": None, "cancellation_line_id": None},
    "ck_notifications_state": {"state": "x", "due_at": None, "ended_at": _THEN},
    "ck_notifications_due_until_told": {"state": "queued", "due_at": None, "ended_at": None},
    "ck_notifications_ended_at": {"state": "sent", "due_at": None, "ended_at": None},
    "ck_withdrawals_state": {
        "state": "x",
        "confirmed_at": _THEN,
        "due_at": None,
        "return_id": None,
    },
    "ck_withdrawals_confirmed_at": {
        "state": "confirmed",
        "confirmed_at": None,
        "due_at": _THEN,
        "return_id": None,
    },
    "ck_withdrawals_due_until_followed": {
        "state": "confirmed",
        "confirmed_at": _THEN,
        "due_at": None,
        "return_id": None,
    },
    "ck_withdrawals_opened_with_a_return": {
        "state": "opened",
        "confirmed_at": _THEN,
        "due_at": None,
        "return_id": None,
    },
    "ck_photos_a_name_until_deleted": {"name": None},
    "ck_photos_a_digest_until_deleted": {"name": None, "state": "deleted"},
    "ck_photos_a_line_has_a_return": {"return_id": None},
    "ck_refunds_note_is_due": {
        "note_at": "2026-11-01T00:00:00Z",
        "arrived_minor": 0,
        "noted_minor": 0,
    },
    "ck_return_messages_notes_are_staff_s": {"kind": "note", "party": "buyer"},
    "ck_return_messages_party": {"kind": "message", "party": "no such word"},
    "ck_returns_a_day_has_its_law": {"refund_law_by": None, "refund_law": "x"},
    "ck_exchanges_state": {**_IN_MONEY, "state": "no such word", "outcome": None},
    "ck_exchanges_outcome": {**_IN_MONEY, "outcome": "no such word"},
    "ck_exchanges_units": {**_IN_MONEY, "units": []},
    "ck_exchanges_unit_price_minor_min": {**_IN_MONEY, "unit_price_minor": -1},
    "ck_exchanges_paid_minor_min": {
        "paid_minor": -1,
        "payment_reference": None,
        "drawn_minor": 1,
        "unit_price_minor": 0,
    },
    "ck_exchanges_names_goods": {"variant": None, "sku": None},
    "ck_exchanges_money_instead": {"outcome": "refund"},
    "ck_exchanges_fails_for_a_reason": {"failed_since": "payments_do_not_cover_it"},
    "ck_exchanges_given_for_units": {"units": None},
    "ck_exchanges_paid_for": {"drawn_minor": 10**9},
    "ck_exchanges_gift_with_a_refund": {"gift_minor": 1},
    "ck_exchanges_first_within_what_comes_back": {"in_advance": True},
    "ck_exchanges_paid_by_evidence": {"payment_reference": None},
    "ck_exchanges_rest_of_given_goods": {
        name: value for name, value in _IN_MONEY.items() if name != "refund_id"
    },
    "ck_repairs_state": {**_NO_REPAIR, "state": "no such word", "outcome": None},
    "ck_repairs_result": {"result": "no such word"},
    "ck_repairs_units": {"units": []},
    "ck_repairs_total_minor_min": {**_NO_REPAIR, "total_minor": -1},
    "ck_repairs_decline_minor_min": {**_NO_REPAIR, "decline_minor": -1},
    "ck_repairs_decline_most_minor_min": {"decline_most_minor": -1, "decline_minor": None},
    "ck_repairs_due_minor_min": {
        "due_minor": -1,
        "total_minor": None,
        "result": "no such word",
        "paid_minor": -1,
        "payment_reference": None,
    },
    "ck_repairs_paid_minor_min": {
        "paid_minor": -1,
        "waived_minor": 1,
        "due_minor": 0,
        "total_minor": 0,
        "payment_reference": None,
    },
    "ck_repairs_waived_minor_min": {
        "waived_minor": -1,
        "paid_minor": 1,
        "due_minor": 0,
        "total_minor": 0,
    },
    "ck_repairs_as_offered": {**_NO_REPAIR, "fallback": None, "outcome": "store_credit"},
    "ck_repairs_money_instead": {"outcome": "refund"},
    "ck_repairs_free_of_charge": {"free": True},
    "ck_repairs_declined_as_quoted": {"decline_minor": 10**9},
    "ck_repairs_due_as_quoted": {"total_minor": 1},
    "ck_repairs_goes_back_as": {
        "result": None,
        "due_minor": None,
        "paid_minor": 0,
        "payment_reference": None,
    },
    "ck_repairs_units_go_back": {"units": None},
    "ck_repairs_paid_or_waived": {"waived_minor": 1},
    "ck_repairs_paid_by_evidence": {"payment_reference": None},
    "ck_transport_claims_accepted": {"accepted_minor": 0, "state": "accepted"},
    "ck_transport_claims_an_amount_is_owed": {"accepted_minor": 1},
    "ck_transport_claims_paid_with_evidence": {"payment_reference": "wire"},
    "ck_transport_claims_state": {"state": "no such word"},
    "ck_pickups_window": {"ends_at": "2020-01-01T00:00:00Z"},
    "ck_pickups_confirmed": {"confirmation": None},
    "ck_complaints_state": {"state": "no such word", "score": None, "comment_id": None},
    "ck_complaints_rated_once": {"state": "open"},
    "ck_complaints_a_comment_has_a_score": {"state": "open", "score": None},
    "ck_complaints_resolved_in_words": {"resolution_id": None},
    "ck_complaints_score": {"score": 6},
    "ck_return_messages_about_one_thing": {"return_id": None, "complaint_id": None},
    "ck_disputes_award": {"claimed_minor": 1, "award_minor": 2},
    "ck_return_lines_units_match_quantity": {"quantity": 3, "units": [1]},
    "ck_store_credit_lots_due_while_it_lasts": {"due_at": "2020-01-01T00:00:00Z"},
    "ck_store_credit_lots_open_while_it_lasts": {"remaining_minor": 0, "due_at": None},
    "ck_store_credit_lots_remaining_minor_min": {
        "state": "used",
        "remaining_minor": -1,
        "due_at": None,
    },
    "ck_store_credit_lots_state": {
        "state": "no such word",
        "remaining_minor": 0,
        "due_at": None,
    },
    "ck_store_credit_lots_within": {"remaining_minor": 10**9},
    "ck_store_credit_draws_within": {"returned_minor": 10**9},
    "ck_transfers_goes_somewhere": {"payment_id": None, "store_credit_id": None},
    "ck_refund_allowances_within": {"spent_minor": 2, "limit_minor": 1},
    "ck_refund_approvals_two_persons": {"requester_id": _SAME, "approver_id": _SAME},
    "ck_fast_refund_caps_within": {"used_minor": 2, "cap_minor": 1},
    "ck_advances_state": {"state": "no such word", "settled_at": None},
    "ck_advances_reason": {**_DECLINED, "reason": "no such word"},
    "ck_advances_declined_for_a_reason": {"reason": "buyer_cap"},
    "ck_advances_granted_in_money_or_goods": {"refund_id": None, "exchange_id": None},
    "ck_recoveries_of_money_or_goods": {"refund_id": None, "exchange_id": None},
    "ck_advances_looked_at_until_over": {"due_at": _THEN},
    "ck_advances_settled_once": {"settled_at": None},
    "ck_advances_parts": {"applied_minor": 10**9},
    "ck_recoveries_state": {**_ENDED, "state": "no such word"},
    "ck_recoveries_closed_once": {"closed_at": _THEN},
    "ck_recoveries_open_while_something_is": {**_ENDED, "state": "open", "closed_at": None},
    "ck_recoveries_parts": {**_ENDED, "paid_minor": 10**9},
    "ck_recoveries_requested_until": {"due_at": _THEN},
    "ck_recoveries_asked_while_it_waits": {"asked_action": "waive", "asked_minor": 1},
    "ck_recovery_steps_debited_by_a_movement": {
        "kind": "debited",
        "reference": None,
        "movement_id": None,
    },
    "ck_recovery_steps_paid_with_evidence": {"reference": "wire"},
    "ck_listings_forgotten_at_its_end": {"ended_at": _THEN},
    "ck_recovery_steps_two_persons": {"actor_id": _SAME, "approver_id": _SAME},
}
"""CHECKs over several columns, and values that break each."""

CHANGEABLE = {"policy_versions": "state = 'draft'"}
"""Rows of these tables that no trigger has made a fact yet."""

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
    'id', '{_SAME}', 'state', 'on_hold', 'amount_minor', {{0}},
    'provider_key', 'new', 'provider_refund_id', 'new'))).*
FROM transfers t WHERE refund_id = ({HELD_REFUND})
"""
"""A further transfer of a refund that was approved already: for other transfers than this."""
SEND_IT = f"UPDATE transfers SET state = 'queued' WHERE id = '{_SAME}'"
APPROVE_OTHER = NEW_APPROVAL.format(**{**APPROVED, "releases": f"""
    (SELECT jsonb_agg(jsonb_build_object('transfer', t.id, 'payment', t.payment_id,
        'amount', t.amount_minor + 1, 'currency', t.currency)) FROM transfers t
     WHERE t.id = '{_SAME}')"""})  # fmt: skip
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
    ),
    "cancellation_lines_unsent": (
        "INSERT INTO cancellation_lines SELECT (jsonb_populate_record(x, jsonb_build_object("
        "'id', gen_random_uuid(), 'dispatched', false))).* FROM cancellation_lines x LIMIT 1",
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

_TO_ANOTHER_SHOP = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.IntegrityConstraintViolationError,
)

FACTS = (
    "UPDATE payments SET external = captured * 2",
    "UPDATE payments SET disputed = captured, external = captured",
    "UPDATE payments SET reserved = 0 WHERE reserved > 0",
    "UPDATE order_lines SET outside_returned = ordered + 1",
    "UPDATE order_lines SET removed = ordered, shipped = 0",
)
"""What comes from outside is always storable, however little it leaves."""


class Attacker:
    """Runs one forbidden statement at a time as the service's role and takes it back."""

    def __init__(self, app: Any, owner: Any, shop: Any, history: set[str]) -> None:
        self.app, self.owner, self.shop, self.history = app, owner, shop, history
        self.attacks = 0
        self.refused: Counter[str] = Counter()

    async def refusal(self, statement: str, *values: Any) -> asyncpg.PostgresError:
        """The database's refusal; fails the test when there was none."""
        self.attacks += 1
        transaction = self.app.transaction()
        await transaction.start()
        try:
            await self.app.execute(f"SET LOCAL app.shop = '{self.shop}'")
            if values:
                done = await self.app.execute(statement, *values)
            else:
                done = await self.app.execute(statement)
        except asyncpg.PostgresError as refused:
            column = refused.column_name and f"{refused.table_name}.{refused.column_name}"
            self.refused[str(refused.constraint_name or column or refused.sqlstate)] += 1
            return refused
        finally:
            await transaction.rollback()
        raise AssertionError(f"accepted ({done}): {statement} {values}")

    async def insert(self, table: str, row: Mapping[str, Any]) -> asyncpg.PostgresError:
        statement = (
            f"INSERT INTO {table} SELECT r.* FROM jsonb_populate_record(NULL::{table}, $1) r"
        )
        return await self.refusal(statement, json.dumps(row))

    async def change(
        self, table: str, row: Mapping[str, Any], values: Mapping[str, Any]
    ) -> asyncpg.PostgresError:
        """UPDATE where the role may; a row of history is inserted instead."""
        if table in self.history:
            return await self.insert(table, {**row, **values})
        sets = ", ".join(f"{column} = r.{column}" for column in values)
        keys = " AND ".join(f"t.{column} = k.{column}" for column in await self.key(table))
        return await self.refusal(
            f"UPDATE {table} t SET {sets} FROM jsonb_populate_record(NULL::{table}, $1) r,"
            f" jsonb_populate_record(NULL::{table}, $2) k WHERE {keys}",
            json.dumps(values),
            json.dumps(row),
        )

    async def key(self, table: str) -> list[str]:
        return next(
            list(found["columns"])
            for found in await self.owner.fetch(UNIQUES)
            if found["table"] == table and found["primary"]
        )

    async def row(self, table: str, where: str = "true", shop: Any = None) -> dict[str, Any]:
        """A row of our shop to start from."""
        where = f"shop_id = $1 AND ({where}) AND ({CHANGEABLE.get(table, 'true')})"
        found = await self.owner.fetchval(
            f"SELECT to_jsonb(t)::text FROM {table} t WHERE {where} LIMIT 1",
            shop or self.shop,
        )
        assert found is not None, f"no row in {table} where {where}"
        return dict(json.loads(found))


UNIQUES = """
SELECT i.indrelid::regclass::text AS table, i.indexrelid::regclass::text AS name,
       i.indisprimary AS primary, pg_get_expr(i.indpred, i.indrelid) AS predicate,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
        FROM unnest(i.indkey::int[]) WITH ORDINALITY k(att, n)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND i.indisunique AND c.relname NOT LIKE 'pgqueuer%'
  AND c.relname <> 'alembic_version'
"""
REFERENCES = """
SELECT c.conname AS name, c.conrelid::regclass::text AS table,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
        FROM unnest(c.conkey) WITH ORDINALITY k(att, n)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.att) AS columns
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'f' AND n.nspname = 'public'
"""
CHECKS = """
SELECT c.conname AS name, c.conrelid::regclass::text AS table, pg_get_constraintdef(c.oid) AS text
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'c' AND n.nspname = 'public'
"""
COLUMNS = """
SELECT table_name AS table, column_name AS column, data_type AS type,
       is_nullable = 'YES' AS nullable
FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY($1)
"""


@pytest.fixture(scope="module")
async def attacker(
    world: World, database_url: str, app_database_url: str
) -> AsyncIterator[Attacker]:
    owner = await asyncpg.connect(database_url)
    app = await asyncpg.connect(app_database_url)
    for statement in SUPPLEMENT:
        await owner.execute(statement)
    yield Attacker(app, owner, world.ours.id, await append_only(owner))
    await app.close()
    await owner.close()


@pytest.fixture(autouse=True)
def figures(attacker: Attacker, record_property: Callable[[str, object], None]) -> Iterator[None]:
    """What each test attacked and what refused it, for ``script/proof constraints``."""
    attacker.attacks, attacker.refused = 0, Counter()
    yield
    record_property("attacks", attacker.attacks)
    record_property("refused", attacker.refused.total())
    record_property("refused_by", len(attacker.refused))


def another(value: Any, kind: str) -> Any:
    """A different value of the same type."""
    if kind == "uuid":
        return str(uuid4())
    if kind in {"integer", "bigint"}:
        return value + 1000
    if kind == "timestamp with time zone":
        return (datetime.fromisoformat(value) + timedelta(days=1)).isoformat()
    if kind == "bytea":
        return f"{value}00"
    if kind == "character":
        return "XXX"
    return f"{value}x"


async def types_of(attacker: Attacker, table: str) -> dict[str, str]:
    rows = await attacker.owner.fetch(COLUMNS, [table])
    return {row["column"]: row["type"] for row in rows}


async def test_every_check_refuses(attacker: Attacker) -> None:
    checks = await attacker.owner.fetch(CHECKS)
    assert len(checks) > 40
    for check in checks:
        row = await attacker.row(check["table"], PLAIN.get(check["table"], "true"))
        values = BY_HAND.get(check["name"]) or breaking(check["text"])
        assert values, f"nobody knows how to break {check['name']}: {check['text']}"
        refused = await attacker.change(check["table"], row, values)
        assert isinstance(refused, asyncpg.CheckViolationError), (check["name"], refused)
        assert refused.constraint_name == check["name"]


def breaking(definition: str) -> dict[str, Any]:
    """Values that break ``col >= n`` or ``col IN (…)``; empty for any other CHECK."""
    minimum = re.fullmatch(r"CHECK \(\(\"?(\w+)\"? >= (\d+)\)\)", definition)
    if minimum:
        return {minimum[1]: int(minimum[2]) - 1}
    listed = re.fullmatch(r"CHECK \(\((\w+) = ANY \(ARRAY\[.*\]\)\)\)", definition)
    return {listed[1]: "no such word"} if listed else {}


async def test_every_column_that_must_have_a_value_refuses_null(attacker: Attacker) -> None:
    tables = await tenant_tables(attacker.owner)
    columns = [c for c in await attacker.owner.fetch(COLUMNS, tables) if not c["nullable"]]
    assert len(columns) > 200
    for column in columns:
        table, name = column["table"], column["column"]
        row = {**await attacker.row(table), **untouched(table), name: None}
        refused = await attacker.insert(table, row)
        if name == "shop_id":
            assert isinstance(refused, asyncpg.InsufficientPrivilegeError), table
        else:
            assert isinstance(refused, asyncpg.NotNullViolationError), (table, name, refused)
            assert refused.column_name == name


async def test_every_key_refuses_a_second_row(attacker: Attacker) -> None:
    uniques = await attacker.owner.fetch(UNIQUES)
    assert len(uniques) > 50
    for unique in uniques:
        table, columns = unique["table"], set(unique["columns"])
        filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        row = await attacker.row(table, f"{filled} AND ({unique['predicate'] or 'true'})")
        kinds = await types_of(attacker, table)
        narrower = {unique["name"]}
        for other in uniques:
            if other["table"] != table or other["name"] == unique["name"]:
                continue
            free = [
                name
                for name in other["columns"]
                if name not in columns | {"kind", "state", "channel"}
            ]
            if free and row[free[0]] is not None:
                row[free[0]] = another(row[free[0]], kinds[free[0]])
            elif not free:
                narrower.add(other["name"])  # whoever breaks the wide key breaks this one too
        refused = await attacker.insert(table, {**row, **untouched(table)})
        assert isinstance(refused, asyncpg.UniqueViolationError), (unique["name"], refused)
        assert refused.constraint_name in narrower


def untouched(table: str) -> dict[str, int]:
    """A payment starts with nothing reserved or refunded, else its trigger speaks first."""
    return {"reserved": 0, "refunded": 0, "exchanged": 0} if table == "payments" else {}


async def test_every_reference_refuses_what_is_not_there_and_what_is_another_shop_s(
    attacker: Attacker, world: World
) -> None:
    references = await attacker.owner.fetch(REFERENCES)
    assert len(references) > 30
    for reference in references:
        table = reference["table"]
        kinds = await types_of(attacker, table)
        for column in reference["columns"]:
            if column == "shop_id":
                continue
            theirs = await row_with(attacker, table, column, world.theirs.id)
            values = [str(uuid4()), theirs[column]] if kinds[column] == "uuid" else ["XXX"]
            for value in values:
                if value is None:
                    continue
                refused = await point(attacker, table, column, value)
                wrong = (reference["name"], column, refused)
                assert isinstance(refused, asyncpg.ForeignKeyViolationError), wrong


PLAIN: Mapping[str, str] = {
    "recovery_steps": "movement_id IS NULL",
    "complaints": "state = 'rated'",
    "order_deadlines": "state = 'open'",
    "cancellations": "refund_id IS NOT NULL",
}
"""Rows of which nothing else speaks before what is attacked does."""


FRESH: Mapping[str, str] = {
    "exchange_gifts": """SELECT id AS exchange_id, order_id FROM exchanges x WHERE shop_id = $1
        AND NOT EXISTS (SELECT FROM exchange_gifts g WHERE g.exchange_id = x.id)"""
}
"""Where there may be one row only: what another one could be about."""


async def row_with(attacker: Attacker, table: str, column: str, shop: Any = None) -> dict[str, Any]:
    """A row that refers to something by this column, where there is one."""
    row = await attacker.row(table, PLAIN.get(table, "true"), shop)
    if row[column] is not None:
        return row
    filled = await attacker.owner.fetchval(
        f"SELECT count(*) FROM {table} WHERE shop_id = $1 AND {column} IS NOT NULL"
        f" AND ({CHANGEABLE.get(table, 'true')})",
        shop or attacker.shop,
    )
    return await attacker.row(table, f"{column} IS NOT NULL", shop) if filled else row


async def point(attacker: Attacker, table: str, column: str, value: Any) -> Any:
    """Let a row refer to something else; a row of history is written anew under a new id."""
    row = await row_with(attacker, table, column)
    if table not in attacker.history:
        return await attacker.change(table, row, {column: value})
    if "id" in row:
        row["id"] = str(uuid4())
    if table in FRESH:
        fresh = await attacker.owner.fetchrow(FRESH[table], attacker.shop)
        row |= {name: str(found) for name, found in fresh.items()}
    for unique in await attacker.owner.fetch(UNIQUES):
        free = [name for name in unique["columns"] if isinstance(row.get(name), int)]
        if unique["table"] == table and column not in unique["columns"] and free:
            row[free[0]] += 1000
        outside = re.fullmatch(r"\((\w+) IS NOT NULL\)", unique["predicate"] or "")
        if unique["table"] == table and outside and outside[1] != column:
            row[outside[1]] = None
    return await attacker.insert(table, {**row, column: value})


async def test_every_trigger_refuses(attacker: Attacker) -> None:
    names = await attacker.owner.fetch(
        """SELECT DISTINCT t.tgname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND NOT t.tgisinternal"""
    )
    assert {row["name"] for row in names} == set(TRIGGERS)
    for name, statements in TRIGGERS.items():
        for statement in statements:
            refused = await attacker.refusal(statement)
            assert isinstance(refused, asyncpg.IntegrityConstraintViolationError), statement
            assert refused.constraint_name == name, statement


async def test_every_table_refuses_another_shop_s_row(attacker: Attacker, world: World) -> None:
    """Written anew, or moved over: row-level security has the last word, or a guard the first."""
    theirs = str(world.theirs.id)
    for table in await tenant_tables(attacker.owner):
        row = {**await attacker.row(table), **untouched(table)}
        refused = await attacker.insert(table, {**row, "shop_id": theirs})
        assert isinstance(refused, asyncpg.InsufficientPrivilegeError), (table, refused)
        if table not in attacker.history:
            moved = f"UPDATE {table} SET shop_id = $1"
            refused = await attacker.refusal(moved, world.theirs.id)
            assert isinstance(refused, _TO_ANOTHER_SHOP), (table, refused)


async def test_every_history_refuses_change_and_removal(attacker: Attacker) -> None:
    assert len(attacker.history) > 10
    for table in sorted(attacker.history):
        for statement in (
            f"UPDATE {table} SET shop_id = shop_id",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            refused = await attacker.refusal(statement)
            assert isinstance(refused, asyncpg.InsufficientPrivilegeError), statement


async def test_there_is_no_kind_of_constraint_that_nobody_attacks(attacker: Attacker) -> None:
    """CHECK, reference, key, unique, NOT NULL and trigger; no exclusion, no domain."""
    found = await attacker.owner.fetch(
        """SELECT DISTINCT c.contype::text AS kind FROM pg_constraint c
           JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = 'public'"""
    )
    assert {row["kind"] for row in found} <= set("cfpunt")


@pytest.mark.parametrize("statement", FACTS)
async def test_facts_from_outside_are_always_storable(attacker: Attacker, statement: str) -> None:
    transaction = attacker.app.transaction()
    await transaction.start()
    try:
        await attacker.app.execute(f"SET LOCAL app.shop = '{attacker.shop}'")
        done = await attacker.app.execute(statement)
        assert not done.endswith(" 0")
    finally:
        await transaction.rollback()


async def test_no_column_can_hold_what_is_not_a_number(attacker: Attacker) -> None:
    """No numeric and no float anywhere; money is bigint, and NaN, Infinity and 2^63 bounce."""
    columns = await attacker.owner.fetch(COLUMNS, await tenant_tables(attacker.owner))
    kinds = {column["type"] for column in columns}
    assert kinds & {"numeric", "real", "double precision", "money"} == set()
    money = [column for column in columns if MONEY_NAMES.search(column["column"])]
    assert len(money) >= 14
    refusals = (asyncpg.NumericValueOutOfRangeError, asyncpg.FeatureNotSupportedError)
    for column in money:
        assert column["type"] == "bigint", column
        if column["table"] in attacker.history:
            continue
        for value in ("'NaN'::float8", "'Infinity'::float8", "'NaN'::numeric", "1e30"):
            refused = await attacker.refusal(
                f"UPDATE {column['table']} SET {column['column']} = {value}"
            )
            assert isinstance(refused, refusals), (column, refused)
