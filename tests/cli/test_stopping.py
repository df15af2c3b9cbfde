"""A signal at any moment, in the middle of another one's handler too, is no deadlock."""

from __future__ import annotations

import subprocess
import sys

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
