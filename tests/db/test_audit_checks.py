"""The list of an audit's checks names every family: one that is left out would never run."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from returns_api import db
from returns_api.db import audit_checks
from returns_api.db.checks import Check

LISTS = ("ORDER_CHECKS", "EVENT_CHECKS", "ACCOUNT_CHECKS", "SHOP_CHECKS")


def families() -> dict[str, list[Check]]:
    """The checks of every module of a family, list by list."""
    names = [each.name for each in pkgutil.iter_modules(db.__path__)]
    modules = [
        import_module(f"{db.__name__}.{name}")
        for name in names
        if name.endswith("_checks") and name != "audit_checks"
    ]
    return {
        kind: [check for module in modules for check in getattr(module, kind, ())] for kind in LISTS
    }


def test_every_check_of_every_family_is_listed_once() -> None:
    for kind, checks in families().items():
        listed = getattr(audit_checks, kind)
        assert checks
        assert sorted(map(id, listed)) == sorted(map(id, checks))


def test_no_two_checks_are_told_under_one_name() -> None:
    names = [
        (check.invariant, check.name) for kind in LISTS for check in getattr(audit_checks, kind)
    ]
    assert len(names) == len(set(names))
