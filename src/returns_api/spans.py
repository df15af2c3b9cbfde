"""Takes out of spans what callers put into addresses: tokens, signatures, numbers of orders.

The web framework notes each request's path and query; its route says as much as a trace may. Needs
the ``otel`` extra, so only ``tracing.configure`` imports it.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

REDACTED: Final = "[redacted]"
HIDDEN: Final = ("url.path", "url.query", "url.full", "http.target", "http.url")


class Redacting(SpanProcessor):
    """Goes before the exporter's processor."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del parent_context
        for name in HIDDEN:
            if name in (span.attributes or {}):
                span.set_attribute(name, REDACTED)
