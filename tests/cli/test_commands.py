"""The commands as an operator runs them: plain sentences, honest exit codes, JSON on request."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from returns_api.config import PREFIX
from returns_api.db.migrations import (
    SchemaMismatch,
    check_version,
    current_and_head,
    head_of,
    scripts_folder,
    upgrade,
)
from tests.support.commands import last_json, run
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.postgres import run_apart


def execute(url: str, statement: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    run_apart(work())


def test_migrate_builds_the_schema_once(empty_database_url: str) -> None:
    head, _ = head_of(scripts_folder() / "versions")
    behind = run(
        "migrate",
        "--check",
        "--json",
        owner_database_url=empty_database_url,
        database_url=empty_database_url,
    )
    assert behind.returncode == 1
    assert "has no schema yet" in last_json(behind)["error"]
    first = run("migrate", "--json", database_url=empty_database_url)
    assert (first.returncode, last_json(first)) == (0, {"ok": True, "from": None, "revision": head})
    second = run("migrate", database_url=empty_database_url)
    assert (second.returncode, second.stdout) == (0, f"The schema was at {head} already.\n")
    assert run("migrate", "--check", database_url=empty_database_url).returncode == 0


def test_two_migrators_at_once_migrate_once(empty_database_url: str) -> None:
    command = [sys.executable, "-m", "returns_api.cli", "migrate", "--json"]
    variables = {**os.environ, PREFIX + "DATABASE_URL": empty_database_url}
    runs = [
        subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in runs]
    assert [process.returncode for process in runs] == [0, 0]
    assert all(answer["ok"] for answer in answers)
    assert run_apart(current_and_head(empty_database_url)).equal


@pytest.mark.parametrize(
    ("revision", "words", "migrates"),
    [("ffff", "newer than this code", False), ("0001", "older than this code", True)],
)
def test_a_schema_of_another_version_is_told_apart_plainly(
    fresh_database_url: str, revision: str, words: str, migrates: bool
) -> None:
    execute(fresh_database_url, f"UPDATE alembic_version SET version_num = '{revision}'")
    for command in ("serve", "worker"):
        refused = run(command, "--json", database_url=fresh_database_url, port=str(free_port()))
        assert refused.returncode == 1
        assert words in last_json(refused)["error"]
    if not migrates:
        refused = run("migrate", database_url=fresh_database_url)
        assert refused.returncode == 1
        assert "nothing was changed" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_the_version_check_without_a_command(fresh_database_url: str) -> None:
    head, known = head_of(scripts_folder() / "versions")
    assert run_apart(check_version(fresh_database_url)) == head
    assert run_apart(upgrade(fresh_database_url)).equal
    assert head in known


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({}, "none"),
        ({"a": None, "b": None}, "'a', 'b'"),
    ],
)
def test_scripts_must_have_one_newest_revision(
    tmp_path: Path, scripts: dict[str, str | None], words: str
) -> None:
    for revision, follows in scripts.items():
        text = f"revision: str = {revision!r}\ndown_revision: str | None = {follows!r}\n"
        (tmp_path / f"{revision}.py").write_text(text)
    with pytest.raises(SchemaMismatch, match=words):
        head_of(tmp_path)


def test_merged_branches_have_one_newest_revision(tmp_path: Path) -> None:
    for revision, follows in {"a": None, "b": "a", "c": "a", "d": ("b", "c")}.items():
        (tmp_path / f"{revision}.py").write_text(
            f"revision = {revision!r}\ndown_revision = {follows!r}\n"
        )
    assert head_of(tmp_path) == ("d", frozenset("abcd"))


def test_the_scripts_head_is_the_one_that_alembic_sees() -> None:
    from alembic.config import Config  # noqa: PLC0415 - needed here alone
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(scripts_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)
    assert head_of(scripts_folder() / "versions")[0] == directory.get_current_head()


def test_a_database_that_is_away_is_a_sentence_not_a_traceback() -> None:
    address = f"postgresql://x@127.0.0.1:{free_port()}/x"
    refused = run("migrate", "--json", database_url=address)
    assert refused.returncode == 1
    assert last_json(refused)["error"].startswith("The database cannot be used")
    assert "Traceback" not in refused.stderr


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("serve", "--json", "--port", port, database_url="postgresql://x@/x")
    assert refused.returncode == 1
    assert "is taken by another program" in last_json(refused)["error"]


def test_a_wrong_setting_is_named_and_its_value_is_not_shown() -> None:
    refused = run("migrate", "--json", secret_key="canary", port="none")
    assert refused.returncode == 1
    assert "RETURNS_API_SECRET_KEY: " in last_json(refused)["error"]
    assert "RETURNS_API_PORT: " in last_json(refused)["error"]
    assert "canary" not in refused.stdout + refused.stderr


def test_up_is_refused_in_production() -> None:
    refused = run(
        "up", environment="production", database_url="postgresql://x@/x", secret_key="A" * 43
    )
    assert refused.returncode == 1
    assert "for development" in refused.stderr


def test_an_unknown_option_is_not_understood() -> None:
    assert run("migrate", "--nonsense").returncode == 2
