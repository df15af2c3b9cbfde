"""Each invariant is broken on purpose, and the check finds it: a detector that never fired proves
nothing."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import uuid_utils.compat as uuids
from proofs.invariants import violations

from returns_api.domain import ids
from returns_api.domain.ledger import RULES, canonical, digest_of, genesis

SHOP, ORDER, LINE, PAYMENT, ENDPOINT = (uuids.uuid7() for _ in range(5))
PAID, WAITING, PAID_MOVE, WAITING_MOVE = (uuids.uuid7() for _ in range(4))

SOUND = (
    "INSERT INTO orders (shop_id, id, source, external_id, number, number_key, snapshot, placed_at,"
    " platform_updated_at, currency, taxes_included, total_minor)"
    f" VALUES ('{SHOP}', '{ORDER}', 's', '1', '#1', '1', '', now(), now(), 'EUR', true, 1000)",
    "INSERT INTO payments (shop_id, id, order_id, external_id, position, gateway, provider,"
    " account, provider_payment_id, currency, captured, reserved, refunded)"
    f" VALUES ('{SHOP}', '{PAYMENT}', '{ORDER}', '1', 0, 'g', 'stripe', 's', 'pi_1', 'EUR', 1000,"
    " 100, 400)",
    "INSERT INTO order_lines (shop_id, id, order_id, external_id, position, kind, title,"
    " unit_price_minor, discounted, ordered, shipped, delivered, claimed)"
    f" VALUES ('{SHOP}', '{LINE}', '{ORDER}', '1', 0, 'goods', 't', 1000, false, 2, 2, 2, 1)",
    "INSERT INTO unit_claims (shop_id, line_id, unit_no, return_line_id)"
    f" VALUES ('{SHOP}', '{LINE}', 1, '{uuids.uuid7()}')",
    "INSERT INTO webhook_endpoints (shop_id, id, url, topics, secrets_sealed, created_at)"
    f" VALUES ('{SHOP}', '{ENDPOINT}', 'https://shop.example', '{{refund.*}}', '',"
    " now() - interval '1 h')",
)


def entry(fact: str, *postings: tuple[str, int]) -> list[str]:
    """An entry of the order by the rules, not sealed yet."""
    name = uuids.uuid7()
    owners = {"buyer": f"'{ORDER}'", "merchant": "NULL"}
    made = [
        "INSERT INTO ledger_entries (shop_id, id, fact, source_type, source_id, order_id, at,"
        f" actor) VALUES ('{SHOP}', '{name}', '{fact}', 'order', '{ORDER}', '{ORDER}', now(), 's')"
    ]
    for no, (rule, amount) in enumerate(postings, start=1):
        debit, credit = RULES[rule].debit.value, RULES[rule].credit.value
        of = [owners.get(account, f"'{PAYMENT}'") for account in (debit, credit)]
        made.append(
            "INSERT INTO ledger_postings (shop_id, entry_id, no, rule, debit, debit_of, credit,"
            f" credit_of, amount_minor, currency) VALUES ('{SHOP}', '{name}', {no}, '{rule}',"
            f" '{debit}', {of[0]}, '{credit}', {of[1]}, {amount}, 'EUR')"
        )
    return made


async def seal(connection: Any) -> None:
    """The chain over all entries."""
    digest = genesis(SHOP)
    for position, row in enumerate(
        await connection.fetch("SELECT * FROM ledger_entries ORDER BY id"), start=1
    ):
        own = await connection.fetch("SELECT * FROM ledger_postings WHERE entry_id = $1", row["id"])
        digest = digest_of(digest, canonical(position, row, own))
        values = SHOP, position, row["id"], digest
        await connection.execute("INSERT INTO ledger_seals VALUES ($1, $2, $3, $4)", *values)


def refund(refund_id: UUID, move_id: UUID, amount: int, *states: str) -> list[str]:
    """A refund with one transfer, an event for each state, and each event's delivery."""
    last = states[-1]
    times = "NULL, now()" if last == "queued" else "now(), NULL"
    made = [
        "INSERT INTO refunds (shop_id, id, order_id, kind, amount_minor, currency, state, parts,"
        f" sequence, created_at, updated_at) VALUES ('{SHOP}', '{refund_id}', '{ORDER}', 'manual',"
        f" {amount}, 'EUR', '{last}', '[{{\"amount\": {amount}}}]', {len(states)}, now(), now())",
        "INSERT INTO transfers (shop_id, id, refund_id, order_id, payment_id, amount_minor,"
        " currency, state, provider, account, provider_key, first_sent_at, due_at, created_at,"
        " updated_at)"
        f" VALUES ('{SHOP}', '{move_id}', '{refund_id}', '{ORDER}', '{PAYMENT}', {amount}, 'EUR',"
        f" '{last}', 'stripe', 's', '{move_id}', {times},"
        " now(), now())",
    ]
    made += entry("refund_requested", ("refund_owed", amount), ("transfer_reserved", amount))
    if last == "succeeded":
        made += entry("transfer_moved", ("transfer_succeeded", amount))
    for number, state in enumerate(states, start=1):
        event = uuids.uuid7()
        made += [
            "INSERT INTO events (shop_id, id, resource_type, resource_id, sequence, type, at,"
            f" actor, data) VALUES ('{SHOP}', '{event}', 'refund', '{refund_id}', {number},"
            f" 'refund.{state}', now(), 'finance', '{{\"state\": \"{state}\"}}')",
            "INSERT INTO deliveries (shop_id, event_id, endpoint_id)"
            f" VALUES ('{SHOP}', '{event}', '{ENDPOINT}')",
        ]
    return made


