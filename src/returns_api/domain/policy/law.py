"""Law as data: what a buyer gets at the least, by place and date, whatever the merchant wrote.

Owns the shape of a law pack and its loading. A pack is one readable file per place in ``floors/``;
an operator corrects or adds one without code (``read_law``). Packs speak the language of policies:
a right has conditions and terms, and per term the kinder of merchant and law holds (``merge``). A
place without a pack has *no data*, which is not the same as no right. Refuses to own legal advice:
every right names its source and says whether it was verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool

from returns_api.domain.policy import fields as f
from returns_api.domain.policy import term_fields as tf
from returns_api.domain.policy.document import Part, When
from returns_api.domain.policy.reading import read_model
from returns_api.domain.policy.tree import read_tree
from returns_api.domain.policy.vocabulary import RefundAt

FORMAT: Final = "returns-law/v1"

LEGAL_GOODS: Final = (
    "custom_made",
    "perishable",
    "sealed_hygiene",
    "sealed_media",
    "mixed_inseparably",
    "digital",
    "periodical",
    "alcohol_deferred",
    "price_fluctuating",
    "auctioned",
    "not_returnable_by_nature",
    "as_is",
)
"""Groups of goods that laws speak of. A merchant says under ``goods`` which products these are."""


class RefundDueTerm(Part):
    """The money is due ``within`` a time ``after`` an event, but not before another event."""

    within: f.Elapsed
    after: RefundAt
    not_before: RefundAt | None = None

    def written(self) -> dict[str, Any]:
        """As an author writes it."""
        found: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return found


class LawWhen(When):
    """Conditions of a right: those of a rule, and whether the buyer was informed."""

    informed: StrictBool | None = None


class LawTerms(Part):
    """What a right can demand. Each is the least the buyer gets."""

    resolutions: tf.ResolutionsField | None = None
    starts: tf.StartsField | None = None
    return_shipping: Literal["free"] | None = None
    original_shipping: Literal["refund"] | None = None
    restocking_fee: f.Percent | None = None
    grades: tf.GradesField | None = None
    evidence: tf.EvidenceField | None = None
    approval: tf.ApprovalField | None = None
    ship_within: tf.DeadlineField | None = None
    refund_due: RefundDueTerm | None = None


LAW_TERMS: Final[tuple[str, ...]] = tuple(LawTerms.model_fields)


class Right(LawTerms):
    """One right of a buyer, with its source and the time it is in force (contract date).

    ``verified``: the law, or a public authority's guide to it, was read (``note`` says which);
    ``unverified`` names terms of which it was not.
    ``judgement``: the law gives no number of days ("a reasonable time"). Where nothing but such a
    right carries a return, a person decides, in the way that the right's ``approval`` says.
    """

    id: f.Slug
    title: dict[str, f.Text] = Field(default_factory=dict)
    in_force: f.DayRange | None = None
    source: Annotated[tuple[str, ...], Field(min_length=1)]
    verified: StrictBool
    unverified: tuple[str, ...] = ()
    judgement: StrictBool = False
    note: str | None = None
    when: LawWhen = Field(default_factory=LawWhen)


class LawPack(Part):
    """The rights of one place. No rights means: looked up, and there are none to enforce here."""

    law: Literal["returns-law/v1"]
    name: f.Text
    place: Annotated[tuple[f.Place, ...], Field(min_length=1)]
    checked_on: f.Day
    language: f.Text | None = None
    note: str | None = None
    rights: tuple[Right, ...] = ()


class PlaceGroups(Part):
    """Names for groups of countries, such as EU."""

    groups: dict[f.Place, tuple[f.Place, ...]]


@dataclass(frozen=True, slots=True)
class Law:
    """All packs together with the groups of places."""

    packs: tuple[LawPack, ...]
    groups: Mapping[str, tuple[str, ...]]

    def pinned(self) -> dict[str, Any]:
        """What decisions depend on, without titles, notes and sources; ``from_pinned`` reads it."""
        quiet = {"title", "note", "verified", "unverified", "source"}
        packs = [
            {
                **pack.model_dump(mode="json", exclude_none=True, exclude={"note", "language"}),
                "rights": [
                    right.model_dump(mode="json", exclude_none=True, exclude=quiet)
                    for right in pack.rights
                ],
            }
            for pack in self.packs
        ]
        groups = {name: list(places) for name, places in sorted(self.groups.items())}
        return {"packs": packs, "groups": groups}

    def right(self, law_id: str) -> Right | None:
        """The right with this id."""
        found = (right for pack in self.packs for right in pack.rights if right.id == law_id)
        return next(found, None)


def from_pinned(data: Mapping[str, Any]) -> Law:
    """The law as it was pinned by a policy version."""
    packs = [
        LawPack.model_validate(
            {
                **pack,
                "rights": [{**r, "source": ["pinned"], "verified": False} for r in pack["rights"]],
            }
        )
        for pack in data["packs"]
    ]
    groups = {name: tuple(places) for name, places in data["groups"].items()}
    return Law(tuple(packs), groups)


def read_law(sources: Iterable[tuple[str, bytes]]) -> Law:
    """Read packs from files: (file name, content), in any order; ``places.yaml`` names the groups.

    A later file takes the place of an earlier one of the same name, so an operator's directory can
    be read after the packaged one. Raises ``PolicyInvalid`` naming line and path.
    """
    files = dict(sources)
    groups = read_model(PlaceGroups, read_tree(files.pop("places.yaml"))).groups
    packs = [read_model(LawPack, read_tree(files[name])) for name in sorted(files)]
    return Law(tuple(packs), groups)


def packaged_files() -> tuple[tuple[str, bytes], ...]:
    """The packs that ship with the service."""
    folder = resources.files(__package__).joinpath("floors")
    return tuple(
        (item.name, item.read_bytes()) for item in folder.iterdir() if item.name.endswith(".yaml")
    )


@lru_cache(maxsize=1)
def default_law() -> Law:
    """The packaged law, read once."""
    return read_law(packaged_files())
