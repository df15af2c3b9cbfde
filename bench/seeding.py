"""Rows for measurements, written in bulk by SQL: orders with one line and a quote that is open."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from uuid_utils.compat import uuid7

from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Role

TERMS: dict[str, Any] = {
    "approval_auto": True,
    "respond_within_seconds": None,
    "on_silence": None,
    "ship_within_seconds": 14 * 86_400,
    "inspect_within_seconds": 2 * 86_400,
    "refund_within_seconds": 5 * 86_400,
    "refund_at": "inspection",
    "freight_payer": "buyer",
    "freight_fee_minor": 490,
    "refund_original_shipping": False,
    "quoted_freight_minor": 490,
    "quoted_restocking_minor": 0,
}


@dataclass(frozen=True, slots=True)
class Shop:
    id: UUID
    admin_key: str
    admin_id: UUID


async def make_shop(owner: asyncpg.Connection[Any], *, endpoint: bool = True) -> Shop:
    """A shop with an admin key, a published policy row, a carrier and a webhook endpoint."""
    shop, key_id = uuid7(), uuid7()
    token = f"rk_admin_{ids.encode('shp', shop)[4:]}_{uuid7().hex}"
    await owner.execute(
        "INSERT INTO shops (shop_id, name, timezone, currency, country, locale, return_address)"
        " VALUES ($1, 'Bench', 'Europe/Berlin', 'EUR', 'DE', 'en', '{}')",
        shop,
    )
    await owner.execute(
        "INSERT INTO credentials (shop_id, id, role, label, secret_hash, scopes)"
        " VALUES ($1, $2, 'admin', 'bench', $3, $4)",
        shop,
        key_id,
        hashlib.sha256(token.encode()).digest(),
        sorted(ROLE_SCOPES[Role.ADMIN]),
    )
    await owner.execute(
        "INSERT INTO connections (shop_id, id, source, kind, adapter, account, base_url,"
        " secret_sealed, webhook_secrets_sealed) VALUES"
        " ($1, $2, 'easypost', 'carrier', 'easypost', 'bench', 'http://127.0.0.1:9', '', '')",
        shop,
        uuid7(),
    )
    if endpoint:
        await owner.execute(
            "INSERT INTO webhook_endpoints (shop_id, id, url, topics, secrets_sealed)"
            " VALUES ($1, $2, 'http://127.0.0.1:9', '{*}', '')",
            shop,
            uuid7(),
        )
    return Shop(shop, token, key_id)


async def make_quotes(owner: asyncpg.Connection[Any], shop: UUID, count: int) -> list[UUID]:
    """``count`` orders, each with a delivered line of two units and an open quote for one."""
    now = datetime.now(UTC)
    version = uuid7()
    await owner.execute(
        "INSERT INTO policy_versions (shop_id, id, number, state, name, source, canonical,"
        " digest, findings)"
        " SELECT $1, $2, coalesce(max(number), 0) + 1, 'published', 'bench', '', '', '', '[]'"
        " FROM policy_versions WHERE shop_id = $1",
        shop,
        version,
    )
    made = [(uuid7(), uuid7(), uuid7(), uuid7()) for _ in range(count)]
    await _copy(owner, "orders", _orders(shop, made, now))
    await _copy(owner, "order_lines", _lines(shop, made))
    await _copy(owner, "decisions", _decisions(shop, version, made, now))
    await _copy(owner, "quotes", _quotes(shop, version, made, now))
    await owner.execute("ANALYZE orders, order_lines, decisions, quotes")
    return [quote for _, _, _, quote in made]


Made = Sequence[tuple[UUID, UUID, UUID, UUID]]


async def _copy(owner: asyncpg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    await owner.copy_records_to_table(
        table, columns=list(rows[0]), records=[tuple(row.values()) for row in rows]
    )


def _orders(shop: UUID, made: Made, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "shop_id": shop,
            "id": order,
            "source": "bench",
            "external_id": str(order),
            "number": f"#{order.hex[-12:]}",
            "number_key": order.hex[-12:],
            "snapshot": "",
            "placed_at": now,
            "platform_updated_at": now,
            "currency": "EUR",
            "taxes_included": True,
            "total_minor": 19800,
        }
        for order, _, _, _ in made
    ]


def _lines(shop: UUID, made: Made) -> list[dict[str, Any]]:
    return [
        {
            "shop_id": shop,
            "id": line,
            "order_id": order,
            "external_id": "1",
            "position": 0,
            "kind": "goods",
            "title": "Field jacket, M",
            "sku": "JKT-M-OLIVE",
            "unit_price_minor": 9900,
            "discounted": False,
            "ordered": 2,
            "shipped": 2,
            "delivered": 2,
        }
        for order, line, _, _ in made
    ]


def _decisions(shop: UUID, version: UUID, made: Made, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "shop_id": shop,
            "id": decision,
            "order_id": order,
            "policy_version_id": version,
            "facts": "{}",
            "body": "{}",
            "digest": "sha256:0",
            "at": now,
        }
        for order, _, decision, _ in made
    ]


def _quotes(shop: UUID, version: UUID, made: Made, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "shop_id": shop,
            "id": quote,
            "order_id": order,
            "decision_id": decision,
            "policy_version_id": version,
            "resolution": "refund",
            "method": "post",
            "currency": "EUR",
            "total_minor": 8410,
            "lines": _json([_quoted_line(line)]),
            "terms": _json({**TERMS, "lines": {str(line): _line_terms()}}),
            "body": "{}",
            "created_at": now,
            "expires_at": now + timedelta(days=3),
        }
        for order, line, decision, quote in made
    ]


def _quoted_line(line: UUID) -> dict[str, Any]:
    return {
        "order_line_id": str(line),
        "external_id": "1",
        "title": "Field jacket, M",
        "sku": "JKT-M-OLIVE",
        "quantity": 1,
        "units": [1],
        "reason": "size_too_small",
        "fault": "buyer",
        "condition": None,
    }


def _line_terms() -> dict[str, Any]:
    grades = {"used_worn": 300_000, "damaged_buyer": 1_000_000, "empty_box": 1_000_000}
    return {"grades": grades, "restocking_ppm": 0, "evidence": []}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
