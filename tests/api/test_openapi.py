"""The OpenAPI file: committed, complete, with an example at everything that can have one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from returns_api.api.errors import STATUS
from returns_api.app import create_app
from returns_api.cli.openapi import DEFAULT_FILE, render
from returns_api.config import Settings
from returns_api.domain.access import Scope

CAMEL = re.compile(r"[a-z]+([A-Z][a-z]+)*")
WITHOUT_BODY = {"202", "204"}
REFUSED_BY_STRICTNESS = {"400", "422", "503"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_committed_file_is_what_the_code_says(document: dict[str, Any]) -> None:
    assert DEFAULT_FILE.read_text(encoding="utf-8") == render(document), "Run: returns-api openapi"


def test_it_is_a_valid_openapi_3_1_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        )
        assert name


def test_every_pattern_means_the_same_to_everybody(document: dict[str, Any]) -> None:
    """JavaScript counts U+FEFF as a space and not U+0085, others the other way round; alike for
    letters, digits and the ends of words."""
    patterns = set(re.findall(r'"pattern": "((?:[^"\\\\]|\\\\.)*)"', json.dumps(document)))
    assert len(patterns) > 20
    assert [each for each in patterns if re.search(r"\\\\[sSwWdDbBpP]", each)] == []


def test_operation_ids_are_stable_names(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names) >= 60
    assert [name for name in names if not CAMEL.fullmatch(name)] == []


def test_every_operation_says_what_it_does_and_who_may(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        name = operation["operationId"]
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
        if path.startswith("/v1") and "x-scope" in operation:
            assert operation["x-scope"] in set(Scope), name
            assert operation["x-roles"], name
            assert operation["security"] == [{"bearer": []}], name
            assert {"401", "403"} <= set(operation["responses"]), name
        else:
            assert "security" not in operation, (method, path)


def test_everything_has_an_example(document: dict[str, Any]) -> None:
    missing = []
    for _, _, operation in operations(document):
        name = operation["operationId"]
        for parameter in operation.get("parameters", ()):
            if "example" not in parameter or not parameter.get("description"):
                missing.append(f"{name}: {parameter['name']}")
        for place, media in bodies(operation):
            if "example" not in media and "examples" not in media:
                missing.append(f"{name}: {place}")
    assert missing == []


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", media
    for status, answer in operation["responses"].items():
        for media in answer.get("content", {}).values():
            yield status, media


def test_every_example_is_valid(document: dict[str, Any]) -> None:
    whole = {"components": document["components"]}

    @cache  # most answers are one of a few shapes, and each compiles all that it refers to
    def validator(schema: str) -> Any:
        return jsonschema_rs.validator_for({**whole, **json.loads(schema)})

    for _, _, operation in operations(document):
        for place, media in bodies(operation):
            if "schema" not in media or "example" not in media:
                continue
            errors = validator(json.dumps(media["schema"])).iter_errors(media["example"])
            assert not (found := [str(one) for one in errors]), (
                operation["operationId"],
                place,
                found[:1],
            )
        for parameter in operation.get("parameters", ()):
            assert validator(json.dumps(parameter["schema"])).is_valid(parameter["example"]), (
                operation["operationId"],
                parameter["name"],
            )


def test_every_refusal_is_a_problem_and_documented(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        name, answers = operation["operationId"], operation["responses"]
        for status, answer in answers.items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
        if "x-scope" in operation:
            assert set(answers) >= REFUSED_BY_STRICTNESS, name
        if "requestBody" in operation and path.startswith("/v1/hooks") is False:
            assert {"413", "415"} <= set(answers), (name, method)
        if (
            any(p["in"] == "path" for p in operation.get("parameters", ()))
            and "x-scope" in operation
        ):
            assert {"404", "201"} & set(answers), name
    used = {s for _, _, operation in operations(document) for s in operation["responses"]}
    assert used >= {str(status) for status in STATUS.values()}


def test_keyed_operations_require_their_key(document: dict[str, Any]) -> None:
    keyed = {
        operation["operationId"]
        for _, _, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key" and parameter["required"]
    }
    assert keyed >= {"openReturn", "createRefund", "createReceipt", "createInspection"}


def test_inputs_are_closed_and_outputs_are_whole(document: dict[str, Any]) -> None:
    """Unknown fields are refused on the way in; on the way out every field is always there."""
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("In", "Patch")):
            assert schema["additionalProperties"] is False, name
        if name.endswith("Out"):
            assert set(schema.get("required", ())) == set(schema.get("properties", ())), name
