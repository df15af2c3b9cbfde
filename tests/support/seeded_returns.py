"""What comes back in a seeded shop: one return of each kind, by its API, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.support.pictures import picture
from tests.support.world import RECIPIENT, USUAL, Caller, asked, bearer

CONTEST: Final = {"claim": 1000, "statement": "It came with a stain."}


KEEP: Final = {"amount": 1000, "note": "Keep it for ten less?"}


async def walk_returns(call: Caller, order: str, index: int) -> None:
    """A quote nobody accepted; returns that wait, are approved, asked about, and paid back; a
    refund that finance makes, and one of an agent's that finance approves."""
    buyer = ("buyer", "other_buyer")[index]
    seen = await call("agent", "GET", f"/v1/orders/{order}/returnable")
    jacket, shirt, coat = (line["line"] for line in seen["lines"])
    quote = await call(buyer, "POST", "/v1/quotes", asked(order, jacket))
    made = {"ord": order, "li": jacket, "qt": str(quote["quote"])}
    made |= await _reviewed(call, buyer, order, coat)
    made |= await _approved(call, buyer, order, shirt)
    missed = await _missed(call, buyer, order, coat)
    await _judged(call, await _opened(call, buyer, order, jacket, 2))
    made |= {"can": missed["cancellation"], "ref": await _refunded(call, order)}
    early = await _opened(call, buyer, order, shirt, 1, "changed_mind")
    made |= {
        "early": early["return"],
        "exc": await _exchanged(call, buyer, order, jacket),
        "rep": await _repaired(call, buyer, order, jacket),
        "sc": (credit := await _thanked(call, order)),
        "gft": await _given(call, buyer, order, jacket),
        "scm": await _drawn(call, order, credit),
        "wdr": await _withdrawn(call, buyer, order),
        "ev": await _photographed(call, buyer, order, index),
        "shp": call.house.shop,
        "slug": "stripe",
    }
    call.house.made.append(made)


async def _opened(
    call: Caller, buyer: str, order: str, line: str, quantity: int = 1, why: str = USUAL
) -> dict[str, Any]:
    quote = await call(buyer, "POST", "/v1/quotes", asked(order, line, quantity, why))
    return await call(buyer, "POST", "/v1/returns", {"quote": quote["quote"]})


async def _reviewed(call: Caller, buyer: str, order: str, line: str) -> dict[str, str]:
    """Of dear goods, which a person looks at: one that waits, one that the buyer was asked about
    and made an offer for, one that was refused and is contested."""
    await _opened(call, buyer, order, line)
    unclear = await _opened(call, buyer, order, line)
    path = f"/v1/returns/{unclear['return']}"
    await call("agent", "POST", f"{path}/request-info", {"question": "Why?"})
    offered = await call("admin", "POST", f"{path}/offers", KEEP)
    refused = await _opened(call, buyer, order, line)
    path = f"/v1/returns/{refused['return']}"
    await call("agent", "POST", f"{path}/reject", {"code": "worn"})
    disputed = await call(buyer, "POST", f"{path}/disputes", CONTEST)
    return {"off": offered["offer"], "dsp": disputed["dispute"]}


async def _approved(call: Caller, buyer: str, order: str, line: str) -> dict[str, str]:
    """On its way, talked about, claimed of the carrier and complained about."""
    approved = await _opened(call, buyer, order, line, 2)
    path = f"/v1/returns/{approved['return']}"
    await call(buyer, "POST", f"{path}/messages", {"text": "By when, please?"})
    await call("warehouse", "POST", f"{path}/notes", {"text": "Shelf 4."})
    stalled = {"cause": "stalled", "note": "No scan for ten days."}
    claimed = await call("agent", "POST", f"{path}/transport-claims", stalled)
    return {
        "ret": approved["return"],
        "rl": approved["lines"][0]["return_line"],
        "clm": claimed["claim"],
        "cpl": await _complained(call, buyer, order, approved["return"]),
    }


