"""API keys over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.keys import KeyCreatedOut, KeyIn, KeyOut, KeysOut
from returns_api.db.engine import Row
from returns_api.domain.access import Role, Scope
from returns_api.usecases import keys

router = APIRouter(prefix="/v1/admin/keys", tags=["keys"])

Pages = Annotated[Page, Depends(paged("key"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.KEYS_MANAGE))]
KeyPath = Annotated[str, Path(description="A key's id.", examples=[example_id("key")])]


@router.post(
    "",
    operation_id="createKey",
    summary="Make a key",
    description=(
        "The key is shown this once; only its hash is kept. You cannot give scopes that your own "
        "key lacks, and only an admin key makes admin keys."
    ),
    status_code=201,
    responses=refusals(*BODY),
)
async def create_key(
    body: KeyIn, ctx: ContextDep, caller: Manager, response: Response
) -> KeyCreatedOut:
    seconds = body.expires_in_seconds
    made = await keys.create_key(
        ctx,
        caller.principal,
        caller.by,
        role=Role(body.role),
        label=body.label,
        scopes=None if body.scopes is None else frozenset(body.scopes),
        expires_in=None if seconds is None else timedelta(seconds=seconds),
    )
    response.headers["Cache-Control"] = "no-store"
    return KeyCreatedOut(
        id=made.id,
        role=body.role,
        label=made.label,
        scopes=list(made.scopes),
        expires_at=made.expires_at,
        key=made.token,
    )


@router.get(
    "",
    operation_id="listKeys",
    summary="List keys",
    description="Newest first, revoked and expired ones too; buyers' tokens are not listed.",
    responses=refusals(),
)
async def list_keys(ctx: ContextDep, caller: Manager, page: Pages) -> KeysOut:
    before = pages.before(page, "key")
    found = await keys.list_keys(ctx, caller.principal.shop, before, page.limit + 1)
    shown, cursor = pages.cut(found, page, "key")
    return KeysOut(items=[_shown(row) for row in shown], next_cursor=cursor)


@router.get(
    "/{key}",
    operation_id="getKey",
    summary="Read one key",
    description="Without its secret, which nobody has any more.",
    responses=refusals(404),
)
async def get_key(key: KeyPath, ctx: ContextDep, caller: Manager) -> KeyOut:
    return _shown(await keys.view_key(ctx, caller.principal.shop, path_id("key", key)))


@router.delete(
    "/{key}",
    operation_id="revokeKey",
    summary="Revoke a key",
    description="It stops working everywhere within 5 seconds. Revoking twice changes nothing.",
    status_code=204,
    responses=refusals(404),
)
async def revoke_key(key: KeyPath, ctx: ContextDep, caller: Manager) -> None:
    await keys.revoke_key(ctx, caller.principal.shop, caller.by, path_id("key", key))


def _shown(row: Row) -> KeyOut:
    return KeyOut(**{name: row[name] for name in KeyOut.model_fields})
