"""Who runs the embedded server, and where its files may lie.

PostgreSQL refuses to run as root. Started by root it runs as another user (``nobody`` unless a
setting names one), which then has to reach its data folder and its programs. This module answers
those two questions; it never changes the mode of a folder that it did not make.
"""

from __future__ import annotations

import errno
import os
import pwd
import re
import secrets
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_USER: Final = "nobody"
# Places that every user can reach, for root only. The second survives a reboot, unlike /tmp.
SHARED_PLACES: Final = (Path("/var/lib/returns-api"), Path("/var/tmp/returns-api"))  # noqa: S108


class EmbeddedError(RuntimeError):
    """The embedded server cannot be used; the message is a plain sentence for the operator."""


@dataclass(frozen=True)
class Account:
    """The user a server process runs as; ``None`` numbers mean *whoever runs this process*."""

    name: str
    user: int | None = None
    group: int | None = None

    @property
    def argument(self) -> str:
        """The form that embedded_guard.py reads."""
        return "-" if self.user is None else f"{self.user}:{self.group}"

    def give(self, path: Path) -> None:
        """Make this user the owner of ``path`` (not of what lies inside)."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def choose_account(name: str | None) -> Account:
    """The user for the server processes; root never keeps its own rights.

    Raises: EmbeddedError when root names a user that does not exist, or root itself.
    """
    if os.geteuid() != 0:
        return Account(pwd.getpwuid(os.geteuid()).pw_name if name is None else name)
    try:
        entry = pwd.getpwnam(name or DEFAULT_USER)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL cannot run as root and there is no user {name or DEFAULT_USER!r} to run "
            "it as. Name one in RETURNS_API_EMBEDDED_USER or use RETURNS_API_DATABASE_URL."
        ) from None
    if entry.pw_uid == 0:
        raise EmbeddedError("PostgreSQL refuses to run as root; name another user.")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(
    account: Account, argv: list[str], *, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` as ``account`` to its end, with a clean environment.

    Raises: EmbeddedError when this process may not change users.
    """
    extra_groups: list[int] | None = None if account.user is None else []
    try:
        return subprocess.run(  # noqa: S603 - argv is ours, no shell
            argv,
            user=account.user,
            group=account.group,
            extra_groups=extra_groups,
            cwd="/",
            env=clean_environment() if environment is None else environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        if error.errno == errno.EPERM and account.user is not None:
            raise EmbeddedError(
                f"This process is root but may not become {account.name!r} to run PostgreSQL. "
                "Start it as an ordinary user, or use RETURNS_API_DATABASE_URL."
            ) from None
        return subprocess.CompletedProcess(argv, 127, "", f"{argv[0]}: {error.strerror}")


def clean_environment() -> dict[str, str]:
    """What a server process sees: no PG* variables, no locale and no time zone of the caller."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


def can_reach(account: Account, folder: Path) -> bool:
    """Whether ``account`` can enter ``folder`` by its path; asked of the system, not guessed."""
    if account.user is None:
        return os.access(folder, os.X_OK)
    return run_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]).returncode == 0


def cluster_home(data_dir: Path, account: Account) -> Path:
    """The folder beside which everything of one embedded server lies.

    That is ``data_dir`` itself where the server's user can reach it. Otherwise (root's home is
    closed to others, mode 0700, and stays so) a new folder under /var/lib/returns-api, which
    ``data_dir/postgres`` then points to, so that it is found again and by the eye.
    """
    link = data_dir / "postgres"
    if link.is_symlink():
        return _checked(link, account)
    make_folder(data_dir, 0o700 if account.user is None else 0o711)
    if can_reach(account, data_dir):
        return data_dir
    label = re.sub(r"[^A-Za-z0-9]+", "-", str(data_dir.resolve()))[-40:].strip("-")
    home = shared_place() / f"{label}-{secrets.token_hex(4)}"
    make_folder(home, 0o711)
    link.symlink_to(home)
    return home


def _checked(link: Path, account: Account) -> Path:
    home = link.resolve()
    if not home.is_dir():
        raise EmbeddedError(
            f"{link} points to {home}, which is gone. Put it back, or remove {link} to begin "
            "with an empty database."
        )
    if not can_reach(account, home):
        raise EmbeddedError(f"The user {account.name!r} cannot reach {home}.")
    return home


def shared_place() -> Path:
    """A folder of root's that every user can enter.

    Raises: EmbeddedError when none can be made.
    """
    for place in SHARED_PLACES:
        try:
            make_folder(place, 0o755)
        except OSError:
            continue
        status = place.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            return place
    names = " or ".join(str(place) for place in SHARED_PLACES)
    raise EmbeddedError(f"Cannot make a folder that the database server's user reaches: {names}.")


def make_folder(path: Path, mode: int) -> None:
    """Make ``path`` with exactly ``mode`` whatever the umask; an existing one is left alone."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    path.chmod(mode)
