"""Law packs: readable, sourced, dated; and what they give in well-known cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from proofs import policy_floors

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy import Facts, compile_policy, default_law, load_policy, read_law
from returns_api.domain.policy.decisions import Because, Floor, RefundDue, SetBy
from returns_api.domain.policy.law import LEGAL_GOODS, Law, from_pinned, packaged_files
from returns_api.domain.policy.vocabulary import Payer, RefundAt
from tests.domain.policy.support import document, facts, policy, utc

MEAN = """\
  - id: mean
    refuse: no_returns
    return_shipping: 9.90
    original_shipping: keep
    restocking_fee: 15%
    grades: {sealed: 5%, used_like_new: 10%, damaged_buyer: refused}
    evidence: {photo: 3}
    approval: {respond_within: 30 days, on_silence: reject}
    ship_within: 2 days
    refund_within: 60 days
"""
PACK = b"""\
law: returns-law/v1
name: Atlantis
place: [CH]
checked_on: 2026-11-22
rights:
  - id: ch-ten-days
    source: [https://example.org]
    verified: false
    resolutions: {refund: 10 days}
"""
EARLY = {"delivered_at": utc(2026, 3, 18, 12), "asked_at": utc(2026, 3, 20, 12)}


def buyer_in(country: str, region: str | None = None, **changes: object) -> Facts:
    return facts(country=country, region=region, **{**EARLY, **changes})


def test_every_right_has_a_source_a_title_in_five_languages_and_known_goods() -> None:
    for pack in default_law().packs:
        for right in pack.rights:
            assert all("http" in source for source in right.source), right.id
            assert set(right.title) == {"en", "de", "fr", "es", "zh"}, right.id
            assert set(right.when.goods.values if right.when.goods else ()) <= set(LEGAL_GOODS)
            assert set(right.unverified) <= set(type(right).model_fields), right.id


def test_the_places_named_in_the_brief_have_a_pack() -> None:
    names = {place for pack in default_law().packs for place in pack.place}
    assert names >= {"EU", "GB", "CN", "KR", "JP", "TW", "BR", "AU", "US", "US-CA", "US-NY"}


def test_an_order_of_1_march_delivered_10_march_can_be_withdrawn_until_24_march() -> None:
    """Money case 22: the window runs from delivery, not from the order."""
    shop = policy(MEAN)
    case = facts(country="DE", asked_at=utc(2026, 3, 20))
    decision = shop.decide(case)
    assert decision.resolutions[0].until_local == "2026-03-24, end of day, Europe/Berlin"
    assert decision.because == (Because("law_grants", "eu-withdrawal"),)
    assert not shop.decide(replace(case, asked_at=utc(2026, 3, 24, 23))).eligible


def test_the_law_of_the_eu_binds_every_term_it_speaks_of() -> None:
    decision = policy(MEAN).decide(buyer_in("FR"))
    assert decision.freight.fee_minor == 990  # a withdrawal may cost the buyer the way back
    assert decision.refund_original_shipping
    assert decision.restocking_ppm == 0
    shares = {grade.value: share for grade, share in decision.grades.items()}
    assert (shares["sealed"], shares["used_like_new"], shares["damaged_buyer"]) == (0, 0, 1_000_000)
    assert decision.evidence == ()
    assert decision.approval.respond_within_seconds == 14 * 86_400
    assert decision.deadlines.ship_within_seconds == 14 * 86_400
    assert RefundDue(RefundAt.REQUEST, 14 * 86_400, RefundAt.FIRST_SCAN) in decision.refund_due
    restocking = next(t for t in decision.terms if t.term == "restocking_fee")
    assert restocking.set_by == SetBy(law="eu-withdrawal")
    assert restocking.floor == Floor("eu-withdrawal", "0%", "law")


def test_a_merchant_who_is_kinder_keeps_the_say() -> None:
    decision = policy().decide(buyer_in("FR"))
    window = next(t for t in decision.terms if t.term == "window.refund")
    assert window.set_by.rule == "house"
    assert window.floor == Floor(
        "eu-withdrawal", {"within": "14 days", "from": "delivered"}, "merchant"
    )


def test_the_laws_terms_end_with_the_laws_window() -> None:
    kind_window = "  - {id: long, resolutions: {refund: 90 days}}\n"
    late = buyer_in("DE", asked_at=utc(2026, 5, 1))
    decision = policy(kind_window + MEAN.replace("    refuse: no_returns\n", "")).decide(late)
    assert decision.restocking_ppm == 150_000
    assert decision.law == ()


@pytest.mark.parametrize(
    ("case", "law", "last_day", "payer"),
    [
        (buyer_in("GB"), "uk-cancel", "2026-04-01", Payer.BUYER),
        (buyer_in("CN"), "cn-seven-day", "2026-03-25", Payer.BUYER),
        (buyer_in("KR"), "kr-withdrawal", "2026-03-25", Payer.BUYER),
        (buyer_in("TW"), "tw-seven-day", "2026-03-25", Payer.MERCHANT),
        (buyer_in("BR"), "br-regret", "2026-03-25", Payer.MERCHANT),
        (buyer_in("JP", informed=False), "jp-eight-day", "2026-03-25", Payer.BUYER),
        (buyer_in("US", "CA", informed=False), "us-ca-unposted", "2026-03-31", Payer.BUYER),
        (buyer_in("US", "US-NY", informed=False), "us-ny-unposted", "2026-03-31", Payer.BUYER),
        (buyer_in("AT", informed=False), "eu-withdrawal-uninformed", "2027-04-01", Payer.MERCHANT),
        (buyer_in("TW", informed=False), "tw-uninformed", "2026-07-18", Payer.MERCHANT),
        (buyer_in("GB", reason="defective"), "uk-reject", "2026-04-17", Payer.MERCHANT),
        (buyer_in("KR", reason="not_as_described"), "kr-different", "2026-06-18", Payer.MERCHANT),
    ],
)
def test_what_a_buyer_gets_where_the_shop_refuses_everything(
    case: Facts, law: str, last_day: str, payer: Payer
) -> None:
    decision = policy(MEAN).decide(case)
    assert law in decision.law
    assert decision.resolutions[0].until_local.startswith(last_day)
    assert decision.freight.payer is payer


@pytest.mark.parametrize(
    ("case", "header"),
    [
        (buyer_in("DE", tags=frozenset({"x"})), "goods: {custom_made: {tags: x}}\n"),
        (buyer_in("DE", tags=frozenset({"x"}), condition="opened_unused"),
         "goods: {sealed_hygiene: {tags: x}}\n"),
        (buyer_in("CN", condition="used_worn"), ""),
        (buyer_in("JP"), ""),
        (buyer_in("US", "CA"), ""),
        (buyer_in("US", "TX", informed=False), ""),
        (buyer_in("AU"), ""),
        (buyer_in("DE", placed_at=utc(2014, 6, 1)), ""),
    ],
)  # fmt: skip
def test_where_the_law_does_not_help(case: Facts, header: str) -> None:
    decision = policy(MEAN, header).decide(case)
    assert (decision.eligible, decision.because) == (False, (Because("no_returns", "mean"),))


def test_an_exception_that_nobody_was_told_of_is_none_in_taiwan() -> None:
    shop = policy(MEAN, header="goods: {custom_made: {tags: x}}\n")
    told = shop.decide(buyer_in("TW", tags=frozenset({"x"})))
    untold = shop.decide(buyer_in("TW", tags=frozenset({"x"}), informed=False))
    assert (told.eligible, untold.eligible) == (False, True)
    assert untold.law == ("tw-uninformed-exceptions",)
    assert untold.resolutions[0].until_local.startswith("2026-03-25")


def test_sealed_goods_can_be_withdrawn_while_they_are_sealed() -> None:
    shop = policy(MEAN, "goods: {sealed_media: {tags: x}}\n")
    for condition in ("sealed", None):
        case = buyer_in("DE", tags=frozenset({"x"}), condition=condition)
        assert shop.decide(case).law == ("eu-withdrawal-sealed",)


def test_a_right_without_a_number_is_decided_by_a_person() -> None:
    case = buyer_in("AU", reason="defective", asked_at=utc(2030, 1, 1))
    decision = policy("  - {id: a, approval: auto}\n" + MEAN).decide(case)
    assert decision.because == (Because("law_judgement", "au-guarantees"),)
    assert (decision.approval.auto, decision.approval.respond_within_seconds) == (False, 604_800)
    kind = policy("  - {id: a, approval: auto, resolutions: {refund: unlimited}}\n").decide(case)
    assert kind.approval.auto


def test_a_place_without_a_pack_has_no_data_which_is_not_no_right() -> None:
    shop = policy()
    known = {"DE": "known", "US": "known", "CH": "no data", None: "no data"}
    assert {c: shop.decide(facts(country=c)).law_data for c in known} == known


def test_an_operator_adds_or_corrects_a_pack_without_code() -> None:
    files = [*packaged_files(), ("ch.yaml", PACK)]
    law = read_law(files)
    shop = compile_policy(load_policy(document(MEAN), law))
    assert shop.decide(buyer_in("CH")).law == ("ch-ten-days",)
    corrected = read_law([*files, ("ch.yaml", PACK.replace(b"10 days", b"1 days"))])
    shop = compile_policy(load_policy(document(MEAN), corrected))
    assert not shop.decide(buyer_in("CH")).eligible


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ((b"refund: 10 days", b"refund: ten days"), "rights[0].resolutions"),
        ((b"verified: false", b"verified: perhaps"), "rights[0].verified"),
        ((b"    source: [https://example.org]\n", b""), "rights[0].source"),
        ((b"resolutions:", b"resolution:"), "rights[0].resolution"),
        ((b"place: [CH]", b"place: [Schweiz]"), "place[0]"),
    ],
)
def test_a_bad_pack_is_refused_with_its_place(change: tuple[bytes, bytes], path: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        read_law([*packaged_files(), ("ch.yaml", PACK.replace(*change))])
    findings = caught.value.context["findings"]
    assert isinstance(findings, list)
    assert findings[0]["path"] == path


def test_the_pinned_law_decides_like_the_law() -> None:
    law = default_law()
    again = from_pinned(law.pinned())
    assert again.pinned() == law.pinned()
    assert isinstance(again, Law)


def test_the_proof_runs_in_small(capsys: pytest.CaptureFixture[str]) -> None:
    assert policy_floors.main(["--documents", "12", "--seed", "3", "--json"]) == 0
    assert '"below_the_floor": 0' in capsys.readouterr().out
