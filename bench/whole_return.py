"""One return from its quote to the refund that is requested: over HTTP, and as bare statements.

``go_whole_way`` is what a storefront, an agent and a warehouse send; ``rehearse_returns`` notes the
statements that the service runs for exactly that, for a floor without HTTP and Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from proofs.harness.client import Client
from proofs.harness.shops import Order
from proofs.harness.stage import Lane

from bench.open_return import Statement
from bench.rehearsal import Rehearsal
from returns_api.config import Settings
from returns_api.db.engine import Transaction
from returns_api.db.idempotency import Claim
from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Principal, Role
from returns_api.domain.events import By
from returns_api.usecases import opening, returns, warehouse
from returns_api.usecases.context import Context
from returns_api.usecases.once import Answer, Keyed, once
from returns_api.usecases.warehouse import GradedUnit
from returns_api.wiring import running_context

GRADE: Final = "opened_unused"
REASON: Final = "size_too_small"
ANSWER_BYTES: Final = 1_500
"""Of a stored answer: about as many as a return's."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote for one unit."""

    id: UUID

    @property
    def public(self) -> str:
        return ids.encode("qt", self.id)


async def quote_units(lane: Lane, client: Client, order: Order) -> list[Quoted]:
    """A binding quote for every unit of an order's goods, one each."""
    token = lane.demo["keys"]["admin"]
    seen = await client.send("GET", f"/v1/orders/{order.public}", token)
    lines = [line for line in seen.json()["lines"] if line["kind"] == "goods"]
    found = []
    for line in lines:
        asked = {"line": line["line"], "quantity": 1, "reason": REASON}
        body = {"order": order.public, "lines": [asked], "method": "post"}
        answer = await client.send("POST", "/v1/quotes", token, body)
        assert answer.status == 201, answer
        quote = ids.decode("qt", answer.json()["quote"])
        assert quote is not None
        found.append(Quoted(quote))
    return found


async def go_whole_way(lane: Lane, client: Client, quote: Quoted) -> None:
    """Open, approve, receive, inspect; the last answer names the refund that was requested."""
    key, name = lane.demo["keys"], quote.public
    opened = await client.send("POST", "/v1/returns", key["admin"], {"quote": name}, key=name)
    assert opened.status == 201, opened
    ret = opened.json()
    path, line = f"/v1/returns/{ret['return']}", ret["lines"][0]["return_line"]
    approved = await client.send("POST", f"{path}/approve", key["agent"], {})
    assert approved.status == 200, approved
    counted = {"reference": "dock-1", "lines": [{"return_line": line, "quantity": 1}]}
    receipt = await client.send(
        "POST", f"{path}/receipts", key["admin"], counted, key=f"{name}-received"
    )
    assert receipt.status == 201, receipt
    units = {"units": [{"return_line": line, "grade": GRADE}]}
    done = await client.send(
        "POST", f"{path}/inspections", key["admin"], units, key=f"{name}-inspected"
    )
    assert done.status == 201, done
    assert done.json()["refunds"], done.json()


async def rehearse_returns(
    settings: Settings, shop: UUID, person: UUID, quotes: Sequence[Quoted]
) -> list[list[Statement]]:
    """The statements of the whole way for each quote, exactly as the service sends them."""
    database = Rehearsal(settings.app_address)
    await database.open()
    principal = Principal(shop, person, Role.ADMIN, ROLE_SCOPES[Role.ADMIN])
    found = []
    async with running_context(settings, pool_size=1, database=database) as (ctx, _):
        for quote in quotes:
            database.notes = []
            async with database.run_through():
                await _go(ctx, principal, quote.id)
            found.append(database.notes)
    await database.close()
    return found


async def _go(ctx: Context, principal: Principal, quote: UUID) -> None:
    by = By(principal.role.value, principal.credential_id)
    view = await _once(
        ctx, principal, lambda tx: opening.open_return(tx, ctx, principal, by, quote, [])
    )
    ret = view.ret
    await returns.act(ctx, principal, by, ret.id, returns.approving(None))
    (line,) = ret.lines
    await _once(
        ctx,
        principal,
        lambda tx: warehouse.receive(
            tx, ctx, principal, by, ret.id, reference="dock-1", lines={line.id: 1}, unexpected=[]
        ),
    )
    unit = GradedUnit(line.id, GRADE, None, None, (), None)
    await _once(
        ctx,
        principal,
        lambda tx: warehouse.inspect(tx, ctx, principal, by, ret.id, [unit], close=False),
    )


async def _once(ctx: Context, principal: Principal, work: Any) -> Any:
    """The work under a key of its own; gives what it gave."""
    made: list[Any] = []

    async def noted(tx: Transaction) -> Any:
        made.append(await work(tx))
        return made[0]

    key = ctx.new_id().bytes * 2
    claim = Claim(principal.credential_id, key, key)
    answer = Answer(201, b"x" * ANSWER_BYTES)
    await once(ctx, principal.shop, Keyed(claim, lambda _: None), noted, lambda _: answer)
    return made[0]
