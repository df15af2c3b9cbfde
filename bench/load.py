"""A lean HTTP/1.1 load generator: keep-alive connections, one request in flight on each.

Written on asyncio streams so that the generator costs the measured machine as little as it can.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests per second and latencies in milliseconds."""

    count: int
    per_second: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]

    def as_dict(self) -> dict[str, object]:
        return {
            "count": self.count,
            "per_second": round(self.per_second, 1),
            "p50_ms": round(self.p50_ms, 2),
            "p99_ms": round(self.p99_ms, 2),
            "statuses": {str(status): count for status, count in self.statuses.items()},
        }


def request(path: str, key: str, body: bytes, idempotency_key: str) -> bytes:
    """One finished POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Idempotency-Key: {idempotency_key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run(host: str, port: int, requests: Sequence[bytes], concurrency: int) -> Measured:
    """Send every request once over ``concurrency`` connections."""
    waiting = iter(requests)
    seconds: list[float] = []
    statuses: dict[int, int] = {}
    started = time.perf_counter()
    await asyncio.gather(
        *(_connection(host, port, waiting, seconds, statuses) for _ in range(concurrency))
    )
    return summary(seconds, time.perf_counter() - started, statuses)


def summary(seconds: Sequence[float], total: float, statuses: dict[int, int]) -> Measured:
    cuts = quantiles(seconds, n=100) if len(seconds) > 1 else [seconds[0]] * 99
    return Measured(len(seconds), len(seconds) / total, cuts[49] * 1e3, cuts[98] * 1e3, statuses)


async def _connection(
    host: str,
    port: int,
    waiting: Iterable[bytes],
    seconds: list[float],
    statuses: dict[int, int],
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for data in waiting:
            started = time.perf_counter()
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            seconds.append(time.perf_counter() - started)
            status = int(head[9:12])
            statuses[status] = statuses.get(status, 0) + 1
    finally:
        writer.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without Content-Length")
