"""A shop platform whose reader has eight bugs, and how it is installed: as a package of its own.

Its messages are Shopify's orders under other topics. Which bug one meets, its topic says. Once
somebody has mended them all (a file is there), each is read as the order that it is.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, Final

from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.domain.orders import Observation

NAME: Final = "poison"
PREFIX: Final = "poison/"
MENDED: Final = "PROOF_POISON_MENDED"
"""The variable with the path of the file whose presence mends all."""
HOG_BYTES: Final = 500 * 1024 * 1024
_METADATA: Final = "Metadata-Version: 2.1\nName: returns-api-poison\nVersion: 1.0\n"
_ENTRY: Final = f"[returns_api.shops]\n{NAME} = proofs.poison.shop:PoisonShop\n"

Facts = tuple[Observation, ...]


def install(folder: Path) -> Path:
    """Make the package known to this process and all that it starts; returns the mending file."""
    made = folder / "returns_api_poison-1.0.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text(_METADATA)
    (made / "entry_points.txt").write_text(_ENTRY)
    sys.path.append(str(folder))
    mending = folder / "mended"
    os.environ[MENDED] = str(mending)
    return mending


class PoisonShop(ShopifyShop):
    """``ports.shops.ShopPlatform``: Shopify's but for its reader."""

    name = NAME

    def parse(self, topic: str, body: bytes) -> Facts:
        if Path(os.environ[MENDED]).exists():
            return super().parse("orders/create", body)
        return BUGS[topic.removeprefix(PREFIX)](body)


def _exception(body: bytes) -> Facts:
    raise KeyError(body[:20])


def _wrong_facts(_: bytes) -> Facts:
    nothing: Any = object()
    return (nothing,)


def _sys_exit(_: bytes) -> Facts:
    sys.exit(3)


def _os_exit(_: bytes) -> Facts:
    os._exit(3)


def _segfault(_: bytes) -> Facts:
    os.kill(os.getpid(), signal.SIGSEGV)
    return ()


def _endless_loop(body: bytes) -> Facts:
    """One half of them inside a library that lets no other thread run meanwhile."""
    if sum(body) % 2:
        re.match(r"(a+)+$", "a" * 64 + "b")
    while True:
        pass


def _memory(_: bytes) -> Facts:
    taken = []
    while True:
        taken.append(b"\1" * HOG_BYTES)


def _unknown_topic(_: bytes) -> Facts:
    return ()


BUGS: Final[Mapping[str, Callable[[bytes], Facts]]] = {
    "exception": _exception,
    "wrong_facts": _wrong_facts,
    "sys_exit": _sys_exit,
    "os_exit": _os_exit,
    "segfault": _segfault,
    "endless_loop": _endless_loop,
    "memory": _memory,
    "unknown_topic": _unknown_topic,
}

_LATE: Final = {"its reader took longer than 10 s", "its reader was ended by SIGKILL"}
"""Where the machine is so busy that a process hardly gets to do its harm."""
HARMS: Final[Mapping[str, Set[str]]] = {
    "exception": {"KeyError"},
    "wrong_facts": {"its reader gave what is no fact"},
    "sys_exit": {"SystemExit"},
    "os_exit": {"its reader ended with 3"},
    "segfault": {"its reader was ended by SIGSEGV"},
    "endless_loop": {"its reader used up its processor time", *_LATE},
    "memory": {"MemoryError", *_LATE},
}
"""What the service says of each at the end; the last one of ``BUGS`` does none."""
