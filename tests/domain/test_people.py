"""Two people who type the same thing differently are found alike; different things stay apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.people import normalise_email, normalise_order_number


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM\n", "ada@example.com"),
        ("ada\u200b@example.com", "ada@example.com"),
        ("\u202eada@example.com\u202c", "ada@example.com"),
        ("ren\u0065\u0301@example.com", "ren\u00e9@example.com"),
        ("REN\u00c9@example.com", "ren\u00e9@example.com"),
        ("stra\u00dfe@example.com", "strasse@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("", ""),
    ],
)
def test_an_email_has_one_form(typed: str, kept: str) -> None:
    assert normalise_email(typed) == kept


@pytest.mark.parametrize("typed", ["1001", "#1001", " # 1001 ", "##1001", "#\r1001", "\u200f#1001"])
def test_an_order_number_has_one_form(typed: str) -> None:
    assert normalise_order_number(typed) == "1001"


def test_letters_in_an_order_number_have_no_case() -> None:
    assert normalise_order_number("#EN-1001-a") == normalise_order_number("en-1001-A")


def test_a_hash_inside_an_order_number_counts() -> None:
    assert normalise_order_number("10#01") == "10#01"


@given(st.text(max_size=40))
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert normalise_email(normalise_email(text)) == normalise_email(text)
    assert normalise_order_number(normalise_order_number(text)) == normalise_order_number(text)


@given(st.text(max_size=40))
def test_composed_and_decomposed_text_are_the_same(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalise_email(composed) == normalise_email(decomposed)
