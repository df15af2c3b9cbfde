"""The embedded PostgreSQL: what it promises about folders, users, kills and second processes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from returns_api.db.embedded import EmbeddedError, EmbeddedPostgres
from returns_api.db.embedded_account import choose_account, cluster_home
from returns_api.db.embedded_binaries import find_binaries, within_reach
from returns_api.db.embedded_cluster import Cluster
from returns_api.db.embedded_lock import FolderLock
from tests.support.patience import PATIENCE
from tests.support.postgres import PREFIX, THROW_AWAY, memory_or_temp, run_apart

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="only root changes users")

# A parent that writes rows one by one, says which are acknowledged, and never stops by itself.
WRITER = """
import asyncio, sys
from pathlib import Path
import asyncpg
from returns_api.db.embedded import EmbeddedPostgres

async def main():
    connection = await asyncpg.connect(server.url())
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (n bigint PRIMARY KEY)")
    start = await connection.fetchval("SELECT coalesce(max(n), 0) FROM kept")
    for n in range(start + 1, start + 1_000_000):
        await connection.execute("INSERT INTO kept VALUES ($1)", n)
        print(n, flush=True)

server = EmbeddedPostgres(Path(sys.argv[1])).start()
asyncio.run(main())
"""

ASK = """
import asyncio, sys
from pathlib import Path
import asyncpg
from returns_api.db.embedded import EmbeddedPostgres

async def main():
    connection = await asyncpg.connect(server.url())
    print(server.owned, await connection.fetchval("SELECT 42"))
    await connection.close()

server = EmbeddedPostgres(Path(sys.argv[1])).start()
asyncio.run(main())
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can reach, unlike pytest's own (0700) under root."""
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=memory_or_temp()))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def disk_folder() -> Iterator[Path]:
    """The same on a real disk, where durability means something."""
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/var/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def quick(folder: Path, **more: str | None) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, options=THROW_AWAY, sync=False, **more)


