"""The proof of money in small: it runs, agrees, and finds what is planted."""

from __future__ import annotations

import json

import pytest
from proofs.money import check_chunk, main
from proofs.money_orders import random_order

from returns_api.domain.allocation import certify


def test_random_orders_agree_with_the_reference_in_fractions() -> None:
    tally = check_chunk((20_260_301, list(range(150))))
    assert tally.mismatches == []
    assert tally.counts["orders"] == 150
    assert tally.counts["planted"] == tally.counts["planted_found"] > 100


def test_an_order_is_replayed_from_its_seed_and_number() -> None:
    assert random_order(3, 8) == random_order(3, 8)
    assert certify(random_order(3, 8)) != certify(random_order(3, 9))


def test_the_report_is_one_json_object_on_the_last_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--orders", "20", "--seed", "5", "--workers", "1", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "seed 5"
    report = json.loads(said.out.splitlines()[-1])
    assert (report["ok"], report["orders"], report["mismatches"]) == (True, 20, 0)
