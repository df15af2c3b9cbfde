"""T19 in small: schemathesis against a live server as every role, all checks, all phases.

Here the administrator calls every operation and the others those that they may call; that everybody
is kept from the rest is ``test_tenants``. Every operation as every role, with more examples and
several seeds, is ``script/proof schemathesis``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fuzzing import NOBODY, ROLES, run_schemathesis
from tests.support.live import LiveServer
from tests.support.world import World

EXAMPLES = 4
SECONDS = 560.0


@pytest.fixture(scope="module")
def unicode_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What hypothesis finds out of Unicode in a second and a half; it is the same for all roles."""
    return tmp_path_factory.mktemp("unicode_data")


@pytest.fixture
def folder(tmp_path: Path, unicode_data: Path) -> Path:
    """A run's own, so that no role is asked what hypothesis kept of another's examples."""
    (tmp_path / ".hypothesis").mkdir()
    (tmp_path / ".hypothesis" / "unicode_data").symlink_to(unicode_data)
    return tmp_path


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_as_described(
    server: LiveServer, world: World, folder: Path, role: str
) -> None:
    description = server.app.openapi()
    arguments = ["--max-examples", str(EXAMPLES), "--seed", "1"]
    for path in description["paths"].values():
        for operation in path.values():
            if role != "admin" and role in operation.get("x-roles", [NOBODY]):
                arguments += ["--include-operation-id", operation["operationId"]]
    run = run_schemathesis(
        folder, server.url, description, world, role, arguments=arguments, seconds=SECONDS
    )
    assert run.ok, run.text
    assert "Test cases:" in run.text, run.text
    assert role == NOBODY or "will not run" not in run.text, run.text
