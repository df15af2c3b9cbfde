"""Photos in the life of a return: asked for, shown once, answered with, dropped, erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from returns_api.db.engine import Row
from returns_api.domain.access import Role
from returns_api.domain.errors import Conflict, DoesNotFit, NotFound, PhotoRefused, Unavailable
from returns_api.domain.events import By
from returns_api.domain.orders import PersonErased
from returns_api.domain.photos import LINK_LIVES, PER_ORDER, UNFINISHED_FOR
from returns_api.ports.photos import PhotoStore
from returns_api.usecases import opening, photos, returns
from returns_api.usecases._people import erase_person
from returns_api.usecases.line_extras import LineExtras, Proof
from returns_api.usecases.photos import Target
from tests.support.pictures import picture
from tests.support.refusals import listed
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import PLATFORM, Order


async def rows(story: Story) -> list[Row]:
    async with story.ctx.database.transaction(story.shop) as tx:
        return list(await tx.connection.fetch("SELECT * FROM photos ORDER BY id"))


async def told(story: Story) -> list[tuple[str, int]]:
    async with story.ctx.database.transaction(story.shop) as tx:
        found = await tx.connection.fetch(
            "SELECT type, sequence FROM events WHERE resource_type = 'photo' ORDER BY id"
        )
    return [(row["type"], row["sequence"]) for row in found]


async def bytes_behind(story: Story, name: str | None) -> bytes | None:
    assert name is not None
    return await story.ctx.photos.get(name)


async def open_with(
    story: Story, order: Order, *proofs: Proof, role: Role = Role.BUYER, line: str = "lamp"
) -> returns.ReturnView:
    quote = await story.quote(order, {line: 1}, reason="defective")
    who = story.who(role, order) if role is Role.BUYER else story.who(role)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        by = By(who.role.value, who.credential_id)
        extras = [LineExtras(order.lines[line], None, proofs)]
        return await opening.open_return(tx, story.ctx, who, by, quote.id, extras)


async def test_a_required_photo_is_one_that_was_sent_and_is_used_once(story: Story) -> None:
    order = await story.order(goods("lamp", 5000, 3))
    photo = await story.photo(order)
    view = await open_with(story, order, Proof("photo", photo))
    line = view.ret.lines[0]
    assert [dict(item)["kind"] for item in line.evidence] == ["photo"]
    (row,) = await rows(story)
    assert (row["return_id"], row["return_line_id"], row["due_at"]) == (view.ret.id, line.id, None)
    with pytest.raises(DoesNotFit) as used:
        await open_with(story, order, Proof("photo", photo))
    assert listed(used, "errors")[0]["line"].startswith("li_")


async def test_hearsay_and_others_photos_do_not_count(story: Story) -> None:
    order, other = await story.order(goods("lamp", 5000, 2)), await story.order(goods("lamp", 1))
    address = Proof("photo", url="https://x.example/1.jpg")
    for proof in (address, Proof("photo", await story.photo(other)), Proof("photo", other.id)):
        with pytest.raises(DoesNotFit):
            await open_with(story, order, proof)
    with pytest.raises(DoesNotFit):
        await open_with(story, order)
    assert (await open_with(story, order, address, role=Role.AGENT)).ret.state == "approved"


async def test_one_picture_twice_is_one_photo(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    same = [Proof("photo", await story.photo(order, 1)) for _ in range(2)]
    with pytest.raises(DoesNotFit, match="the same picture"):
        await open_with(story, order, *same)


async def test_the_shop_s_question_gets_its_answer(story: Story) -> None:
    order = await story.order(goods("coat", 60_000))
    ret = await story.open(order, {"coat": 1})
    ret = await story.act(ret, returns.asking("Which seam?"))
    buyer = story.who(Role.BUYER, order)
    ret = await story.act(ret, returns.answering("The left one."), buyer)
    assert (ret.info_request, ret.info_answer) == ("Which seam?", "The left one.")
    ret = await story.act(ret, returns.asking("And the zip?"))
    assert (ret.info_request, ret.info_answer) == ("And the zip?", None)


async def test_an_unused_photo_goes_after_a_day(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    await story.photo(order)
    (row,) = await rows(story)
    story.clock.forward(hours=23)
    await story.drain()
    assert await bytes_behind(story, row["name"]) is not None
    story.clock.forward(hours=2)
    await story.drain()
    assert await bytes_behind(story, row["name"]) is None
    (after,) = await rows(story)
    assert (after["state"], after["name"], after["digest"]) == ("deleted", None, None)


async def test_what_a_crash_left_behind_is_gone_within_the_hour(story: Story) -> None:
    """Bytes were stored and the process died before its row said so."""
    order = await story.order(goods("lamp", 5000))
    buyer = story.who(Role.BUYER, order)
    upload = await photos.store_photo(story.ctx, buyer, Target(order.id), picture())
    (row,) = await rows(story)
    assert row["state"] == "storing"
    assert await bytes_behind(story, row["name"]) is not None
    with pytest.raises(NotFound):
        await photos.get_photo(story.ctx, buyer, upload.id)
    story.clock.forward(minutes=59)
    await story.drain()
    assert await bytes_behind(story, row["name"]) is None
    async with story.ctx.database.transaction(story.shop) as tx:
        with pytest.raises(Conflict):
            await photos.keep_photo(tx, story.ctx, buyer, By("buyer"), upload)


async def test_what_was_refused_leaves_nothing(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    buyer = story.who(Role.BUYER, order)
    with pytest.raises(PhotoRefused):
        await photos.store_photo(story.ctx, buyer, Target(order.id), picture()[:200])
    await story.drain()
    assert [row["state"] for row in await rows(story)] == ["deleted"]
    assert await told(story) == []


class Away:
    """A store that fails as often as it is told, then is the real one."""

    def __init__(self, real: PhotoStore, failures: int) -> None:
        self.real, self.failures = real, failures

    async def _fail(self) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise Unavailable("The store is away.")

    async def put(self, name: str, body: bytes) -> None:
        await self._fail()
        await self.real.put(name, body)

    async def get(self, name: str) -> bytes | None:
        await self._fail()
        return await self.real.get(name)

    async def delete(self, name: str) -> None:
        await self._fail()
        await self.real.delete(name)


async def test_a_store_that_was_away_is_asked_again(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    await story.photo(order)
    (row,) = await rows(story)
    story.clock.forward(hours=25)
    away = replace(story.ctx, photos=Away(story.ctx.photos, 1))
    with pytest.raises(Unavailable):
        await photos.drop_photo(away, story.shop, row["id"])
    (waiting,) = await rows(story)
    assert (waiting["state"], waiting["name"]) == ("deleting", row["name"])
    await story.drain()
    assert await bytes_behind(story, row["name"]) is not None, "not before a while"
    story.clock.forward(minutes=2)
    await story.drain()
    assert await bytes_behind(story, row["name"]) is None


async def test_erasing_the_person_erases_photos_and_words(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    view = await open_with(story, order, Proof("photo", await story.photo(order)))
    agent, (row,) = story.agent, await rows(story)
    seen = await photos.get_photo(story.ctx, agent, row["id"])
    link, _ = photos.link(story.ctx, story.shop, seen["id"])
    assert link.startswith("http://returns.test/v1/photos/ev_")
    async with story.ctx.database.transaction(story.shop) as tx:
        await erase_person(tx, story.ctx, PLATFORM, PersonErased(None, None, (order.name,)))
    with pytest.raises(NotFound):
        await photos.get_photo(story.ctx, agent, row["id"])
    assert await photos.list_photos(story.ctx, agent, view.ret.id) == []
    await story.drain()
    assert await bytes_behind(story, row["name"]) is None
    (after,) = await rows(story)
    assert (after["state"], after["digest"]) == ("deleted", None)
    assert (await told(story))[-2:] == [("photo.added", 1), ("photo.deleted", 2)]


class Late:
    """A store to which the bytes come when their person is erased already, and all work is done."""

    def __init__(self, story: Story, order: Order) -> None:
        self.story, self.order = story, order

    async def put(self, name: str, body: bytes) -> None:
        async with self.story.ctx.database.transaction(self.story.shop) as tx:
            seen = PersonErased(None, None, (self.order.name,))
            await erase_person(tx, self.story.ctx, PLATFORM, seen)
        await self.story.drain()
        await self.story.ctx.photos.put(name, body)

    async def get(self, name: str) -> bytes | None:
        return await self.story.ctx.photos.get(name)

    async def delete(self, name: str) -> None:
        await self.story.ctx.photos.delete(name)


@pytest.mark.parametrize("crashed", [False, True])
async def test_a_photo_on_its_way_goes_with_its_person(story: Story, *, crashed: bool) -> None:
    order = await story.order(goods("lamp", 5000))
    late = replace(story.ctx, photos=Late(story, order))
    buyer, target = story.who(Role.BUYER, order), Target(order_id=order.id)
    upload = await photos.store_photo(late, buyer, target, picture(1))
    (row,) = await rows(story)
    assert await bytes_behind(story, row["name"]) is not None
    if crashed:
        story.clock.forward(seconds=UNFINISHED_FOR.total_seconds())
    else:
        await photos.give_up(story.ctx, story.shop, upload.id)
    await story.drain()
    assert await bytes_behind(story, row["name"]) is None
    (after,) = await rows(story)
    assert (after["state"], after["name"]) == ("deleted", None)


async def test_a_link_ends(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    photo = await story.photo(order)
    ctx, shop = story.ctx, story.shop
    link, until = photos.link(ctx, shop, photo)
    signature, stamp = link.rpartition("signature=")[2], int(until.timestamp())
    assert until - story.clock() <= LINK_LIVES
    assert await photos.content(ctx, shop, photo, stamp, signature)
    story.clock.now = until - timedelta(seconds=1)
    assert await photos.content(ctx, shop, photo, stamp, signature)
    story.clock.now = until
    with pytest.raises(NotFound):
        await photos.content(ctx, shop, photo, stamp, signature)


async def test_an_order_has_only_so_many(story: Story) -> None:
    order = await story.order(goods("lamp", 5000))
    photo = await story.photo(order)
    async with story.ctx.database.transaction(story.shop) as tx:
        await tx.connection.execute(
            "INSERT INTO photos (shop_id, id, order_id, state, name, added_by, credential_id,"
            " created_at) SELECT shop_id, gen_random_uuid(), order_id, state, name || n, added_by,"
            " credential_id, created_at FROM photos, generate_series(2, $2) n WHERE id = $1",
            photo,
            PER_ORDER,
        )
    with pytest.raises(Conflict, match="at most"):
        await story.photo(order)
