"""One trace from a request through its jobs to the calls they make (OpenTelemetry).

The API package alone costs next to nothing; spans are made only where the ``otel`` extra is
installed and the setting says so. A job carries the trace of the transaction that enqueued it, so
a webhook, the refund it leads to and the provider's answer share one trace id. Span names and
attributes are kinds and hosts: no ids of people, no amounts, no addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from opentelemetry import propagate, trace

_tracer: Final = trace.get_tracer("returns_api")


def configure(service: str) -> None:
    """Export spans as the OTEL_* variables say.

    Raises:
        RuntimeError: the ``otel`` extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from returns_api.spans import Redacting  # noqa: PLC0415
    except ImportError as missing:
        raise RuntimeError(
            "RETURNS_API_OTEL needs the 'otel' extra: returns-api[otel]"
        ) from missing
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(Redacting())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def job_headers() -> dict[str, Any] | None:
    """The running trace in the form that pgqueuer keeps with a job, or None outside of one."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {"otel": carrier} if carrier else None


def job_span(kind: str, headers: Mapping[str, Any] | None) -> AbstractContextManager[None]:
    """The work of one job, as part of the trace that enqueued it."""
    return _job_span(kind, headers) if _recorded() else nullcontext()


def call_span(method: str, host: str) -> AbstractContextManager[None]:
    """One call to somebody outside."""
    return _call_span(method, host) if _recorded() else nullcontext()


def _recorded() -> bool:
    """Whether anybody made a provider of spans; one that nobody keeps still costs its making."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def _job_span(kind: str, headers: Mapping[str, Any] | None) -> Iterator[None]:
    parent = propagate.extract((headers or {}).get("otel") or {})
    with _span(f"job {kind}", context=parent, kind=trace.SpanKind.CONSUMER):
        yield


@contextmanager
def _call_span(method: str, host: str) -> Iterator[None]:
    with _span(f"{method} {host}", kind=trace.SpanKind.CLIENT, attributes={"server.address": host}):
        yield


@contextmanager
def _span(name: str, **more: Any) -> Iterator[None]:
    """A failure is told by its type alone: messages of exceptions quote rows and addresses."""
    with _tracer.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False, **more
    ) as span:
        try:
            yield
        except Exception as failure:
            span.set_attribute("error.type", type(failure).__name__)
            span.set_status(trace.StatusCode.ERROR)
            raise