def ask(server: EmbeddedPostgres, question: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(server.url())
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return run_apart(fetch())


def postmaster_pid(home: Path) -> int:
    return int((home / "pg18" / "postmaster.pid").read_text().split()[0])


def gone(pid: int, seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_rows_are_there_after_a_stop_and_a_start(folder: Path) -> None:
    with quick(folder) as server:
        ask(server, "CREATE TABLE t AS SELECT 7 AS n")
    assert not server.owned
    with quick(folder) as server:
        assert ask(server, "SELECT n FROM t") == 7


def test_sorting_is_postgres_own_and_time_is_utc(folder: Path) -> None:
    with quick(folder) as server:
        row = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'"
        assert ask(server, row) == "bC.UTF-8"
        assert ask(server, "SHOW timezone") in {"UTC", "Etc/UTC"}
        assert ask(server, "SHOW listen_addresses") == ""


def test_the_data_folder_and_the_socket_are_closed_to_others(folder: Path) -> None:
    with quick(folder):
        for name in ("pg18", "socket"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700


def test_an_address_before_the_start_is_refused(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="not started"):
        quick(folder).url()


def test_a_second_object_shares_the_server_and_leaves_it_running(folder: Path) -> None:
    with quick(folder) as first:
        with quick(folder) as second:
            assert not second.owned
            assert second.url() == first.url()
        assert ask(first, "SELECT 1") == 1


def test_a_second_process_shares_the_server_and_leaves_it_running(folder: Path) -> None:
    with quick(folder) as server:
        answer = subprocess.run(
            [sys.executable, "-c", ASK, str(folder)], capture_output=True, text=True, check=True
        )
        assert answer.stdout.split() == ["False", "42"]
        assert ask(server, "SELECT 1") == 1


def test_of_processes_that_start_at_once_one_owns_and_all_are_served(folder: Path) -> None:
    with quick(folder):
        pass  # the cluster is made, so that all three arrive at the same moment
    hold = ASK.replace("server.stop()", "sys.stdout.flush(); sys.stdin.read(); server.stop()")
    pipe = subprocess.PIPE
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", hold, str(folder)], stdin=pipe, stdout=pipe, text=True
        )
        for _ in range(3)
    ]
    answers = [starter.stdout.readline().strip() for starter in starters if starter.stdout]
    for starter in starters:
        starter.communicate(timeout=PATIENCE)  # closes its input, which lets it go
    assert sorted(answers) == ["False 42", "False 42", "True 42"]


def test_kill_9_of_the_owner_stops_the_server_and_keeps_every_acknowledged_row(
    disk_folder: Path,
) -> None:
    for _ in range(2):
        acknowledged, pid = write_until_killed(disk_folder)
        # Started at once, while the old server may still be going down: it must not be shared.
        with EmbeddedPostgres(disk_folder) as server:
            assert server.owned
            assert gone(pid)
            highest = ask(server, "SELECT max(n) FROM kept")
            assert isinstance(highest, int)
            assert highest >= acknowledged
            assert ask(server, "SELECT count(*) FROM kept") == highest


def write_until_killed(folder: Path) -> tuple[int, int]:
    """Kill -9 a writing parent; returns the last row it acknowledged and the server's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(100)]
        pid = postmaster_pid(folder)
        writer.kill()
        lines += [line for line in writer.stdout if line.endswith("\n")]
    return int(lines[-1]), pid


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the guard by /proc")
def test_a_server_whose_guard_was_killed_too_is_ended_by_the_next_owner(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        pid = postmaster_pid(folder)
        guard = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(guard, signal.SIGKILL)
        owner.kill()
    os.kill(pid, 0)  # still there: nobody was left to stop it
    with quick(folder) as server:
        assert server.owned
        assert gone(pid)


def test_a_lock_is_released_whoever_was_forked_meanwhile(folder: Path) -> None:
    lock = FolderLock.wait(folder / "lock")
    os.set_inheritable(lock._handle, True)  # as between a fork and the program that follows
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False):
        lock.release()
        again = FolderLock.try_take(folder / "lock")
        assert again is not None
    again.release()


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(folder: Path) -> None:
    with quick(folder):
        text = (folder / "pg18" / "postmaster.pid").read_text().splitlines()
    stale = folder / "pg18" / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *text[1:]]) + "\n")
    with quick(folder) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_half_made_cluster_is_thrown_away(folder: Path) -> None:
    half = folder / "new-pg18-0000"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with quick(folder):
        assert not half.exists()


@pytest.mark.parametrize("name", ["pg17", "pg18"])
def test_a_cluster_of_another_version_is_refused_in_plain_words(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 17, but the programs found are 18"):
        quick(folder).start()
    assert not (folder / "postgres.owner.lock").read_text()
    assert [path.name for path in folder.glob("pg*") if path.is_dir()] == [name]


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_behind(folder: Path) -> None:
    server = EmbeddedPostgres(folder, options={"max_connections": "none"}, sync=False)
    with pytest.raises(EmbeddedError, match="invalid value for parameter"):
        server.start()
    assert not server.owned
    with quick(folder) as again:
        assert again.owned


def test_a_long_and_odd_path_gets_a_short_socket(folder: Path) -> None:
    odd = folder / ("a folder with spaces & ünïcode " + "x" * 100)
    with quick(odd) as server:
        assert ask(server, "SELECT 1") == 1
        sockets = Path(server.url().rpartition("host=")[2])
        assert sockets.parent == Path("/tmp")
    shutil.rmtree(sockets)


def test_an_odd_path_that_is_short_enough_keeps_its_socket(folder: Path) -> None:
    with quick(folder / "a & b") as server:
        assert ask(server, "SELECT 1") == 1
        assert (folder / "a & b" / "socket" / ".s.PGSQL.5432").is_socket()


def test_alive_tells_when_the_server_is_gone(folder: Path) -> None:
    with quick(folder) as server:
        assert server.alive()
        os.kill(postmaster_pid(folder), signal.SIGQUIT)
        end = time.monotonic() + PATIENCE
        while server.alive() and time.monotonic() < end:
            time.sleep(0.01)
        assert not server.alive()


def test_a_folder_without_programs_is_named(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="has no initdb and no postgres"):
        quick(folder, programs=str(folder)).start()


@pytest.mark.parametrize("found", sorted(Path("/usr/lib/postgresql").glob("1[5-9]/bin")) or [None])
def test_the_system_s_own_programs_work_too(folder: Path, found: Path | None) -> None:
    if found is None:
        pytest.skip("no PostgreSQL of the system is installed")
    with quick(folder, programs=str(found)) as server:
        assert (folder / f"pg{found.parent.name}").is_dir()
        assert str(ask(server, "SHOW server_version")).startswith(found.parent.name)
        assert (
            ask(server, "SELECT pg_encoding_to_char(encoding) FROM pg_database LIMIT 1") == "UTF8"
        )


@only_root
@pytest.mark.parametrize(("user", "words"), [("no-such-user", "no user"), ("root", "refuses")])
def test_root_cannot_name_a_user_that_will_not_do(user: str, words: str) -> None:
    with pytest.raises(EmbeddedError, match=words):
        choose_account(user)


@only_root
def test_the_server_does_not_run_as_root(folder: Path) -> None:
    with quick(folder):
        assert Path(f"/proc/{postmaster_pid(folder)}").stat().st_uid != 0


@only_root
def test_a_closed_folder_stays_closed_and_the_cluster_is_found_again(folder: Path) -> None:
    closed = folder / "home"
    closed.mkdir(mode=0o700)
    data = closed / "shop" / ".data"
    with quick(data) as server:
        ask(server, "CREATE TABLE t AS SELECT 7 AS n")
    home = (data / "postgres").resolve()
    try:
        with quick(data) as server:
            assert ask(server, "SELECT n FROM t") == 7
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert home.is_relative_to("/var")
        assert (home / "pg18").is_dir()
    finally:
        shutil.rmtree(home)
    with pytest.raises(EmbeddedError, match="which is gone"):
        quick(data).start()


@only_root
def test_programs_in_a_closed_folder_are_linked_to_an_open_one(disk_folder: Path) -> None:
    package = find_binaries(choose_account(None)).folder.parent.parent
    closed = disk_folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package, closed / package.name, copy_function=_link)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, closed / libraries.name, copy_function=_link)
    programs = closed / package.name / "pginstall" / "bin"
    with quick(disk_folder / "data", programs=str(programs)) as server:
        assert ask(server, "SELECT 1") == 1
        assert server.binaries is not None
        assert server.binaries.folder == within_reach(programs)
        assert server.binaries.folder.is_relative_to("/var")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@only_root
def test_a_home_that_was_placed_is_used_again(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    account = choose_account(None)
    home = cluster_home(closed / "data", account)
    try:
        assert cluster_home(closed / "data", account) == home
        assert Cluster.running_in(home) is None
    finally:
        home.rmdir()
