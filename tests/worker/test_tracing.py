"""A job belongs to the trace of the transaction that enqueued it."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from uuid_utils.compat import uuid7

from returns_api import tracing
from returns_api.db.engine import Database
from returns_api.db.outbox import Job, emit

_spans = InMemorySpanExporter()


def _collecting() -> trace.Tracer:
    """Spans of this process are kept in memory; the provider can be set once per process."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(_spans))
    return provider.get_tracer("test")


async def test_a_job_and_its_call_share_the_trace_of_the_request(
    app_database_url: str, database_url: str
) -> None:
    tracer = _collecting()
    database = Database(app_database_url, pool_size=1)
    await database.open()
    with tracer.start_as_current_span("request") as request:
        async with database.transaction(UUID(int=7)) as tx:
            assert await emit(tx, [], [Job("process_inbox", uuid7())])
    await database.close()

    owner = await asyncpg.connect(database_url)
    stored = await owner.fetchval("SELECT headers FROM pgqueuer ORDER BY id DESC LIMIT 1")
    await owner.close()
    with (
        tracing.job_span("process_inbox", orjson.loads(stored)),
        tracing.call_span("POST", "bank.example"),
    ):
        pass

    ended = {span.name: span for span in _spans.get_finished_spans()}
    wanted = request.get_span_context().trace_id
    assert ended["job process_inbox"].context.trace_id == wanted
    assert ended["POST bank.example"].context.trace_id == wanted


async def test_outside_of_a_trace_a_job_carries_none() -> None:
    assert tracing.job_headers() is None
