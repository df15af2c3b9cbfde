"""Back-tests from the command line: files and stored returns, one process or many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from returns_api.cli import policy_crowd
from tests.cli.test_policy import FACTS, GOOD
from tests.support.commands import last_json, run
from tests.support.living import server, world
from tests.support.world import World

__all__ = ["server", "world"]

FEE = GOOD.replace("return_shipping: free", "return_shipping: 2.00")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The documents before and after."""
    found = {}
    for name, text in (("before", GOOD), ("after", FEE)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        found[name] = str(tmp_path / f"{name}.yaml")
    return found


def lines(count: int) -> Iterator[str]:
    for number in range(count):
        facts = {**FACTS, "asked_at": "2026-10-20T09:00:00Z", "sku": f"S{number % 7}"}
        yield json.dumps({"return": f"R{number}", "facts": facts, "quantity": 1}) + "\n"


def backtest(files: dict[str, str], history: Path, *more: str) -> Any:
    return run(
        "policy", "backtest", "--draft", files["after"], "--against", files["before"],
        "--history", str(history), *more,
    )  # fmt: skip


def test_a_small_file_is_compared(files: dict[str, str], tmp_path: Path) -> None:
    history = tmp_path / "h.ndjson"
    history.write_text("".join(lines(50)) + "\n", encoding="utf-8")
    done = backtest(files, history, "--json")
    found = last_json(done)
    assert (done.returncode, found["ok"], found["returns"]) == (0, True, 50), done.stderr
    assert found["turns"]["stricter"] == 50
    assert found["money"]["EUR"]["net_minor"] == -200 * 50
    assert len(found["by"]["sku"]) == 7
    assert len(found["most_affected"]) == 10
    plain = backtest(files, history)
    assert plain.stdout.splitlines()[-1].startswith("50 returns, 50 lines: 0 flipped;")
    assert plain.stderr == "", "no bar where nobody looks"


def test_many_processes_count_what_one_counts(files: dict[str, str], tmp_path: Path) -> None:
    history = tmp_path / "h.ndjson"
    count = policy_crowd.ALONE_BYTES // 250
    history.write_text("".join(lines(count)), encoding="utf-8")
    assert history.stat().st_size > policy_crowd.ALONE_BYTES
    found = last_json(backtest(files, history, "--json"))
    assert (found["returns"], found["turns"]["stricter"]) == (count, count)
    with history.open("a", encoding="utf-8") as opened:
        opened.write('{"facts": {}}\n')
    bad = backtest(files, history)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert f"line {count + 1}: " in bad.stderr
    assert "Traceback" not in bad.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json\n", "line 1: it is not JSON"),
        (b'\n\n{"facts": 1}\n', "line 3: facts is not an object"),
        (b"[]\n", "line 1: The line is not an object"),
        (b"\xff\n", "line 1: it is not JSON"),
        (b"[" * (policy_crowd.LINE_MAX + 5), "line 1: it is longer than"),
        (None, "No such file"),
    ],
)
def test_a_bad_history_is_named_by_line(
    files: dict[str, str], tmp_path: Path, content: bytes | None, words: str
) -> None:
    history = tmp_path / "h.ndjson"
    if content is not None:
        history.write_bytes(content)
    done = backtest(files, history)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def decided(files: dict[str, str], tmp_path: Path, count: int) -> Iterator[str]:
    """Lines that record what the document before decided, as ``policy explain`` says it."""
    for number, line in enumerate(lines(count)):
        past = json.loads(line)
        if number == 0:
            facts = tmp_path / "facts.json"
            facts.write_text(json.dumps(past["facts"]), encoding="utf-8")
            done = run("policy", "explain", files["before"], "--facts", str(facts), "--json")
            decision = last_json(done)["decision"]
        yield json.dumps({**past, "decision": decision}) + "\n"


