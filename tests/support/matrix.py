"""T22: every operation of the OpenAPI file × every principal × every place where an id can stand.

Owns the requests, made from the file alone, and the three comparisons: who is let in, whether
another's id can be told from one that nobody has, and whether anything of another shop shows. An
operation or a parameter that it does not know how to call is a finding, not a gap. Refuses to own
what the file says of an operation (``described``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx
import uuid_utils.compat as uuids

from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Role
from returns_api.domain.order_documents import EXAMPLE as DOCUMENT
from tests.support.described import Operation, Slot, put, reaches
from tests.support.world import House, World, bearer

_OF_A_BUYER: Final = frozenset(
    {"ord", "li", "qt", "ret", "rl", "ref", "cn", "ev", "off", "rcv", "dsp", "exc", "pku", "wdr"}
    | {"gft"}
)


_BOUND: Final = frozenset({"buyer", "recipient"})
"""Roles whose token is for one order of the shop."""


OF_A_GIFT: Final = re.compile(r"/v1/gift(/|$)").match
"""Whether an operation is for the recipient of a gift, by its path."""


NAMES: Final[Mapping[str, str]] = {"name": str(DOCUMENT["external_id"]), "report": "reasons"}
"""What a shop names by itself, and what has the same name for all: nobody else's can be guessed."""


_HEADERS: Final = ("content-type", "etag", "location", "retry-after", "www-authenticate", "allow")


PUBLIC: Final = frozenset(
    {
        "getLiveness",
        "getReadiness",
        "getMetrics",
        "receiveWebhook",
        "getShopPolicy",
        "getPhotoContent",
        "showOptOut",
        "optOut",
        "getExportFile",
    }
)
"""Operations without a key: no shop's data, a signature instead, or meant for everybody."""


BY_A_CODE: Final = frozenset({"openGiftSession"})
"""Operations that want a secret besides the key, which no id of ours is."""


REFUSED_BESIDES: Final = frozenset({("listOrders", "buyer")})
"""Refused to a role that has the scope: a buyer's token is for one order and lists none."""


