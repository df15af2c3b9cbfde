"""Who acts, by name, as tables in tests write it."""

from __future__ import annotations

from returns_api.domain.lifecycle.machine import Actor

BUYER, AGENT, WAREHOUSE, FINANCE, ADMIN, PLATFORM, SYSTEM = Actor
