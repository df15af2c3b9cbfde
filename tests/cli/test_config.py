"""Settings: where they come from, what they refuse, and the key that is kept."""

from __future__ import annotations

import stat
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from returns_api.config import PREFIX, Environment, Settings, settings_table
from returns_api.secret_key import decode_key

KEY = urlsafe_b64encode(bytes(range(32))).decode()
DATABASE = "postgresql://app@/returns?host=/run/pg"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


@pytest.mark.parametrize(
    "address",
    [DATABASE, DATABASE.replace("postgresql", "postgres"), DATABASE.replace("://", "+asyncpg://")],
)
def test_every_spelling_of_a_database_address_becomes_one(address: str) -> None:
    settings = Settings(database_url=address)
    assert settings.app_address == DATABASE
    assert settings.owner_address == DATABASE


def test_the_owner_s_address_is_its_own_when_given() -> None:
    owner = "postgresql://owner@/returns"
    assert Settings(database_url=DATABASE, owner_database_url=owner).owner_address == owner


def test_variables_of_the_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNS_API_PORT", "9000")
    monkeypatch.setenv("RETURNS_API_BANK_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("RETURNS_API_CARRIER_URL", "")
    settings = Settings()
    assert (settings.port, settings.bank_url) == (9000, "http://127.0.0.1:1")
    assert settings.carrier_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"),
        ("port", "65536"),
        ("database_url", "mysql://x"),
        ("database_url", "x"),
        ("bank_url", "ftp://x"),
        ("public_url", "http://"),
        ("secret_key", "short"),
        ("secret_key", KEY.rstrip("=") + "A"),
        ("secret_key", KEY[:20] + "!" + KEY[20:]),
        ("secret_key", "é" * 43),
        ("crashpoint", "Z9"),
        ("crashpoint", "W3:0"),
        ("log_level", "loud"),
        ("environment", "staging"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert refused.value.errors()[0]["loc"] == (name,)


def test_a_refusal_never_shows_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(secret_key="canary-of-a-secret")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"database_url": DATABASE},
        {"secret_key": KEY},
        {"database_url": DATABASE, "secret_key": KEY, "crashpoint": "W3"},
        {"database_url": DATABASE, "secret_key": KEY, "clock_file": "/x/clock"},
        {"database_url": DATABASE, "secret_key": KEY, "allow_private_webhook_targets": True},
    ],
)
def test_production_refuses_what_is_for_development(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(environment=Environment.PRODUCTION, **more)


def test_production_runs_with_its_own_database_and_key() -> None:
    settings = Settings(environment="production", database_url=DATABASE, secret_key=KEY)
    assert settings.production
    assert settings.key() == bytes(range(32))


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "::1", "port": 1}, "http://[::1]:1"),
        ({"public_url": "https://returns.example/"}, "https://returns.example"),
    ],
)
def test_the_base_url(given: dict[str, Any], url: str) -> None:
    assert Settings(**given).base_url == url


def test_a_child_with_these_variables_sees_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        database_url=DATABASE, secret_key=KEY, data_dir=Path("/x y"), crashpoint="W3:2", otel=True
    )
    for name, value in settings.environment_variables().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_a_copy_is_checked_like_the_first() -> None:
    assert Settings(port=1).with_(host="::1").port == 1
    with pytest.raises(ValidationError):
        Settings().with_(port=0)


def test_the_kept_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: settings.key(), range(32)))
    assert keys == {settings.key()}
    assert stat.S_IMODE((tmp_path / "new" / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret.key"]


def test_a_key_is_read_with_and_without_padding() -> None:
    assert decode_key(KEY) == decode_key(KEY.rstrip("=")) == bytes(range(32))


def test_the_table_names_every_setting_with_a_meaning() -> None:
    table = settings_table()
    for name, field in Settings.model_fields.items():
        assert f"| `{PREFIX}{name.upper()}` |" in table
        assert field.description
    assert len(table.splitlines()) == len(Settings.model_fields) + 2
