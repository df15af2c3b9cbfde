"""The live server and its two shops."""

from tests.support.living import server, world

__all__ = ["server", "world"]
