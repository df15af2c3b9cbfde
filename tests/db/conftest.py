"""The live server and its two shops, for tests that need a row in every table."""

from tests.support.living import server, world

__all__ = ["server", "world"]
