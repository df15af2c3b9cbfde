"""The published JSON Schema: that of the models, satisfied by the examples and by no mistake."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from returns_api.domain.policy import load_policy
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.schema import policy_schema, policy_schema_bytes
from tests.domain.policy.support import EXAMPLES, document

SCHEMA_FILE = EXAMPLES.parents[1] / "openapi" / "policy.schema.json"


def test_the_published_schema_is_that_of_the_models() -> None:
    """To write it anew: open('openapi/policy.schema.json','wb').write(policy_schema_bytes())."""
    assert SCHEMA_FILE.read_bytes() == policy_schema_bytes()


def plain(value: Any) -> Any:
    """Numbers as an editor's YAML reader has them."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | None) else float(value)


def test_the_examples_satisfy_the_schema_and_mistakes_do_not() -> None:
    validator = jsonschema_rs.Draft202012Validator(policy_schema())
    for file in EXAMPLES.glob("*.yaml"):
        tree = plain(load_policy(file.read_bytes()).tree.value)
        assert [error.message for error in validator.iter_errors(tree)] == [], file.name
    good = plain(load_policy(document()).tree.value)
    changes: tuple[dict[str, Any], ...] = (
        {"rules": []}, {"nonsense": 1}, {"policy": "v0"}, {"day_ends": "noon"},
        {"rules": [{**good["rules"][0], "refund_at": "soon"}]},
        {"rules": [{**good["rules"][0], "restocking_fee": 15}]},
        {"rules": [{**good["rules"][0], "when": {"colour": "red"}}]},
        {"rules": [{**good["rules"][0], "resolutions": {"refund": "30"}}]},
    )  # fmt: skip
    for change in changes:
        assert not validator.is_valid({**good, **change}), change


def test_the_schema_knows_every_field_of_the_document() -> None:
    assert set(policy_schema()["properties"]) == set(PolicyDocument.model_fields)
