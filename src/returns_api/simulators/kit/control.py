"""The part of the control API that every simulator has: faults, webhooks, reset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict

from . import clock
from .faults import Plan
from .hooks import Hooks
from .web import Handler, Request, Response, json_response


class CommonControl:
    """The handlers; a missing or malformed member of a body is 400."""

    def __init__(self, plan: Plan, hooks: Hooks, reset: Callable[[], None]) -> None:
        self._plan = plan
        self._hooks = hooks
        self._reset = reset

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("GET", "/_control/health", self.health),
            ("GET", "/_control/faults", self.show_faults),
            ("PUT", "/_control/faults", self.set_faults),
            ("POST", "/_control/script", self.extend_script),
            ("POST", "/_control/webhooks", self.register_webhook),
            ("PUT", "/_control/clock", self.set_clock),
            ("GET", "/_control/deliveries", self.show_deliveries),
            ("POST", "/_control/redeliver", self.redeliver),
            ("POST", "/_control/reset", self.reset),
        ]

    async def health(self, _request: Request) -> Response:
        """GET health."""
        return json_response({"ok": True})

    async def show_faults(self, _request: Request) -> Response:
        """GET faults: the settings, and how often each fault fired."""
        return json_response({"settings": asdict(self._plan.settings), "fired": self._plan.fired})

    async def set_faults(self, request: Request) -> Response:
        """PUT faults: replaces all settings."""
        self._plan.configure(request.json())
        return await self.show_faults(request)

    async def extend_script(self, request: Request) -> Response:
        """POST script {"script": [{"fault": "reset_after"}, ...]}."""
        self._plan.extend_script(request.json()["script"])
        return await self.show_faults(request)

    async def register_webhook(self, request: Request) -> Response:
        """POST webhooks {"url", "secret", "account", "topics"}: with a secret that is known.

        The same url and account again replaces the secret and topics.
        """
        wanted = request.json()
        url, account = wanted["url"], wanted.get("account", "")
        ident = f"hook_{hashlib.sha256(f'{account} {url}'.encode()).hexdigest()[:24]}"
        topics = ",".join(wanted.get("topics", ["*"]))
        self._hooks.add_endpoint(ident, account, url, wanted["secret"], topics=topics)
        return json_response({"id": ident})

    async def set_clock(self, request: Request) -> Response:
        """PUT clock {"ahead_seconds"}: what is stamped from now on is so much later."""
        clock.set_ahead(float(request.json()["ahead_seconds"]))
        return json_response({"now": clock.today().isoformat()})

    async def show_deliveries(self, _request: Request) -> Response:
        """GET deliveries: how many are due, done, lost on purpose, dead."""
        return json_response(self._hooks.counts())

    async def redeliver(self, request: Request) -> Response:
        """POST redeliver {"event"}: send one event, or all, again."""
        return json_response({"queued": self._hooks.redeliver(request.json().get("event"))})

    async def reset(self, _request: Request) -> Response:
        """POST reset: empty books, no faults."""
        self._reset()
        return json_response({"ok": True})
