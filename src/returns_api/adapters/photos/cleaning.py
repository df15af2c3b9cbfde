"""Strangers' pictures are opened in a process of their own, bounded in memory and time.

Owns starting, bounding and ending that process (``decode``, where Pillow is). One that is killed by
its limits has refused the picture. Its environment holds no secret of the service.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from returns_api.domain.errors import PhotoRefused, Unavailable
from returns_api.domain.photos import CleanPhoto

SIDE_MAX: Final = 2048
"""Pixels of the longer side that are kept: a seam or a serial number stays readable."""
MEMORY: Final = 768 * 1024 * 1024
"""Address space of the process, in bytes; what it really touches is far less."""
SECONDS: Final = 25.0
AT_ONCE: Final = 2
WAITING_MAX: Final = 16
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_PROGRAM: Final = Path(__file__).with_name("decode.py")
_WORDS: Final = {
    "not_a_picture": "This is not a JPEG, PNG or WebP picture.",
    "broken": "This picture is broken or cut off.",
    "too_many_pixels": "This picture has too many pixels.",
    "too_much_memory": "This picture takes too much memory.",
}


class ApartCleaner:
    """``ports.photos.PhotoCleaner``: a process for each picture, two at a time."""

    def __init__(self, pixels: int) -> None:
        """``pixels`` is the most that a picture may have, before anything is decoded."""
        self._pixels = pixels
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._inside = 0

    async def clean(self, body: bytes) -> CleanPhoto:
        """Raises ``PhotoRefused`` and ``Unavailable``."""
        if self._inside >= WAITING_MAX:
            raise Unavailable("Too many pictures are being worked on right now.")
        self._inside += 1
        try:
            async with self._gate:
                return _read(await self._run(body))
        finally:
            self._inside -= 1

    async def _run(self, body: bytes) -> bytes:
        """What the process says; nothing when it was ended for taking too much."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_PROGRAM),
            *(str(bound) for bound in (self._pixels, SIDE_MAX, MEMORY)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
        try:
            async with asyncio.timeout(SECONDS):
                said, _ = await process.communicate(body)
        except TimeoutError:
            return b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return said


def _read(said: bytes) -> CleanPhoto:
    line, _, body = said.partition(b"\n")
    head: dict[str, Any] = json.loads(line) if line else {"refused": "too_much_memory"}
    if "refused" in head:
        because = head["refused"]
        raise PhotoRefused(_WORDS[because], because=because)
    return CleanPhoto(body, head["width"], head["height"])
