"""Decide where a cluster lives, and name the files in that folder."""

import hashlib
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from profitpeek.embedded_postgres.account import Account, account_for
from profitpeek.embedded_postgres.errors import DataMissing, NotPermitted, WrongVersion
from profitpeek.embedded_postgres.flavours import MAJOR_VERSION
from profitpeek.embedded_postgres.programs import make_open_folder

# A socket's whole path has to fit in 104 bytes (macOS; 108 on Linux), its lock file's name included.
_SOCKET_FOLDER_LIMIT = 80
# PostgreSQL takes a list of socket folders, in which commas and quotes mean something.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")


@dataclass(frozen=True)
class Home:
    """Be the folder of one cluster."""

    folder: Path

    @property
    def data(self) -> Path:
        """Return the server's data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Return the file that receives what the server has to say."""
        return self.folder / "server.log"

    @property
    def users_lock(self) -> Path:
        """Return the lock every user of the server shares, and the last one owns while stopping it."""
        return self.folder / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Return the lock under which one process at a time makes or starts the server."""
        return self.folder / "start.lock"

    @property
    def server_lock(self) -> Path:
        """Return the lock the server's processes inherit: held means that one of them is alive."""
        return self.folder / "server.lock"

    @property
    def socket_folder(self) -> Path:
        """Return the folder of the socket, beside the data unless that path is too long or too odd."""
        near = self.folder / "socket"
        if len(os.fsencode(near)) <= _SOCKET_FOLDER_LIMIT and _PLAIN_PATH.fullmatch(str(near)):
            return near
        # Always /tmp and never $TMPDIR: every user has to come to the same answer.
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path("/tmp") / f"profitpeek-{digest}"  # noqa: S108 - owner and mode are checked before use

    def make_socket_folder(self, account: Account) -> None:
        """Make the socket's folder, private to the server's account."""
        folder = self.socket_folder
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            account.give(folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
            raise NotPermitted(
                f"{folder} is needed for the database's socket but belongs to somebody else.",
                remedy="Remove it and start again.",
            )
        folder.chmod(0o700)

    def check_version(self) -> None:
        """Refuse data that another major version of PostgreSQL has made."""
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR_VERSION):
            raise WrongVersion(
                f"The data in {self.data} was made by PostgreSQL {found}; this release runs PostgreSQL {MAJOR_VERSION}.",
                remedy="Go back to the release that made it and run `make backup`; then move the folder "
                f"{self.folder} away, start this release and restore the backup with pg_restore.",
            )


def settle(folder: Path) -> tuple[Home, Account]:
    """Return the home of the cluster that belongs in a folder, and the account that runs it.

    They are the folder itself and its user, except for root in a place that is closed to the server's
    user: then the cluster lives under /var/lib, and a note in the folder says where.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotPermitted(
            f"The folder {folder} for the embedded database cannot be made ({error.strerror}).",
            remedy="Make its parent writable, name another place in PROFITPEEK_VAR, or set DATABASE_URL.",
        ) from error
    # The kernel's name of the folder, so that a link to it is the same cluster.
    folder = folder.resolve()
    note = folder / "location"
    if note.exists():
        home = Home(Path(note.read_text().strip()))
        if not home.folder.is_dir():
            raise DataMissing(
                f"{note} says that the database is in {home.folder}, which does not exist.",
                remedy=f"Bring that folder back, or remove {note} to begin with an empty database.",
            )
        return home, account_for(home.data)
    home = Home(folder)
    account = account_for(home.data)
    if account.can_enter(folder):
        return home, account
    if home.data.exists():
        raise NotPermitted(
            f"The server's user (id {account.uid}) can no longer enter {folder}, where its data is.",
            remedy="Let every user enter the folders above it (chmod o+x), or start ProfitPeek as their owner.",
        )
    return _elsewhere(folder, note), account


def _elsewhere(folder: Path, note: Path) -> Home:
    """Make a home that the server's user can enter, and leave a note where it is."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    home = Home(make_open_folder() / digest)
    home.folder.mkdir(exist_ok=True)
    home.folder.chmod(0o755)
    draft = note.with_name(f"{note.name}.{os.getpid()}")
    draft.write_text(f"{home.folder}\n")
    draft.rename(note)
    sys.stderr.write(f"The server's user cannot enter {folder}; the database is kept in {home.folder}.\n")
    return home
