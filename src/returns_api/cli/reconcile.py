"""``returns-api reconcile``: our books beside a provider's, on a running service, by its API.

The command is a client like any other: it asks for the comparison or sends the settlement file,
follows the work, and tells what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from returns_api.cli.output import AsJson, Failure, answer, reported
from returns_api.cli.policy_remote import Key, Url, ask, client
from returns_api.cli.progress import follow

if TYPE_CHECKING:
    import httpx

PATH: Final = "/v1/reconciliations"
SHOWN_MAX: Final = 1_000
"""Differences that are printed; the rest is counted in the report."""


def reconcile(
    key: Key,
    source: Annotated[str, typer.Argument(help="The connection's slug.")],
    url: Url = "http://127.0.0.1:8080",
    statement: Annotated[
        Path | None, typer.Option("--statement", help="A settlement file instead of the list.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="From then on: 2026-10-17T00:00:00Z.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="The file covers the time to then; else to now.")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", help="Most seconds to wait for the end.")] = 3600,
    as_json: AsJson = False,
) -> None:
    """Compare the books of a payment account. Exit code 1: a person has to look, or it failed."""
    with reported(as_json):
        body: dict[str, Any] = {"source": source}
        if since is not None:
            body["since"] = since
        path = PATH
        if statement is not None:
            path, body["statement"] = f"{PATH}/statements", _text(statement)
            if until is not None:
                body["until"] = until
        with client(url, key) as http:
            run_id = ask(http, "POST", path, body).json()["id"]
            run = follow(http, f"{PATH}/{run_id}", "Comparing", wait)
            found = list(_differences(http, run["id"]))
        open_ = [each for each in found if not each["applied"] and each["proposal"] != "wait"]
        ok = run["state"] == "succeeded" and not open_
        answer({"ok": ok, **run, "differences": found}, _told(run, found), as_json=as_json)
    if not ok:
        raise typer.Exit(1)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file} cannot be read: {error}") from None


def _differences(http: httpx.Client, run_id: str) -> Iterator[dict[str, Any]]:
    cursor, shown = "", 0
    while shown < SHOWN_MAX:
        path = f"{PATH}/{run_id}/differences?limit=100{cursor}"
        page = ask(http, "GET", path).json()
        yield from page["items"]
        shown += len(page["items"])
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def _told(run: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """The result for a person."""
    lines = [
        f"{each['subject']} {each['external_id'] or each['transfer']}: {each['kind']},"
        f" {'done' if each['applied'] else 'to do'}: {each['proposal']}"
        for each in found
    ]
    head = f"{run['state']}: {run['done']} movements compared, {len(found)} differ"
    return "\n".join([*lines, head if run["failure"] is None else f"{head} ({run['failure']})"])
