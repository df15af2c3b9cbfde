"""What schemathesis cannot read from the description: values of our named formats, fresh keys.

Loaded by the schemathesis process itself. It makes valid requests more telling; it hides no answer
and drops no failure.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

from returns_api.domain.errors import Invalid
from returns_api.domain.money import exponent
from returns_api.domain.policy.zones import names
from returns_api.domain.shops import countries
from tests.support.pictures import picture

PICTURE = picture()
ROOM = 200
"""Characters of a generated Idempotency-Key that are kept."""
_numbers = count(1)
_run = uuid4().hex[:8]

POLICY = """\
policy: returns-policy/v1
name: {name}
timezone: {zone}
currency: EUR
rules:
  - id: house
    resolutions: {{refund: {days} days}}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: {shipping}
    original_shipping: refund
    grades: {{used_worn: {share}%}}
    evidence: none
    methods: [post]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""


def _moment(seconds: int, minutes: int, digits: int) -> str:
    zone = timezone(timedelta(minutes=minutes))
    text = (datetime(2001, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)
    shown = text.isoformat(timespec="microseconds")
    whole, fraction, offset = shown[:19], shown[20:26], shown[26:]
    cut = f".{fraction[:digits]}" if digits else ""
    return f"{whole}{cut}{'Z' if offset == '+00:00' else offset}"


def _known(currency: str) -> bool:
    try:
        exponent(currency)
    except Invalid:
        return False
    return True


def _currencies() -> list[str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    every = (a + b + c for a in letters for b in letters for c in letters)
    return [code for code in every if _known(code)]


schemathesis.openapi.format(
    "date-time",
    st.builds(
        _moment, st.integers(0, 198 * 365 * 86_400), st.integers(-839, 839), st.integers(0, 6)
    ),
)
schemathesis.openapi.format("iso-3166-1", st.sampled_from(sorted(countries())))
schemathesis.openapi.format("iso-4217", st.sampled_from(_currencies()))
schemathesis.openapi.format(
    "settlement-csv",
    st.lists(
        st.builds(
            "refund,re_{},pi_{},,{},EUR,{},2026-11-20T10:00:00Z\n".format,
            st.integers(0, 99),
            st.integers(0, 99),
            st.integers(1, 10_000),
            st.sampled_from(("pending", "succeeded", "failed", "canceled")),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda row: row.split(",")[1],
    ).map(lambda rows: "kind,id,payment,reference,amount,currency,status,at\n" + "".join(rows)),
)
schemathesis.openapi.format("iana-time-zone", st.sampled_from(sorted(names())))
for _place in ("https-url", "account-url"):
    schemathesis.openapi.format(
        _place,
        st.builds(
            "https://{}.example/{}".format,
            st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=40),
            st.text("abcdefghijklmnopqrstuvwxyz0123456789/._~-", max_size=60),
        ),
    )
schemathesis.openapi.format(
    "returns-policy",
    st.builds(
        POLICY.format,
        name=st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=40).map("Shop {}".format),
        zone=st.sampled_from(["Europe/Berlin", "UTC", "Asia/Tokyo"]),
        days=st.integers(1, 400),
        shipping=st.sampled_from(["free", "4.90", "0.01"]),
        share=st.integers(0, 100),
    ),
)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """Lines as they are; each one says by itself what is wrong in it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.serializer("image/jpeg", "image/png", "image/webp")
def send_picture(context: Any, value: Any) -> bytes:
    """No schema can say what a picture is: whatever was generated, one is sent."""
    return PICTURE


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """What a valid request must have beside its schema, as its description says in words.

    A new key each time, since the same key for another body is refused; a country to a region.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "region" in (case.query or {}) and "country" not in case.query:
        case.query["country"] = "US"
    key = case.headers.get("Idempotency-Key")
    if key is None:
        return
    quote = '"' if key.startswith('"') else ""
    case.headers["Idempotency-Key"] = f"{key[:ROOM].rstrip(quote)}-{_run}-{next(_numbers)}{quote}"