async def _judged(call: Caller, opened: Mapping[str, Any]) -> None:
    """Two units came; one of them was worn."""
    path, line = f"/v1/returns/{opened['return']}", opened["lines"][0]["return_line"]
    counted = {"reference": "dock 7", "lines": [{"return_line": line, "quantity": 2}]}
    await call("warehouse", "POST", f"{path}/receipts", counted)
    units = [{"return_line": line, "grade": grade} for grade in ("sealed", "used_worn")]
    await call("warehouse", "POST", f"{path}/inspections", {"units": units})


async def _refunded(call: Caller, order: str) -> str:
    """One refund by finance, and one of an agent's that finance approved."""
    refund = await call("finance", "POST", "/v1/refunds", {"order": order, "amount": 100})
    asked_for = await call("agent", "POST", "/v1/refunds", {"order": order, "amount": 50})
    path = f"/v1/refunds/{asked_for['refund']}"
    seen = await call("finance", "GET", path)
    binding = {"binding": seen["approval"]["binding"]}
    await call("finance", "POST", f"{path}/approve", binding)
    return str(refund["refund"])


async def _thanked(call: Caller, order: str) -> str:
    """Store credit as a present."""
    present = {"order": order, "amount": 300, "kind": "goodwill", "to": "store_credit"}
    given = await call("finance", "POST", "/v1/refunds", present)
    return str(given["transfers"][0]["store_credit"])


async def _drawn(call: Caller, order: str, credit: str) -> str:
    """Paid with the credit, and a part of that undone."""
    paid = {"amount": 120, "client_reference": f"checkout {order}"}
    debit = await call("agent", "POST", f"/v1/store-credits/{credit}/debits", paid)
    undo = f"/v1/store-credits/{credit}/debits/{debit['movement']}/reversals"
    await call("agent", "POST", undo, {"amount": 20})
    return str(debit["movement"])


async def _withdrawn(call: Caller, buyer: str, order: str) -> str:
    """One withdrawal that was confirmed, and one that was not."""
    named = {"name": "Ada", "contact": "ada@buyer.example"}
    path = f"/v1/orders/{order}/withdrawals"
    confirmed = await call(buyer, "POST", path, named)
    await call(buyer, "POST", f"/v1/withdrawals/{confirmed['withdrawal']}/confirm")
    return str((await call(buyer, "POST", path, named))["withdrawal"])


async def _photographed(call: Caller, buyer: str, order: str, index: int) -> str:
    """A photo that no return uses yet."""
    sent = {"content-type": "image/png", "idempotency-key": f"photo-{order}"}
    answer = await call.http.post(
        f"/v1/orders/{order}/photos",
        content=picture(index, kind="PNG"),
        headers={**bearer(call.house.keys[buyer]), **sent},
    )
    return str(answer.json()["photo"])


async def _given(call: Caller, buyer: str, order: str, line: str) -> str:
    """A receipt for three of a line; its holder brings one back, and has another one quoted."""
    units = {"lines": [{"line": line, "quantity": 3}]}
    made = await call(buyer, "POST", f"/v1/orders/{order}/gift-receipts", units)
    session = await call("publishable", "POST", "/v1/gift-sessions", {"code": made["code"]})
    holder = buyer.replace("buyer", "recipient")
    call.house.keys[holder] = session["token"]
    wanted = {"lines": [{"line": line, "quantity": 1, "reason": "gift_not_wanted"}]}
    quote = await call(holder, "POST", "/v1/gift/quotes", wanted)
    place = {"name": "Bea", "street1": "Geschenkweg 2", "city": "Hamburg", "postcode": "20095"}
    address = {**place, "country": "DE", "phone": "+49 30 5550199"}
    terms = {"quote": quote["quote"], "email": RECIPIENT, "address": address}
    opened = await call(holder, "POST", "/v1/gift/returns", terms)
    another = await call(holder, "POST", "/v1/gift/quotes", wanted)
    call.house.gifts.append({"ret": opened["return"], "qt": another["quote"]})
    return str(made["gift_receipt"])


