"""A job belongs to the trace of the transaction that enqueued it."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from uuid_utils.compat import uuid7

from returns_api import tracing
from returns_api.db.engine import Database
from returns_api.db.outbox import Job, emit
from returns_api.spans import Redacting

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


def test_a_failure_is_told_by_its_type_alone() -> None:
    _collecting()
    _spans.clear()
    with pytest.raises(ValueError, match="canary"), tracing.job_span("run_import", None):
        raise ValueError("canary@example.com")
    told = [span.to_json() for span in _spans.get_finished_spans()]
    assert any('"error.type": "ValueError"' in text for text in told)
    assert not any("canary" in text for text in told)


def test_what_callers_put_into_an_address_is_in_no_span() -> None:
    provider = TracerProvider()
    provider.add_span_processor(Redacting())
    asked = {"url.path": "/v1/x/canary", "url.query": "q=canary", "http.route": "/v1/x/{x}"}
    with provider.get_tracer("test").start_as_current_span("GET", attributes=asked) as span:
        pass
    assert isinstance(span, ReadableSpan)
    assert "canary" not in span.to_json()
    assert "/v1/x/{x}" in span.to_json()


async def test_outside_of_a_trace_a_job_carries_none() -> None:
    assert tracing.job_headers() is None
