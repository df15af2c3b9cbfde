"""``returns-api demo``: one return that goes the whole way over HTTP, each step with its time.

It uses the server that runs with the same data folder, or starts one of its own for as long. With
``--all`` many returns go every way there is (``demo_stories``), each in a shop of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from returns_api.cli import demo_stories, runfile
from returns_api.cli.children import Child, Program, stop_together
from returns_api.cli.output import AsJson, Failure, answer, load_settings, reported, say
from returns_api.cli.stack import free_port
from returns_api.config import Settings

START_SECONDS: Final = 360.0
"""The first start makes a database and compiles everything."""
STOP_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.1

DataDir = Annotated[Path | None, typer.Option(help="Folder of the server to use or to start.")]
Every = Annotated[bool, typer.Option("--all", help="Tell every story instead, on a server apart.")]
Stories = Annotated[list[str] | None, typer.Option("--story", help="Tell only stories so named.")]


def demo(
    data_dir: DataDir = None, every: Every = False, story: Stories = None, as_json: AsJson = False
) -> None:
    """Walk one return from the shop's order to the settled refund, over HTTP."""
    with reported(as_json):
        settings = load_settings(data_dir=data_dir)
        if settings.production:
            raise Failure("The demo makes orders and moves the built-in bank's money: not here.")
        settings = settings.with_(data_dir=settings.data_dir.absolute())
        if every or story:
            with demo_stories.apart(settings) as own, _server(own, "--no-demo") as facts:
                result = demo_stories.tell(own, facts, story)
            answer(result, demo_stories.summary(result), as_json=as_json)
        else:
            with _server(settings) as facts:
                result = asyncio.run(_walk(facts))
            answer(result, _table(result), as_json=as_json)
    if not result["ok"]:
        raise typer.Exit(1)


@contextmanager
def _server(settings: Settings, *words: str) -> Iterator[Mapping[str, Any]]:
    """The facts of the running server, or of one that lives as long as the block, started with
    further ``words``."""
    running = runfile.read_running(settings.data_dir)
    if running is not None:
        yield running
        return
    say("No server runs with this data folder: starting one.")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    child = _start(settings, *words)
    try:
        yield _await_ready(child, settings.data_dir)
    finally:
        stop_together([child])


def _start(settings: Settings, *more: str) -> Child:
    port = free_port(settings.host, settings.port)
    words = ["up", "--json", "--data-dir", str(settings.data_dir), "--port", str(port), *more]
    variables = settings.environment_variables()
    program = Program("server", "returns_api.cli", words, variables, STOP_SECONDS)
    return Child(program, settings.data_dir / "demo-server.log")


def _await_ready(child: Child, data_dir: Path) -> Mapping[str, Any]:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if child.ended() is not None:
            raise Failure(f"The server did not start:\n{child.last_words()}")
        facts = runfile.read_running(data_dir)
        if facts is not None:
            return facts
        time.sleep(_POLL_SECONDS)
    raise Failure(f"The server was not ready within {START_SECONDS:.0f} s.")


async def _walk(facts: Mapping[str, Any]) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 - other commands start faster

    from returns_api.demo.calls import StepFailed  # noqa: PLC0415
    from returns_api.demo.flow import journey  # noqa: PLC0415
    from returns_api.demo.target import Target  # noqa: PLC0415

    begun = time.perf_counter()
    result: dict[str, Any] = {"ok": False, "url": facts["url"]}
    try:
        async with journey(Target.of(facts)) as walk:
            try:
                result |= await walk.walk()
                result["ok"] = True
            finally:
                result["steps"] = [
                    {"step": step.name, "ms": step.ms, "note": step.note} for step in walk.seen
                ]
    except (StepFailed, httpx.HTTPError) as failed:
        result |= {"ok": False, "error": str(failed) or type(failed).__name__}
    result["total_ms"] = round((time.perf_counter() - begun) * 1000)
    return result


def _table(result: Mapping[str, Any]) -> str:
    """The steps with their times, then the figures."""
    steps = result.get("steps", [])
    width = max((len(step["step"]) for step in steps), default=0)
    lines = [f"{'ms':>7}  step"]
    lines += [f"{step['ms']:>7}  {step['step']:<{width}}  {step['note']}" for step in steps]
    lines.append(f"{result['total_ms']:>7}  in all")
    if not result["ok"]:
        return "\n".join([*lines, f"Failed at {result['error']}"])
    moved = f"{result['bank_movements']} movement of {result['bank_refunded_minor']}"
    lines.append(
        f"The bank made {moved} minor units, {result['expected_minor']} were quoted; "
        f"{result['webhooks_verified']} webhooks verified."
    )
    return "\n".join(lines)
