"""A signal at any moment, in the middle of another one's handler too, stops what it is sent to."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE

PROGRAM = """
import os, signal, sys
from returns_api.cli.stopping import Stopping

stopping, left = Stopping.by_signals(), 100

def storm(*_):
    global left
    if left:
        left -= 1
        os.kill(os.getpid(), (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)[left % 3])

print(stopping.is_set())
sys.setprofile(storm)  # a signal at every call and return, in waiting and in the handlers
seen = stopping.wait(60)
sys.setprofile(None)
print(left < 98, seen, stopping.wait(0), stopping.is_set())
"""


def test_a_storm_of_signals_stops_it_once() -> None:
    """With ``threading.Event`` the next signal met the lock that the handler of one held."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.returncode) == ("False\nTrue True True True\n", 0), done.stderr


SERVER = """
import os, signal, socket, sys
import uvicorn
from returns_api.cli.serve import heed_signals

async def app(scope, receive, send):
    raise AssertionError

server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
heed_signals(server)
os.kill(os.getpid(), int(sys.argv[1]))
with socket.create_server(("127.0.0.1", 0)) as listener:
    server.run(sockets=[listener])
print("cleaned up")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_heeds_a_signal_that_comes_just_before_it_runs(number: int) -> None:
    """It was taken for one that was heeded already: the server ran on until it was killed."""
    command = [sys.executable, "-c", SERVER, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.returncode) == ("cleaned up\n", 0), done.stderr