@dataclass(slots=True)
class Findings:
    """What was asked and what was wrong."""

    requests: int = 0
    cells: int = 0
    covered: set[str] = field(default_factory=set)
    answered: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Matrix:
    """The comparisons; each adds to ``found``."""

    operations: Sequence[Operation]
    world: World
    http: httpx.AsyncClient
    found: Findings = field(default_factory=Findings)
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    async def foreign_is_unknown(self) -> None:
        """Another shop's id, and another buyer's, get exactly the answer of an id nobody has."""
        for house, other in (
            (self.world.ours, self.world.theirs),
            (self.world.theirs, self.world.ours),
        ):
            for operation in self.operations:
                for slot in operation.slots:
                    for role, token in self._callers(house, operation):
                        strange = _strange(slot, other, house if role in _BOUND else None)
                        await self._compare(operation, slot, house, role, token, strange)

    def _callers(self, house: House, operation: Operation) -> Iterator[tuple[str, str]]:
        """Everybody of the shop who has the scope; anybody where none is asked for."""
        if operation.scope is None:
            yield "nobody", ""
            return
        for role in Role:
            if operation.scope in ROLE_SCOPES[role]:
                yield role.value, house.keys[role.value]

    async def _compare(
        self,
        operation: Operation,
        slot: Slot,
        house: House,
        role: str,
        token: str,
        strange: Sequence[str],
    ) -> None:
        if operation.id == "getShopPolicy":
            return
        expected = await self._ask(operation, house, token, slot, nobody(slot.prefix))
        for value in strange:
            seen = await self._ask(operation, house, token, slot, value)
            self.found.cells += 1
            if seen != expected:
                self.found.wrong.append(
                    f"{operation.id} as {role}, {slot.text}: {value} answers {seen},"
                    f" an unknown id {expected}"
                )
        self.found.covered.add(operation.id)

    async def scopes_hold(self) -> None:
        """Without a key 401, without the scope 403, everybody else is let in."""
        house = self.world.ours
        for operation in self.operations:
            if operation.scope is None:
                if operation.id not in PUBLIC:
                    self.found.wrong.append(f"{operation.id} asks for no key")
                self.found.covered.add(operation.id)
                continue
            for name, token in (
                ("none", ""),
                ("garbage", "rk_x"),
                ("revoked", house.keys["revoked"]),
            ):
                await self._expect(operation, name, token, 401)
            for role in Role:
                allowed = operation.scope in ROLE_SCOPES[role]
                if allowed and (operation.id, role.value) in REFUSED_BESIDES:
                    allowed = False
                await self._expect(operation, role.value, house.keys[role.value], allowed or 403)
            self.found.covered.add(operation.id)

    async def _expect(self, operation: Operation, who: str, token: str, wanted: int | bool) -> None:
        """``wanted`` is a status, or True for any that is neither 401 nor 403. Ids are unknown."""
        answer = await self._send(operation, token, _Nobody())
        self.found.cells += 1
        status = answer.status_code
        fits = status not in {401, 403} if wanted is True else status == wanted
        if not fits or status >= 500:
            text = f"{operation.id} as {who}: {status}, wanted {wanted}: {answer.text[:200]}"
            self.found.wrong.append(text)

    async def nothing_foreign_shows(self) -> None:
        """No list of ours names anything of theirs."""
        theirs = {value for values in self.world.theirs.things.values() for value in values}
        theirs |= {self.world.theirs.shop, *self.world.theirs.keys.values()}
        for operation in self.operations:
            if operation.method != "GET" or any(slot.where == "path" for slot in operation.slots):
                continue
            for role, token in self.world.ours.keys.items():
                answer = await self._send(operation, token, {}, {"limit": "100"})
                if answer.status_code == 422:  # it has no pages
                    answer = await self._send(operation, token, {})
                self.found.cells += 1
                shown = [value for value in theirs if value in answer.text]
                if shown:
                    self.found.wrong.append(f"{operation.id} as {role} shows {shown[:3]}")

    async def right_key_gets_in(self) -> None:
        """With the right key and our own ids, each operation answers; what, is told by status."""
        house = self.world.ours
        for operation in sorted(self.operations, key=lambda each: each.method == "DELETE"):
            best = 999
            with_id = next((slot for slot in operation.slots if slot.where == "body"), None)
            gift = house.gifts[0] if OF_A_GIFT(operation.path) else {}
            own = {**house.made[0], **gift}
            for _, token in self._callers(house, operation):
                value = "" if with_id is None else own[with_id.prefix]
                answer = await self._send(operation, token, own, slot=with_id, value=value)
                best = min(best, answer.status_code)
            self.found.answered[operation.id] = best
            if best in {401, 403, 404} and operation.id not in PUBLIC | BY_A_CODE:
                self.found.wrong.append(f"{operation.id}: the right key with own ids gets {best}")
            if best >= 500:
                self.found.wrong.append(f"{operation.id}: {best}")

    def nothing_is_left_out(self, served: set[str]) -> None:
        """Every operation of the running service is in the file and was asked; so is every id."""
        listed = {operation.id for operation in self.operations}
        for name in sorted(served ^ listed):
            self.found.wrong.append(f"{name} is in the service or in the file, not in both")
        for operation in self.operations:
            if operation.id not in self.found.covered:
                self.found.wrong.append(f"{operation.id} is not in the matrix")
            self.found.wrong += [f"{operation.id}: {text}" for text in operation.unknown]

    async def _ask(
        self, operation: Operation, house: House, token: str, slot: Slot, value: str
    ) -> tuple[Any, ...]:
        """The answer without what names the request: its status, its text, its headers."""
        own = house.made[0]
        answer = await self._send(operation, token, own, slot=slot, value=value)
        if answer.status_code >= 500:
            self.found.wrong.append(f"{operation.id}, {slot.text}: {answer.status_code}")
        return (
            answer.status_code,
            _masked(answer.text, value),
            tuple(_masked(answer.headers.get(name, ""), value) for name in _HEADERS),
        )

    async def _send(
        self,
        operation: Operation,
        token: str,
        own: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        slot: Slot | None = None,
        value: str = "",
    ) -> httpx.Response:
        path, asked = operation.path, dict(query or {})
        body = operation.body_for(slot)
        for place in operation.slots:
            chosen = value if place == slot else own.get(place.prefix, NAMES.get(place.prefix, ""))
            if place.where == "path":
                path = path.replace(f"{{{place.at[0]}}}", chosen)
            elif place.where == "query" and place == slot:
                asked[str(place.at[0])] = chosen
            elif place.where == "body" and (place == slot or reaches(body, place.at)):
                put(body, place.at, chosen)
        self.found.requests += 1
        headers = {
            **(bearer(token) if token else {}),
            "idempotency-key": f"matrix-{next(self._keys)}",
            **({"if-match": '"1"'} if operation.method in {"PUT", "PATCH"} else {}),
        }
        if operation.raw is not None:
            headers["content-type"] = operation.raw[0]
            return await self.http.request(
                operation.method, path, params=asked, content=operation.raw[1], headers=headers
            )
        return await self.http.request(
            operation.method, path, params=asked, json=body, headers=headers
        )


class _Nobody(dict[str, str]):
    """For every kind of thing an id that nobody has."""

    def get(self, prefix: str, default: Any = None) -> Any:
        return nobody(prefix)


def nobody(prefix: str) -> str:
    """An id that nobody has, new each time."""
    return "nobodys-own" if prefix in {"slug", *NAMES} else ids.encode(prefix, uuids.uuid7())


def _strange(slot: Slot, other: House, same_shop: House | None) -> list[str]:
    """Ids that exist and are not the caller's: the other shop's, and the other buyer's."""
    found = [other.made[0][slot.prefix]] if slot.prefix in other.made[0] else []
    found += [value for value in other.things.get(slot.prefix, ())[:1] if value not in found]
    if same_shop is not None and slot.prefix in _OF_A_BUYER:
        found.append(same_shop.made[1][slot.prefix])
    return found


def _masked(text: str, value: str) -> str:
    return re.sub(r'"request_id":"[^"]*"', '"request_id":""', text.replace(value, "ID"))
