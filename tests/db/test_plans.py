"""No statement reads all rows that a shop has in a table that grows, but those that mean to.

What fails here is right on a small shop, and slower with every order of a large one: a reference
without an index, an OR that no index can follow, an EXISTS that is answered by reading everything.
"""

from __future__ import annotations

import asyncpg
import pytest

from tests.support.plans import fill, readings, statements

SMALL = {
    "connections": "what a shop is connected to",
    "notification_settings": "one for each connected shop",
    "policy_versions": "written by hand",
    "report_progress": "one for each report",
    "shops": "the shop itself",
    "webhook_endpoints": "written by hand, and limited",
    "audits": "runs are asked for by hand, a few at a time",
    "backtests": "the same",
    "exports": "the same, and forgotten after days",
    "imports": "the same",
    "reconciliations": "sweeps are forgotten after days",
    "ledger_unsealed": "emptied within seconds",
}
"""Tables of which a shop has few rows, and why."""
WHOLE = {
    "audit_pages._TOTALS": "an audit says once how much there is",
    "audit: N2 counters of fast refunds": "once for the shop: every counter is added up anew",
    "decisions._COUNT": "a back-test reads all of them anyway",
    "erasure._FORGET_HOLDERS": "a person is forgotten once",
    "exports._COUNTS[orders]": "an export says once how much there is, and reads it all",
    "exports._COUNTS[returns]": "the same",
    "housekeeping.TRIM_QUEUE_LOG": "the queue's own log, by its age",
    "idempotency._ABOUT": "a person is forgotten once, in what is kept for 72 hours",
    "idempotency._EMPTY_ALL": "a shop is erased once",
    "imports._FORGET": "a person is forgotten once, in files that lie for hours",
    "inbox_bodies._FORGET": "a person is forgotten once",
    "inbox_bodies._FORGET_ALL": "a shop is erased once",
    "listings._FORGET_ALL": "a shop is erased once",
    "ledger._BALANCES": "balances as of any time are sums; of one order, its index leads there",
    "audit: N2 numbers of credit notes": "once for the shop: no number is missing",
    "report_days._DROP_ALL": "a shop is erased once",
    "audit: N8 two tries in flight": "the index holds nothing but tries that are in flight",
}
"""Statements that mean to read everything, and why."""


async def test_every_statement_is_led_to_its_rows(fresh_database_url: str) -> None:
    connection = await asyncpg.connect(fresh_database_url)
    try:
        await fill(connection)
        found = await readings(connection, statements())
    finally:
        await connection.close()
    lost = [each for each in found if each.table not in SMALL and each.statement not in WHOLE]
    assert lost == [], "\n".join(map(str, lost))


async def test_an_order_s_payments_are_found_by_a_plan_of_empty_tables(
    fresh_database_url: str,
) -> None:
    """Workers keep their plans until the tables are counted anew, which takes a minute."""
    query = statements()["order_intake._LOCK_PAYMENTS"]
    connection = await asyncpg.connect(fresh_database_url)
    try:
        await connection.execute("SET enable_seqscan = off")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {query.sql}")
        nothing = ", ".join(["NULL"] * query.parameters)
        plan = [line for (line,) in await connection.fetch(f"EXPLAIN EXECUTE asked({nothing})")]
    finally:
        await connection.close()
    assert any("order_id = " in line for line in plan)
    assert not any("Join Filter" in line for line in plan)


@pytest.mark.parametrize("name", WHOLE)
def test_nobody_is_excused_who_is_gone(name: str) -> None:
    assert name in statements()
