"""Stories in which somebody does not answer, and the deadline decides."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import JUDGED, OPENED, PAID, Story

SOFA: Final = Goods("sofa", 600_00, tags=("reviewed",))
RUG: Final = Goods("rug", 600_00, tags=("strict",))
COAT: Final = Goods("coat", 100_00)


async def consent(scene: Scene) -> None:
    """Nobody reviews it within 48 hours: that is a yes."""
    order, buyer = await scene.bought(SOFA)
    href = await scene.open(buyer, order, {"sofa": 1})
    await buyer.reach(href, "requested")
    await scene.later(hours=49)
    await buyer.reach(href, "approved")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def refusal(scene: Scene) -> None:
    """Nobody reviews it within 48 hours, and the policy made that a no; nobody contests it."""
    order, buyer = await scene.bought(RUG)
    href = await scene.open(buyer, order, {"rug": 1})
    await scene.later(hours=49)
    await buyer.reach(href, "rejected")
    await scene.later(days=15)
    await buyer.until(href, lambda ret: not ret["actions"], "past its dispute window")


async def question(scene: Scene) -> None:
    """The shop asks, and the buyer never answers."""
    order, buyer = await scene.bought(SOFA)
    href = await scene.open(buyer, order, {"sofa": 1})
    await scene.agent.take("request_info", href, {"question": "Which leg wobbles?"})
    await scene.later(days=31)
    await buyer.reach(href, "rejected")


async def answered(scene: Scene) -> None:
    """The shop asks, the buyer answers, the shop says yes."""
    order, buyer = await scene.bought(SOFA)
    href = await scene.open(buyer, order, {"sofa": 1})
    await scene.agent.take("request_info", href, {"question": "Which leg wobbles?"})
    await scene.later(days=2)
    await buyer.take("provide_info", href, {"answer": "The left one in front."})
    await scene.agent.take("approve", href, {})
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def never_sent(scene: Scene) -> None:
    """The buyer keeps the goods after all and sends nothing."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await buyer.until(href, lambda ret: ret["label"]["state"] == "label_ready", "labelled")
    await scene.later(days=15)
    await buyer.reach(href, "expired")


_ASKED: Final = ("return.opened", "return.info_requested")
STORIES: Final = (
    Story(
        "silence is consent",
        consent,
        595_10,
        ("return.opened", "return.approved", "shipment.label_ready", *JUDGED, *PAID),
    ),
    Story("silence is refusal", refusal, 0, ("return.opened", "return.rejected")),
    Story("question without an answer", question, 0, (*_ASKED, "return.rejected")),
    Story(
        "question and answer",
        answered,
        595_10,
        (*_ASKED, "return.approved", "shipment.label_ready", *JUDGED, *PAID),
    ),
    Story("never sent", never_sent, 0, OPENED),
)