def test_recorded_decisions_are_what_a_history_is_compared_with(
    files: dict[str, str], tmp_path: Path
) -> None:
    history = tmp_path / "h.ndjson"
    history.write_text("".join(decided(files, tmp_path, 20)), encoding="utf-8")
    command = ("policy", "backtest", "--draft", files["after"], "--history", str(history))
    done = run(*command, "--json")
    found, against = last_json(done), last_json(backtest(files, history, "--json"))
    assert (done.returncode, found["against"]["kind"]) == (0, "recorded"), done.stderr
    assert against["against"]["kind"] == "document"
    assert {**found, "against": None} == {**against, "against": None}
    plain = run(*command).stdout.splitlines()
    assert plain[-2:] == [
        "compared with the decisions that the history records",
        "20 returns, 20 lines: 0 flipped; money in minor units: EUR +0 and -4000, net -4000.",
    ]
    with history.open("a", encoding="utf-8") as opened:
        opened.write("".join(lines(1)))
    bad = run(*command, "--json")
    assert (bad.returncode, last_json(bad)["ok"]) == (2, False)
    assert "line 21: no decision is recorded" in last_json(bad)["error"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("freight", "fee_minor"), "4.90", "line 1: decision.freight.fee_minor: "),
        (("resolutions",), [{"kind": "cash"}], "line 1: decision.resolutions.0.kind: "),
        (("tier",), None, "line 1: decision.tier: "),
        ((), [], "line 1: decision is not an object"),
    ],
)
def test_a_recorded_decision_that_is_none_is_named_by_line(
    files: dict[str, str], tmp_path: Path, path: tuple[str, ...], value: Any, words: str
) -> None:
    history = tmp_path / "h.ndjson"
    past = json.loads(next(decided(files, tmp_path, 1)))
    part = past
    for name in ("decision", *path)[:-1]:
        part = part[name]
    part[("decision", *path)[-1]] = value
    history.write_text(json.dumps(past) + "\n", encoding="utf-8")
    done = run("policy", "backtest", "--draft", files["after"], "--history", str(history))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_compared_is_refused(files: dict[str, str], tmp_path: Path) -> None:
    """Nothing is stored here, and no database is made to look into."""
    history, empty = tmp_path / "h.ndjson", tmp_path / "data"
    history.write_text("".join(lines(1)), encoding="utf-8")
    for more in (
        [],
        ["--history", str(history)],
        ["--against", files["before"]],
        ["--history", str(history), "--shop", "shp_x"],
        ["--history", str(history), "--against", files["before"], "--shop", "shp_x"],
    ):
        done = run("policy", "backtest", "--draft", files["after"], *more, data_dir=str(empty))
        assert (done.returncode, done.stdout) == (2, ""), more
    assert not empty.exists()


def test_the_stored_returns_of_a_shop_are_compared(
    files: dict[str, str], world: World, app_database_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": app_database_url, "data_dir": str(tmp_path)}
    command = ("policy", "backtest", "--draft", files["after"])
    done = run(*command, "--shop", world.ours.shop, "--json", **settings)
    found = last_json(done)
    count = len(world.ours.things["ret"])
    assert (done.returncode, found["returns"], found["replayed"]) == (0, count, count), done.stderr
    assert (found["differing"], found["against"]["kind"]) == (0, "as_opened")
    assert found["money"]["EUR"]["more_minor"] > 0
    same = run(*command, "--shop", world.ours.shop, "--against", files["after"], "--json",
               **settings)  # fmt: skip
    assert (same.returncode, last_json(same)["changes"]) == (0, {}), same.stderr
    assert last_json(same)["replayed"] == count
    wrong = run(*command, "--shop", "ret_x", **settings)
    assert wrong.returncode == 1
    several = run(*command, **settings)
    assert several.returncode == 2
    assert "name one with --shop" in several.stderr


def test_a_history_without_decisions_is_compared_with_the_version_in_force(
    files: dict[str, str], world: World, app_database_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": app_database_url, "data_dir": str(tmp_path)}
    history = tmp_path / "h.ndjson"
    history.write_text("".join(lines(3)), encoding="utf-8")
    done = run("policy", "backtest", "--draft", files["after"], "--history", str(history),
               "--shop", world.ours.shop, "--json", **settings)  # fmt: skip
    found = last_json(done)
    assert (done.returncode, found["returns"]) == (0, 3), done.stderr
    assert found["against"]["kind"] == "in_force"
    assert found["against"]["policy_version"].startswith("pv_")
