"""A worker that stands still ends, saying where it stood; one that works is let be."""

from __future__ import annotations

import asyncio
import signal
import sys

from returns_api.config import Settings
from returns_api.worker import apart, watchdog

PROGRAM = """
import asyncio, re, time
from returns_api.worker.watchdog import Watchdog

async def main():
    async with Watchdog(busy_seconds=0.7, still_seconds=2.0):
        await asyncio.sleep(0)
        {step}
    print("well")

asyncio.run(main())
"""


async def ended(step: str) -> tuple[int | None, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM.format(step=step)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, told = await process.communicate()
    return process.returncode, said, told


async def test_the_loop_has_to_go_on() -> None:
    still = ["while True: pass", "re.match('(a+)+$', 'a' * 64 + 'b')", "time.sleep(60)"]
    *stood, well = await asyncio.gather(*map(ended, [*still, "await asyncio.sleep(2.5)"]))
    for code, said, told in stood:
        assert (code, said) == (-signal.SIGPROF, b"")
        assert b"in main" in told
    assert well == (0, b"well\n", b"")


def test_it_ends_before_another_takes_over() -> None:
    lease = Settings.model_fields["lease_seconds"].default
    assert max(watchdog.BUSY_SECONDS, watchdog.STILL_SECONDS) < lease
    assert lease > apart.SECONDS + apart.MARGIN_SECONDS
