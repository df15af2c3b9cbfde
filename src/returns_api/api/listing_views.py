"""Listings and signals as staff see them; a buyer sees neither."""

from __future__ import annotations

from returns_api.api.schemas.listings import ListingOut
from returns_api.api.schemas.returns import SignalOut
from returns_api.domain.access import Principal, Scope
from returns_api.domain.listings import ListingRecord
from returns_api.domain.returns import ReturnRecord


def listing_out(listing: ListingRecord, _: Principal) -> ListingOut:
    return ListingOut(
        listing=listing.id,
        list=listing.list,
        identifier=listing.identifier,
        reason=listing.reason,
        made_by=listing.made_by,
        created_at=listing.created_at,
        expires_at=listing.expires_at,
        ended_at=listing.ended_at,
    )


def signals_out(ret: ReturnRecord, principal: Principal) -> list[SignalOut] | None:
    """Why a person is to look at the return, for those who do; None for everybody else."""
    if Scope.RETURNS_REVIEW not in principal.scopes:
        return None
    found = () if ret.terms.review is None else ret.terms.review.signals
    return [SignalOut(signal=each["signal"], because=dict(each["because"])) for each in found]
