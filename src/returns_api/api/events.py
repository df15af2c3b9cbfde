"""The audit trail over HTTP."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.responses import refusals
from returns_api.api.schemas.base import ID_BODY, example_id
from returns_api.api.schemas.events import AuditEventOut, AuditEventsOut
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.domain.errors import Invalid
from returns_api.domain.webhooks import PREFIXES, TOPIC, parse_resource, resource_id
from returns_api.usecases import events

router = APIRouter(prefix="/v1/admin/events", tags=["events"])

Pages = Annotated[Page, Depends(paged("evt"))]
ANY_ID: Final = f"^({'|'.join(sorted(set(PREFIXES.values())))})_{ID_BODY}$"


@router.get(
    "",
    operation_id="listEvents",
    summary="Read the audit trail",
    description=(
        "Every committed change of the shop, newest first: who, what, why, when. Filter by the id "
        "of a resource, and by a type or a family of types such as `refund.*`."
    ),
    responses=refusals(),
)
async def list_events(
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.SHOP_MANAGE))],
    page: Pages,
    resource: Annotated[
        str | None,
        Query(pattern=ANY_ID, description="Only of this thing.", examples=[example_id("ref")]),
    ] = None,
    topic: Annotated[
        str | None,
        Query(
            alias="type",
            pattern=f"^({TOPIC.pattern})$",
            description="Only of this type or family.",
            examples=["refund.*"],
        ),
    ] = None,
) -> AuditEventsOut:
    found = await events.list_events(
        ctx,
        caller.principal.shop,
        before=pages.before(page, "evt"),
        limit=page.limit + 1,
        resource_id=_resource(resource),
        topic=topic,
    )
    shown, cursor = pages.cut(found, page, "evt")
    return AuditEventsOut(items=[_shown(row) for row in shown], next_cursor=cursor)


def _resource(text: str | None) -> UUID | None:
    if text is None:
        return None
    found = parse_resource(text)
    if found is None:
        raise Invalid(
            "resource is not the id of a thing that events tell about.",
            errors=[{"field": "resource", "in": "query", "problem": "not a known id"}],
        )
    return found


def _shown(row: Row) -> AuditEventOut:
    return AuditEventOut.model_validate(
        {
            **{name: row[name] for name in ("id", "type", "at", "sequence", "actor", "reason")},
            "resource": resource_id(row["resource_type"], row["resource_id"]),
            "actor_key": row["actor_id"],
            "request_id": row["request_id"],
            "order": row["order_id"],
            "return": row["return_id"],
            "data": row["data"],
        }
    )
