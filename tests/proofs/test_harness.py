"""The proofs' own tools: the client retries like a real one, programs die and come back."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from proofs.harness.client import Client, GaveUp
from proofs.harness.programs import Program, wait_until
from proofs.harness.report import finish
from proofs.harness.stage import free_ports

from tests.support.patience import PATIENCE
from tests.support.receiver import Receiver, Reply, receiving

SLEEPER = "import signal, sys, time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def client(server: Receiver) -> AsyncIterator[Client]:
    async with Client([server.base_url]) as client:
        yield client


def answering(server: Receiver, *replies: Reply) -> None:
    """Answer with each in turn, then with the last for ever."""
    left = list(replies)
    server.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize("status", [429, 503])
async def test_what_asks_to_come_back_is_asked_again_with_the_same_key(
    server: Receiver, client: Client, status: int
) -> None:
    answering(server, Reply(status, (("retry-after", "0"),)), Reply(202))
    answer = await client.send("POST", "/v1/refunds", "token", {"amount": 1}, key="k1")
    assert (answer.status, answer.tries) == (202, 2)
    assert client.retried == {str(status): 1}
    assert client.seen == {202: 1}
    first, second = server.received
    assert first == second
    assert first.headers["idempotency-key"] == "k1"
    assert json.loads(first.body) == {"amount": 1}


async def test_a_lost_connection_is_tried_again_with_the_same_bytes(
    server: Receiver, client: Client
) -> None:
    answering(server, Reply(hang_up=True), Reply(202))
    answer = await client.send("POST", "/x", "token", {}, key="k1")
    assert (answer.status, answer.tries) == (202, 2)
    assert server.received[0] == server.received[1]


@pytest.mark.parametrize("status", [400, 409, 500, 502])
async def test_any_other_answer_is_final(server: Receiver, client: Client, status: int) -> None:
    answering(server, Reply(status))
    assert (await client.send("GET", "/x", "token")).status == status
    assert len(server.received) == 1


async def test_503_without_retry_after_is_final(server: Receiver, client: Client) -> None:
    answering(server, Reply(503))
    assert (await client.send("GET", "/x", "token")).status == 503


async def test_it_gives_up_in_time(server: Receiver, client: Client) -> None:
    answering(server, Reply(hang_up=True))
    with pytest.raises(GaveUp):
        await client.send("GET", "/x", "token", seconds=0.2)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    program = Program("sleeper", "sleeper", [], {}, tmp_path / "log", source=tmp_path)
    yield program
    program.kill()


def up(program: Program, times: int) -> bool:
    return program.log.read_text().count("up") == times


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_program_is_stopped_continued_killed_and_started_again(sleeper: Program) -> None:
    sleeper.start()
    wait_until(lambda: up(sleeper, 1), PATIENCE, "it did not start")
    sleeper.send(signal.SIGSTOP)
    wait_until(sleeper.stopped, PATIENCE, "it did not stand still")
    assert not sleeper.ended()
    sleeper.send(signal.SIGCONT)
    sleeper.kill()
    assert sleeper.code == -signal.SIGKILL
    sleeper.start()
    wait_until(lambda: up(sleeper, 2), PATIENCE, "it did not start again")
    assert sleeper.stop() == -signal.SIGTERM


def test_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_figures_come_last_and_decide_the_exit_code(
    capsys: pytest.CaptureFixture[str], ok: bool, code: int
) -> None:
    assert finish({"ok": ok, "answers": {"202": 1}}, as_json=True) == code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ok"] is ok
