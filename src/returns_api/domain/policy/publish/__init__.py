"""A policy published before purchase: plain language, schema.org JSON-LD and data.

All three are written from the same situations (``situations``), which come from ``decide`` itself;
one version id stands in each. ``etag`` is that of the content: equal content, equal tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from returns_api.domain.policy import texts
from returns_api.domain.policy.decisions import canonical_json, decision_to_json
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.publish.jsonld import render_jsonld
from returns_api.domain.policy.publish.situations import Market, Product, Situation, situations
from returns_api.domain.policy.publish.text import render_text


@dataclass(frozen=True, slots=True)
class Published:
    """One publication: its media type, bytes, language and entity tag."""

    media_type: str
    body: bytes
    language: str | None
    etag: str


def publish(
    policy: Policy,
    *,
    version: str,
    at: datetime,
    form: str = "text",
    locale: str = "en",
    url: str = "",
    market: Market | None = None,
    product: Product | None = None,
) -> Published:
    """The policy as ``text``, ``jsonld`` or ``json`` for orders placed at ``at``.

    Raises ``ValueError`` for another form.
    """
    where, what = market or Market(), product or Product()
    found = situations(policy, where, what, at)
    if form == "text":
        text = render_text(policy, where, found, version=version, locale=locale)
        return _published("text/plain; charset=utf-8", text.encode(), texts.language_of(locale))
    if form == "jsonld":
        data: Mapping[str, Any] = render_jsonld(policy, where, found, version=version, url=url)
        return _published("application/ld+json", canonical_json(data), None)
    if form == "json":
        data = render_data(where, found, version=version)
        return _published("application/json", canonical_json(data), None)
    raise ValueError(f"no such form: {form}")


def render_data(market: Market, found: tuple[Situation, ...], *, version: str) -> dict[str, Any]:
    """The situations as plain data."""
    return {
        "policy_version": version,
        "market": {"country": market.country, "region": market.region},
        "situations": [
            {"reasons": list(situation.reasons), "decision": _public(situation)}
            for situation in found
        ],
    }


def _public(situation: Situation) -> dict[str, Any]:
    """A decision without what belongs to one case: instants, and the rules behind the terms."""
    data = decision_to_json(situation.decision)
    windows = {
        term["term"].removeprefix("window."): term["value"]
        for term in data["terms"]
        if term["term"].startswith("window.")
    }
    for resolution in data["resolutions"]:
        resolution["window"] = windows[resolution["kind"]]
        del resolution["until"], resolution["until_local"]
    return {name: value for name, value in data.items() if name not in {"terms", "tier"}}


def _published(media_type: str, body: bytes, language: str | None) -> Published:
    return Published(media_type, body, language, f'"{sha256(body).hexdigest()[:32]}"')


__all__ = ["Market", "Product", "Published", "Situation", "publish", "render_data", "situations"]
