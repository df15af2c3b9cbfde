"""``examples/acme-payments`` as its author would test it, without installing it."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

from returns_api.adapters import registry
from returns_api.adapters.http import HttpClient
from returns_api.adapters.registry import Kind

EXAMPLE = Path(__file__).parents[3] / "examples" / "acme-payments"

sys.path.insert(0, str(EXAMPLE))
_spec = importlib.util.spec_from_file_location(
    "acme_conformance", EXAMPLE / "tests" / "test_conformance.py"
)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

acme_bank, acme_rig = _module.acme_bank, _module.acme_rig
test_acme = _module.test_acme
test_the_entry_point_names_the_adapter = _module.test_the_entry_point_names_the_adapter


async def test_installed_it_is_found_by_its_name(http: HttpClient, tmp_path: Path) -> None:
    """With the entry point of its own pyproject.toml, as an installer would write it down."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = tmp_path / "acme_payments-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-payments\nVersion: 0.1.0\n")
    declared = project["entry-points"]["returns_api.payments"]
    lines = [f"{name} = {place}" for name, place in declared.items()]
    (info / "entry_points.txt").write_text("\n".join(["[returns_api.payments]", *lines, ""]))
    sys.path.insert(0, str(tmp_path))
    try:
        made = registry.factories(Kind.PAYMENTS)["acme"](http)
        assert type(made).__name__ == "AcmePayments"
    finally:
        sys.path.remove(str(tmp_path))
