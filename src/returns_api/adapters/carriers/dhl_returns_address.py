"""What DHL Parcel DE Returns wants of a sender: a receiver id by country, street and number apart.

Refuses to guess: an address that does not fit is refused before anything is sent, so that a person
mends it. No error repeats any of it.
"""

from __future__ import annotations

import re
from typing import Final

from returns_api.ports.carriers import Address
from returns_api.ports.errors import ProviderRejected

OUTSIDE_CUSTOMS: Final = frozenset({"CH", "GB", "NO"})
"""Countries DHL takes returns from only with a customs declaration, which nobody gives us."""
SERVED: Final = frozenset(
    {"BE", "BG", "DK", "DE", "EE", "FI", "FR", "GR", "IE", "IT", "HR", "LV", "LT", "LU"}
    | {"MT", "NL", "AT", "PL", "PT", "RO", "SE", "SK", "SI", "ES", "CZ", "HU", "CY"}
)
"""Countries of which returns need no customs declaration, by DHL's list of countries."""
_STREET_FIRST: Final = re.compile(r"(?P<street>\D.*?)[ ,]+(?P<house>\d[\w/-]{0,6}(?: [a-zA-Z])?)")
_NUMBER_FIRST: Final = re.compile(r"(?P<house>\d[\w/-]{0,6})[ ,]+(?P<street>\D.*)")
_POSTCODE: Final = re.compile(r"[0-9A-Za-z]+(?:[ -]?[0-9A-Za-z]+)*")
_LONGEST: Final = {
    "addressStreet": 50,
    "addressHouse": 10,
    "city": 40,
    "postalCode": 10,
    "email": 70,
    "phone": 20,
    "state": 20,
}
_NAME: Final = 50


def receiver_for(account: str, country: str) -> str:
    """The receiver id for parcels from ``country``.

    ``account`` is one id, for Germany, or a list such as ``DE=deu,AT=aut``. Raises
    ``ProviderRejected`` where there is none.
    """
    if country in OUTSIDE_CUSTOMS:
        raise ProviderRejected("customs_needed", "returns from there need a customs declaration")
    if country not in SERVED:
        raise ProviderRejected("country_not_served", "DHL takes no returns from there")
    listed = account if "=" in account else f"DE={account}"
    by_country = dict(part.strip().partition("=")[::2] for part in listed.split(","))
    receiver = by_country.get(country, "")
    if not 0 < len(receiver) <= 50:
        raise ProviderRejected("no_receiver", "the account names no receiver for that country")
    return receiver


def shipper(address: Address) -> dict[str, str]:
    """The sender as a ``ContactAddress``. Raises ``ProviderRejected`` for what does not fit."""
    street, house = street_and_house(address)
    names = _names(address.name)
    known: dict[str, str | None] = {
        **{f"name{no}": name for no, name in enumerate(names, start=1)},
        "addressStreet": street,
        "addressHouse": house,
        "postalCode": address.postcode,
        "city": address.city,
        "state": address.region,
        "email": address.email,
        "phone": address.phone,
    }
    for name in ("email", "phone", "state"):  # nice to have: rather none than a refusal
        value = known[name]
        if not value or not 3 <= len(value) <= _LONGEST[name]:
            del known[name]
    given = {name: value for name, value in known.items() if value}
    too_long = any(len(given.get(name, "")) > most for name, most in _LONGEST.items())
    if too_long or not names or "city" not in given:
        raise ProviderRejected("address_does_not_fit", "a part is missing or too long")
    if len(address.postcode) < 3 or not _POSTCODE.fullmatch(address.postcode):
        raise ProviderRejected("postcode_does_not_fit", "the postcode is not one")
    return given


def street_and_house(address: Address) -> tuple[str, str]:
    """Street and number, from one line or from two. Raises ``ProviderRejected`` without a number:
    DHL takes none."""
    line = " ".join(address.street1.split())
    if len(line) > _LONGEST["addressStreet"] + _LONGEST["addressHouse"]:
        raise ProviderRejected("address_does_not_fit", "the street is too long")
    for form in (_STREET_FIRST, _NUMBER_FIRST):
        found = form.fullmatch(line)
        if found is not None:
            return found["street"], found["house"]
    second = " ".join((address.street2 or "").split())
    if line and re.fullmatch(r"\d[\w/-]{0,9}", second):
        return line, second
    raise ProviderRejected("house_number_missing", "no number of the house can be read")


def _names(name: str) -> list[str]:
    """The name on up to three lines, cut between words where it can be."""
    lines, rest = list[str](), " ".join(name.split())
    while rest and len(lines) < 3:
        cut = len(rest) if len(rest) <= _NAME else rest.rfind(" ", 1, _NAME + 1)
        cut = cut if cut > 0 else _NAME
        lines.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return lines
