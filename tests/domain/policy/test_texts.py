"""Sentences: complete in every language, and written as that language writes numbers."""

from __future__ import annotations

import re

import pytest

from returns_api.domain.calendars import Unit
from returns_api.domain.policy import texts
from returns_api.domain.policy.values import Duration
from returns_api.domain.policy.vocabulary import (
    EvidenceKind,
    Grade,
    MethodKind,
    OnSilence,
    RefundAt,
    ResolutionKind,
    StartEvent,
)
from returns_api.domain.reasons import STANDARD, Fault, catalogue


def test_every_language_has_every_sentence_with_the_same_gaps() -> None:
    english = texts.catalogue("en")
    for language in texts.LANGUAGES:
        found = texts.catalogue(language)
        assert set(found) == set(english)
        for key, sentence in found.items():
            assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", english[key])), (
                key
            )


def test_every_word_of_the_vocabulary_has_a_text() -> None:
    for prefix, words in (
        ("resolution", ResolutionKind), ("method", MethodKind), ("grade", Grade),
        ("moment", RefundAt), ("event", StartEvent), ("silence", OnSilence),
        ("proof", EvidenceKind), ("fault", Fault),
    ):  # fmt: skip
        assert [word for word in words if not texts.knows(f"{prefix}.{word.value}")] == []
    for unit in Unit:
        assert texts.knows(f"unit.{unit.value.replace(' ', '_')}.other")


def test_every_standard_reason_has_a_title_in_five_languages() -> None:
    for reason in STANDARD:
        assert set(reason.titles) == set(texts.LANGUAGES)
    assert len({reason.code for reason in STANDARD}) == len(STANDARD)
    assert catalogue({})["defective"].title("zh_CN") == "有质量问题"
    assert catalogue({})["defective"].title("pt-BR") == "Defective"


@pytest.mark.parametrize(
    ("language", "period", "amount", "share", "words"),
    [
        ("en", "1 day", "1234.50 EUR", "12.5%", "a, b or c"),
        ("de", "1 Tag", "1234,50 EUR", "12,5\u00a0%", "a, b oder c"),
        ("fr", "1 jour", "1234,50 EUR", "12,5\u00a0%", "a, b ou c"),
        ("es", "1 día", "1234,50 EUR", "12,5\u00a0%", "a, b o c"),
        ("zh", "1天", "1234.50 EUR", "12.5%", "a、b或c"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(
    language: str, period: str, amount: str, share: str, words: str
) -> None:
    assert texts.period(Duration(1, Unit.DAYS), language) == period
    assert texts.amount(123_450, "EUR", language) == amount
    assert texts.share(125_000, language) == share
    assert texts.joined(["a", "b", "c"], language) == words


def test_currencies_without_minor_units_have_no_comma() -> None:
    assert texts.amount(800, "JPY", "de") == "800 JPY"
    assert texts.amount(1_234, "KWD", "fr") == "1,234 KWD"


def test_elapsed_time_is_said_in_days_where_it_is_days() -> None:
    assert texts.seconds(172_800, "en") == "2 days"
    assert texts.seconds(7_200, "de") == "2 Stunden"
    assert texts.seconds(3_601, "en") == "2 hours"
    assert texts.seconds(0, "fr") == "0 heure"


def test_a_locale_without_a_catalogue_reads_english_and_an_unknown_key_itself() -> None:
    assert texts.language_of("pt-BR") == "en"
    assert texts.language_of("zh_Hant_TW") == "zh"
    assert texts.say("no.such.key", "de") == "no.such.key"
    with pytest.raises(KeyError):
        texts.catalogue("pt")
