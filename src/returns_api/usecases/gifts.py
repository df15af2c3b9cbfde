"""What the recipient of a gift does with its receipt: look, have it quoted, bring it back.

They see and move what was opened by their receipt, and nothing else of the order: neither what was
paid nor by whom. What becomes of the return is everybody's (``opening``, ``returns``); whose credit
it ends as, ``_crediting``'s; how they are let in, ``gift_receipts``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from returns_api.db import gift_recipients, histories
from returns_api.db import gifts as rows
from returns_api.db import quotes as quote_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.access import Principal
from returns_api.domain.allocation import from_json
from returns_api.domain.errors import NotEligible, NotFound, NothingLeftToReturn
from returns_api.domain.events import By
from returns_api.domain.gifts import (
    RESOLUTION,
    GiftLine,
    GiftReceipt,
    Recipient,
    not_eligible,
    nothing_left,
    require_country,
    require_left,
)
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.people import normalise_email
from returns_api.domain.policy import Decision
from returns_api.usecases._loading import NO_SUCH_THING, policy_of, visible_order
from returns_api.usecases._quotes import StoredQuote, store_quote
from returns_api.usecases.context import Context
from returns_api.usecases.line_extras import LineExtras
from returns_api.usecases.opening import open_return
from returns_api.usecases.returns import ReturnView


@dataclass(frozen=True, slots=True)
class GiftLineView:
    """A line of the gift, how much of it can come back now, and for which reasons."""

    line: GiftLine
    left: int
    decisions: Mapping[str, Decision]
    """By reason: those for which the policy gives store credit."""


@dataclass(frozen=True, slots=True)
class GiftView:
    """What a recipient may know of an order, and the returns by the receipt."""

    receipt: GiftReceipt
    order: OrderRecord
    lines: tuple[GiftLineView, ...]
    returns: Sequence[Row]


async def view_gift(ctx: Context, principal: Principal) -> GiftView:
    """What the caller's receipt is for. Raises ``NotFound``, ``Conflict`` (no policy yet)."""
    now = ctx.clock()
    async with ctx.database.transaction(principal.shop) as tx:
        receipt = await _receipt(tx, principal)
        order = await visible_order(tx, principal, receipt.order_id)
        history = await histories.load_history(tx, order, now)
        _, policy = await policy_of(tx, ctx, order)
        opened = await rows.opened(tx, receipt.id)
    certificate = from_json(order.certificate)

    def judged(gift: GiftLine) -> dict[str, Decision]:
        line = order.line(gift.order_line_id)
        if line is None:
            return {}
        found = {}
        for code in policy.world.reasons:
            asked = AskedLine(line.id, 1, code)
            facts = policy_facts(order, line, certificate, history, asked, now)
            found[code] = policy.decide(facts)
        return {code: each for code, each in found.items() if _gives_credit(each)}

    lines = tuple(
        GiftLineView(line, receipt.left(order, line, now), judged(line)) for line in receipt.lines
    )
    return GiftView(receipt, order, lines, opened)


async def quote_gift(
    ctx: Context, principal: Principal, asked: Sequence[AskedLine], method: str | None
) -> StoredQuote:
    """A binding offer of store credit for units of the gift.

    Raises:
        NotFound, Invalid, Conflict, NothingLeftToReturn.
        NotEligible: says of each line that it is so, not why: what decides may be what was paid.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        receipt = await _receipt(tx, principal)
        order = await visible_order(tx, principal, receipt.order_id)
        require_left(receipt, order, asked, ctx.clock())
        try:
            return await store_quote(
                tx,
                ctx,
                order,
                asked,
                resolution=RESOLUTION,
                method=method,
                gift_receipt_id=receipt.id,
            )
        except NotEligible as refused:
            raise not_eligible(refused) from None


async def open_gift_return(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    quote_id: UUID,
    recipient: Recipient,
    extras: Sequence[LineExtras],
) -> ReturnView:
    """Accept a quote for a gift; what is due for it becomes the recipient's credit.

    Raises:
        NotFound, Conflict, QuoteExpired, QuoteUsed, DoesNotFit, NothingLeftToReturn.
    """
    receipt = await _receipt(tx, principal, lock=True)
    quote = await quote_rows.one(tx, quote_id)
    if quote is None or not principal.sees_return(quote["order_id"], quote["gift_receipt_id"]):
        raise NotFound(NO_SUCH_THING)
    order = await visible_order(tx, principal, receipt.order_id)
    require_country(order, recipient.country)
    asked = [
        AskedLine(UUID(line["order_line_id"]), line["quantity"], line["reason"])
        for line in quote["lines"]
    ]
    if quote["return_id"] is None:
        require_left(receipt, order, asked, ctx.clock())
    try:
        view = await open_return(tx, ctx, principal, by, quote_id, extras)
    except NothingLeftToReturn:  # the buyer was quicker; of what else there is, nothing is told
        raise nothing_left(asked[0].line_id) from None
    await gift_recipients.add(
        tx,
        return_id=view.ret.id,
        order_id=order.id,
        email_key=ctx.sealer.keyed_hash(normalise_email(recipient.email)),
        **asdict(recipient),
    )
    return view


def _gives_credit(decision: Decision) -> bool:
    return any(offered.kind.value == RESOLUTION for offered in decision.resolutions)


async def _receipt(tx: Transaction, principal: Principal, *, lock: bool = False) -> GiftReceipt:
    """The receipt that the caller's token is bound to. Raises ``NotFound``."""
    read = rows.lock if lock else rows.one
    key = principal.gift_receipt_id
    found = None if key is None else await read(tx, key)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    return found
