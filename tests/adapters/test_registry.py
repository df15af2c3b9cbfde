"""Adapters by name: built in, from installed packages, unknown, and fought over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from returns_api.adapters.carriers.easypost import EasyPostCarrier
from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.adapters.registry import Kind, UnknownAdapter, factories, load


@pytest.fixture
def plug_in(tmp_path: Path) -> Iterator[Path]:
    """A folder on the import path, as an installed package would be."""
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


def install(folder: Path, group: str, name: str, value: str) -> None:
    info = folder / "acme-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    (folder / "acme_pay.py").write_text(
        "class Acme:\n    def __init__(self, http): self.http = http\n"
    )


def test_built_in() -> None:
    assert load(Kind.PAYMENTS, "stripe") is StripePayments
    assert load(Kind.CARRIERS, "easypost") is EasyPostCarrier
    assert factories(Kind.PAYMENTS)["stripe"] is StripePayments


async def test_installed_by_entry_point(plug_in: Path, http: HttpClient) -> None:
    install(plug_in, "returns_api.payments", "acme", "acme_pay:Acme")
    assert factories(Kind.PAYMENTS)["acme"](http).http is http


def test_nobody_replaces_an_adapter_by_being_installed(plug_in: Path) -> None:
    install(plug_in, "returns_api.payments", "stripe", "acme_pay:Acme")
    with pytest.raises(UnknownAdapter, match="2 adapters"):
        load(Kind.PAYMENTS, "stripe")
    with pytest.raises(UnknownAdapter, match="2 adapters"):
        factories(Kind.PAYMENTS)


@pytest.mark.parametrize("name", ["nobody", "", "os:system", "../stripe"])
def test_unknown(name: str) -> None:
    with pytest.raises(UnknownAdapter, match=r"known: .*stripe"):
        load(Kind.PAYMENTS, name)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_the_package_declares_can_be_loaded(kind: Kind) -> None:
    """The entry points in pyproject.toml and the built-in table name the same places."""
    for declared in entry_points(group=f"returns_api.{kind}"):
        assert load(kind, declared.name) is declared.load()
