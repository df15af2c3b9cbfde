"""Policy commands that talk to a running service, or go through a shop's stored decisions."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.cli.test_policy import GOOD
from tests.support.commands import last_json, run
from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.world import World, bearer

__all__ = ["server", "world"]


def test_a_document_is_drafted_checked_and_published(
    server: LiveServer, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD, encoding="utf-8")
    key = world.ours.keys["admin"]
    arguments = ["policy", "publish", str(file), "--url", server.url, "--key", key, "--json"]
    later = ["--from", "2190-01-01T00:00:00Z"]
    done = run(*arguments, *later)
    found = last_json(done)
    if done.returncode:  # only warnings stand in the way
        assert "acknowledge" in found["error"]
        assert "warning" in done.stderr
        done = run(*arguments, *later, "--acknowledge", "a test")
        found = last_json(done)
    assert (done.returncode, found["ok"]) == (0, True), done.stderr
    assert found["effective_from"] == "2190-01-01T00:00:00Z"
    kept = httpx.get(
        f"{server.url}/v1/admin/policies/{found['policy_version']}",
        headers=bearer(key),
        trust_env=False,
    ).json()
    assert (kept["state"], kept["source"], kept["digest"]) == ("published", GOOD, found["digest"])


def test_what_the_service_refuses_is_said(server: LiveServer, world: World, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    for source, key, code, words in (
        (GOOD, world.ours.keys["agent"], 1, "policies:manage"),
        (GOOD, world.ours.keys["revoked"], 1, "unauthenticated"),
        (GOOD.replace("name:", "nmae:"), world.ours.keys["admin"], 1, "Did you mean name?"),
        (GOOD.replace("    refund_within: 5 days\n", ""), world.ours.keys["admin"], 1, "term.gap"),
    ):
        file.write_text(source, encoding="utf-8")
        done = run("policy", "publish", str(file), "--url", server.url, key=key)
        assert done.returncode == code, done.stdout
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    file.write_bytes(b"\xff")
    key = world.ours.keys["admin"]
    assert run("policy", "publish", str(file), "--url", server.url, key=key).returncode == 2
    away = run("policy", "publish", str(file), "--url", "http://127.0.0.1:9", key=key)
    assert away.returncode == 2
    file.write_text(GOOD, encoding="utf-8")
    away = run("policy", "publish", str(file), "--url", "http://127.0.0.1:9", key=key)
    assert (away.returncode, away.stdout) == (1, "")


def test_every_stored_decision_comes_out_the_same(
    world: World, app_database_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": app_database_url, "data_dir": str(tmp_path)}
    done = run("policy", "recompute", "--shop", world.ours.shop, "--json", **settings)
    found = last_json(done)
    assert (done.returncode, found["ok"], found["different"]) == (0, True, 0), done.stderr
    assert found["decisions"] == found["identical"] >= 8
    plain = run("policy", "recompute", "--shop", world.ours.shop, **settings)
    assert plain.stdout.endswith("decisions came out byte for byte the same.\n")
    assert run("policy", "recompute", "--shop", "shp_x", **settings).returncode == 1
