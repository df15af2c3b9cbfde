"""A policy as everybody may read it before they buy: data, plain language, schema.org.

``publish`` asks the policy itself, case by case, and joins what comes out the same; the text and
the JSON-LD are written from that data and from nothing else, so the three cannot disagree.
"""

from returns_api.domain.publications.jsonld import to_jsonld
from returns_api.domain.publications.shown import Asked, Published, publish
from returns_api.domain.publications.text import to_text

__all__ = ["Asked", "Published", "publish", "to_jsonld", "to_text"]
