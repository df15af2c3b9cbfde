"""From rows of webhook endpoints and deliveries to their shapes."""

from __future__ import annotations

from typing import Any

from returns_api.api.schemas.webhook_endpoints import (
    DeliveryOut,
    DeliveryState,
    EndpointState,
    WebhookEndpointOut,
    WebhookEndpointSecretOut,
)
from returns_api.db.engine import Row
from returns_api.domain.webhooks import resource_id
from returns_api.usecases.webhook_endpoints import WithSecret


def endpoint_out(row: Row) -> WebhookEndpointOut:
    """An endpoint without its secret."""
    return WebhookEndpointOut(**_members(row))


def endpoint_with_secret_out(made: WithSecret) -> WebhookEndpointSecretOut:
    """An endpoint with the secret that is shown this once."""
    return WebhookEndpointSecretOut(**_members(made.endpoint), secret=made.secret)


def _members(row: Row) -> dict[str, Any]:
    plain = WebhookEndpointOut.model_fields.keys() - {"state"}
    return {**{name: row[name] for name in plain}, "state": EndpointState(row["state"])}


def delivery_out(row: Row) -> DeliveryOut:
    """How far an event came on its way to an endpoint."""
    return DeliveryOut(
        event=row["event_id"],
        type=row["type"],
        resource=resource_id(row["resource_type"], row["resource_id"]),
        sequence=row["sequence"],
        state=DeliveryState(row["state"]),
        attempts=row["attempt"],
        last_status=row["last_status"],
        next_try_at=row["due_at"],
        created_at=row["created_at"],
    )
