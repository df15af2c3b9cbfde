"""Telling stories one after the other, and what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass

import httpx

from returns_api.config import Settings
from returns_api.demo.calls import Json, StepFailed
from returns_api.demo.stories import books, messages
from returns_api.demo.stories.scene import Scene, a_scene
from returns_api.demo.stories.telling import Story
from returns_api.demo.stories.world import World, a_world

Tell = Callable[["Told"], None]


@dataclass(frozen=True, slots=True)
class Told:
    """One story told. ``bank`` counts what the bank moved, in minor units; ``actions`` how many
    were offered and taken; ``problems`` is what was not as it should be."""

    name: str
    ok: bool
    seconds: float
    actions: int
    webhooks: int
    mails: list[str]
    audit_breaches: int | None
    bank: Json | None
    problems: list[str]


async def perform(
    settings: Settings, url: str, stories: Sequence[Story], tell: Tell | None = None
) -> Json:
    """Tell the stories to a service that answers at ``url`` and was started with ``settings``;
    ``tell`` hears of each as it ends."""
    told: list[Told] = []
    async with a_world(settings, url) as world:
        for story in stories:
            told.append(await _one(world, story))
            if tell is not None:
                tell(told[-1])
    passed = sum(each.ok for each in told)
    return {
        "ok": passed == len(stories),
        "stories": len(stories),
        "passed": passed,
        "failed": len(stories) - passed,
        "seconds": round(sum(each.seconds for each in told), 1),
        "days_passed": round(world.clock.ahead_seconds / 86_400, 1),
        "audit_breaches": sum(each.audit_breaches or 0 for each in told),
        "bank_movements": sum(each.bank["movements"] for each in told if each.bank),
        "told": [asdict(each) for each in told],
    }


async def _one(world: World, story: Story) -> Told:
    begun = time.perf_counter()
    async with AsyncExitStack() as stack:
        scene = await a_scene(stack, world)
        problems: list[str] = []
        audited: Json | None = None
        bank: Json | None = None
        try:
            await story.play(scene)
            audited, bank = await _end(scene, story, problems)
        except (StepFailed, httpx.HTTPError) as failed:
            problems.append(str(failed) or type(failed).__name__)
        return Told(
            name=story.name,
            ok=not problems,
            seconds=round(time.perf_counter() - begun, 2),
            actions=scene.taken.total(),
            webhooks=len(scene.receiver.events),
            mails=sorted(world.mailbox.kinds[scene.domain]),
            audit_breaches=None if audited is None else audited["breaches"],
            bank=bank,
            problems=problems,
        )


async def _end(scene: Scene, story: Story, problems: list[str]) -> tuple[Json, Json]:
    """When all is settled and told: do the books balance, and was it told as expected?"""
    await books.settled(scene)
    audited = await books.audit(scene)
    wrong, bank = await books.faults_of(scene, audited, story.refunded)
    await scene.quiet()
    mails = scene.world.mailbox.kinds[scene.domain]
    wrong += await messages.faults_of(scene.admin, scene.receiver, mails, story.mails)
    problems += wrong
    return audited, bank
