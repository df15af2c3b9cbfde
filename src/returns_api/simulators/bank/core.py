"""The bank itself: its books, faults and webhooks together. Knows no path and no request."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from ..kit import faults as fault_kit
from ..kit import hooks as hook_kit
from ..kit.faults import Faults, Plan
from ..kit.hooks import Hooks
from ..kit.store import Row, Store
from ..kit.web import Problem
from . import ledger as book
from . import wire
from .ledger import Ledger
from .voices import Voices
from .words import Message

LIVES = ("pending", "pending_fails", "fails_late")
_LIFE: dict[str | None, tuple[str, str | None]] = {
    None: ("succeeded", None),
    "pending": ("pending", "succeeded"),
    "pending_fails": ("pending", "failed"),
    "fails_late": ("succeeded", "failed"),
}


class Bank:
    """One bank in one folder. Its methods are synchronous, so they run one at a time."""

    def __init__(self, data_dir: Path) -> None:
        schema = book.SCHEMA + hook_kit.SCHEMA + fault_kit.SCHEMA
        self.store = Store(data_dir / "bank.sqlite3", schema)
        self.plan = Plan(self.store, LIVES)
        self.ledger = Ledger(self.store)
        self.voices = Voices(data_dir)
        self.hooks = Hooks(self.store, self.plan, self.voices.sign, self.voices.seal)
        self._wake = asyncio.Event()

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Delivers webhooks and lets refunds change by themselves."""
        async with self.hooks.running():
            task = asyncio.create_task(self._grow())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.store.close()

    def payment(self, name: str | None, account: str = "") -> Row:
        """By intent or charge id; an empty account may see all. Raises Stripe's 404."""
        row = self.ledger.payments.find(name or "", account)
        if row is None:
            raise Problem(404, wire.error(404, "resource_missing", "No such payment"))
        return row

    def refund(
        self,
        payment: Row,
        amount: int | None,
        *,
        metadata: Mapping[str, str],
        reason: str | None,
        faults: Faults,
        ident: str | None = None,
    ) -> tuple[Row, list[int]]:
        """Move money back in the open transaction; None is the rest.

        ``ident`` is the refund's id where it is not Stripe's. Also returns the numbers of its
        webhook deliveries. Raises Stripe's 400 for more than is left, unless the bank is lenient.
        """
        left = self.ledger.refunds.refundable(payment)
        amount = left if amount is None else amount
        if amount <= 0 or (amount > left and not self.plan.settings.lenient):
            code = "charge_already_refunded" if left <= 0 else "amount_too_large"
            raise Problem(400, wire.error(400, code, "more than the payment has left"))
        status, follows = _LIFE[faults.life]
        if faults.life:
            self.plan.count(faults.life)
            self._wake.set()
        row = self.ledger.refunds.add(
            payment,
            amount,
            metadata=metadata,
            reason=reason,
            status=status,
            next_status=follows,
            due=time.time() + self.plan.settings.life_seconds if follows else None,
            ident=ident,
        )
        return row, self._announce_refund("refund.created", row, faults.hooks)

    def dashboard_refund(self, payment: Row, amount: int, metadata: Mapping[str, str]) -> Row:
        """A refund that a person made in the bank's own web pages."""
        with self.store.transaction():
            hooks = self._hook_faults(payment["id"])
            voice = self.voices.of(payment)
            ident = None if voice is None else voice.new_refund_id()
            row = self.ledger.refunds.add(payment, amount, metadata=metadata, ident=ident)
            self._announce_refund("refund.created", row, hooks)
        return row

    def open_dispute(self, payment: Row, amount: int) -> Row:
        """A chargeback, which takes the money at once."""
        with self.store.transaction():
            row = self.ledger.disputes.open(payment, amount)
            self._announce_dispute("charge.dispute.created", row)
            self._announce_dispute("charge.dispute.funds_withdrawn", row)
        return row

    def close_dispute(self, ident: str, *, won: bool) -> Row | None:
        """Decide a chargeback; None when there is no such open one."""
        with self.store.transaction():
            row = self.ledger.disputes.close(ident, won)
            if row is not None:
                self._announce_dispute("charge.dispute.closed", row)
            if row is not None and won:
                self._announce_dispute("charge.dispute.funds_reinstated", row)
        return row

    def become(self, ident: str, status: str, failure: str | None) -> Row | None:
        """Change a refund's state and tell everybody; None if it was there already."""
        with self.store.transaction():
            row = self.ledger.refunds.set_status(ident, status, failure)
            if row is not None:
                topic = "refund.failed" if status == "failed" else "refund.updated"
                self._announce_refund(topic, row, self._hook_faults(ident))
        return row

    def grow_due(self) -> int:
        """Carry out the changes that are due; returns how many."""
        rows = self.ledger.refunds.due(time.time())
        for row in rows:
            failure = "expired_or_canceled_card" if row["next_status"] == "failed" else None
            self.become(row["id"], row["next_status"], failure)
        self._wake.set()
        return len(rows)

    def reset(self) -> None:
        """An empty bank without faults."""
        self.store.wipe(*book.TABLES)
        self.hooks.forget()
        self.plan.reset()

    async def _grow(self) -> None:
        while True:
            self.grow_due()
            self._wake.clear()
            due = self.ledger.refunds.next_due()
            wait = None if due is None else max(due - time.time(), 0.005)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    def tell(self, account: str, message: Message | None, hooks: Sequence[str]) -> list[int]:
        """Announce an event in a vendor's own words, in the open transaction."""
        if message is None or not self.hooks.wanted(account, message.topic):
            return []
        return self.hooks.announce(account, message.topic, message.ident, message.body, hooks=hooks)

    def _announce_refund(self, topic: str, row: Row, hooks: Sequence[str]) -> list[int]:
        payment = self.payment(row["payment"])
        if (voice := self.voices.of(payment)) is not None:
            return self.tell(row["account"], voice.refund_event(topic, row, payment), hooks)
        numbers = self._announce(row["account"], topic, wire.refund(row), hooks)
        if topic == "refund.created" and self.hooks.wanted(row["account"], "charge.refunded"):
            refunded = payment["amount"] - self.ledger.refunds.refundable(payment)
            subject = wire.charge(payment, refunded)
            numbers += self._announce(row["account"], "charge.refunded", subject, hooks)
        return numbers

    def _announce_dispute(self, topic: str, row: Row) -> None:
        payment = self.payment(row["payment"])
        if (voice := self.voices.of(payment)) is not None:
            told = voice.dispute_event(topic, row, payment)
            self.tell(payment["account"], told, self._hook_faults(row["id"]))
            return
        subject = wire.dispute(row, payment["charge"])
        self._announce(payment["account"], topic, subject, self._hook_faults(row["id"]))

    def _announce(
        self, account: str, topic: str, subject: Mapping[str, object], hooks: Sequence[str]
    ) -> list[int]:
        if not self.hooks.wanted(account, topic):
            return []
        ident, body = wire.event(topic, subject)
        return self.hooks.announce(account, topic, ident, body, hooks=hooks)

    def _hook_faults(self, key: str) -> tuple[str, ...]:
        """For events that no call causes, so that nothing can be first."""
        drawn = self.plan.draw("event", key, main=False).hooks
        return tuple(name for name in drawn if name != "webhook_first")