NOTED = (
    f"UPDATE refunds SET arrived_minor = 400, noted_minor = 400 WHERE id = '{PAID}'",
    "INSERT INTO credit_notes (shop_id, id, refund_id, order_id, number, kind, amount_minor,"
    f" currency, issued_at, body) VALUES ('{SHOP}', '{uuids.uuid7()}', '{PAID}', '{ORDER}', 1,"
    " 'credit_note', 400, 'EUR', now(), '{}')",
    f"INSERT INTO number_series VALUES ('{SHOP}', 'credit_notes', 1)",
)

LEDGER = {
    "payments": {"pi_1": {"refunded_minor": 400, "disputed_minor": 0}},
    "references": {ids.encode("trf", PAID_MOVE): {"made": 1, "net": 1, "net_minor": 400}},
}


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Any]:
    """A connection to sound books, inside a transaction that is taken back."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("BEGIN; SET LOCAL session_replication_role = replica")
    moves = [
        *entry("payment_captured", ("payment_captured", 1000)),
        *refund(PAID, PAID_MOVE, 400, "queued", "succeeded"),
        *refund(WAITING, WAITING_MOVE, 100, "queued"),
    ]
    for statement in (*SOUND, *moves, *NOTED):
        await connection.execute(statement)
    await seal(connection)
    yield connection
    await connection.close()


async def test_sound_books_have_no_findings(books: Any) -> None:
    assert await violations(books, LEDGER, quiet=True) == []


OTHER_ID = uuids.uuid7()
ANYTHING_GOES = (
    "DO $$ DECLARE name text; BEGIN FOR name IN SELECT attname FROM pg_attribute WHERE attnum > 0"
    " AND NOT attisdropped AND attrelid = '{table}'::regclass"
    " AND attname NOT IN ('shop_id', 'id') LOOP"
    " EXECUTE format('ALTER TABLE {table} ALTER %I DROP NOT NULL', name); END LOOP; END $$;"
)


def bare(table: str, order: UUID = ORDER, **values: object) -> str:
    """A row that says next to nothing."""
    names = ["shop_id", "id", "order_id", *values]
    told = [SHOP, uuids.uuid7(), order, *values.values()]
    return ANYTHING_GOES.format(table=table) + (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(map(repr, map(str, told)))})"
    )


PLANTED = [
    ("N1 reserved beyond captured", "UPDATE payments SET captured = 499"),
    ("N1 reserved beyond what outside", "UPDATE payments SET external = 501"),
    ("N2 payment counters", "UPDATE payments SET reserved = 99"),
    ("N2 payment counters", "UPDATE transfers SET state = 'failed' WHERE amount_minor = 400"),
    ("N2 credit notes", "DELETE FROM credit_notes"),
    ("N2 credit notes", "UPDATE refunds SET noted_minor = 0"),
    ("N2 credit notes", "UPDATE refunds SET arrived_minor = 399 WHERE arrived_minor = 400"),
    ("N2 credit notes", "UPDATE credit_notes SET kind = 'cancellation'"),
    ("N2 numbers of credit notes", "UPDATE credit_notes SET number = 2"),
    ("N2 numbers of credit notes", "UPDATE number_series SET last_number = 2"),
    ("N7 money that no second", "UPDATE refunds SET hold_reason = 'x'"),
    ("N2 refund amounts", "UPDATE refunds SET amount_minor = 399 WHERE amount_minor = 400"),
    ("N2 refund parts", "UPDATE refunds SET amount_minor = 401 WHERE amount_minor = 400"),
    ("N2 refund state", "UPDATE refunds SET state = 'failed' WHERE amount_minor = 400"),
    ("N2 refund state", "UPDATE refunds SET amount_minor = 401 WHERE amount_minor = 400"),
    ("N2 returned amount", bare("returns", state="refunding", refunded_minor=1, sequence=0)),
    (
        "N2 received units",
        bare("returns", state="refunding", sequence=0)
        + f"; {bare('return_lines', quantity=1, received=1, inspected=0)}"
        + "; UPDATE return_lines SET return_id = returns.id FROM returns",
    ),
    ("N6 ledger of a payment", "UPDATE payments SET captured = 1001"),
    ("N6 ledger of a payment", "UPDATE ledger_postings SET amount_minor = 401"),
    ("N6 ledger of a buyer", "UPDATE refunds SET amount_minor = 401 WHERE amount_minor = 400"),
    (
        "N6 posting not of its rule",
        "UPDATE ledger_postings SET debit = 'goodwill' WHERE rule = 'refund_owed'",
    ),
    ("N6 entry without postings", "DELETE FROM ledger_postings"),
    ("N9 nobody will look", "UPDATE transfers SET due_at = NULL"),
    ("N9 due although it is over", "UPDATE transfers SET due_at = now()"),
    ("N10 entry left out", "DELETE FROM ledger_seals WHERE position = 4"),
    ("N10 chain gap", "DELETE FROM ledger_seals WHERE position = 2"),
    ("N10 chain gap", "DELETE FROM ledger_entries WHERE fact = 'payment_captured'"),
    (
        "N10 chain seal",
        "UPDATE ledger_entries SET at = at + interval '1 us' WHERE fact LIKE 'pay%'",
    ),
    ("N10 chain seal", "UPDATE ledger_postings SET amount_minor = amount_minor + 1 WHERE no = 2"),
    ("N10 chain seal", "UPDATE ledger_seals SET digest = '' WHERE position = 2"),
    ("N11 refunds without orders", f"UPDATE refunds SET order_id = '{OTHER_ID}'"),
    ("N11 payments without orders", f"UPDATE payments SET order_id = '{OTHER_ID}'"),
    ("N11 order_lines without orders", f"UPDATE order_lines SET order_id = '{OTHER_ID}'"),
    ("N11 return_lines without returns", bare("return_lines", return_id=OTHER_ID, quantity=1)),
    ("N11 returns without orders", bare("returns", OTHER_ID, state="refunding", sequence=0)),
    ("N11 transfers without refunds", f"UPDATE transfers SET refund_id = '{OTHER_ID}'"),
    ("N11 transfers without payments", f"UPDATE transfers SET payment_id = '{OTHER_ID}'"),
    ("N11 ledger_entries without orders", f"UPDATE ledger_entries SET order_id = '{OTHER_ID}'"),
    ("N11 ledger_postings without", "DELETE FROM ledger_entries"),
    ("N11 ledger_seals without", "DELETE FROM ledger_entries"),
    ("N2 claimed units", "UPDATE order_lines SET claimed = 2"),
    ("N2 claimed units", "DELETE FROM unit_claims"),
    ("N5 claimed beyond shipped", "UPDATE order_lines SET shipped = 0"),
    ("N5 unit that was never sold", "UPDATE unit_claims SET unit_no = 3"),
    ("N7 sequence with gaps", "DELETE FROM events WHERE sequence = 2"),
    ("N7 sequence with gaps", "UPDATE refunds SET sequence = 3 WHERE sequence = 2"),
    ("N7 event of nothing", "UPDATE events SET resource_id = id WHERE sequence = 2"),
    ("N7 transition without an actor", "UPDATE events SET actor = ''"),
    ("N7 event without its delivery", "DELETE FROM deliveries"),
    ("N7 last event tells another", "UPDATE refunds SET state = 'failed' WHERE sequence = 2"),
    (
        "N7 refund",
        "UPDATE events SET data = jsonb_build_object('state', CASE sequence WHEN 1 THEN"
        " 'canceled' ELSE 'succeeded' END)",
    ),
    (
        "N8 two tries",
        "DROP INDEX uq_transfer_attempts_in_flight; INSERT INTO transfer_attempts (shop_id,"
        " transfer_id, no, kind, state, started_at) SELECT shop_id, id, n, 'send', 'in_flight',"
        " now() FROM transfers, generate_series(1, 2) n",
    ),
]


@pytest.mark.parametrize(
    ("name", "statement"), PLANTED, ids=[f"{at}: {name}" for at, (name, _) in enumerate(PLANTED)]
)
async def test_a_planted_violation_is_found(books: Any, name: str, statement: str) -> None:
    await books.execute(statement)
    found = await violations(books, LEDGER, quiet=False)
    assert any(text.startswith(name) for text in found), found


def bank_says(path: tuple[str, str, str], value: int) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(LEDGER)
    table, key, member = path
    changed[table].setdefault(key, {"made": 0, "net": 0, "net_minor": 0})[member] = value
    return changed


MOVE, OTHER = ids.encode("trf", PAID_MOVE), ids.encode("trf", WAITING_MOVE)
BANK = [
    ("N3", "moved 2 times", bank_says(("references", MOVE, "made"), 2)),
    ("N3", "succeeded over 400", bank_says(("references", MOVE, "net"), 0)),
    ("N3", "succeeded over 400", bank_says(("references", MOVE, "net_minor"), 399)),
    ("N3", "was never sent", bank_says(("references", OTHER, "made"), 1)),
    ("N3", "not in our books", bank_says(("references", "trf_other", "made"), 1)),
    ("N4", "payment pi_1", bank_says(("payments", "pi_1", "refunded_minor"), 401)),
    ("N4", "payment pi_1", bank_says(("payments", "pi_1", "disputed_minor"), 1)),
    ("N4", "does not know", {**LEDGER, "payments": {}}),
]


@pytest.mark.parametrize(("name", "words", "ledger"), BANK, ids=[f"{n} {w}" for n, w, _ in BANK])
async def test_a_bank_that_differs_is_found(
    books: Any, name: str, words: str, ledger: dict[str, Any]
) -> None:
    found = await violations(books, ledger, quiet=True)
    assert any(text.startswith(name) and words in text for text in found), found


async def test_money_that_moved_for_a_failed_refund_is_found(books: Any) -> None:
    await books.execute("UPDATE transfers SET state = 'failed' WHERE amount_minor = 400")
    found = await violations(books, LEDGER, quiet=False)
    assert any(text.startswith("N3") and "is failed" in text for text in found), found
