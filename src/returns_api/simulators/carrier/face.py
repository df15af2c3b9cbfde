"""What every vendor's face of the carrier does alike: draw the faults of a call, sell a label."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

import orjson

from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.trouble import serve
from ..kit.web import Problem, Request, Response
from .core import Carrier

Work = Callable[[], Awaitable[Response]]


class Face:
    """One vendor's handlers over the shared books. ``error`` and ``spoil`` speak its words."""

    error: ClassVar[staticmethod[..., Any]]
    spoil: ClassVar[staticmethod[[str, bytes], bytes]]

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def _serve(self, kind: str, key: str, work: Work) -> Response:
        """Do ``work`` under the faults of its kind of call."""
        return await self._trouble(self._carrier.plan.draw(kind, key, main=False), work)

    def _faults(self, row: Row) -> Faults:
        """What goes wrong with the purchase of a shipment's label."""
        return self._carrier.plan.draw("label", row["reference"] or row["id"], main=True)

    async def _trouble(self, faults: Faults, work: Work) -> Response:
        if faults.transport == "key_in_use":  # no carrier here knows idempotency keys
            faults = Faults()
        return await serve(self._carrier.plan, faults, work, error=self.error, spoil=self.spoil)

    async def _sell(self, row: Row, rate_id: str, faults: Faults) -> Row:
        """The shipment with its label, and its webhooks first where the fault says so."""
        rate = next(each for each in orjson.loads(row["rates"]) if each["id"] == rate_id)
        sold, deliveries = self._carrier.buy(row, rate, faults)
        if "webhook_first" in faults.hooks:
            await self._carrier.hooks.flush(deliveries)
        return sold


def body_of(request: Request, refused: Problem) -> Mapping[str, Any]:
    """The JSON object of a request; raises ``refused`` for what is not JSON."""
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise refused from error
    return body if isinstance(body, dict) else {}


def origin(request: Request) -> str:
    """Where the caller reached this program."""
    return f"http://{request.headers.get('host', '127.0.0.1')}"
