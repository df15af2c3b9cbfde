"""Policy versions: drafts, publishing once, retiring, and which version judges an order.

The heavy columns (the text, the canonical bytes) are read only where they are asked for. Refuses to
own who did what to them (``policy_history``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Uuid,
    and_,
    any_,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import policy_versions as _t
from returns_api.db.tables import shops as _shops

PUBLISHED: Final = ("published", "retired")
"""States in which a version has judged, judges or will judge orders; it never changes again."""
EDITABLE: Final = ("draft", "checked")

_LIGHT: Final = tuple(
    _t.c[name]
    for name in (
        "id",
        "number",
        "state",
        "name",
        "digest",
        "effective_from",
        "created_at",
        "published_at",
        "published_by",
        "acknowledged",
        "checked_at",
        "retired_at",
        "version",
    )
)
_finding = func.jsonb_array_elements(_t.c.findings).table_valued("value", name="finding")
_COUNTS: Final = tuple(
    select(func.count())
    .select_from(_finding)
    .where(func.jsonb_extract_path_text(_finding.c.value, "severity") == severity)
    .scalar_subquery()
    .label(f"{severity}s")
    for severity in ("error", "warning", "info")
)
_CANONICAL: Final[ColumnElement[Any]] = case(
    (_t.c.id == any_(given("known", ARRAY(Uuid))), null()), else_=_t.c.canonical
).label("canonical")

_at = given("placed_at", DateTime(timezone=True))
_begun = _t.c.effective_from <= _at
_lasting = or_(
    _t.c.retired_at.is_(None),
    and_(_t.c.retired_at > _at, _t.c.retired_at > _t.c.effective_from),
)


def _judging(*columns: ColumnElement[Any]) -> Query:
    return Query(
        select(*columns)
        .where(here(_t), among(_t.c.state, PUBLISHED), _lasting)
        .order_by(
            _begun.desc(),
            case((_begun, _t.c.effective_from)).desc(),
            _t.c.effective_from,
            _t.c.number.desc(),
        )
        .limit(1)
    )


_IN_FORCE: Final = _judging(*_LIGHT, _CANONICAL)
_ID_IN_FORCE: Final = _judging(_t.c.id)
_NEXT_BEGIN: Final = Query(
    select(func.min(_t.c.effective_from)).where(
        here(_t), _t.c.state == "published", _t.c.effective_from > given("now")
    )
)
_SHOP_STATUS: Final = Query(select(_shops.c.status).where(here(_shops)))
_BY_ID: Final = Query(select(*_LIGHT, _CANONICAL).where(here(_t), _t.c.id == given("id")))
_VIEW: Final = Query(
    select(*_LIGHT, _t.c.source, _t.c.findings).where(here(_t), _t.c.id == given("id"))
)
_LOCK: Final = Query(
    select(*_LIGHT, _t.c.findings).where(here(_t), _t.c.id == given("id")).with_for_update()
)
_PAGE: Final = Query(
    select(*_LIGHT, *_COUNTS)
    .where(here(_t), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_NEXT_NUMBER: Final = Query(select(func.coalesce(func.max(_t.c.number), 0) + 1).where(here(_t)))
_ADD: Final = Query(
    insert(_t).values(
        shop_id=SHOP,
        state="draft",
        **{
            name: given(name)
            for name in (
                "id",
                "number",
                "name",
                "source",
                "canonical",
                "digest",
                "findings",
                "created_at",
            )
        },
    )
)
_still_open = and_(
    here(_t),
    _t.c.id == given("id"),
    _t.c.version == given("seen"),
    among(_t.c.state, EDITABLE),
)
_EDIT: Final = Query(
    update(_t)
    .where(_still_open)
    .values(
        state="draft",
        checked_at=null(),
        findings=literal([], JSONB),
        version=_t.c.version + 1,
        **{name: given(name) for name in ("name", "source", "canonical", "digest")},
    )
)
_CHECKED: Final = Query(
    update(_t)
    .where(_still_open)
    .values(
        state="checked",
        checked_at=given("now"),
        version=_t.c.version + 1,
        **{name: given(name) for name in ("canonical", "digest", "findings")},
    )
)
_PUBLISH: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "checked")
    .values(
        state="published",
        effective_from=given("effective_from"),
        published_at=given("now"),
        published_by=given("published_by"),
        acknowledged=given("acknowledged"),
        version=_t.c.version + 1,
    )
)
_RETIRE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "published")
    .values(state="retired", retired_at=given("now"), version=_t.c.version + 1)
)
_REMAINING: Final = Query(
    select(func.count())
    .select_from(_t)
    .where(
        here(_t),
        _t.c.state == "published",
        _t.c.id != given("id"),
        or_(given("scheduled", Boolean) == true(), _t.c.effective_from <= given("now")),
    )
)


async def in_force(
    tx: Transaction, placed_at: datetime, known: Collection[UUID] = ()
) -> Row | None:
    """The version that judges an order placed at ``placed_at``; None before the first publishing.

    It is the published version with the greatest ``effective_from`` not after that moment (of two
    with the same, the later number) that was not retired by then. An order older than every version
    is judged by the first one: the shop never said anything else. A version that was retired before
    it began judges nothing. ``canonical`` is NULL for versions in ``known``, so that a
    compiled policy is not read again.
    """
    return await tx.first(_IN_FORCE, placed_at=placed_at, known=list(known))


async def id_in_force(tx: Transaction, placed_at: datetime) -> UUID | None:
    """The id of the same."""
    found: UUID | None = await tx.value(_ID_IN_FORCE, placed_at=placed_at)
    return found


async def next_begin(tx: Transaction, now: datetime) -> datetime | None:
    """When the next version begins that is published already."""
    found: datetime | None = await tx.value(_NEXT_BEGIN, now=now)
    return found


async def shop_is_open(tx: Transaction) -> bool:
    """Whether the transaction's shop exists and has not left."""
    status: str | None = await tx.value(_SHOP_STATUS)
    return status == "active"


