"""``returns-api policy publish``: a document into a running service, by its API.

The command is a client like any other: it drafts, has it checked, shows the findings and publishes
exactly what was checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from returns_api.cli.output import AsJson, Failure, answer, reported, say
from returns_api.cli.policy_files import Unreadable, finding_line, read_bytes, understood

if TYPE_CHECKING:
    import httpx

SECONDS: Final = 60.0
"""A large document takes seconds to check, and others may be in line."""

Url = Annotated[
    str, typer.Option("--url", envvar="RETURNS_API_PUBLIC_URL", help="Where the service answers.")
]
Key = Annotated[
    str,
    typer.Option(
        "--key", envvar="RETURNS_API_KEY", help="An admin key; best given by the variable."
    ),
]


def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The document, YAML or JSON.")],
    key: Key,
    url: Url = "http://127.0.0.1:8080",
    effective_from: Annotated[
        str | None,
        typer.Option("--from", help="Orders placed from then on: 2027-01-01T00:00:00Z; else now."),
    ] = None,
    acknowledge: Annotated[
        str | None, typer.Option("--acknowledge", help="Why its warnings are right all the same.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draft, check and publish a document. Exit code 1: it was not published."""
    with reported(as_json), understood(as_json):
        source = _text(file)
        with client(url, key) as http:
            draft = ask(http, "POST", "/v1/admin/policies", {"source": source}).json()
            path = f"/v1/admin/policies/{draft['id']}"
            checked = ask(http, "POST", f"{path}/check")
            for finding in checked.json()["findings"]:
                say(finding_line(file, finding))
            seen = {"if-match": checked.headers["etag"]}
            body = {"effective_from": effective_from, "acknowledge": acknowledge}
            done = ask(http, "POST", f"{path}/publish", body, seen).json()
        answer(
            {
                "ok": True,
                "policy_version": done["id"],
                "number": done["number"],
                "digest": done["digest"],
                "effective_from": done["effective_from"],
                "counts": done["counts"],
            },
            f"Version {done['number']} ({done['id']}) judges orders placed from "
            f"{done['effective_from']} on.",
            as_json=as_json,
        )


def _text(file: Path) -> str:
    try:
        return read_bytes(file).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(file, "it is not text in UTF-8.") from None


def client(url: str, key: str) -> httpx.Client:
    """Calls with a key. Raises ``Failure`` for an address that is none."""
    import httpx  # noqa: PLC0415 - commands without the network start faster

    try:
        return httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=SECONDS
        )
    except (httpx.InvalidURL, ValueError):
        raise Failure("The address or the key cannot be used.") from None


def ask(
    http: httpx.Client,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """An answer that is one. Raises ``Failure`` with what the service says."""
    import httpx  # noqa: PLC0415

    try:
        answered = http.request(method, path, json=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failure(f"{http.base_url}: {error or type(error).__name__}") from None
    if answered.is_success:
        return answered
    raise Failure(refusal(answered))


def refusal(answered: httpx.Response) -> str:
    """The problem document as lines."""
    try:
        problem = answered.json()
        lines = [f"{problem['code']}: {problem['detail']}"]
        lines += [finding_line("the policy", one) for one in problem.get("findings", ())]
        lines += [f"  {one['field']}: {one['problem']}" for one in problem.get("errors", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"The service answered {answered.status_code}, and not as this service does."
    return "\n".join(lines)
