"""A policy as everybody may read it before they buy: data, plain language, schema.org.

``publish`` asks the policy itself, case by case, and joins what comes out the same; the text and
the JSON-LD are written from that data, so the three cannot disagree. What depends on more than the
reason and the place is told as the document's own rules in words (``special_rules``).
"""

from returns_api.domain.publications.jsonld import to_jsonld
from returns_api.domain.publications.rules import SpecialRule, special_rules
from returns_api.domain.publications.shown import Asked, Published, publish
from returns_api.domain.publications.text import to_text

__all__ = [
    "Asked",
    "Published",
    "SpecialRule",
    "publish",
    "special_rules",
    "to_jsonld",
    "to_text",
]
