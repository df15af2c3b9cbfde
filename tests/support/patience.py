"""How long a test waits for an answer before it takes that for a hang; bench measures slowness."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 120.0
"""Seconds; on a machine with much else to do an answer may take twenty."""
