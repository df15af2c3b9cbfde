"""``returns-api orders import``: a file of order documents into a running service, by its API.

The command is a client like any other: it sends the file in parts of whole lines, starts the import
and follows it. Stopped in the middle, it goes on with ``--resume``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from returns_api.cli.output import AsJson, Failure, answer, reported, say
from returns_api.cli.policy_remote import Key, Url, ask, client, refusal
from returns_api.cli.progress import bar, follow

if TYPE_CHECKING:
    import httpx

IMPORTS: Final = "/v1/imports"
PART_BYTES: Final = 4 * 1024 * 1024
LONGEST_LINE: Final = 8 * 1024 * 1024
SHOWN: Final = 20
"""Bad lines on a terminal; ``--json`` has up to 1 000."""
SHOWN_JSON: Final = 1_000

orders = typer.Typer(name="orders", help="Orders in files.", no_args_is_help=True)


@orders.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Order documents, one a line.")],
    key: Key,
    url: Url = "http://127.0.0.1:8080",
    source: Annotated[
        str, typer.Option("--source", help="`api`, or the slug of a connected shop platform.")
    ] = "api",
    resume: Annotated[
        str | None, typer.Option("--resume", help="Go on with this import: imp_…")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", help="Most seconds to wait.")] = 86_400,
    as_json: AsJson = False,
) -> None:
    """Import orders. Exit code 1: some lines cannot be taken, or it failed."""
    with reported(as_json):
        with client(url, key) as http:
            if resume is None:
                run = ask(http, "POST", IMPORTS, {"source": source}).json()
                say(f"Import {run['id']}")
            else:
                run = ask(http, "GET", f"{IMPORTS}/{resume}").json()
            path = f"{IMPORTS}/{run['id']}"
            size = _send(http, path, file, run)
            ask(http, "POST", f"{path}/start", {"size": size})
            run = follow(http, path, "Importing", wait)
            problems = list(_problems(http, path))
        ok = run["state"] == "succeeded" and not run["rejected"]
        answer({"ok": ok, **run, "problems": problems}, _told(run, problems), as_json=as_json)
    if not ok:
        raise typer.Exit(1)


def _send(http: httpx.Client, path: str, file: Path, run: dict[str, Any]) -> int:
    """Send what is not there yet; the size of the whole file."""
    try:
        size = file.stat().st_size
        with file.open("rb") as lines, bar("Sending") as tell:
            if run["state"] == "open":
                lines.seek(run["size"])
                _parts(http, path, lines, lambda sent: tell(sent, size))
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error}") from None
    return size


def _parts(http: httpx.Client, path: str, lines: BinaryIO, tell: Callable[[int], None]) -> None:
    first = lines.tell()
    for part in _cut(lines):
        answered = http.post(
            f"{path}/parts?first_byte={first}",
            content=part,
            headers={"content-type": "application/x-ndjson"},
        )
        if not answered.is_success:
            raise Failure(refusal(answered))
        first += len(part)
        tell(first)


def _cut(lines: BinaryIO) -> Iterator[bytes]:
    """Parts of whole lines. Raises ``Failure`` for a line that no part can hold."""
    while True:
        part = lines.read(PART_BYTES)
        if part and not part.endswith(b"\n"):
            part += lines.readline(LONGEST_LINE - len(part))
        if not part:
            return
        yield part


def _problems(http: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    shown = 0
    while after is not None and shown < SHOWN_JSON:
        page = ask(http, "GET", f"{path}/problems?limit=100&after={after}").json()
        yield from page["items"]
        shown += len(page["items"])
        after = page["next_after"]


def _told(run: dict[str, Any], problems: list[dict[str, Any]]) -> str:
    lines = [
        f"line {each['line']}: {error['field'] or 'the line'}: {error['problem']}"
        for each in problems[:SHOWN]
        for error in each["errors"]
    ]
    counts = ", ".join(
        f"{run[name]} {name}" for name in ("created", "updated", "unchanged", "rejected")
    )
    lines.append(f"{run['id']} {run['state']}: {run['done']} lines, {counts}")
    if run["failure"] is not None:
        lines.append(run["failure"])
    return "\n".join(lines)
