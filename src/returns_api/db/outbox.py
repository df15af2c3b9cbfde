"""Events, who is told of them and the jobs that follow, written by one statement.

Owns: that every committed transition has exactly one event row, one delivery per endpoint that
asked for its type, one notification per channel on which the shop tells its buyers of it, and a
wake-up for each, in the transaction of the change itself. Refuses to own: what an event says
(``domain.events``) and what a job does (``worker``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    DateTime,
    Integer,
    Text,
    Uuid,
    any_,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from returns_api import tracing
from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import (
    deliveries,
    events,
    notification_settings,
    notifications,
    webhook_endpoints,
)
from returns_api.db.tables.queue import pgqueuer, pgqueuer_log
from returns_api.domain.events import Event


@dataclass(frozen=True, slots=True)
class Job:
    """A wake-up: look at this row again. Losing, doubling or delaying it harms nothing."""

    kind: str
    key: UUID
    delay_seconds: float = 0


def _written() -> CTE:
    """The events, one row each."""
    happened = json_rows(
        "events",
        id=Uuid,
        resource_type=Text,
        resource_id=Uuid,
        sequence=Integer,
        type=Text,
        at=DateTime(timezone=True),
        actor=Text,
        actor_id=Uuid,
        reason=Text,
        request_id=Text,
        order_id=Uuid,
        return_id=Uuid,
        data=JSONB,
    )
    return (
        insert(events)
        .from_select(["shop_id", *happened.c.keys()], select(SHOP, *happened.c))
        .returning(events.c.id, events.c.type, events.c.at, events.c.order_id, events.c.return_id)
        .cte("written")
    )


def _addressed(written: CTE) -> CTE:
    """One delivery for each event and active endpoint that asked for its type."""
    family = func.concat(func.split_part(written.c.type, ".", 1), ".*")
    topics = webhook_endpoints.c.topics
    asked = or_(
        literal("*") == any_(topics), written.c.type == any_(topics), family == any_(topics)
    )
    return (
        insert(deliveries)
        .from_select(
            ["shop_id", "event_id", "endpoint_id", "due_at"],
            select(SHOP, written.c.id, webhook_endpoints.c.id, written.c.at)
            .join_from(written, webhook_endpoints, asked)
            .where(here(webhook_endpoints), webhook_endpoints.c.state == "active"),
        )
        .returning(deliveries.c.event_id)
        .cte("addressed")
    )


def _to_be_told(written: CTE) -> CTE:
    """One notification for each event of an order and channel on which the shop tells of it."""
    channels = notification_settings
    return (
        insert(notifications)
        .from_select(
            ["shop_id", "event_id", "kind", "channel", "order_id", "return_id", "due_at"],
            select(
                SHOP,
                written.c.id,
                written.c.type,
                channels.c.channel,
                written.c.order_id,
                written.c.return_id,
                written.c.at,
            )
            .join_from(written, channels, written.c.type == any_(channels.c.topics))
            .where(here(channels), channels.c.active == true(), written.c.order_id.is_not(None)),
        )
        .returning(notifications.c.event_id)
        .cte("to_be_told")
    )


def _queued(addressed: CTE, to_be_told: CTE) -> CTE:
    """The caller's jobs and one for each event to tell somebody of, as the queue keeps them."""
    wanted = json_rows("jobs", kind=Text, key=Text, delay=Integer)
    jobs = union_all(
        select(wanted.c.kind, wanted.c.key, wanted.c.delay),
        *(
            select(literal(kind), cast(of.c.event_id, Text), cast(literal(0), Integer)).distinct()
            for kind, of in (("deliver_event", addressed), ("send_notification", to_be_told))
        ),
    ).subquery("jobs")
    return (
        insert(pgqueuer)
        .from_select(
            ["priority", "entrypoint", "payload", "execute_after", "status", "headers"],
            select(
                literal(0),
                jobs.c.kind,
                func.convert_to(func.concat(cast(SHOP, Text), "/", jobs.c.key), "UTF8"),
                func.now() + func.make_interval(0, 0, 0, 0, 0, 0, jobs.c.delay / 1000.0),
                literal("queued", pgqueuer.c.status.type),
                given("headers", JSONB),
            ),
        )
        .returning(pgqueuer.c.id, pgqueuer.c.entrypoint, pgqueuer.c.priority)
        .cte("queued")
    )


def _emitting() -> CTE:
    written = _written()
    queued = _queued(_addressed(written), _to_be_told(written))
    logged = (
        insert(pgqueuer_log)
        .from_select(
            ["job_id", "status", "entrypoint", "priority"],
            select(
                queued.c.id,
                literal("queued", pgqueuer.c.status.type),
                queued.c.entrypoint,
                queued.c.priority,
            ),
        )
        .cte("logged")
    )
    return select(func.count().label("jobs")).select_from(queued).add_cte(logged).cte("emitted")


EMITTED: Final = _emitting()
"""Events, their deliveries and the jobs, for a statement that writes the change as well; see
``told``. One row: how many jobs there are."""
_EMIT: Final = Query(select(EMITTED.c.jobs))


async def emit(tx: Transaction, happened: Sequence[Event], jobs: Sequence[Job] = ()) -> bool:
    """Write the events, their deliveries and the jobs; returns whether a worker is to be woken."""
    if not happened and not jobs:
        return False
    return bool(await tx.value(_EMIT, **told(happened, jobs)))


def told(happened: Sequence[Event], jobs: Sequence[Job]) -> dict[str, Any]:
    """The parameters of ``EMITTED``."""
    return {
        "events": event_rows(happened),
        "jobs": job_rows(jobs),
        "headers": tracing.job_headers(),
    }


def event_rows(happened: Sequence[Event]) -> list[dict[str, Any]]:
    return [event.to_row() for event in happened]


def job_rows(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [
        {"kind": job.kind, "key": str(job.key), "delay": int(job.delay_seconds * 1000)}
        for job in jobs
    ]


def due_in(now: datetime, due_at: datetime) -> float:
    """Seconds from ``now`` to ``due_at``, never negative, for a job's delay."""
    return max(0.0, (due_at - now).total_seconds())
