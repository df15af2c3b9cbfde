"""Webhook endpoints and what they were sent, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.preconditions import IfMatch, seen_version
from returns_api.api.responses import BODY, EDIT, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.webhook_endpoints import (
    AttemptOut,
    AttemptsOut,
    DeliveriesOut,
    DeliveryState,
    EndpointState,
    ReplayIn,
    ReplayOut,
    RotateSecretIn,
    WebhookEndpointIn,
    WebhookEndpointOut,
    WebhookEndpointPatch,
    WebhookEndpointSecretOut,
    WebhookEndpointsOut,
)
from returns_api.api.webhook_endpoint_views import (
    delivery_out,
    endpoint_out,
    endpoint_with_secret_out,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import webhook_endpoints as endpoints
from returns_api.usecases.webhook_endpoints import WithSecret

router = APIRouter(prefix="/v1/admin/webhook-endpoints", tags=["webhooks"])

Pages = Annotated[Page, Depends(paged("whe"))]
EventPages = Annotated[Page, Depends(paged("evt"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.WEBHOOKS_MANAGE))]
EndpointPath = Annotated[
    str, Path(description="A webhook endpoint's id.", examples=[example_id("whe")])
]
EventPath = Annotated[str, Path(description="An event's id.", examples=[example_id("evt")])]


@router.post(
    "",
    operation_id="createWebhookEndpoint",
    summary="Add a webhook endpoint",
    description=(
        "Signed by Standard Webhooks 1.0. The secret is shown this once. Deliveries come at least "
        "once and in no promised order: ignore a `webhook-id` that you saw, and a `sequence` lower "
        "than the last one of that resource."
    ),
    status_code=201,
    responses=refusals(*BODY, 409),
)
async def create_webhook_endpoint(
    body: WebhookEndpointIn, ctx: ContextDep, caller: Manager, response: Response
) -> WebhookEndpointSecretOut:
    made = await endpoints.create_endpoint(
        ctx,
        caller.principal.shop,
        caller.by,
        url=body.url,
        topics=tuple(dict.fromkeys(body.topics)),
        description=body.description,
    )
    return _with_secret(made, response)


@router.get(
    "",
    operation_id="listWebhookEndpoints",
    summary="List webhook endpoints",
    description="Newest first.",
    responses=refusals(),
)
async def list_webhook_endpoints(
    ctx: ContextDep, caller: Manager, page: Pages
) -> WebhookEndpointsOut:
    before = pages.before(page, "whe")
    found = await endpoints.list_endpoints(ctx, caller.principal.shop, before, page.limit + 1)
    shown, cursor = pages.cut(found, page, "whe")
    items = [endpoint_out(row) for row in shown]
    return WebhookEndpointsOut(items=items, next_cursor=cursor)


@router.get(
    "/{endpoint}",
    operation_id="getWebhookEndpoint",
    summary="Read a webhook endpoint",
    description="Its `ETag` is what a change has to send as `If-Match`.",
    responses=refusals(404),
)
async def get_webhook_endpoint(
    endpoint: EndpointPath, ctx: ContextDep, caller: Manager, response: Response
) -> WebhookEndpointOut:
    row = await endpoints.view_endpoint(ctx, caller.principal.shop, path_id("whe", endpoint))
    return _shown(row, response)


@router.patch(
    "/{endpoint}",
    operation_id="changeWebhookEndpoint",
    summary="Change a webhook endpoint",
    description="What is left out stays. The address is checked again.",
    responses=refusals(*BODY, *EDIT, 404),
)
async def change_webhook_endpoint(
    endpoint: EndpointPath,
    body: WebhookEndpointPatch,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> WebhookEndpointOut:
    row = await endpoints.change_endpoint(
        ctx,
        caller.principal.shop,
        caller.by,
        path_id("whe", endpoint),
        seen_version(if_match),
        {name: getattr(body, name) for name in body.model_fields_set},
    )
    return _shown(row, response)


@router.delete(
    "/{endpoint}",
    operation_id="deleteWebhookEndpoint",
    summary="Remove a webhook endpoint",
    description="With the record of what it was sent. Disable it to keep that.",
    status_code=204,
    responses=refusals(404),
)
async def delete_webhook_endpoint(endpoint: EndpointPath, ctx: ContextDep, caller: Manager) -> None:
    await endpoints.delete_endpoint(ctx, caller.principal.shop, caller.by, path_id("whe", endpoint))


@router.post(
    "/{endpoint}/rotate-secret",
    operation_id="rotateWebhookSecret",
    summary="Rotate the signing secret",
    description=(
        "The new secret is shown this once. Until the overlap ends every delivery carries two "
        "signatures, joined by a space."
    ),
    responses=refusals(*BODY, 404),
)
async def rotate_webhook_secret(
    endpoint: EndpointPath,
    body: RotateSecretIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
) -> WebhookEndpointSecretOut:
    made = await endpoints.rotate_secret(
        ctx,
        caller.principal.shop,
        caller.by,
        path_id("whe", endpoint),
        timedelta(seconds=body.overlap_seconds),
    )
    return _with_secret(made, response)


@router.post(
    "/{endpoint}/disable",
    operation_id="disableWebhookEndpoint",
    summary="Stop telling an endpoint",
    description="Deliveries that wait end as `dead` and can be replayed.",
    responses=refusals(404, 409),
)
async def disable_webhook_endpoint(
    endpoint: EndpointPath, ctx: ContextDep, caller: Manager, response: Response
) -> WebhookEndpointOut:
    return await _set_state(ctx, caller, endpoint, EndpointState.DISABLED, response)


@router.post(
    "/{endpoint}/enable",
    operation_id="enableWebhookEndpoint",
    summary="Tell a disabled endpoint again",
    description="From now on; replay what it missed.",
    responses=refusals(404, 409),
)
async def enable_webhook_endpoint(
    endpoint: EndpointPath, ctx: ContextDep, caller: Manager, response: Response
) -> WebhookEndpointOut:
    return await _set_state(ctx, caller, endpoint, EndpointState.ACTIVE, response)


@router.get(
    "/{endpoint}/deliveries",
    operation_id="listDeliveries",
    summary="List what an endpoint was sent",
    description="Newest event first; of one state if asked.",
    responses=refusals(404),
)
async def list_deliveries(
    endpoint: EndpointPath,
    ctx: ContextDep,
    caller: Manager,
    page: EventPages,
    state: Annotated[DeliveryState | None, Query(description="Only this state.")] = None,
) -> DeliveriesOut:
    found = await endpoints.list_deliveries(
        ctx,
        caller.principal.shop,
        path_id("whe", endpoint),
        before=pages.before(page, "evt"),
        state=state,
        limit=page.limit + 1,
    )
    shown, cursor = pages.cut(found, page, "evt", lambda each: each["event_id"])
    return DeliveriesOut(items=[delivery_out(row) for row in shown], next_cursor=cursor)


@router.get(
    "/{endpoint}/deliveries/{event}/attempts",
    operation_id="listDeliveryAttempts",
    summary="List the tries of one delivery",
    description="In order, with the receiver's answer or why there was none.",
    responses=refusals(404),
)
async def list_delivery_attempts(
    endpoint: EndpointPath, event: EventPath, ctx: ContextDep, caller: Manager
) -> AttemptsOut:
    found = await endpoints.list_attempts(
        ctx, caller.principal.shop, path_id("whe", endpoint), path_id("evt", event)
    )
    return AttemptsOut(
        items=[AttemptOut(**{name: row[name] for name in AttemptOut.model_fields}) for row in found]
    )


@router.post(
    "/{endpoint}/replay",
    operation_id="replayDeliveries",
    summary="Send events once more",
    description=(
        "One event, or all since a time that did not get through, for 30 days. At most 1000 at "
        "once; while `more` is true, ask again. The same event keeps its `webhook-id`."
    ),
    status_code=202,
    responses=refusals(*BODY, 404, 409),
)
async def replay_deliveries(
    endpoint: EndpointPath, body: ReplayIn, ctx: ContextDep, caller: Manager
) -> ReplayOut:
    shop, endpoint_id = caller.principal.shop, path_id("whe", endpoint)
    if body.event is not None:
        done = await endpoints.replay_event(ctx, shop, endpoint_id, body.event)
    else:
        assert body.since is not None
        done = await endpoints.replay_since(
            ctx, shop, endpoint_id, body.since, missed=body.include_missed
        )
    return ReplayOut(queued=done.queued, more=done.more)


async def _set_state(
    ctx: ContextDep, caller: Caller, endpoint: str, state: EndpointState, response: Response
) -> WebhookEndpointOut:
    row = await endpoints.set_endpoint_state(
        ctx, caller.principal.shop, caller.by, path_id("whe", endpoint), state.value
    )
    return _shown(row, response)


def _shown(row: Row, response: Response) -> WebhookEndpointOut:
    response.headers["ETag"] = etag(row["version"])
    return endpoint_out(row)


def _with_secret(made: WithSecret, response: Response) -> WebhookEndpointSecretOut:
    response.headers["ETag"] = etag(made.endpoint["version"])
    response.headers["Cache-Control"] = "no-store"
    return endpoint_with_secret_out(made)
