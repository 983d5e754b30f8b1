"""Read the installation's environment once: real variables, then `.env`, then generated secrets.

A real environment variable always wins. `.env` is the file a person writes; `var/secrets.env` is the
one a local installation writes for itself, so that a first start asks nobody for a key.
"""

import os
import secrets
import tempfile
from functools import cache
from pathlib import Path

import environ
from cryptography.fernet import Fernet

from profitpeek.production import refusals

BASE_DIR = Path(__file__).resolve().parent.parent
GENERATED = ("SECRET_KEY", "FIELD_KEYS")


class EnvironmentUnusable(Exception):
    """Say which file of the installation cannot be read or written, and what to do about it."""


@cache
def load() -> environ.Env:
    """Complete `os.environ` from the installation's files, refuse what is unsafe, and return the reader of it."""
    read_env_file(Path(os.environ.get("PROFITPEEK_ENV_FILE", BASE_DIR / ".env")))
    if found := refusals(os.environ):
        raise EnvironmentUnusable("ProfitPeek does not start like this:\n" + "\n".join(f"- {each}" for each in found))
    if is_local():
        supply_secrets(var_dir() / "secrets.env")
    return environ.Env()


def load_for_web_server() -> None:
    """Complete `os.environ` likewise, and refuse to serve without a database's address.

    Whoever joins the embedded server must leave it again, which a web server's processes cannot be relied on for.
    """
    load()
    if not os.environ.get("DATABASE_URL"):
        raise EnvironmentUnusable("DATABASE_URL is not set. Name a database, or start `manage.py serve`, which has its own.")


def is_local() -> bool:
    """Tell whether this is somebody's own machine, where missing secrets may be generated."""
    return (os.environ.get("PROFITPEEK_ENV") or "local") != "production"


def var_dir() -> Path:
    """Return the folder of everything the installation writes, made when missing."""
    folder = Path(os.environ.get("PROFITPEEK_VAR") or BASE_DIR / "var").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentUnusable(
            f"The folder {folder} cannot be made ({error.strerror}). Make it writable for this user, or name another one in PROFITPEEK_VAR."
        ) from error
    return folder


def read_env_file(path: Path) -> None:
    """Take over the variables of one file that the real environment does not set."""
    # The null device is how a caller says "no file"; is_file() is false for it.
    if not path.is_file():
        return
    if not os.access(path, os.R_OK):
        raise EnvironmentUnusable(f"{path} cannot be read by this user. Give it read permission, or remove it.")
    environ.Env.read_env(str(path), overwrite=False)


def supply_secrets(path: Path) -> None:
    """Fill in the keys nobody has set, from a private file written on first use."""
    if all(os.environ.get(name) for name in GENERATED):
        return
    if not path.exists():
        _write_secrets(path)
    # An empty variable (`SECRET_KEY=` copied from the example) means "not given", as for a person.
    for name in GENERATED:
        if not os.environ.get(name):
            os.environ.pop(name, None)
    read_env_file(path)


def _write_secrets(path: Path) -> None:
    """Write new keys so that of several first starts exactly one set survives."""
    lines = f"SECRET_KEY={secrets.token_urlsafe(48)}\nFIELD_KEYS={Fernet.generate_key().decode()}\n"
    try:
        # mkstemp makes the file with mode 0600.
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")
    except OSError as error:
        raise EnvironmentUnusable(
            f"The keys of this installation cannot be written to {path} ({error.strerror}). "
            "Make the folder writable, or set SECRET_KEY and FIELD_KEYS."
        ) from error
    try:
        with os.fdopen(handle, "w") as file:
            file.write(lines)
            file.flush()
            # Losing these keys to a power cut would make sealed credentials unreadable.
            os.fsync(file.fileno())
        # Unlike a rename, a link never replaces the keys another process has just written.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
