"""T22 and the scope matrix, generated from the committed OpenAPI file.

The long version with timing and with the WHERE clauses taken out is ``script/proof tenants``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from returns_api.cli.openapi import DEFAULT_FILE
from tests.support.checksums import checksums
from tests.support.described import load
from tests.support.live import LiveServer
from tests.support.matrix import Matrix
from tests.support.patience import PATIENCE
from tests.support.world import World


@pytest.fixture(scope="module")
async def matrix(server: LiveServer, world: World) -> AsyncIterator[Matrix]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as http:
        yield Matrix(load(DEFAULT_FILE.read_text(encoding="utf-8")), world, http)


def report(matrix: Matrix) -> str:
    return "\n".join(matrix.found.wrong[:30])


async def test_another_s_id_is_an_id_that_nobody_has(matrix: Matrix, database_url: str) -> None:
    houses = (matrix.world.ours, matrix.world.theirs)
    before = [await checksums(database_url, house.id) for house in houses]
    await matrix.foreign_is_unknown()
    assert not matrix.found.wrong, report(matrix)
    assert matrix.found.cells > 400
    after = [await checksums(database_url, house.id) for house in houses]
    assert after == before, "a refused request wrote rows"


async def test_nothing_of_the_other_shop_shows(matrix: Matrix) -> None:
    await matrix.nothing_foreign_shows()
    assert not matrix.found.wrong, report(matrix)


async def test_every_role_is_let_in_where_its_scopes_say_so(matrix: Matrix) -> None:
    await matrix.scopes_hold()
    assert not matrix.found.wrong, report(matrix)


async def test_the_right_key_gets_an_answer(matrix: Matrix) -> None:
    await matrix.right_key_gets_in()
    assert not matrix.found.wrong, report(matrix)
    done = [name for name, status in matrix.found.answered.items() if status < 300]
    assert len(done) > 40, matrix.found.answered


async def test_no_operation_is_left_out(matrix: Matrix, server: LiveServer) -> None:
    served = {route.operation_id for route in server.app.state.operations}
    matrix.nothing_is_left_out(served)
    assert not matrix.found.wrong, report(matrix)
