"""The control side of the bank and the carrier: payments made, faults set, money counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import httpx

CONTROL_SECONDS: Final = 60.0

Json = dict[str, Any]


class Control:
    """Calls to one simulator's control API; any refusal ends the proof."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(timeout=CONTROL_SECONDS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        answer = await self._http.request(method, f"{self.url}/_control/{path}", json=body)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def faults(self, **settings: Any) -> None:
        """Replace all fault settings; without any, all goes well."""
        await self.call("PUT", "faults", settings)

    async def script(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Faults of the next calls, in order."""
        await self.call("POST", "script", {"script": list(steps)})

    async def fired(self) -> dict[str, int]:
        """How often each fault fired."""
        return dict((await self.call("GET", "faults"))["fired"])

    async def due_webhooks(self) -> int:
        """How many webhooks are still to be delivered."""
        return int((await self.call("GET", "deliveries")).get("due", 0))


class Bank(Control):
    """The bank. Amounts in minor units."""

    async def pay(self, account: str, amounts: Sequence[int], currency: str = "eur") -> list[str]:
        """Capture one payment per amount; returns their ids."""
        payments = [{"amount": amount} for amount in amounts]
        body = {"account": account, "currency": currency, "payments": payments}
        return list((await self.call("POST", "payments", body))["ids"])

    async def ledger(self, payment: str | None = None) -> Json:
        """Counts and sums per payment and per reference."""
        return await self.call("GET", f"ledger?payment={payment}" if payment else "ledger")
