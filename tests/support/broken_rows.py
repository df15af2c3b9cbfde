"""How a row breaks each check that no rule of thumb can break: by its name, what to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

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
    "ck_gift_receipts_lasts": {"expires_at": "2020-01-01T00:00:00+00:00"},
    "ck_gift_recipients_known_until_erased": {"erased_at": _THEN},
    "ck_gift_recipients_an_address_and_its_hash": {"email": None},
    "ck_quotes_a_gift_is_paid_as_credit": {"gift_receipt_id": _SAME, "resolution": "refund"},
    "ck_returns_a_gift_is_paid_as_credit": {"gift_receipt_id": _SAME, "resolution": "refund"},
    "ck_credentials_a_gift_s_recipient": {"gift_receipt_id": _SAME, "role": "agent"},
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
    "ck_exchanges_paid_for": {"paid_minor": 10**9},
    "ck_exchanges_drawn_within_credit": {"credit_minor": 0},
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
    "ck_recovery_steps_paid_with_evidence": {"reference": None},
    "ck_listings_forgotten_at_its_end": {"ended_at": _THEN},
    "ck_recovery_steps_two_persons": {"actor_id": _SAME, "approver_id": _SAME},
}
"""CHECKs over several columns, and values that break each."""
