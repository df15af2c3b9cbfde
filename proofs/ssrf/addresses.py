"""Addresses that lead inside, however they are written. Owns no judgement of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.adapters.test_addresses import NOT_PUBLIC

NOWHERE: Final = "1.2.3.4.5"
"""No address, and no name that anybody resolves."""
NOTATIONS: Final = (
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "127.0.0.1.",
    "localhost",
    "LocalHost",
    "localhost.",
    "ip6-localhost",
    "metadata.google.internal",
    "router.local",
    "intranet",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::1%25lo]",
    "[::]",
)
"""Ways to write this machine, its network or the metadata service as a host."""
ODD: Final = (
    "http://127.0.0.1:8443/",
    "http://stranger.example/",
    "https://stranger.example@127.0.0.1/",
    "https://127.0.0.1:443@stranger.example:8443/",
    "https://stranger.example#@127.0.0.1/",
    "https://127.0.0.1\\@stranger.example/",
    "https://stranger.example\t@127.0.0.1/",
    "https:127.0.0.1/",
    "https:///127.0.0.1/",
    "https://127.0.0.1:22/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:0/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:443/_x",
    "//127.0.0.1/",
    "https://",
)


def urls_inside() -> Sequence[str]:
    """Addresses in brackets where they are of version 6, each on a port that may be used."""
    plain = [each for each in NOT_PUBLIC if each and not set(each) & set(" [") and each != NOWHERE]
    hosts = [f"[{each}]" if ":" in each else each for each in plain]
    found = [f"https://{host}/in" for host in dict.fromkeys((*hosts, *NOTATIONS))]
    return [*found, "https://127.0.0.1:8443/in", "https://[::1]:8443/in", *ODD]
