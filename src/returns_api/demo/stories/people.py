"""Somebody with a key who reads, and does what an answer offers; no rule of the service is here.

A *door* is an operation that no answer can offer, since nothing was read yet that could: a buyer
who tells an order's number, and the set-up of a shop. Everything else is an action that a reader
was offered.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
from PIL import Image

from returns_api.demo import calls
from returns_api.demo.calls import Json, StepFailed


@dataclass(slots=True)
class Person:
    """One role's credential over HTTP. ``taken`` counts the actions that were followed."""

    role: str
    url: str
    http: httpx.AsyncClient = field(repr=False)
    key: str = field(repr=False)
    taken: Counter[str]

    async def see(self, href: str, **params: str) -> Json:
        """What stands at ``href`` for this reader."""
        return await calls.call(self.http, "GET", self.url + href, self.key, params=params)

    async def only(self, href: str, **params: str) -> Json:
        """The one thing on a list. Raises: StepFailed, when there are more or none."""
        found = (await self.see(href, **params))["items"]
        if len(found) != 1:
            raise StepFailed(f"{self.role} expected one thing at {href}, found {len(found)}")
        return dict(found[0])

    async def take(self, action: str, href: str, body: Json | None = None) -> Json:
        """Read what stands at ``href`` and take an action that it offers, by its link.

        Raises: StepFailed, naming what is offered instead.
        """
        link = await self._offered(action, href)
        return await self._send(link["method"], link["href"], body)

    async def enter(self, href: str, body: Json) -> Json:
        """Go through a door."""
        return await self._send("POST", href, body)

    async def put(self, href: str, body: Mapping[str, object]) -> Json:
        """Set-up of a shop: write a whole thing."""
        return await self._send("PUT", href, dict(body))

    async def change(self, href: str, body: Json) -> None:
        """Set-up of a shop: change a part of what was just read."""
        address, headers = self.url + href, {"authorization": f"Bearer {self.key}"}
        seen = await self.http.get(address, headers=headers)
        headers["if-match"] = seen.headers["etag"]
        calls.read(await self.http.patch(address, json=body, headers=headers))

    async def send_photo(self, href: str, number: int) -> Json:
        """Take the action that sends a photo of what stands at ``href``: a picture that differs for
        each number."""
        link = await self._offered("add_photo", href)
        file = io.BytesIO()
        Image.new("RGB", (64, 48), (number * 37 % 256, 91, 120)).save(file, "JPEG")
        headers = {
            "authorization": f"Bearer {self.key}",
            "content-type": "image/jpeg",
            "idempotency-key": f"photo-{number}",
        }
        address, content = self.url + link["href"], file.getvalue()
        return calls.read(await self.http.post(address, content=content, headers=headers))

    async def until(self, href: str, seen: Callable[[Json], bool], wanted: str) -> Json:
        """Read until it is ``seen``. Raises: StepFailed, with the state that it has instead."""
        shown: Json = {}

        async def done() -> bool:
            nonlocal shown
            shown = await self.see(href)
            return seen(shown)

        await calls.until(done, lambda: f"{href} is '{shown.get('state')}', not {wanted},")
        return shown

    async def reach(self, href: str, state: str) -> Json:
        """Read until it is in ``state``."""
        return await self.until(href, lambda shown: shown["state"] == state, f"'{state}'")

    async def _offered(self, action: str, href: str) -> Json:
        shown = await self.see(href)
        offered = {each["action"]: each for each in shown["actions"]}
        if action not in offered:
            raise StepFailed(f"{self.role} may {sorted(offered)} at {href}, not '{action}'")
        self.taken[action] += 1
        return dict(offered[action])

    async def _send(self, method: str, href: str, body: Json | None) -> Json:
        return await calls.call(self.http, method, self.url + href, self.key, body)
