"""Prism from npm: a judge between adapter and simulator, with a vendor's description as law."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import node
from tests.support.ports import free_port


@contextmanager
def prism(description: Path, upstream: str) -> Iterator[str]:
    """Prism before ``upstream``; it refuses what ``description`` does not allow, either way."""
    node.install()
    port = free_port()
    program = node.FOLDER / "node_modules" / ".bin" / "prism"
    options = ("proxy", "--errors", "-v", "fatal", "-h", "127.0.0.1", "-p", str(port))
    with node.running(str(program), *options, str(description), upstream, port=port) as url:
        yield url
