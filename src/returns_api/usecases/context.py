"""Everything a use case may touch, handed to it: nothing below ``wiring`` reaches for a global."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.db.engine import Database
from returns_api.domain.access import Principal
from returns_api.domain.policy import Policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.publications import Asked, Published
from returns_api.ports.carriers import Carrier
from returns_api.ports.documents import Printer
from returns_api.ports.messaging import Composer, Messenger
from returns_api.ports.payments import PaymentProvider
from returns_api.ports.photos import PhotoCleaner, PhotoStore
from returns_api.ports.sealing import Sealer
from returns_api.ports.shops import ShopPlatform
from returns_api.ports.webhooks import WebhookSender
from returns_api.usecases._beside import Beside
from returns_api.usecases._calls import CallsUnderWay
from returns_api.usecases._reading import Reader

CACHE_SECONDS: Final = 2.0
"""How long a revoked key may still be believed; the promise is 5 s."""
CACHE_SIZE: Final = 10_000


LEASE: Final = timedelta(seconds=45)
"""How long a worker may be silent before another takes over what it holds. Every call to the
outside ends sooner; one that does not is fenced off by the number of its try."""


Apart = Callable[[UUID, UUID, int], Awaitable[str]]
"""Carries a message that its caller claimed (shop, id, number of the try) on in a process of its
own, and says how that ended (``ended with 0``). Raises ``Unavailable`` while all are taken."""


class PrincipalCache:
    """Principals by token hash, for a moment. Bounded; time comes from the caller."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    def get(self, key: bytes, now: float) -> Principal | None:
        found = self._known.get(key)
        if found is None or not 0 <= now - found[0] < CACHE_SECONDS:
            return None
        return found[1]

    def put(self, key: bytes, now: float, principal: Principal) -> None:
        self._known[key] = (now, principal)
        self._known.move_to_end(key)
        while len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Context:
    """The outside world by name. ``clock`` gives aware UTC; ``wake`` hurries the workers."""

    database: Database
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    new_secret: Callable[[], str]
    sealer: Sealer
    payments: Mapping[str, PaymentProvider]
    carriers: Mapping[str, Carrier]
    shops: Mapping[str, ShopPlatform]
    messengers: Mapping[str, Messenger]
    composer: Composer
    webhooks: WebhookSender
    wake: Callable[[], None]
    public_url: str
    printer: Printer
    cleaner: PhotoCleaner
    photos: PhotoStore
    lease: timedelta = LEASE
    apart: Apart | None = None
    """Where what killed workers is tried; without it, here like everything else."""
    readers: Mapping[tuple[str, str], Reader] = field(default_factory=dict)
    """By kind and adapter of a connection: where its messages are read, if not here."""
    calls: CallsUnderWay = field(default_factory=CallsUnderWay)
    """This process's own calls to providers."""
    policies: dict[UUID, Policy] = field(default_factory=dict)
    """Compiled policy versions; published ones never change, so they are kept."""
    explainers: dict[UUID, Explainer] = field(default_factory=dict)
    """What explains their refusals, made when the first one is asked about."""
    principals: PrincipalCache = field(default_factory=PrincipalCache)
    beside: Beside = field(default_factory=Beside)
    """Where long computations run, so that other requests are answered meanwhile."""
    publishing: Beside = field(default_factory=Beside)
    """The same for what anybody may ask, so that nobody can hold up the shops' own work."""
    published: dict[tuple[UUID, Asked, datetime], Published] = field(default_factory=dict)
    """What policies in force promised this hour."""
