"""Durable webhooks out: an event and its deliveries are rows, sent until somebody answers 2xx.

Owns delivery, retries and the webhook faults. What an event says and how it is signed is the
simulator's own business. Plain http only: these programs live on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from .faults import Plan
from .store import Store
from .web import Problem

MAX_ATTEMPTS = 60
MAX_BACKOFF_SECONDS = 30.0
TIMEOUT_SECONDS = 10.0
CONCURRENCY = 32
MAX_HEAD_BYTES = 65_536

SCHEMA = """
CREATE TABLE IF NOT EXISTS endpoints (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL,
    topics TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, topic TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, event TEXT NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'due');
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due) WHERE state = 'due';
"""
TABLES = ("endpoints", "events", "deliveries")

Sign = Callable[[str, bytes], Mapping[str, str]]
Seal = Callable[[str, bytes], bytes]


class Hooks:
    """The queue. ``sign(secret, body)`` gives the vendor's signature headers, fresh every try.

    ``seal(secret, body)`` is for vendors who put the signature into the body instead.
    """

    def __init__(self, store: Store, plan: Plan, sign: Sign, seal: Seal | None = None) -> None:
        self._store = store
        self._plan = plan
        self._sign = sign
        self._seal = seal or (lambda _secret, body: body)
        self._wire = _Wire()
        self._due: list[tuple[float, int]] = []
        self._wake = asyncio.Event()
        self._busy: set[asyncio.Task[None]] = set()
        self._endpoints = store.rows("SELECT id, account, topics FROM endpoints")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while inside; what is still due stays in the file for the next start."""
        rows = self._store.rows("SELECT due, seq FROM deliveries WHERE state = 'due'")
        self._due = [(row["due"], row["seq"]) for row in rows]
        heapq.heapify(self._due)
        task = asyncio.create_task(self._loop())
        try:
            yield
        finally:
            for each in (task, *self._busy):
                each.cancel()
            await asyncio.gather(task, *self._busy, return_exceptions=True)
            self._wire.close()

    def add_endpoint(self, ident: str, account: str, url: str, secret: str, *, topics: str) -> None:
        """Register or replace. ``account`` empty means events of every account."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise Problem(400, {"error": {"message": "only http:// addresses on this machine"}})
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?, ?, ?)",
                (ident, account, url, secret, topics),
            )
        self._endpoints = self._store.rows("SELECT id, account, topics FROM endpoints")

    def wanted(self, account: str, topic: str) -> bool:
        """Whether anybody listens, so that an event is worth building."""
        return bool(self._listeners(account, topic))

    def announce(
        self,
        account: str,
        topic: str,
        event_id: str,
        body: bytes,
        *,
        hooks: Sequence[str],
        delay: float = 0.0,
    ) -> list[int]:
        """Store an event and its deliveries in the open transaction; returns their numbers.

        ``hooks`` are the webhook faults of this event; ``delay`` is in seconds. With
        ``webhook_first`` the deliveries wait for ``flush``.
        """
        db = self._store.db
        db.execute(
            "INSERT INTO events (id, account, topic, body) VALUES (?, ?, ?, ?)",
            (event_id, account, topic, body),
        )
        numbers = []
        for endpoint in self._listeners(account, topic):
            copies = 2 if "webhook_duplicate" in hooks else 1
            for _ in range(copies):
                numbers.append(self._add(endpoint, event_id, hooks, delay))
        if numbers and (fired := [name for name in hooks if name != "webhook_first"]):
            self._plan.count(*fired)
        return numbers

    async def flush(self, numbers: Sequence[int]) -> None:
        """Deliver these now and wait for it, so that the webhook precedes the API's answer."""
        if numbers:
            self._plan.count("webhook_first")
        for number in numbers:
            await self._deliver(number)

    def redeliver(self, event_id: str | None) -> int:
        """Queue every delivered event again, or one; returns how many."""
        rows = self._store.rows(
            "SELECT DISTINCT endpoint, event FROM deliveries WHERE event = ifnull(?, event)",
            event_id,
        )
        with self._store.transaction():
            for row in rows:
                self._add(row["endpoint"], row["event"], (), 0.0)
        return len(rows)

    def counts(self) -> dict[str, int]:
        """Deliveries by state: due, done, lost (on purpose), dead (gave up)."""
        rows = self._store.rows("SELECT state, count(*) AS n FROM deliveries GROUP BY state")
        found = {row["state"]: row["n"] for row in rows}
        return {state: found.get(state, 0) for state in ("due", "done", "lost", "dead")}

    def forget(self) -> None:
        """Drop endpoints, events and deliveries."""
        self._due.clear()
        self._endpoints = []
        self._store.wipe(*TABLES)

    def _listeners(self, account: str, topic: str) -> list[str]:
        return [
            row["id"]
            for row in self._endpoints
            if (not row["account"] or not account or row["account"] == account)
            and (row["topics"] == "*" or topic in row["topics"].split(","))
        ]

    def _add(self, endpoint: str, event_id: str, hooks: Sequence[str], delay: float) -> int:
        late = self._plan.delay(event_id) if "webhook_shuffled" in hooks else 0.0
        due = time.time() + late + delay
        state = "lost" if "webhook_lost" in hooks else "due"
        cursor = self._store.db.execute(
            "INSERT INTO deliveries (endpoint, event, due, state) VALUES (?, ?, ?, ?)",
            (endpoint, event_id, due, state),
        )
        number = int(cursor.lastrowid or 0)
        if state == "due" and "webhook_first" not in hooks:
            self._push(due, number)
        return number

    def _push(self, due: float, number: int) -> None:
        heapq.heappush(self._due, (due, number))
        self._wake.set()

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            while self._due and self._due[0][0] <= time.time() and len(self._busy) < CONCURRENCY:
                _, number = heapq.heappop(self._due)
                task = asyncio.create_task(self._deliver(number))
                self._busy.add(task)
                task.add_done_callback(self._finished)
            full = len(self._busy) >= CONCURRENCY
            wait = None if full or not self._due else max(self._due[0][0] - time.time(), 0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._wake.set()

    async def _deliver(self, number: int) -> None:
        row = self._store.row(
            "SELECT d.attempts, e.url, e.secret, v.body FROM deliveries d "
            "JOIN endpoints e ON e.id = d.endpoint JOIN events v ON v.id = d.event "
            "WHERE d.seq = ? AND d.state = 'due'",
            number,
        )
        if row is None:
            return
        body = self._seal(row["secret"], row["body"])
        headers = {"content-type": "application/json", **self._sign(row["secret"], body)}
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._wire.post(row["url"], headers, body)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            status = 0
        self._settle(number, row["attempts"] + 1, 200 <= status < 300)

    def _settle(self, number: int, attempts: int, delivered: bool) -> None:
        due = time.time() + min(0.25 * 2**attempts, MAX_BACKOFF_SECONDS)
        state = "done" if delivered else "dead" if attempts >= MAX_ATTEMPTS else "due"
        self._store.db.execute(
            "UPDATE deliveries SET attempts = ?, state = ?, due = ? WHERE seq = ?",
            (attempts, state, due, number),
        )
        if state == "due":
            self._push(due, number)


class _Wire:
    """Just enough of an HTTP client: keep-alive POSTs to loopback."""

    def __init__(self) -> None:
        self._idle: dict[
            tuple[str, int], list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        ] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. Raises ``OSError``, ``EOFError`` or ``ValueError``."""
        parts = urlsplit(url)
        place = (parts.hostname or "", parts.port or 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {path} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
        while self._idle[place]:
            with contextlib.suppress(OSError, EOFError):  # the other side hung up meanwhile
                return await self._exchange(place, self._idle[place].pop(), message)
        return await self._exchange(place, await asyncio.open_connection(*place), message)

    async def _exchange(
        self,
        place: tuple[str, int],
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        message: bytes,
    ) -> int:
        reader, writer = connection
        keep = False
        try:
            writer.write(message)
            await writer.drain()
            status, keep = await _read_answer(reader)
        finally:
            if keep:
                self._idle[place].append(connection)
            else:
                writer.close()
        return status

    def close(self) -> None:
        for kept in self._idle.values():
            for _, writer in kept:
                writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = head.split("\r\n")
    status = int(lines[0].split(" ", 2)[1])
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    if status == 204:
        return status, headers.get("connection") != "close"
    length = headers.get("content-length", "")
    if not length.isdigit() or int(length) > MAX_HEAD_BYTES:
        return status, False
    await reader.readexactly(int(length))
    return status, headers.get("connection") != "close"
