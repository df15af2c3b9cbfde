"""The conformance suite that ships with returns-api, for Acme Pay on the bank simulator."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from acme_payments import AcmePayments

from returns_api.adapters.conformance import Fault
from returns_api.adapters.conformance.deadlines import HANGS, PATIENCE_SECONDS, Deadlines
from returns_api.adapters.conformance.payments import (
    Moved,
    Need,
    PaymentCheck,
    Signed,
    checks_for,
)
from returns_api.adapters.http import Call, HttpClient
from returns_api.ports.payments import PaymentAccount, RefundStatus


class Rig:
    """Joins the adapter to the bank, which can be told to misbehave: see ``PaymentRig``."""

    deadline_seconds = PATIENCE_SECONDS
    page_size = 20
    secrets = ("right", "wrong")
    lacks: frozenset[Need] = frozenset()

    def __init__(self, base_url: str, inbox: list[bytes]) -> None:
        self._deadlines = Deadlines(self.hung)
        self.http = HttpClient(timeout=self._deadlines)
        self.provider = AcmePayments(self.http)
        self.account = PaymentAccount(base_url, "key", "acme")
        self.stranger = replace(self.account, secret="")
        self.unreachable = replace(self.account, base_url="http://127.0.0.1:9")
        self._inbox = inbox

    async def control(self, method: str, path: str, content: object = None) -> Any:
        """One call to the simulator's control API."""
        http = HttpClient(deadline_seconds=PATIENCE_SECONDS)
        body = b"" if content is None else json.dumps(content).encode()
        url = f"{self.account.base_url}/_control/{path}"
        reply = await http.send(Call(method, url, {}, body))
        await http.aclose()
        assert reply.status == 200, reply.body
        return reply.json_object()

    async def pay(self, amount: int, currency: str) -> str:
        wanted = {"vendor": "plain", "amount": amount, "currency": currency.lower()}
        return str((await self.control("POST", "payments", wanted))["ids"][0])

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        step = {"fault": fault.value, "on": "read" if reading else "refund", "seconds": 4}
        await self.control("POST", "script", {"script": [step]})
        self._deadlines.expect(fault)

    async def hung(self) -> int:
        """How many calls the bank has let hang."""
        fired = (await self.control("GET", "faults"))["fired"]
        return sum(fired[fault] for fault in HANGS)

    async def be_strict(self) -> None:
        await self.control("PUT", "faults", {"lenient": False})

    async def moved(self, reference: str) -> Moved:
        found = await self.control("GET", f"ledger?reference={reference}")
        row = found["references"].get(reference, {"made": 0, "net_minor": 0})
        return Moved(row["made"], row["net_minor"])

    async def refund_elsewhere(self, payment: str, amount: int) -> None:
        wanted = {"payment": payment, "amount": amount}
        await self.control("POST", "dashboard_refunds", wanted)

    async def become(self, provider_refund_id: str, status: RefundStatus) -> None:
        wanted = {"refund": provider_refund_id, "status": status.value}
        await self.control("POST", "settle", wanted)

    async def dispute(self, payment: str, amount: int) -> str:
        wanted = {"payment": payment, "amount": amount}
        return str((await self.control("POST", "disputes", wanted))["id"])

    async def give_back(self, dispute: str) -> None:
        await self.control("POST", f"disputes/{dispute}/close", {"won": True})

    async def webhooks(self) -> Sequence[bytes]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.control("GET", "deliveries"))["due"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # another process: nothing to wait on
        return list(self._inbox)

    def sign(self, secret: str, at: datetime) -> Signed:
        body = b'{"event":"ev_1","topic":"other","data":{}}'
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return Signed({"x-signature": digest}, body)


@pytest.fixture(scope="module")
def acme_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bank simulator as a process of its own; gives its address."""
    folder = tmp_path_factory.mktemp("acme-bank")
    command = [sys.executable, "-m", "returns_api.simulators.bank", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, "--data-dir", str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["listening"]
    process.terminate()
    process.wait(timeout=PATIENCE_SECONDS)
    process.stdout.close()


@asynccontextmanager
async def receiving(inbox: list[bytes]) -> AsyncIterator[str]:
    """A server that keeps the body of every webhook; gives its address."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        inbox.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 OK\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def acme_rig(acme_bank: str) -> AsyncIterator[Rig]:
    inbox = list[bytes]()
    rig = Rig(acme_bank, inbox)
    await rig.control("POST", "reset", {})
    async with receiving(inbox) as url:
        await rig.control("POST", "webhooks", {"url": url, "secret": "right"})
        yield rig
    await rig.http.aclose()


@pytest.mark.parametrize(
    "check",
    checks_for(AcmePayments.capabilities, lacks=Rig.lacks),
    ids=lambda check: check.__name__,
)
async def test_acme(check: PaymentCheck, acme_rig: Rig) -> None:
    await check(acme_rig)


def test_the_entry_point_names_the_adapter() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    place = f"{AcmePayments.__module__}:{AcmePayments.__name__}"
    assert f'[project.entry-points."returns_api.payments"]\nacme = "{place}"' in text
