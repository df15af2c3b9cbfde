"""What was told: every event once to the merchant's server, and to the buyer exactly the mails that
a story expects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

from returns_api.demo import calls
from returns_api.demo.calls import Json
from returns_api.demo.receiver import Receiver
from returns_api.demo.stories.people import Person

PAGE: Final = "100"
PAUSE_SECONDS: Final = 0.1
"""Between looks at whole lists."""
UNSENT: Final = ("queued", "sending")


async def all_told(admin: Person, receiver: Receiver) -> None:
    """Wait until nothing is left to be told: every event reached the merchant's server, every mail
    that is due was sent. Raises: StepFailed."""
    missing: set[str] = set()

    async def done() -> bool:
        nonlocal missing
        heard = {event["id"] for event in receiver.events}
        missing = {event["id"] for event in await told_of(admin, receiver)} - heard
        return not missing and not await _mails_due(admin)

    await calls.until(done, lambda: f"{len(missing)} events or mails were not told", PAUSE_SECONDS)


async def told_of(admin: Person, receiver: Receiver) -> list[Json]:
    """The audit trail from the moment on at which the merchant's server listens."""
    found = [event async for event in _pages(admin, "/v1/admin/events")]
    begun = next(n for n, event in enumerate(found) if event["type"] == "webhook_endpoint.created")
    return found[: begun + 1]


async def faults_of(
    admin: Person, receiver: Receiver, mails: Sequence[str], expected: Sequence[str]
) -> list[str]:
    """What is wrong with what was told; nothing when every event came once and the buyer got the
    expected mails, each once."""
    trail = await told_of(admin, receiver)
    times = Counter(event["id"] for event in receiver.events)
    found = [f"{event['type']} was told {times[event['id']]} times"
             for event in trail if times[event["id"]] != 1]  # fmt: skip
    if unknown := set(times) - {event["id"] for event in trail}:
        found.append(f"{len(unknown)} webhooks tell of nothing that happened")
    if receiver.refused:
        found.append(f"{receiver.refused} webhooks had a wrong signature")
    got, wanted = Counter(mails), Counter(expected)
    found += [f"mail '{kind}' is missing" for kind in (wanted - got).elements()]
    found += [f"mail '{kind}' is one too many" for kind in (got - wanted).elements()]
    return found


async def _mails_due(admin: Person) -> bool:
    """Whether a mail waits that is to be sent now; reminders wait for their day."""
    for state in UNSENT:
        async for each in _pages(admin, "/v1/admin/notifications", state=state):
            if each["kind"] != "deadline.approaching" or each["state"] == "sending":
                return True
    return False


async def _pages(person: Person, href: str, **params: str) -> AsyncIterator[Json]:
    """Everything on a list, newest first."""
    more = {**params, "limit": PAGE}
    while True:
        page = await person.see(href, **more)
        for item in page["items"]:
            yield item
        if page["next_cursor"] is None:
            return
        more["cursor"] = page["next_cursor"]
