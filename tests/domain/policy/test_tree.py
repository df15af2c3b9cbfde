"""Untrusted text: what is read, what is refused, and where the fault is said to be."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy.tree import MAX_BYTES, Mark, read_tree


def refusal(source: bytes | str) -> dict[str, object]:
    with pytest.raises(PolicyInvalid) as caught:
        read_tree(source)
    findings = caught.value.context["findings"]
    assert isinstance(findings, list)
    return dict(findings[0])


def test_yaml_and_json_give_the_same_plain_data() -> None:
    yaml_text = "a: 1\nb: [x, 4.90, true, null, 'no']\nc: {d: NO, e: yes, f: 012}\n"
    tree = read_tree(yaml_text.replace("f: 012", "f: 'z'"))
    same = {"a": 1, "b": ["x", Decimal("4.90"), True, None, "no"],
            "c": {"d": "NO", "e": "yes", "f": "z"}}  # fmt: skip
    assert tree.value == same
    text = '{"a": 1, "b": ["x", 4.90, true, null, "no"], "c": {"d": "NO", "e": "yes", "f": "z"}}'
    assert read_tree(text).value == same


def test_norway_stays_a_country_and_dates_stay_text() -> None:
    assert read_tree("place: [NO, SE]\nday: 2026-11-01\ntime: 12:30:00").value == {
        "place": ["NO", "SE"],
        "day": "2026-11-01",
        "time": "12:30:00",
    }


def test_places_are_those_of_keys_and_items() -> None:
    tree = read_tree("a: 1\nrules:\n  - id: x\n    when: {fault: buyer}\n")
    assert tree.mark(("rules", 0, "when", "fault")) == Mark(4, 12)
    assert tree.mark(("rules", 0, "gone")).line == 3
    json_tree = read_tree('{"a": 1,\n "rules": [\n  {"id": "x"}]}')
    assert json_tree.mark(("rules", 0, "id")) == Mark(3, 4)


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("", "document.empty", 1),
        ("  \n\n", "document.empty", 1),
        ("a: 1\nb: &x 2", "document.alias", 2),
        ("a: *x", "document.alias", 1),
        ("a: &x [1]\nb: *x", "document.alias", 1),
        ("base: {a: 1}\nb:\n  <<: {c: 1}", "document.merge", 3),
        ("a: !!python/object/apply:os.system [ls]", "document.tag", 1),
        ("a: !!str 5", "document.tag", 1),
        ("a: 1\nb: 2\na: 3", "document.duplicate_key", 3),
        ("a: 1\n---\nb: 2", "document.several_documents", 2),
        ("a: [1, 2", "document.syntax", 2),
        ("a: 'x\n", "document.syntax", 2),
        ("a: \x00", "document.syntax", 1),
        ("? [a]\n: b", "document.key", 1),
        ("a: .nan", "document.number", 1),
        ("a: 1\nb: -.inf", "document.number", 2),
        ("a: 1e400", "document.number", 1),
        ("a: 1_000", "document.number", 1),
        ("a: 0x10", "document.number", 1),
        ("a: " + "[" * 40 + "]" * 40, "document.too_deep", 1),
        ("a: " + "x" * 3000, "document.too_long", 1),
        ('{"a": 1, "a": 2}', "document.duplicate_key", 1),
        ('{"a": NaN}', "document.number", 1),
        ('{"a": 1e999}', "document.number", 1),
        ('{"a":\n "\\ud800"}', "document.encoding", 2),
        ('{"policy": "x"} trailing', "document.syntax", 1),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "document.too_deep", 1),
        (b"\xff\xfe a: 1", "document.encoding", 1),
        (b"a: 1\nb: \xff", "document.encoding", 2),
        ("\ufeffa: 1", "document.encoding", 1),
        ("\ud800", "document.encoding", 1),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_place(
    source: bytes | str, code: str, line: int
) -> None:
    finding = refusal(source)
    assert (finding["code"], finding["line"]) == (code, line)
    assert finding["suggestion"]
    assert str(finding["message"])[:1].isupper() or str(finding["message"]).startswith("“")


def test_ten_megabytes_are_refused_before_they_are_read() -> None:
    finding = refusal(b"a: " + b"x" * 10_000_000)
    assert finding["code"] == "document.too_large"
    assert str(MAX_BYTES) in str(finding["message"])


def test_a_very_deep_json_text_is_refused_and_does_not_exhaust_the_stack() -> None:
    assert refusal('{"a":' * 100_000 + "1" + "}" * 100_000)["code"] == "document.too_deep"
    assert refusal("[" * 200_000)["code"] == "document.too_deep"


def test_many_values_are_refused() -> None:
    assert refusal("[" + "1," * 250_000 + "1]")["code"] == "document.too_large"
    assert refusal("a:\n" + "- 1\n" * 230_000)["code"] == "document.too_large"


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
@settings(max_examples=300)
def test_any_text_is_read_or_refused(source: str | bytes) -> None:
    with suppress(PolicyInvalid):
        read_tree(source)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), _PLAIN, min_size=1, max_size=4))
@settings(max_examples=200)
def test_any_json_document_reads_as_json_reads_it(value: dict[str, object]) -> None:
    assert read_tree(json.dumps(value)).value == value
