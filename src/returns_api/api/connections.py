"""Outside accounts over HTTP: put, read, switch off."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.deps import Allowed, Caller, ContextDep, etag
from returns_api.api.preconditions import IfMatch, version_if_named
from returns_api.api.responses import BODY, EDIT, refusals
from returns_api.api.schemas.connections import (
    SLUG,
    ConnectionIn,
    ConnectionKind,
    ConnectionOut,
    ConnectionsOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.errors import NotFound
from returns_api.usecases import connections
from returns_api.usecases._connections import stored_secrets
from returns_api.usecases.connections import ConnectionValues
from returns_api.usecases.context import Context

router = APIRouter(prefix="/v1/admin/connections", tags=["connections"])

Manager = Annotated[Caller, Depends(Allowed(Scope.SHOP_MANAGE))]
SourcePath = Annotated[
    str,
    Path(
        description="Your own name for the account: a lower-case slug.",
        examples=["shopify", "stripe"],
    ),
]
NewSourcePath = Annotated[
    str,
    Path(
        pattern=SLUG,
        description="Your own name for the account: a lower-case slug.",
        examples=["stripe"],
    ),
]


@router.get(
    "",
    operation_id="listConnections",
    summary="List outside accounts",
    description="Every connection by slug, deactivated ones too. Secrets are never shown.",
    responses=refusals(),
)
async def list_connections(ctx: ContextDep, caller: Manager) -> ConnectionsOut:
    rows = await connections.list_connections(ctx, caller.principal.shop)
    return ConnectionsOut(items=[_shown(ctx, row) for row in rows])


@router.put(
    "/{source}",
    operation_id="putConnection",
    summary="Connect or change an outside account",
    description=(
        "Creates the connection, or replaces it when `If-Match` names the version you read. Kind "
        "and adapter never change. Putting a deactivated connection activates it again."
    ),
    responses={
        201: {"model": ConnectionOut, "description": "The connection is new."},
        **refusals(*BODY, *EDIT, 409),
    },
)
async def put_connection(
    source: NewSourcePath,
    body: ConnectionIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> ConnectionOut:
    row, created = await connections.put_connection(
        ctx,
        caller.principal.shop,
        caller.by,
        source,
        _values(body),
        version_if_named(if_match),
    )
    response.status_code = 201 if created else 200
    response.headers["ETag"] = etag(row["version"])
    return _shown(ctx, row)


@router.get(
    "/{source}",
    operation_id="getConnection",
    summary="Read one outside account",
    description="Its `ETag` is what a change has to send as `If-Match`.",
    responses=refusals(404),
)
async def get_connection(
    source: SourcePath, ctx: ContextDep, caller: Manager, response: Response
) -> ConnectionOut:
    row = await connections.view_connection(ctx, caller.principal.shop, known_source(source))
    response.headers["ETag"] = etag(row["version"])
    return _shown(ctx, row)


@router.delete(
    "/{source}",
    operation_id="deactivateConnection",
    summary="Switch an outside account off",
    description=(
        "Nothing is sent to it and nothing is taken from it any more; refunds in flight through it "
        "go to review. The connection stays readable."
    ),
    status_code=204,
    responses=refusals(404),
)
async def deactivate_connection(source: SourcePath, ctx: ContextDep, caller: Manager) -> None:
    await connections.deactivate_connection(
        ctx, caller.principal.shop, caller.by, known_source(source)
    )


def known_source(source: str) -> str:
    """A name that cannot be one does not exist. Raises ``NotFound``."""
    if not re.fullmatch(SLUG[1:-1], source):
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return source


def _values(body: ConnectionIn) -> ConnectionValues:
    signing = body.webhook_secrets
    return ConnectionValues(
        kind=body.kind.value,
        adapter=body.adapter,
        account=body.account,
        base_url=body.base_url,
        gateways=tuple(dict.fromkeys(body.gateways)),
        secret=body.secret,
        webhook_secrets=None if signing is None else tuple(signing),
    )


def _shown(ctx: Context, row: Row) -> ConnectionOut:
    shop = ids.encode("shp", row["shop_id"])
    has_secret, webhook_secrets = stored_secrets(ctx, row)
    return ConnectionOut(
        source=row["source"],
        kind=ConnectionKind(row["kind"]),
        adapter=row["adapter"],
        account=row["account"],
        base_url=row["base_url"],
        gateways=row["gateways"],
        active=row["active"],
        has_secret=has_secret,
        webhook_secrets=webhook_secrets,
        webhook_url=f"{ctx.public_url}/v1/hooks/{shop}/{row['source']}",
        created_at=row["created_at"],
    )
