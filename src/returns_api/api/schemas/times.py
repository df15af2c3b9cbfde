"""Moments as input: RFC 3339 text with an offset, inside two centuries, and nothing else."""

from __future__ import annotations

from returns_api.domain import wire

MomentIn = wire.MomentIn
