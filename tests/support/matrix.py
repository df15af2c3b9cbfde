"""T22: every operation of the OpenAPI file × every principal × every place where an id can stand.

Owns the requests, made from the file alone, and the three comparisons: who is let in, whether
another's id can be told from one that nobody has, and whether anything of another shop shows. An
operation or a parameter that it does not know how to call is a finding, not a gap.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import uuid_utils.compat as uuids

from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Role, Scope
from returns_api.domain.order_documents import EXAMPLE as DOCUMENT
from tests.support.pictures import picture
from tests.support.world import House, World, bearer

_PATTERN: Final = re.compile(r"^\^([a-z]+)_\[0-7\]")
_EXAMPLE: Final = re.compile(r"^([a-z]{2,3})_[0-7][0-9a-hjkmnp-tv-z]{25}$")
_OF_A_BUYER: Final = frozenset(
    {"ord", "li", "qt", "ret", "rl", "ref", "cn", "ev", "off", "rcv", "dsp", "exc", "pku", "wdr"}
)
NOT_COMPARED: Final = frozenset({"idempotency_keys", "rate_limits"})
"""Kept refusals and counters: written by refused requests on purpose."""
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
REFUSED_BESIDES: Final = frozenset({("listOrders", "buyer")})
"""Refused to a role that has the scope: a buyer's token is for one order and lists none."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an id: ``where`` is path, query or body; ``at`` a name or a path into a body."""

    where: str
    at: tuple[str | int, ...]
    prefix: str

    @property
    def text(self) -> str:
        return f"{self.where} {'.'.join(map(str, self.at))}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the file. ``bodies`` are its examples, the first one the usual."""

    id: str
    method: str
    path: str
    scope: Scope | None
    slots: tuple[Slot, ...]
    bodies: tuple[Any, ...]
    unknown: tuple[str, ...]
    raw: tuple[str, str | bytes] | None = None
    """Media type and example of a body that is not JSON."""

    def body_for(self, slot: Slot | None) -> Any:
        """An example that has the slot, or the first one."""
        for body in self.bodies:
            if slot is not None and slot.where == "body" and reaches(body, slot.at):
                return deepcopy(body)
        return deepcopy(self.bodies[0]) if self.bodies else None


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
                        strange = _strange(slot, other, house if role == "buyer" else None)
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
            for _, token in self._callers(house, operation):
                value = "" if with_id is None else house.made[0][with_id.prefix]
                answer = await self._send(
                    operation, token, house.made[0], slot=with_id, value=value
                )
                best = min(best, answer.status_code)
            self.found.answered[operation.id] = best
            if best in {401, 403, 404} and operation.id not in PUBLIC:
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


async def checksums(owner_url: str, shop: UUID) -> dict[str, str]:
    """One digest per table over the shop's rows."""
    connection = await asyncpg.connect(owner_url)
    try:
        tables = await connection.fetch(
            "SELECT table_name AS name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'shop_id'"
        )
        found = {}
        for name in sorted({row["name"] for row in tables} - NOT_COMPARED):
            rows = await connection.fetch(
                f"SELECT t::text AS row FROM {name} t WHERE shop_id = $1 ORDER BY 1", shop
            )
            whole = "\n".join(row["row"] for row in rows)
            found[name] = hashlib.sha256(whole.encode()).hexdigest()
        return found
    finally:
        await connection.close()


def read_operations(description: Mapping[str, Any]) -> list[Operation]:
    """Every operation of an OpenAPI document."""
    return [
        _operation(description, method.upper(), path, found)
        for path, methods in description["paths"].items()
        for method, found in methods.items()
    ]


def _operation(
    description: Mapping[str, Any], method: str, path: str, found: Mapping[str, Any]
) -> Operation:
    slots, unknown = [], []
    for parameter in found.get("parameters", ()):
        prefix = _prefix_of(parameter)
        if prefix is not None and parameter["in"] in {"path", "query"}:
            slots.append(Slot(parameter["in"], (parameter["name"],), prefix))
        elif parameter["in"] == "path":
            unknown.append(f"nobody knows an id for the path parameter '{parameter['name']}'")
    bodies: tuple[Any, ...] = ()
    content = found.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        schema = resolve(description, content["schema"])
        bodies = tuple(schema.get("examples") or [content["example"]])
        slots += [Slot("body", at, prefix) for at, prefix in _ids_in(description, schema)]
    scope = found.get("x-scope")
    return Operation(
        found["operationId"],
        method,
        path,
        None if scope is None else Scope(scope),
        tuple(slots),
        bodies,
        tuple(unknown),
        _raw(found),
    )


def _raw(found: Mapping[str, Any]) -> tuple[str, str | bytes] | None:
    for media, content in found.get("requestBody", {}).get("content", {}).items():
        if media == "image/jpeg":
            return media, picture()
        if media != "application/json":
            return media, content["example"]
    return None


def _prefix_of(parameter: Mapping[str, Any]) -> str | None:
    if parameter["name"] == "cursor":
        return None
    if parameter["name"] == "source":
        return "slug"
    if parameter["name"] == "report":
        return "report"
    if str(parameter.get("example", "")) == DOCUMENT["external_id"]:
        return "name"
    shown = _EXAMPLE.match(str(parameter.get("example", "")))
    return None if shown is None else shown[1]


def resolve(description: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return description["components"]["schemas"][name] if name else schema


def _ids_in(
    description: Mapping[str, Any], schema: Mapping[str, Any], at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Places of a body whose schema is the pattern of an id; of a list, its first item."""
    schema = resolve(description, schema)
    pattern = _PATTERN.match(schema.get("pattern", ""))
    if pattern:
        yield at, pattern[1]
    for name, inner in schema.get("properties", {}).items():
        yield from _ids_in(description, inner, (*at, name))
    if isinstance(schema.get("items"), Mapping):
        yield from _ids_in(description, schema["items"], (*at, 0))
    if at:  # at the root these say what holds between fields
        for kind in schema.get("anyOf", ()):
            yield from _ids_in(description, kind, at)


def reaches(body: Any, at: Sequence[str | int]) -> bool:
    for step in at:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def put(body: Any, at: Sequence[str | int], value: str) -> None:
    """Write into a body, making the objects and lists on the way."""
    for step, following in pairwise(at):
        if isinstance(step, str) and body.get(step) is None:
            body[step] = [] if isinstance(following, int) else {}
        elif isinstance(step, int) and len(body) <= step:
            body.append({})
        body = body[step]
    last = at[-1]
    if isinstance(last, int) and len(body) <= last:
        body.append(value)
    else:
        body[last] = value


def load(text: str) -> list[Operation]:
    """The operations of a committed OpenAPI file."""
    return read_operations(json.loads(text))
