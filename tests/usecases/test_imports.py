"""Imports: every good line once, every bad one named, whatever happens in the middle."""

from __future__ import annotations

import asyncio
import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.db import imports as rows
from returns_api.domain.errors import ActionNotAllowed, Conflict, DoesNotFit
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.order_document_reading import order_facts, parcel_facts, read_document
from returns_api.domain.order_documents import EXAMPLE
from returns_api.domain.orders import OrderSeen, ShopErased
from returns_api.usecases import _orders, imports
from returns_api.usecases._documents import put_documents
from returns_api.usecases._import_lines import BATCH
from returns_api.usecases._prepared_orders import prepare
from returns_api.usecases.context import Context
from returns_api.worker.sweep import drain
from tests.support.intake import PATIENT, Intake, an_intake, await_here, in_thread

ADMIN = By("admin")
T0 = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def document(name: str, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(EXAMPLE)
    made["payments"][0]["provider_payment_id"] = f"pi_{name}"
    return {**made, "external_id": name, "number": f"#{name}", **changes}


def lines_of(*documents: Any) -> bytes:
    return b"".join(
        (each if isinstance(each, bytes) else orjson.dumps(each)) + b"\n" for each in documents
    )


async def begun(intake: Intake, *parts: bytes, source: str = "api") -> Any:
    """An import with its parts, not started."""
    row = await imports.start_import(intake.ctx, intake.shop, ADMIN, source)
    for part in parts:
        row = await imports.add_part(intake.ctx, intake.shop, row["id"], row["size"], part)
    return row


async def imported(intake: Intake, *parts: bytes) -> Any:
    """The same at its end."""
    row = await begun(intake, *parts)
    await imports.run_started(intake.ctx, intake.shop, ADMIN, row["id"], row["size"])
    await drain(intake.ctx)
    return await imports.view_import(intake.ctx, intake.shop, row["id"])


def counts(row: Any) -> dict[str, int]:
    return {name: row[name] for name in rows.COUNTERS}


async def test_good_lines_are_taken_and_bad_ones_named(intake: Intake) -> None:
    wrong = document("B")
    wrong["lines"][0]["quantity"] = 0
    wrong["surplus"] = 1
    strange = document("C", currency="XAU")
    strange["parcels"][0]["lines"][0]["line"] = "9"
    part = lines_of(document("A"), wrong, b"", b"{broken", strange, document("D"))
    row = await imported(intake, part)
    assert row["state"] == "succeeded"
    assert counts(row) == {
        "done": 6, "created": 2, "updated": 0, "unchanged": 0, "rejected": 3,
    }  # fmt: skip
    found = await imports.list_problems(intake.ctx, intake.shop, row["id"], after=0, limit=100)
    told = {each["line"]: (each["external_id"], each["errors"]) for each in found}
    assert sorted(told) == [2, 4, 5]
    assert told[2] == (
        "B",
        [
            {
                "field": "lines[0].quantity",
                "problem": "Input should be greater than or equal to 1",
            },
            {"field": "surplus", "problem": "Extra inputs are not permitted"},
        ],
    )
    assert told[4][0] is None
    assert "JSON" in told[4][1][0]["problem"]
    assert [each["field"] for each in told[5][1]] == ["currency", "parcels[0].lines[0].line"]
    left = await intake.rows("SELECT no FROM import_parts")
    assert left == [], "a part lies here only until its lines are done"
    names = await intake.rows("SELECT external_id FROM orders ORDER BY 1")
    assert [each["external_id"] for each in names] == ["A", "D"]


async def test_sets_and_single_observations_lead_to_the_same_state(ctx: Context) -> None:
    """What a set of new orders leaves is what the same orders leave as a platform's webhooks."""
    shared = document("S2")
    shared["payments"][0]["provider_payment_id"] = "pi_S1"
    cancelled = document("S3", cancelled_at="2026-11-02T00:00:00Z", tags=["a,b", '"quoted"'])
    cancelled["parcels"][0]["cancelled"] = True
    later = document("S1", updated_at="2026-11-07T00:00:00Z", financial_status="refunded")
    told = [document("S1"), shared, cancelled, later, document("S4", payments=[], parcels=[])]
    documents = [read_document(orjson.dumps(each)) for each in told]
    by_set, one_by_one = await an_intake(ctx), await an_intake(ctx)
    async with ctx.database.transaction(by_set.shop) as tx:
        await put_documents(tx, ctx, "api", [prepare(ctx, each) for each in documents])
    for each in documents:
        async with ctx.database.transaction(one_by_one.shop) as tx:
            await _orders.apply(tx, ctx, "api", OrderSeen(order_facts(each)))
            for parcel in parcel_facts(each):
                await _orders.apply(tx, ctx, "api", parcel)
    assert await by_set.state() == await one_by_one.state()
    events = (
        "SELECT o.external_id, e.type, e.sequence, e.data - 'order' AS data, o.version"
        " FROM events e JOIN orders o ON o.id = e.order_id ORDER BY 1, 3"
    )
    assert await by_set.rows(events) == await one_by_one.rows(events)
    books = (
        "SELECT e.fact, e.source_type, p.rule, p.debit, p.credit, p.amount_minor, p.currency"
        " FROM ledger_postings p JOIN ledger_entries e ON e.id = p.entry_id ORDER BY 1, 2, 3, 6"
    )
    assert await by_set.rows(books) == await one_by_one.rows(books)


async def test_the_same_file_again_changes_nothing(intake: Intake) -> None:
    part = lines_of(*(document(f"R{n}") for n in range(5)))
    await imported(intake, part)
    before = await intake.state()
    again = await imported(intake, part)
    assert (again["created"], again["unchanged"]) == (0, 5)
    newer = document("R1", updated_at="2026-11-09T00:00:00Z", financial_status="refunded")
    clash = document("R2", financial_status="refunded")
    older = document("R3", updated_at="2026-11-02T00:00:00Z")
    last = await imported(intake, lines_of(newer, clash, older))
    assert (last["updated"], last["rejected"], last["unchanged"]) == (1, 1, 1)
    (problem,) = await imports.list_problems(intake.ctx, intake.shop, last["id"], after=0, limit=9)
    assert (problem["line"], problem["errors"][0]["field"]) == (2, "updated_at")
    after = await intake.state()
    changed = [b for a, b in zip(before["orders"], after["orders"], strict=True) if a != b]
    assert [each["external_id"] for each in changed] == ["R1"]


async def test_an_import_is_killed_anywhere_and_goes_on(intake: Intake) -> None:
    """A worker that dies leaves a lease and a transaction that never commits; another goes on."""
    total = BATCH * 3 + 17
    lines = [document(f"K{n:05}", payments=[], parcels=[]) for n in range(total)]
    row = await begun(intake, lines_of(*lines[: BATCH + 9]), lines_of(*lines[BATCH + 9 :]))
    await imports.run_started(intake.ctx, intake.shop, ADMIN, row["id"], row["size"])
    for kill_after in (0.05, 0.1, 0.15, 0.2, 0.25):
        work = asyncio.create_task(imports.run_import(intake.ctx, intake.shop, row["id"]))
        await asyncio.wait({work}, timeout=kill_after)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        intake.clock.forward(seconds=60)
    await drain(intake.ctx)
    done = await imports.view_import(intake.ctx, intake.shop, row["id"])
    assert (done["state"], done["done"], done["created"]) == ("succeeded", total, total)
    assert done["attempt"] > 1, "nobody was killed"
    found = await intake.rows("SELECT count(*) n, count(DISTINCT external_id) d FROM orders")
    assert found == [{"n": total, "d": total}]
    events = await intake.rows("SELECT count(*) n FROM events WHERE type = 'order.received'")
    assert events == [{"n": total}]


async def test_a_worker_that_lost_its_lease_writes_nothing(intake: Intake) -> None:
    row = await begun(intake, lines_of(document("Z1"), document("Z2")))
    await imports.run_started(intake.ctx, intake.shop, ADMIN, row["id"], row["size"])
    ctx, clock = intake.ctx, intake.clock
    async with ctx.database.transaction(intake.shop) as tx:
        slow = await rows.RUNS.claim(tx, row["id"], clock(), clock() + timedelta(seconds=1))
    assert slow is not None
    clock.forward(seconds=2)
    await imports.run_import(ctx, intake.shop, row["id"])
    with pytest.raises((imports._Lost, Conflict)):
        await imports._carry_on(ctx, intake.shop, slow)
    await imports._end(ctx, intake.shop, slow, "too late")
    done = await imports.view_import(ctx, intake.shop, row["id"])
    assert (done["state"], done["created"]) == ("succeeded", 2)
    found = await intake.rows("SELECT count(*) n FROM events WHERE type = 'order.received'")
    assert found == [{"n": 2}]


async def test_a_line_that_only_the_database_refuses_takes_no_other_along(
    intake: Intake,
) -> None:
    parts = [document(f"U{n}") for n in range(3)]
    parts[1]["lines"][0] |= {"quantity": 100_000, "unit_price": 10**12}
    row = await imported(intake, lines_of(*parts))
    assert row["state"] == "succeeded"
    assert row["created"] + row["rejected"] == 3
    assert row["created"] >= 2


async def test_parts_follow_each_other(intake: Intake) -> None:
    first, second = lines_of(document("P1")), lines_of(document("P2"))
    row = await begun(intake, first)
    with pytest.raises(Conflict) as elsewhere:
        await imports.add_part(intake.ctx, intake.shop, row["id"], 7, second)
    assert elsewhere.value.context["received"] == len(first)
    again = await imports.add_part(intake.ctx, intake.shop, row["id"], 0, first)
    assert (again["size"], again["parts"]) == (len(first), 1)
    with pytest.raises(Conflict):
        await imports.run_started(intake.ctx, intake.shop, ADMIN, row["id"], 3)
    await imports.run_started(intake.ctx, intake.shop, ADMIN, row["id"], len(first))
    with pytest.raises(ActionNotAllowed):
        await imports.add_part(intake.ctx, intake.shop, row["id"], len(first), second)


async def test_an_import_without_its_next_part_is_given_up(intake: Intake) -> None:
    row = await begun(intake, lines_of(document("G1")))
    intake.clock.forward(hours=25)
    await drain(intake.ctx)
    done = await imports.view_import(intake.ctx, intake.shop, row["id"])
    assert (done["state"], done["created"]) == ("failed", 0)
    assert await intake.rows("SELECT no FROM import_parts") == []


async def test_limits_and_sources(intake: Intake) -> None:
    with pytest.raises(DoesNotFit, match="No orders come"):
        await imports.start_import(intake.ctx, intake.shop, ADMIN, "nobody")
    await imports.start_import(intake.ctx, intake.shop, ADMIN, "shopify")
    for _ in range(imports.OPEN_MAX - 1):
        await imports.start_import(intake.ctx, intake.shop, SYSTEM, "api")
    with pytest.raises(Conflict, match="at most 3"):
        await imports.start_import(intake.ctx, intake.shop, SYSTEM, "api")


async def test_any_cut_into_parts_and_any_repetition_is_the_same(ctx: Context) -> None:
    loop = asyncio.get_running_loop()

    @PATIENT
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
    def check(picked: list[tuple[int, int]]) -> None:
        told = [
            document(f"H{name}", updated_at=f"2026-11-0{6 + age}T00:00:00Z", total=10390 + age)
            for name, age in picked
        ]
        await_here(loop, _same(ctx, told))

    await in_thread(check)


async def _same(ctx: Context, told: list[dict[str, Any]]) -> None:
    whole, cut = await an_intake(ctx), await an_intake(ctx)
    await imported(whole, lines_of(*told))
    await imported(cut, *(lines_of(each) for each in told))
    assert await whole.state() == await cut.state()
    newest = {each["external_id"]: 0 for each in told}
    for each in told:
        newest[each["external_id"]] = max(newest[each["external_id"]], each["total"])
    stored = {each["external_id"]: each["total_minor"] for each in (await cut.state())["orders"]}
    assert stored == newest


async def test_a_shop_that_is_erased_loses_its_files_too(intake: Intake) -> None:
    row = await begun(intake, lines_of(document("E1")))
    await imports.run_started(intake.ctx, intake.shop, ADMIN, row["id"], row["size"])
    await begun(intake, lines_of(document("E2")))
    await intake.see(ShopErased())
    assert await intake.rows("SELECT no FROM import_parts") == []
    await drain(intake.ctx)
    done = await imports.view_import(intake.ctx, intake.shop, row["id"])
    assert (done["state"], done["created"]) == ("failed", 0)
