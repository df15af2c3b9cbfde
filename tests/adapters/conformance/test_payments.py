"""The shipped payment checks, for the built-in adapters on the bank simulator."""

from __future__ import annotations

import pytest

from returns_api.adapters.conformance.payments import CHECKS, PaymentCheck, checks_for
from returns_api.adapters.http import HttpClient
from tests.adapters.conformance.rigs import RIGS, OnBank
from tests.support.bank import Bank
from tests.support.recorder import Recorder

_CASES = [
    pytest.param(rig, check, id=f"{rig.vendor}-{check.__name__}")
    for rig in RIGS
    for check in checks_for(rig.adapter.capabilities, lacks=rig.lacks)
]


@pytest.mark.parametrize(("kind", "check"), _CASES)
async def test_on_the_bank(
    kind: type[OnBank], check: PaymentCheck, bank: Bank, http: HttpClient, recorder: Recorder
) -> None:
    rig = kind(bank, http, recorder)
    await rig.listen()
    await check(rig)


def test_every_check_applies_to_somebody() -> None:
    used = {
        check for rig in RIGS for check in checks_for(rig.adapter.capabilities, lacks=rig.lacks)
    }
    assert used == set(CHECKS)
