"""T18 in small: a few random lives of a few orders; ``script/proof model`` plays many long ones."""

from __future__ import annotations

from proofs.model.__main__ import play
from proofs.model.scene import Scene

from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.postgres import PostgresForTests

SEED = 20_261_118


def test_no_life_of_a_few_orders_breaks_a_promise(
    postgres: PostgresForTests, bank_process: Bank, carrier_process: Carrier
) -> None:
    """Always the same; new ones are the proof's, whose ``--seed`` plays one again."""
    scene = Scene(postgres, bank_process, carrier_process)
    tally = play(scene, SEED, sequences=3, steps=8)
    assert tally.violations == []
    assert tally.checks > tally.steps > 5
