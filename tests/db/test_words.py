"""No word about a person outlives the person, whoever wrote it and in whichever column it stands.

Every text column that may be empty gets a word that nobody could have guessed, wherever the schema
lets it be anything at all; then everybody is erased. A new column has to be forgotten with the
person, or stand below with the reason why it is not about one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from returns_api.db.tables import tenant_tables
from returns_api.usecases.people import erase_by_email
from tests.support.context import Clock, a_context
from tests.support.world import World

WORD: Final = "A canary, said"
CODES: Final = """
advances.day events.reason events.request_id inbox.error inbox.waiting_for notifications.language
orders.channel orders.country orders.financial_status orders.region policy_versions.published_by
reconciliations.cursor refunds.hold_reason return_lines.condition return_lines.decision_code
returns.decided_by shipments.cost_currency transfers.failure_code withdrawals.problem
"""
"""Words of ours, of a policy or of a provider, days, countries and currencies; of the inbox the
place of an error and the id of what is waited for."""
GOODS: Final = """
exchanges.sku exchanges.title exchanges.variant inspected_units.sku_seen order_lines.category
order_lines.product_id order_lines.sku order_lines.variant_id order_lines.vendor
"""
WAYS: Final = """
exchanges.carrier parcels.carrier pickups.confirmation repairs.carrier shipments.carrier
shipments.carrier_shipment_id shipments.service shipments.tracking_code
"""
"""Who carries, and the parcel on its way to the shop, whose scans are still to come."""
BOOKS: Final = """
exchanges.payment_reference payments.provider_payment_id refunds.client_reference
repairs.payment_reference store_credit_movements.client_reference store_credit_movements.reference
transfers.provider_refund_id transport_claims.reference
"""
"""Other systems' names of money: evidence, kept with the books."""
OF_THE_SHOP: Final = """
audits.failure backtests.failure exports.failure imports.failure reconciliations.failure photos.name
policy_history.note policy_versions.acknowledged webhook_endpoints.description
webhook_endpoints.disabled_reason
"""
"""Of runs, policies and endpoints; a photo's random name goes with its bytes."""
KEPT: Final = frozenset(" ".join((CODES, GOODS, WAYS, BOOKS, OF_THE_SHOP)).split())


async def columns(owner: Any) -> list[tuple[str, str]]:
    rows = await owner.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text' AND is_nullable = 'YES'"
        " ORDER BY 1, 2"
    )
    ours = {table.name for table in tenant_tables()}
    return [tuple(row) for row in rows if row["table_name"] in ours]


async def say(owner: Any, shop: UUID, table: str, column: str) -> bool:
    """Write the word into every row; whether the schema lets it stand there."""
    value = f"'{WORD} ' || md5(ctid::text)"
    try:
        async with owner.transaction():
            await owner.execute(f"UPDATE {table} SET {column} = {value} WHERE shop_id = $1", shop)
    except asyncpg.IntegrityConstraintViolationError:
        return False
    return True


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def people_of(owner: Any) -> list[str]:
    tables = ("order_people", "gift_recipients")
    query = "SELECT DISTINCT email FROM {} WHERE email IS NOT NULL"
    return [row["email"] for table in tables for row in await owner.fetch(query.format(table))]


async def erase(url: str, shop: UUID, people: Sequence[str]) -> None:
    async with a_context(url, Clock()) as ctx:
        for email in people:
            await erase_by_email(ctx, shop, email)


UNEXPECTED: Final[list[dict[str, Any]]] = [
    {"sku": "S-1", "quantity": 2, "note": WORD},
    {"sku": None, "quantity": 1},
]
EVIDENCE: Final[list[dict[str, Any]]] = [
    {"kind": "receipt", "url": f"https://x.example/{WORD}"},
    {"kind": "photo"},
]


async def say_in_lists(owner: Any) -> None:
    await owner.execute("UPDATE receipts SET unexpected = $1", json.dumps(UNEXPECTED))
    await owner.execute("UPDATE return_lines SET evidence = $1", json.dumps(EVIDENCE))


async def lists(owner: Any, shop: UUID) -> set[str]:
    """What stands in the lists that may hold words."""
    found = await owner.fetch("SELECT unexpected AS list FROM receipts WHERE shop_id = $1", shop)
    found += await owner.fetch("SELECT evidence AS list FROM return_lines WHERE shop_id = $1", shop)
    return {json.dumps(json.loads(row["list"]), sort_keys=True) for row in found}


async def test_every_word_goes_with_the_person(
    world: World, owner: Any, app_database_url: str
) -> None:
    shop, people = world.ours.id, await people_of(owner)
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await say_in_lists(owner)
        said = [each for each in await columns(owner) if await say(owner, shop, *each)]
    assert {("return_lines", "note"), ("disputes", "ruling")} <= set(said)
    for change in ("reference = 'r9'", "unexpected = '[]'", """unexpected = '[{"sku": "S-2"}]'"""):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await owner.execute(f"UPDATE receipts SET {change}")
    await erase(app_database_url, shop, people)
    left = [
        f"{table}.{column}"
        for table, column in said
        if await owner.fetchval(
            f"SELECT count(*) FROM {table} WHERE {column} LIKE $1 AND shop_id = $2",
            f"{WORD}%",
            shop,
        )
    ]
    assert sorted(set(left) - KEPT) == []
    without_notes = [{**each, "note": None} for each in UNEXPECTED]
    assert await lists(owner, shop) == {
        json.dumps(each, sort_keys=True)
        for each in (without_notes, [{"kind": "receipt"}, {"kind": "photo"}])
    }
