"""Every outgoing HTTP request: deadlines, size caps, failure classes, the SSRF guard.

The only package that imports httpx, so moving to another client is one folder. It knows no vendor:
what a 4xx means is the adapter's business. It never retries (the job that calls does) and never
logs headers, bodies or query strings.
"""

from __future__ import annotations

from returns_api.adapters.addresses import is_public_address
from returns_api.adapters.http.client import Call, HttpClient, Reply, Timeout
from returns_api.adapters.http.guarded import WEBHOOK_PORTS, GuardedClient, WebhookAnswer

__all__ = [
    "WEBHOOK_PORTS",
    "Call",
    "GuardedClient",
    "HttpClient",
    "Reply",
    "Timeout",
    "WebhookAnswer",
    "is_public_address",
]