async def _complained(call: Caller, buyer: str, order: str, return_: str) -> str:
    """One complaint that was rated, one that is under way with a note of the staff's."""
    about = {"order": order, "return": return_, "category": "refund", "text": "Where is it?"}
    rated = await call(buyer, "POST", "/v1/complaints", about)
    path = f"/v1/complaints/{rated['complaint']}"
    await call("agent", "POST", f"{path}/resolve", {"text": "It is on its way."})
    await call(buyer, "POST", f"{path}/rate", {"score": 4, "text": "Thank you."})
    made = await call(buyer, "POST", "/v1/complaints", about)
    path = f"/v1/complaints/{made['complaint']}"
    await call("agent", "POST", f"{path}/notes", {"text": "Second time."})
    return str(made["complaint"])


async def _missed(call: Caller, buyer: str, order: str, line: str) -> dict[str, Any]:
    """A coat that never reached its buyer, and one that the shop has already answered for."""
    (parcel,) = (await call("agent", "GET", f"/v1/orders/{order}"))["parcels"]
    one = {"cause": "not_received", "lines": [{"line": line, "quantity": 1}]}
    told = {**one, "parcel": parcel["external_id"]}
    lost = await call("agent", "POST", f"/v1/orders/{order}/cancellations", told)
    await call("agent", "POST", f"/v1/cancellations/{lost['cancellation']}/withdraw")
    return await call(buyer, "POST", f"/v1/orders/{order}/cancellations", told)


async def _exchanged(call: Caller, buyer: str, order: str, line: str) -> str:
    """Goods for goods that cost more: judged, paid for and to be sent."""
    wanted = {**asked(order, line), "resolution": "exchange"}
    quote = await call(buyer, "POST", "/v1/quotes", wanted)
    body = {"quote": quote["quote"], "lines": [{"line": line, "wanted": {"sku": "JKT-L"}}]}
    opened = await call(buyer, "POST", "/v1/returns", body)
    found = await call(buyer, "GET", f"/v1/exchanges?return={opened['return']}")
    exchange = str(found["items"][0]["exchange"])
    await call("agent", "POST", f"/v1/exchanges/{exchange}/answer",
               {"in_stock": True, "unit_price": 10900})  # fmt: skip
    await call(buyer, "POST", f"/v1/exchanges/{exchange}/accept")
    await _back(call, opened)
    due = (await call(buyer, "GET", f"/v1/exchanges/{exchange}"))["money"]["due"]
    paid = {"amount": due, "reference": f"paid for {exchange}"}
    await call("finance", "POST", f"/v1/exchanges/{exchange}/payments", paid)
    return exchange


async def _repaired(call: Caller, buyer: str, order: str, line: str) -> str:
    """Goods that nobody covers: quoted, mended, paid for and to be sent back."""
    wanted = {**asked(order, line, why="other"), "resolution": "repair"}
    quote = await call(buyer, "POST", "/v1/quotes", wanted)
    opened = await call(buyer, "POST", "/v1/returns", {"quote": quote["quote"]})
    await _back(call, opened)
    found = await call(buyer, "GET", opened["repair"])
    repair = str(found["items"][0]["repair"])
    path = f"/v1/repairs/{repair}"
    await call("agent", "POST", f"{path}/quote", {"positions": [{"code": "hour"}]})
    await call(buyer, "POST", f"{path}/accept")
    due = (await call("agent", "POST", f"{path}/finish"))["money"]["due"]
    paid = {"amount": due, "reference": f"paid for {repair}"}
    await call("finance", "POST", f"{path}/payments", paid)
    return repair


async def _back(call: Caller, opened: Mapping[str, Any]) -> None:
    """The one unit of a return comes back as it was sold."""
    path, here = f"/v1/returns/{opened['return']}", opened["lines"][0]["return_line"]
    counted = {"reference": "dock 9", "lines": [{"return_line": here, "quantity": 1}]}
    await call("warehouse", "POST", f"{path}/receipts", counted)
    units = [{"return_line": here, "grade": "sealed"}]
    await call("warehouse", "POST", f"{path}/inspections", {"units": units})
