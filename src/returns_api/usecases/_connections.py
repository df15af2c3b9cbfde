"""Opening a stored connection for use: the one place where an account's secrets are unsealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from returns_api.db.engine import Row
from returns_api.ports.carriers import CarrierAccount
from returns_api.ports.payments import PaymentAccount
from returns_api.usecases.context import Context


def open_account(ctx: Context, row: Mapping[str, Any] | Row) -> PaymentAccount:
    """Where and as whom to call a payment provider, from a row of kind ``payments``."""
    return PaymentAccount(row["base_url"], ctx.sealer.open(row["secret_sealed"]), row["account"])


def open_carrier_account(ctx: Context, row: Row) -> CarrierAccount:
    """The same for a row of kind ``carrier``."""
    return CarrierAccount(row["base_url"], ctx.sealer.open(row["secret_sealed"]), row["account"])


def open_webhook_secrets(ctx: Context, row: Row) -> tuple[str, ...]:
    """The secrets that may have signed what comes in from this source; several while rotating."""
    return tuple(orjson.loads(ctx.sealer.open(row["webhook_secrets_sealed"])))


def seal_webhook_secrets(ctx: Context, secrets: Sequence[str]) -> bytes:
    """The form in which ``open_webhook_secrets`` reads them."""
    return ctx.sealer.seal(orjson.dumps(list(secrets)).decode())


def stored_secrets(ctx: Context, row: Row) -> tuple[bool, int]:
    """Whether there is an API secret, and how many webhook secrets there are.

    Secrets sealed with a lost key count as none: whoever manages the shop must write them again.
    """
    try:
        secret = ctx.sealer.open(row["secret_sealed"])
        return bool(secret), len(open_webhook_secrets(ctx, row))
    except ValueError:
        return False, 0
