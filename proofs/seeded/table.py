"""Which test catches which bug. A patch without a row here fails ``tests/proofs``.

Each bug is one that somebody had: those of the reliability notes, and others from the list of money
cases. The test is the narrowest one that must see it, so that a promise does not hang on luck in
another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Bug:
    """``name`` is the patch; ``test`` the pytest node (all its parameters) that must fail."""

    name: str
    test: str
    breaks: str

    @property
    def patch(self) -> Path:
        return FOLDER / f"{self.name}.patch"


_MOVES: Final = "tests/usecases/test_transfers.py"
_ROWS: Final = "tests/db/test_refunds.py"

BUGS: Final = (
    Bug(
        "no_row_guard",
        f"{_ROWS}::test_a_reservation_is_refused_in_the_statement_itself",
        "N1, S9: two refunds at once promise more than was captured",
    ),
    Bug(
        "counter_without_its_row",
        f"{_ROWS}::test_an_outcome_is_written_only_by_the_try_that_holds_the_transfer",
        "N2: the payment's counters move although the transfer did not",
    ),
    Bug(
        "no_fencing",
        f"{_ROWS}::test_an_outcome_is_written_only_by_the_try_that_holds_the_transfer",
        "S22: a worker that slept writes over the one that took its place",
    ),
    Bug(
        "timeout_is_failed",
        f"{_MOVES}::test_a_lost_answer_is_unknown_and_looked_up_never_sent_again",
        "S8: money that moved is called failed and may be sent a second time",
    ),
    Bug(
        "new_key_per_try",
        "tests/usecases/test_transfer_workers.py::test_a_zombie_that_sends_late_moves_no_second_sum",
        "S7: each try is another refund for the provider",
    ),
    Bug(
        "send_not_recorded_first",
        f"{_MOVES}::test_a_forgotten_key_is_never_used_again_blindly",
        "S7: what may have been sent is sent again after the provider forgot its key",
    ),
    Bug(
        "try_counted_after_the_run",
        f"{_ROWS}::test_a_claim_is_exclusive_until_its_lease_ends",
        "S22, S23: a job that kills its worker is never counted out",
    ),
    Bug(
        "sweep_takes_what_is_leased",
        f"{_ROWS}::test_a_claim_is_exclusive_until_its_lease_ends",
        "N8: the sweep starts what a worker is still carrying",
    ),
    Bug(
        "echo_counted_twice",
        "tests/usecases/test_transfer_facts.py::test_an_echo_before_the_answer_is_counted_once",
        "S9: the webhook of our own refund counts as one made elsewhere",
    ),
    Bug(
        "chargeback_refused",
        "tests/usecases/test_transfer_facts.py::test_outside_refunds_are_recorded_even_above_captured",
        "S9: a fact that leaves less than nothing is lost",
    ),
    Bug(
        "late_failure_keeps_the_money",
        "tests/domain/test_transfers.py::test_the_payments_counters_follow_the_state_whatever_happens",
        "S6: what the provider gave back is not refundable again",
    ),
    Bug(
        "last_tender_first",
        "tests/usecases/test_refunds.py::test_a_partial_refund_takes_the_first_tender_first",
        "the order of the tenders: the card is drained before the gift card",
    ),
    Bug(
        "key_not_kept",
        "tests/usecases/test_refunds.py::test_one_key_refunds_once_however_often_it_comes",
        "S2, S3: the same request again makes a second refund",
    ),
    Bug(
        "shipping_refunded_twice",
        "tests/usecases/test_warehouse_money.py::test_two_quotes_with_shipping_pay_it_once",
        "each of two returns of one order refunds the whole shipping",
    ),
    Bug(
        "fee_above_the_quote",
        "tests/domain/test_settlement.py::test_a_fee_is_never_more_than_quoted",
        "more is deducted than the accepted quote showed",
    ),
    Bug(
        "residue_lost",
        "tests/domain/test_money.py::test_parts_sum_to_the_whole_and_stay_within_one_of_their_share",
        "S11: each part is rounded down and the rest belongs to nobody",
    ),
    Bug(
        "tax_refunded_twice",
        "tests/domain/test_allocation.py::test_included_taxes_are_told_and_not_added",
        "a tax that the price includes is refunded on top of it",
    ),
    Bug(
        "every_currency_has_cents",
        "tests/domain/test_money.py::test_decimal_text_is_read_exactly",
        "JPY and KWD are read a hundred times too large or ten times too small",
    ),
    Bug(
        "one_sided_entry",
        "tests/domain/test_ledger.py::test_a_fact_is_posted_by_its_rules",
        "N6: reserved money is given free and stays reserved in the books",
    ),
    Bug(
        "chain_in_order_of_ids",
        "tests/usecases/test_ledger.py::test_an_entry_that_was_committed_late_is_sealed_too",
        "N10: what commits after a younger entry was sealed is never sealed",
    ),
    Bug(
        "credit_note_gap",
        "tests/usecases/test_credit_notes.py::test_many_at_once_are_numbered_without_gaps",
        "S35: numbers of credit notes have gaps",
    ),
    Bug(
        "approval_of_any_amount",
        "tests/domain/test_approvals.py"
        "::test_only_the_same_amount_currency_and_destinations_have_the_same_binding",
        "S33: what was approved over 10.00 releases 1000.00",
    ),
    Bug(
        "own_approval",
        "tests/usecases/test_approvals.py::test_nobody_approves_what_they_asked_for",
        "S33: four eyes are two",
    ),
    Bug(
        "signature_unchecked",
        "tests/api/test_hooks.py::test_every_doubt_has_one_answer_and_leaves_no_trace",
        "S15: anybody tells what the platform and the bank did",
    ),
    Bug(
        "signature_over_parsed_json",
        "tests/api/test_hooks.py::test_an_authentic_message_is_stored_byte_for_byte_and_wakes_a_worker",
        "S15: the bytes that were signed are not the bytes that are judged",
    ),
    Bug(
        "redirects_followed",
        "tests/adapters/test_http_guarded.py::test_redirects_are_answers_and_bodies_are_thrown_away",
        "a receiver sends our call, with its headers, to an address of its choice",
    ),
    Bug(
        "rls_not_forced",
        "tests/db/test_catalogue.py::test_row_security_is_on_and_binds_the_owner_too",
        "S26: the tables' owner sees every shop's rows",
    ),
    Bug(
        "tenant_filter_missing",
        "tests/db/test_engine_transactions.py"
        "::test_an_update_without_a_condition_stays_in_its_shop",
        "S26: a statement that forgot the shop changes every shop",
    ),
    Bug(
        "session_level_set",
        "tests/db/test_engine_transactions.py"
        "::test_one_connection_serves_shops_in_turn_and_shows_each_only_its_own",
        "S26: the next request on a pooled connection is still the last one's shop",
    ),
)
