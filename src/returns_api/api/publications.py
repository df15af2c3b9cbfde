"""The policy that everybody may read before they buy: as data, as text, in schema.org's words."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import StringConstraints

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.responses import documented, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.policies import Language
from returns_api.api.schemas.publications import JSONLD, TEXT, MarketOut, PolicyOut, SpecialRuleOut
from returns_api.domain.access import Scope
from returns_api.domain.errors import Invalid
from returns_api.domain.policy.texts import LANGUAGES, language_of
from returns_api.domain.publications import Asked
from returns_api.usecases.publications import Publication, etag_of, publication

router = APIRouter(tags=["policies"])

Reader = Annotated[Caller, Depends(Allowed(Scope.POLICY_READ))]
TAGS_MAX: Final = 20
HEADER_MAX: Final = 1_000
"""Characters of ``Accept`` that are looked at."""


class Form(StrEnum):
    DATA = "data"
    TEXT = "text"
    JSONLD = "jsonld"


MEDIA: Final = {
    Form.DATA: "application/json",
    Form.TEXT: "text/plain; charset=utf-8",
    Form.JSONLD: "application/ld+json",
}

Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Country = Annotated[
    str | None,
    Query(pattern="^[A-Z]{2}$", description="The buyer's country, ISO 3166-1.", examples=["DE"]),
]
Region = Annotated[
    str | None,
    Query(pattern="^[A-Z0-9]{1,3}$", description="The part after the country.", examples=["CA"]),
]
Name = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="As in your orders.", examples=["x"]),
]
Tags = Annotated[
    list[Word],
    Query(alias="tag", max_length=TAGS_MAX, description="May be repeated.", examples=[["sale"]]),
]
Currency = Annotated[
    str | None,
    Query(
        pattern="^[A-Z]{3}$",
        description="Left out, the policy's first one.",
        examples=["EUR"],
    ),
]
Price = Annotated[
    str | None,
    Query(
        pattern="^(0|[1-9][0-9]{0,11})$",
        description="Of one unit, in minor units; left out, 100 units of the currency.",
        examples=["9900"],
    ),
]
FormatParameter = Annotated[
    Form | None, Query(alias="format", description="Goes before `Accept`.", examples=["text"])
]
LanguageParameter = Annotated[
    Language | None,
    Query(alias="lang", description="Goes before `Accept-Language`.", examples=["de"]),
]
Preference = Annotated[str | None, Header(include_in_schema=False)]
Seen = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=1000,
        description="The `ETag` that you have; 304 when it is still this one.",
        examples=['"5f0c4f4e0b9d4f0a9a590123456789ab"'],
    ),
]


async def asked(
    country: Country = None,
    region: Region = None,
    category: Name = None,
    tag: Tags = [],  # noqa: B006 - FastAPI copies it
    sku: Name = None,
    vendor: Name = None,
    channel: Name = None,
    currency: Currency = None,
    unit_price: Price = None,
) -> Asked:
    """Dependency: the market and product of the query. Raises ``Invalid``."""
    if region is not None and country is None:
        problem = "A region needs its country."
        raise Invalid(problem, errors=[{"field": "region", "in": "query", "problem": problem}])
    return Asked(
        country=country,
        region=region,
        category=category,
        tags=frozenset(tag),
        sku=sku,
        vendor=vendor,
        channel=channel,
        currency=currency,
        unit_price_minor=None if unit_price is None else int(unit_price),
    )


async def wanted(
    format_: FormatParameter = None,
    lang: LanguageParameter = None,
    accept: Preference = None,
    accept_language: Preference = None,
) -> tuple[Form, str | None]:
    """Dependency: the form, and the language if one was asked for."""
    return format_ or _form(accept), lang or _language(accept_language)


AskedDep = Annotated[Asked, Depends(asked)]
WantedDep = Annotated[tuple[Form, str | None], Depends(wanted)]

_TEXT_HEADER: Final = {"schema": {"type": "string"}}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "ETag": {"description": "Names these bytes.", **_TEXT_HEADER},
            "Cache-Control": {"description": "How long a copy stays true.", **_TEXT_HEADER},
            "Content-Language": {"description": "Of the texts.", **_TEXT_HEADER},
        },
        "content": {
            "text/plain": {"schema": {"type": "string"}, "example": TEXT},
            "application/ld+json": {"schema": {"type": "object"}, "example": JSONLD},
        },
    },
    304: {"description": "You have it already."},
}


@router.get(
    "/v1/policy",
    operation_id="getPolicy",
    summary="Read the policy in force",
    description=(
        "What the version that judges an order placed now promises for an item delivered now: for"
        " every market, or for one country and product. As data, plain language (`text`) or"
        " schema.org (`jsonld`); all three name the same version."
    ),
    response_model=PolicyOut,
    responses={**_ANSWERS, **refusals(404)},
)
async def get_policy(
    ctx: ContextDep, caller: Reader, about: AskedDep, form: WantedDep, if_none_match: Seen = None
) -> Response:
    found = await publication(ctx, caller.principal.shop, about, public=False)
    # One address for all shops: only the caller itself may keep a copy.
    return _answer(found, form, if_none_match, "private", "Authorization, ")


@router.get(
    "/v1/shops/{shop}/policy",
    operation_id="getShopPolicy",
    summary="Read a shop's policy without a key",
    description=(
        "The same for everybody, to be shown before anything is bought; pages of any origin may"
        " embed it, and caches may keep it."
    ),
    response_model=PolicyOut,
    responses={**_ANSWERS, **documented(400, 404, 422, 503)},
)
async def get_shop_policy(
    shop: Annotated[str, Path(description="A shop's id.", examples=[example_id("shp")])],
    ctx: ContextDep,
    about: AskedDep,
    form: WantedDep,
    if_none_match: Seen = None,
) -> Response:
    found = await publication(ctx, path_id("shp", shop), about, public=True)
    answer = _answer(found, form, if_none_match, "public", "")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _answer(
    found: Publication,
    wish: tuple[Form, str | None],
    seen: str | None,
    cache: str,
    also_varies: str,
) -> Response:
    form, language = wish
    locale = language_of(language or found.policy.document.languages[0])
    body = _body(found, form, locale)
    headers = {
        "ETag": etag_of(body),
        "Cache-Control": f"{cache}, max-age={found.max_age_seconds}",
        "Content-Language": locale,
        "Vary": f"{also_varies}Accept, Accept-Language",
    }
    if seen is not None and _matches(seen, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "Content-Type": MEDIA[form]})


def _body(found: Publication, form: Form, locale: str) -> bytes:
    if form is Form.TEXT:
        return found.text(locale).encode()
    if form is Form.JSONLD:
        return orjson.dumps(found.jsonld())
    row = found.version
    shown = PolicyOut(
        policy_version=row["id"],
        number=row["number"],
        name=row["name"],
        digest=row["digest"],
        effective_from=row["effective_from"],
        language=locale,
        currency=found.published.currency,
        asked=found.published.asked.to_json(),
        markets=[MarketOut(**market) for market in found.markets(locale)],
        special_rules=[
            SpecialRuleOut(rule=one.rule, text=one.text) for one in found.special_rules(locale)
        ],
    )
    return shown.model_dump_json().encode()


def _form(accept: str | None) -> Form:
    """The best form that ``Accept`` names; data where it names none of ours."""
    by_type = {media.partition(";")[0]: form for form, media in MEDIA.items()}
    by_type |= {"text/*": Form.TEXT}
    found = (by_type[name] for name in _ranked(accept) if name in by_type)
    return next(found, Form.DATA)


def _language(accept: str | None) -> str | None:
    """The best language that ``Accept-Language`` names and we have."""
    known = (name for name in _ranked(accept) if name.partition("-")[0] in LANGUAGES)
    return next(known, None)


def _ranked(header: str | None) -> Sequence[str]:
    """The names of a header with weights, the best first; what is malformed weighs nothing."""
    ranked = []
    for position, part in enumerate((header or "")[:HEADER_MAX].split(",")):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        if name and weight > 0:
            ranked.append((-weight, position, name))
    return [name for _, _, name in sorted(ranked)]


def _weight(parameters: Sequence[str]) -> int:
    """``q`` in thousandths."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            whole, _, rest = value.strip().partition(".")
            if whole not in {"0", "1"} or not (rest.isascii() and (rest.isdecimal() or not rest)):
                return 0
            return min(int(whole) * 1000 + int(f"{rest[:3]:0<3}"), 1000)
    return 1000


def _matches(seen: str, current: str) -> bool:
    names = (name.strip().removeprefix("W/") for name in seen.split(","))
    return any(name in {current, "*"} for name in names)
