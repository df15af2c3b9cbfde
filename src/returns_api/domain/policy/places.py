"""Which countries there are, and which one a name means.

Owns the codes of ISO 3166-1 (from the ``iso3166`` package), for finding names that mean nothing and
for saying what was meant. Regions (ISO 3166-2) are not listed; only their form is checked.
"""

from __future__ import annotations

from typing import Final

import iso3166

_OF_NO_STANDARD: Final = frozenset({"XK"})
"""In the package, but not in ISO 3166-1: a code that users assigned."""

COUNTRIES: Final = frozenset(iso3166.countries_by_alpha2) - _OF_NO_STANDARD
"""All countries."""

_OFTEN_WRITTEN: Final = {"UK": "GB", "EN": "GB", "EL": "GR"}
"""Codes that others use; ``EL`` is Greece in the European Union's own papers."""


def meant(name: str) -> str | None:
    """The country that ``name`` is another way to write, with its region if it has one.

    ``DE`` for ``de``, ``DEU`` and ``Germany``; ``US-CA`` for ``USA-CA``. None for a name that is
    none of these.
    """
    country, dash, region = name.strip().upper().partition("-")
    code = _OFTEN_WRITTEN.get(country)
    if code is None:
        found = iso3166.countries.get(country, None)
        code = found.alpha2 if found else None
    return f"{code}{dash}{region}" if code in COUNTRIES else None
