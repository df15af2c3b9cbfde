"""T30 over HTTP: who may send a photo of what, what comes back behind which link, and for how long.

Real server, real pictures. What a picture has to be is told by the adapters' test.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from PIL import Image

from returns_api.domain import ids
from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.pictures import GPS, picture, with_exif
from tests.support.world import House, World, bearer

MAX = 12_000_000


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


class Keys:
    """A new Idempotency-Key each time."""

    number = 0

    @classmethod
    def new(cls) -> str:
        cls.number += 1
        return f"photo-test-{cls.number}"


async def send(
    http: httpx.AsyncClient, house: House, role: str, path: str, body: Any = None, **headers: str
) -> httpx.Response:
    sent = {"content-type": "image/jpeg", "idempotency-key": Keys.new(), **headers}
    content = with_exif() if body is None else body
    return await http.post(path, content=content, headers={**bearer(house.keys[role]), **sent})


def path_of(house: House, kind: str = "ret", which: int = 0) -> str:
    noun = {"ret": "returns", "ord": "orders"}[kind]
    return f"/v1/{noun}/{house.made[which][kind]}/photos"


async def follow(http: httpx.AsyncClient, link: str) -> httpx.Response:
    """The link as a stranger without a key would."""
    parts = urlsplit(link)
    return await http.get(f"{parts.path}?{parts.query}")


@pytest.mark.parametrize("role", ["buyer", "agent", "warehouse", "admin"])
async def test_a_photo_comes_back_as_pixels_to_save(
    http: httpx.AsyncClient, world: World, role: str
) -> None:
    house = world.ours
    line = house.made[0]["rl"]
    answer = await send(http, house, role, f"{path_of(house)}?line={line}")
    assert answer.status_code == 201, answer.text
    seen = answer.json()
    assert (seen["added_by"], seen["return_line"], seen["width"], seen["height"]) == (
        role,
        line,
        40,
        80,
    )
    shown = await follow(http, seen["link"])
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["content-disposition"] == f'attachment; filename="{seen["photo"]}.jpg"'
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "private, no-store"
    assert GPS.encode() not in shown.content
    assert b"Canary" not in shown.content
    with Image.open(io.BytesIO(shown.content)) as made:
        assert (made.format, made.size, dict(made.getexif())) == ("JPEG", (40, 80), {})
    listed = await http.get(path_of(house), headers=bearer(house.keys["buyer"]))
    assert seen["photo"] in {item["photo"] for item in listed.json()["items"]}


@pytest.mark.parametrize("role", ["publishable", "finance"])
async def test_who_has_no_part_in_it_sends_none(
    http: httpx.AsyncClient, world: World, role: str
) -> None:
    answer = await send(http, world.ours, role, path_of(world.ours))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_another_s_photo_does_not_exist(http: httpx.AsyncClient, world: World) -> None:
    ours, theirs = world.ours, world.theirs
    photo = (await send(http, ours, "buyer", path_of(ours))).json()["photo"]
    for house, role in ((ours, "other_buyer"), (theirs, "admin"), (theirs, "buyer")):
        answer = await http.get(f"/v1/photos/{photo}", headers=bearer(house.keys[role]))
        assert answer.status_code == 404
        answer = await send(http, house, role, path_of(ours))
        assert answer.status_code == 404
    foreign = f"{path_of(ours)}?line={ours.made[1]['rl']}"
    assert (await send(http, ours, "admin", foreign)).status_code == 409


async def test_a_link_is_good_as_it_is_or_not_at_all(http: httpx.AsyncClient, world: World) -> None:
    house = world.ours
    first, second = [
        (await send(http, house, "buyer", path_of(house), picture(n))).json() for n in (1, 2)
    ]
    path, query = urlsplit(first["link"]).path, parse_qs(urlsplit(first["link"]).query)
    good = {name: values[0] for name, values in query.items()}
    assert (await http.get(path, params=good)).status_code == 200
    until = int(good["until"])
    wrong: list[tuple[str, dict[str, Any]]] = [
        (urlsplit(second["link"]).path, good),
        (path, {**good, "until": until + 1}),
        (path, {**good, "until": until + 86_400}),
        (path, {**good, "until": 0}),
        (path, {**good, "shop": world.theirs.shop}),
        (path, {**good, "shop": "nobody"}),
        (path, {**good, "signature": good["signature"][:-4]}),
        (path, {**good, "signature": ""}),
        (path, {**good, "signature": "é" * 4}),
        (path, {**good, "signature": parse_qs(urlsplit(second["link"]).query)["signature"][0]}),
        (path.replace(first["photo"], "ev_" + "0" * 26), good),
        (path.replace(first["photo"], "..%2f..%2fsecret"), good),
    ]
    for address, params in wrong:
        answer = await http.get(address, params=params)
        assert answer.status_code == 404, (address, params)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"<html>", {}, 422, "photo_refused"),
        (b"", {}, 422, "photo_refused"),
        (picture(), {"content-type": "text/html"}, 415, "unsupported_media_type"),
        (picture(), {"content-type": "image/svg+xml"}, 415, "unsupported_media_type"),
        (picture(), {"idempotency-key": ""}, 400, "idempotency_key_missing"),
        (b"\xff\xd8\xff" + b"x" * MAX, {}, 413, "body_too_large"),
    ],
)
async def test_what_is_not_taken(
    http: httpx.AsyncClient,
    world: World,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await send(http, world.ours, "buyer", path_of(world.ours), body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_a_body_without_end_is_stopped_at_the_limit(
    http: httpx.AsyncClient, world: World
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"\xff\xd8\xff"
        for _ in range(400):
            yield b"x" * 100_000

    try:
        answer = await send(http, world.ours, "buyer", path_of(world.ours), endless())
    except httpx.WriteError:
        return  # the server hung up while we were still sending
    assert answer.status_code == 413


async def test_one_key_is_one_photo(http: httpx.AsyncClient, world: World) -> None:
    house, path = world.ours, path_of(world.ours, "ord")
    key = Keys.new()
    first = await send(http, house, "buyer", path, picture(7), **{"idempotency-key": key})
    again = await send(http, house, "buyer", path, picture(7), **{"idempotency-key": key})
    other = await send(http, house, "buyer", path, picture(8), **{"idempotency-key": key})
    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_nothing_of_the_sender_s_file_name_is_kept(
    http: httpx.AsyncClient, world: World, server: LiveServer
) -> None:
    names = ("../../etc/passwd", "a\u202egpj.exe", "x" * 300)
    for name in names:
        header = "attachment; filename*=UTF-8''" + "".join(f"%{b:02x}" for b in name.encode())
        sent = {"content-disposition": header}
        answer = await send(http, world.ours, "buyer", path_of(world.ours), **sent)
        assert answer.status_code == 201
        assert name not in answer.text
    stored = list((server.settings.data_dir / "photos").rglob("*.jpg"))
    assert stored
    for file in stored:
        assert len(file.stem) == 48
        assert set(file.stem) <= set("0123456789abcdef")
        assert ids.encode("shp", world.ours.id) != file.parent.name


async def test_the_warehouse_shows_photos_of_this_return_only(
    http: httpx.AsyncClient, world: World
) -> None:
    house = world.ours
    waiting = (await send(http, house, "buyer", path_of(house, "ord"), picture(9))).json()["photo"]
    unit = {"return_line": house.made[0]["rl"], "grade": "sealed", "photos": [waiting]}
    answer = await http.post(
        path_of(house).replace("photos", "inspections"),
        json={"units": [unit]},
        headers={**bearer(house.keys["warehouse"]), "idempotency-key": Keys.new()},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "does_not_fit")
