"""Random orders for the proof of money, each from its own number and so replayable alone.

Owns the mix: one to fifty lines, quantities to a thousand, exponents 0, 2 and 3, discounts, several
taxes inside or on top, shipping, duties, tips and fees, units removed by edits, cash rounding, and
totals and payments that contradict the parts. Imports no arithmetic of the service.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Final

from returns_api.domain.orders import LineFacts, LineKind, OrderFacts, PaymentFacts, TaxFacts

MAX_LINES: Final = 50
MAX_QUANTITY: Final = 1_000
CURRENCIES: Final = {"JPY": 0, "EUR": 2, "KWD": 3}
_AT: Final = datetime(2026, 3, 1, tzinfo=UTC)
_OTHERS: Final = (LineKind.SHIPPING, LineKind.DUTY, LineKind.TIP, LineKind.FEE)


def random_order(seed: int, number: int) -> OrderFacts:
    """Order ``number`` of the run ``seed``."""
    random = Random(f"{seed}:{number}")
    included = random.random() < 0.5
    goods = [_line(random, f"g{n}", LineKind.GOODS, included) for n in range(_line_count(random))]
    others = [
        _line(random, f"x{n}", kind, included)
        for n, kind in enumerate(random.sample(_OTHERS, random.choice((0, 1, 1, 2, 4))))
    ]
    lines = (*goods, *others)[:MAX_LINES]
    currency = random.choice(list(CURRENCIES))
    total = _total(random, lines, included)
    return OrderFacts(
        external_id=str(number),
        number=f"#{number}",
        placed_at=_AT,
        updated_at=_AT,
        currency=currency,
        taxes_included=included,
        total_minor=total,
        lines=lines,
        payments=_payments(random, total, currency),
    )


def _line_count(random: Random) -> int:
    return random.choices(
        (random.randint(1, 3), random.randint(1, 12), random.randint(13, 50), 50),
        (80, 18, 1.8, 0.2),
    )[0]


def _quantity(random: Random) -> int:
    """Small as in life, and now and then as large as it may be."""
    return random.choices(
        (random.randint(1, 3), random.randint(1, 20), random.randint(21, 1_000), 1_000),
        (85, 14, 0.95, 0.05),
    )[0]


def _line(random: Random, name: str, kind: LineKind, included: bool) -> LineFacts:
    quantity = _quantity(random) if kind is LineKind.GOODS else 1
    price = random.choice(
        (random.randint(0, 20), random.randint(1, 9_999), random.randint(1, 10**6))
    )
    gross = price * quantity
    own = random.choice((0, 0, gross // 10, random.randint(0, gross), gross))
    shared = random.choice((0, 0, (gross - own) // 7, random.randint(0, gross - own)))
    taxes = [
        _tax(random, gross - own - shared, included) for _ in range(random.choice((0, 1, 1, 3)))
    ]
    return LineFacts(
        external_id=name,
        kind=kind,
        title=name,
        quantity=quantity,
        unit_price_minor=price,
        line_discount_minor=own,
        order_discount_minor=shared,
        taxes=tuple(taxes),
        removed=random.randint(0, quantity) if random.random() < 0.05 else 0,
    )


def _tax(random: Random, net: int, included: bool) -> TaxFacts:
    """A third of a rate, so that three of them fit into an inclusive price; rounded per line."""
    per_mille = random.choice((190, 70, 200, 100, 55, 83)) // 3
    base = 1000 + per_mille if included else 1000
    return TaxFacts("VAT", (2 * net * per_mille + base) // (2 * base), str(per_mille))


def _total(random: Random, lines: tuple[LineFacts, ...], included: bool) -> int:
    """What the parts cost, before or after the edit, rounded for cash or plainly wrong."""
    total = 0
    edited = random.random() < 0.5
    for line in lines:
        cost = line.unit_price_minor * line.quantity
        cost -= line.line_discount_minor + line.order_discount_minor
        cost += 0 if included else sum(tax.amount_minor for tax in line.taxes)
        total += cost * (line.quantity - line.removed) // line.quantity if edited else cost
    errors = (0, -total % 5, random.randint(-9, 9), random.randint(-(10**5), 10**5))
    wrong = random.choices(errors, (70, 10, 15, 5))[0]
    return max(total + wrong, 0)


def _payments(random: Random, total: int, currency: str) -> tuple[PaymentFacts, ...]:
    """None yet, one, several tenders, or sums that are not the total."""
    first = random.randint(0, total)
    amounts = random.choice(
        ([], [total], [total], [first, total - first], [first], [total + random.randint(0, 50)])
    )
    return tuple(PaymentFacts(f"p{n}", "card", minor, currency) for n, minor in enumerate(amounts))