async def by_id(tx: Transaction, version_id: UUID, known: Collection[UUID] = ()) -> Row | None:
    """One version, draft or not, with its ``canonical`` bytes unless it is in ``known``."""
    return await tx.first(_BY_ID, id=version_id, known=list(known))


async def view(tx: Transaction, version_id: UUID) -> Row | None:
    """One version with its text and findings."""
    return await tx.first(_VIEW, id=version_id)


async def lock(tx: Transaction, version_id: UUID) -> Row | None:
    return await tx.first(_LOCK, id=version_id)


async def page(tx: Transaction, *, before: UUID, limit: int) -> list[Row]:
    """Versions newest first, with ``errors``, ``warnings`` and ``infos`` counted."""
    return await tx.all(_PAGE, before=before, limit=limit)


async def next_number(tx: Transaction) -> int:
    """The shop must be locked, or two drafts get one number and one of them is refused."""
    return int(await tx.value(_NEXT_NUMBER))


async def add(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD, **values)


async def edit(tx: Transaction, version_id: UUID, seen: int, **values: Any) -> bool:
    """Another text for a draft; its findings go. False when it is not ``seen`` or no draft."""
    return bool(await tx.run(_EDIT, id=version_id, seen=seen, **values))


async def set_checked(tx: Transaction, version_id: UUID, seen: int, **values: Any) -> bool:
    """The findings of ``seen``. False when it changed meanwhile."""
    return bool(await tx.run(_CHECKED, id=version_id, seen=seen, **values))


async def publish(tx: Transaction, version_id: UUID, **values: Any) -> bool:
    """False when it is not a checked draft any more."""
    return bool(await tx.run(_PUBLISH, id=version_id, **values))


async def retire(tx: Transaction, version_id: UUID, now: datetime) -> bool:
    """False when it is not published."""
    return bool(await tx.run(_RETIRE, id=version_id, now=now))


async def remaining(tx: Transaction, version_id: UUID, now: datetime, *, scheduled: bool) -> int:
    """Other published versions that judge orders placed from ``now`` on.

    ``scheduled`` also counts those that begin later. The shop must be locked, or two of them could
    be retired at once.
    """
    return int(await tx.value(_REMAINING, id=version_id, now=now, scheduled=scheduled))
