"""The inbox over HTTP, for operators: what came in and failed, and starting it anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.pages import before, cut
from returns_api.api.responses import refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.inbox import InboxMessageOut, InboxMessagesOut, InboxState
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import dead_messages

router = APIRouter(prefix="/v1/admin/inbox", tags=["inbox"])

Pages = Annotated[Page, Depends(paged("in"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.WEBHOOKS_MANAGE))]


@router.get(
    "",
    operation_id="listInboxMessages",
    summary="List incoming messages",
    description=(
        "Webhooks that shops, providers and carriers sent us, newest first, in one state: `dead`"
        " ones could not be applied, `ignored` ones told nothing we follow, `received` ones wait."
    ),
    responses=refusals(),
)
async def list_messages(
    ctx: ContextDep,
    caller: Manager,
    page: Pages,
    state: Annotated[InboxState, Query(description="Which ones.")] = InboxState.DEAD,
) -> InboxMessagesOut:
    rows = await dead_messages.list_messages(
        ctx,
        caller.principal.shop,
        state=state.value,
        before=before(page, "in"),
        limit=page.limit + 1,
    )
    shown, cursor = cut(rows, page, "in")
    return InboxMessagesOut(items=[_shown(row) for row in shown], next_cursor=cursor)


@router.post(
    "/{message}/replay",
    operation_id="replayInboxMessage",
    summary="Try a message again",
    description=(
        "Starts a dead or ignored message anew, as if it had just come, with all its tries. What it"
        " says is applied as of its own time, so a late replay overwrites nothing newer."
    ),
    status_code=202,
    responses=refusals(404, 409),
)
async def replay_message(
    message: Annotated[str, Path(examples=[example_id("in")], max_length=100)],
    ctx: ContextDep,
    caller: Manager,
) -> InboxMessageOut:
    row = await dead_messages.replay_message(ctx, caller.principal.shop, path_id("in", message))
    return _shown(row)


def _shown(row: Row) -> InboxMessageOut:
    return InboxMessageOut(
        message=row["id"],
        source=row["source"],
        event_id=row["event_id"],
        topic=row["topic"],
        state=InboxState(row["state"]),
        attempts=row["attempt"],
        waiting_for=row["waiting_for"],
        error=row["error"],
        received_at=row["received_at"],
        due_at=row["due_at"],
        processed_at=row["processed_at"],
    )
