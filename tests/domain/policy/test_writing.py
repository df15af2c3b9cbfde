"""Bytes from remembered parts are the bytes of the decision."""

from __future__ import annotations

import json
from random import Random

from proofs.policy_random import case as random_case
from proofs.policy_random import document as random_document

from returns_api.domain.policy import (
    Facts,
    canonical_json,
    compile_policy,
    decision_bytes,
    decision_to_json,
    load_policy,
)
from returns_api.domain.policy.writing import DecisionWriter
from tests.domain.policy.support import EXAMPLES, facts, policy


def test_random_decisions_are_written_byte_for_byte() -> None:
    random = Random("writing")
    sources = [json.dumps(random_document(random, complete=True)).encode() for _ in range(12)]
    sources += [file.read_bytes() for file in EXAMPLES.glob("*.yaml")]
    for source in sources:
        judge = compile_policy(load_policy(source))
        writer = DecisionWriter(judge)
        for _ in range(60):
            case = Facts.from_json(random_case(random))
            made = writer.write(case, judge.weigh(case))
            assert made == decision_bytes(judge.decide(case))


def test_odd_words_and_unknown_reasons_too() -> None:
    judge = policy("  - {id: a, when: {sku: X*, tags: t}, refuse: final_sale}\n")
    writer = DecisionWriter(judge)
    odd = 'Gr\u00f6\u00dfe "M"\n\\ \u2028 \U0001f600\x7f'
    for case in (
        facts(sku=f"X{odd}", tags=frozenset({"t", odd})),
        facts(reason="nobody_knows"),
        facts(condition="used_worn", country=None, delivered_at=None, fulfilled_at=None),
        facts(country="DE", region="BY"),
    ):
        assert writer.write(case, judge.weigh(case)) == decision_bytes(judge.decide(case))


def test_several_lines_are_one_object_in_the_order_of_their_names() -> None:
    judge = policy()
    cases = {name: facts(reason=name) for name in ("style", "defective", "changed_mind")}
    made = DecisionWriter(judge).write_all({n: (f, judge.weigh(f)) for n, f in cases.items()})
    stored = {name: decision_to_json(judge.decide(case)) for name, case in cases.items()}
    assert made == canonical_json(stored)
