"""The published policy: three forms that agree, one version in all, caches that never lie."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from returns_api.domain import ids
from returns_api.domain.access import Role
from tests.api.test_policies import PATH, WORDS
from tests.support.api import Tenant
from tests.support.context import START, Clock

SOURCE = """\
policy: returns-policy/v1
name: Field & Loom
timezone: Europe/Berlin
currency: EUR
markets: [DE, FR, US]
languages: [de, en]
goods:
  custom_made: {tags: [engraved]}
rules:
  - id: engraved
    when: {goods: custom_made, fault: buyer}
    refuse: custom_made
  - id: faulty
    when: {fault: [merchant, carrier]}
    resolutions: {refund: 2 years, replacement: 2 years, repair: 2 years}
    return_shipping: free
    original_shipping: refund
  - id: cheap
    when: {unit_price: {below: 10.00}}
    return_shipping: free
  - id: overseas
    when: {place: US}
    return_shipping: 19.00
  - id: house
    note: keep this to ourselves
    resolutions: {refund: 30 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: 4.90
    original_shipping: refund
    restocking_fee: 0%
    grades: {used_worn: 30%}
    evidence: none
    methods: [post, in_store]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""


async def publish(tenant: Tenant, source: str = SOURCE, **body: Any) -> dict[str, Any]:
    made = await tenant.admin.post(PATH, json={"source": source})
    assert made.status_code == 201, made.text
    path = f"{PATH}/{made.json()['id']}/publish"
    done = await tenant.admin.post(path, json={"acknowledge": WORDS, **body})
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


def address(tenant: Tenant) -> str:
    return f"/v1/shops/{ids.encode('shp', tenant.shop)}/policy"


async def read(tenant: Tenant, status: int = 200, **query: Any) -> httpx.Response:
    """Without a key."""
    headers = query.pop("headers", {})
    transport = httpx.ASGITransport(tenant.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://returns.test") as http:
        answer = await http.get(address(tenant), params=query, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def group(data: dict[str, Any], place: str, reason: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one
        for market in data["markets"]
        if place in market["places"]
        for one in market["groups"]
        if reason in {entry["code"] for entry in one["reasons"]}
    )
    return found


async def test_nothing_is_published_before_it_is(tenant: Tenant, clock: Clock) -> None:
    await read(tenant, 404)
    later = (START + timedelta(days=3)).isoformat()
    version = await publish(tenant, effective_from=later)
    shown = (await read(tenant)).json()
    assert shown["policy_version"] == version["id"], (
        "an order placed now is judged by the first one"
    )
    clock.forward(days=4)
    assert (await read(tenant)).json()["policy_version"] == version["id"]


async def test_data_says_what_a_buyer_gets_there(tenant: Tenant) -> None:
    version = await publish(tenant)
    shown = (await read(tenant)).json()
    assert (shown["policy_version"], shown["digest"]) == (version["id"], version["digest"])
    assert (shown["language"], shown["currency"], shown["asked"]) == ("de", "EUR", {})
    assert [market["places"] for market in shown["markets"]] == [["DE", "FR"], ["US"]]
    home, away = (group(shown, place, "changed_mind") for place in ("DE", "US"))
    assert home["resolutions"][0] == {
        "kind": "refund", "within": "30 days", "from": "delivered", "days": 30,
        "extended_until": None, "bonus_ppm": 0, "cost": "free",
    }  # fmt: skip
    assert (home["freight"]["fee_minor"], away["freight"]["fee_minor"]) == (490, 1900)
    assert "eu-withdrawal" in home["law"]
    faulty = group(shown, "DE", "defective")
    assert faulty["freight"] == {"payer": "merchant", "fee_minor": 0, "own_label": False}
    everything = (await read(tenant)).text
    assert "keep this to ourselves" not in everything


async def test_one_market_and_one_product(tenant: Tenant) -> None:
    await publish(tenant)
    shown = (await read(tenant, country="DE", tag=["engraved", "x"], sku="A")).json()
    assert [market["places"] for market in shown["markets"]] == [["DE"]]
    assert shown["asked"] == {"country": "DE", "tags": ["engraved", "x"], "sku": "A"}
    refused = group(shown, "DE", "changed_mind")
    assert (refused["eligible"], refused["because"][0]["code"]) == (False, "custom_made")
    text = (await read(tenant, country="DE", tag="engraved", format="text", lang="en")).text
    assert "No return. This item was made to order." in text
    cheap = (await read(tenant, country="DE", unit_price="999")).json()
    assert group(cheap, "DE", "changed_mind")["freight"]["fee_minor"] == 0


async def test_three_forms_name_one_version_and_agree(tenant: Tenant) -> None:
    version = await publish(tenant)
    data = (await read(tenant, country="FR")).json()
    text = await read(tenant, country="FR", format="text", lang="fr")
    linked = await read(tenant, country="FR", format="jsonld")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["content-language"] == "fr"
    assert linked.headers["content-type"] == "application/ld+json"
    policy = linked.json()["@graph"][0]
    assert version["id"] in text.text
    assert policy["identifier"] == data["policy_version"] == version["id"]
    terms = group(data, "FR", "changed_mind")
    assert policy["merchantReturnDays"] == terms["resolutions"][0]["days"] == 30
    assert "30 jours" in text.text
    assert policy["returnShippingFeesAmount"]["value"] == "4.90"
    assert "4,90 EUR" in text.text
    assert policy["returnMethod"] == [
        "https://schema.org/ReturnByMail",
        "https://schema.org/ReturnInStore",
    ]
    assert policy["itemDefectReturnFees"] == "https://schema.org/FreeReturn"
    assert policy["applicableCountry"] == ["FR"]
    assert policy["url"] == policy["merchantReturnLink"]
    there = policy["url"].partition(address(tenant))[2]
    assert there == "?format=text", "a link that anybody can follow"


async def test_what_depends_on_the_product_is_told_in_words(tenant: Tenant) -> None:
    await publish(tenant)
    shown = (await read(tenant, lang="en")).json()["special_rules"]
    assert shown == [
        {
            "rule": "engraved",
            "text": "If the fault is that of the buyer and the product is among"
            " custom made: This item was made to order.",
        },
        {"rule": "cheap", "text": "If the price is below 10.00 EUR: sending it back is free"},
    ]
    text = (await read(tenant, format="text", lang="fr")).text
    assert "Règles particulières" in text


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("application/ld+json", "application/ld+json"),
        ("application/ld+json;q=0.5, text/plain;q=0.6", "text/plain; charset=utf-8"),
        ("text/html, application/ld+json;q=0.1", "application/ld+json"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
        ("text/plain;q=0", "application/json"),
        ("text/plain;q=x, ;;,=", "application/json"),
        ("application/json, text/plain", "application/json"),
    ],
)
async def test_the_form_follows_accept(tenant: Tenant, accept: str, kind: str) -> None:
    await publish(tenant)
    answer = await read(tenant, headers={"accept": accept})
    assert answer.headers["content-type"] == kind
    fixed = await read(tenant, format="jsonld", headers={"accept": accept})
    assert fixed.headers["content-type"] == "application/ld+json"


@pytest.mark.parametrize(
    ("accept", "lang", "language"),
    [
        (None, None, "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8", None, "fr"),
        ("it, es;q=0.3, en;q=0.2", None, "es"),
        ("it", None, "de"),
        ("fr", "zh-TW", "zh"),
        ("fr", "it", "en"),
    ],
)
async def test_the_language_follows_the_reader(
    tenant: Tenant, accept: str | None, lang: str | None, language: str
) -> None:
    await publish(tenant)
    headers = {} if accept is None else {"accept-language": accept}
    query: dict[str, Any] = {} if lang is None else {"lang": lang}
    answer = await read(tenant, headers=headers, format="text", **query)
    assert answer.headers["content-language"] == language


async def test_caches_may_keep_it_and_ask_again(tenant: Tenant, clock: Clock) -> None:
    await publish(tenant)
    first = await read(tenant)
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["vary"] == "Accept, Accept-Language"
    tag = first.headers["etag"]
    for seen in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await read(tenant, 304, headers={"if-none-match": seen})
        assert (again.content, again.headers["etag"]) == (b"", tag)
    await read(tenant, headers={"if-none-match": '"x"'})
    other = await read(tenant, lang="fr", headers={"if-none-match": tag})
    assert other.headers["etag"] != tag
    begin = clock.now + timedelta(seconds=90)
    changed = SOURCE.replace("refund: 30 days", "refund: 40 days")
    await publish(tenant, changed, effective_from=begin.isoformat())
    assert (await read(tenant)).headers["cache-control"] == "public, max-age=90"
    clock.forward(seconds=90)
    later = await read(tenant, headers={"if-none-match": tag})
    assert group(later.json(), "DE", "changed_mind")["resolutions"][0]["days"] == 40


async def test_with_a_key_it_is_the_key_s_shop_and_nobody_shares_the_copy(
    tenant: Tenant, stranger: Tenant
) -> None:
    await publish(tenant)
    await publish(stranger, SOURCE.replace("30 days", "60 days"))
    for one, days in ((tenant, 30), (stranger, 60)):
        async with one.calling(await one.key(Role.PUBLISHABLE)) as storefront:
            answer = await storefront.get("/v1/policy", params={"country": "DE"})
        assert group(answer.json(), "DE", "style")["resolutions"][0]["days"] == days
        assert answer.headers["cache-control"].startswith("private, ")
        assert answer.headers["vary"].startswith("Authorization")


async def test_a_shop_that_is_not_there_has_no_policy(tenant: Tenant) -> None:
    await publish(tenant)
    async with tenant.calling("nobody") as http:
        for wrong in (ids.encode("shp", UUID(int=7)), "shp_x", "\u00e9", "pv_x", "a" * 300):
            assert (await http.get(f"/v1/shops/{wrong}/policy")).status_code == 404
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        await tx.connection.execute("UPDATE shops SET status = 'removed'")
    await read(tenant, 404)


@pytest.mark.parametrize(
    "query",
    [
        {"country": "de"}, {"country": "Germany"}, {"region": "CA"}, {"lang": "x"},
        {"format": "pdf"}, {"unit_price": "-1"}, {"unit_price": "1.5"}, {"unit_price": "1_0"},
        {"currency": "XXY"}, {"currency": "eur"}, {"sku": ""}, {"sku": "x" * 201},
        {"tag": ["x"] * 21}, {"surprise": "1"}, {"country": ["DE", "FR"]},
    ],
)  # fmt: skip
async def test_odd_questions_are_refused(tenant: Tenant, query: dict[str, Any]) -> None:
    await publish(tenant)
    await read(tenant, 422, **query)
