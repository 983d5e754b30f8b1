"""Choose the system account a server runs as, because PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from profitpeek.embedded_postgres.errors import NotPermitted

SERVER_USER = "pgserver"


class ProcessOptions(TypedDict, total=False):
    """Name the arguments of `subprocess` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Be the user and group that own a cluster and run its server."""

    uid: int
    gid: int

    @property
    def is_another(self) -> bool:
        """Tell whether processes have to change user for it."""
        return self.uid != os.geteuid()

    @property
    def process_options(self) -> ProcessOptions:
        """Return what makes a child process run as this account, without our groups."""
        if not self.is_another:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path | int) -> None:
        """Make this account the owner of a file of the cluster."""
        if self.is_another:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Try whether the account can enter and list a folder, whatever the file system's rules are."""
        if not self.is_another:
            return os.access(folder, os.R_OK | os.X_OK)
        script = 'cd -- "$1" && test -r .'
        return self.succeeds(["/bin/sh", "-c", script, "sh", str(folder)])

    def succeeds(self, command: list[str]) -> bool:
        """Tell whether a command can be run as this account and ends well."""
        try:
            tried = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
                check=False,
                **self.process_options,
            )
        except OSError:
            return False
        return tried.returncode == 0


def account_for(data: Path) -> Account:
    """Return the account for a data folder: ourselves, or as root its owner or the server's user."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid())
    try:
        owner = data.stat()
    except FileNotFoundError:
        return _server_account()
    if owner.st_uid == 0:
        return _server_account()
    return Account(uid=owner.st_uid, gid=owner.st_gid)


def _server_account() -> Account:
    """Return the server's own system user, made when it is missing."""
    entry = _find(SERVER_USER)
    if entry is None:
        _make(SERVER_USER)
        entry = _find(SERVER_USER)
    if entry is None:
        raise NotPermitted(
            f"PostgreSQL does not run as root, and a system user {SERVER_USER!r} could not be made.",
            remedy=f"Make it with `useradd --system {SERVER_USER}`, start ProfitPeek as an ordinary user, "
            "or set DATABASE_URL to a PostgreSQL of your own.",
        )
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str) -> None:
    """Add a system user; that another process was quicker shows in the look-up that follows."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if useradd := shutil.which("useradd", path=path):
        command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", name]
    elif adduser := shutil.which("adduser", path=path):  # BusyBox
        command = [adduser, "-S", "-D", "-H", "-s", "/bin/false", name]
    else:
        return
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
