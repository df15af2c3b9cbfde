"""Names that resolve to something inside, or to another address at every question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tests.adapters.test_addresses import NOT_PUBLIC

from returns_api.adapters.http import GuardedClient

STRANGER: Final = "93.184.216.34"


async def outcomes_of_names() -> Counter[str]:
    """What comes of names that resolve to something inside, or to another address every time."""
    outcomes: Counter[str] = Counter()
    for inside in NOT_PUBLIC:
        for answers in ([inside], [STRANGER, inside], [inside, STRANGER]):
            outcomes[await _post([answers])] += 1
    for inside in ("127.0.0.1", "::1", "169.254.169.254"):
        outcomes[await _post([[STRANGER], [inside], [inside]])] += 1
    return outcomes


async def _post(answers: list[list[str]]) -> str:
    """The resolver gives the answers in turn, the last one for ever."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    client = GuardedClient(resolve=resolve, deadline_seconds=1)
    try:
        answer = await client.post_webhook("https://stranger.example/in", {}, b"{}")
    finally:
        await client.aclose()
    # The stranger is real: where there is a way to it, it is reached or not, and nobody else is.
    pinned = answer.error in {"timeout", "broken_answer"} or answer.status is not None
    return "connect_failed" if pinned else str(answer.error)
