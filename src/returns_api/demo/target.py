"""Where a running server with a demo shop is and the keys to it, and what a walk leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from returns_api.demo.calls import StepFailed


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service, the bank and the carrier are, and the demo shop's keys by role."""

    url: str
    bank_url: str
    carrier_url: str
    keys: Mapping[str, str] = field(repr=False)
    hooks: Mapping[str, str]
    shopify_secret: str = field(repr=False)
    bank_account: str = field(repr=False)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Target:
        """From the facts of a running server. Raises ``StepFailed`` when it has no demo shop."""
        demo = facts.get("demo") or {}
        if "keys" not in demo:
            raise StepFailed("The running server has no demo shop; start it without --no-demo.")
        names = ("keys", "hooks", "shopify_secret", "bank_account")
        urls = {name: facts[name] for name in ("url", "bank_url", "carrier_url")}
        return cls(**urls, **{name: demo[name] for name in names})


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    ms: int
    note: str
