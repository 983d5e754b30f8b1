"""Take files as a person would, and undo them."""

from datetime import datetime
from pathlib import Path

from connectors.files.imports import new_import
from connectors.files.kind import FileKind, Found, Undone, unguarded, untold
from connectors.models import FileImport
from connectors.platforms.files.reading import file_digest
from ledger.models import Store
from tests.builders import at
from tests.connectors.files import imports_of

NOW = at("2026-04-02 09:00")


def saved(folder: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    """Write a file line by line, as it is told without its indent."""
    path = folder / name
    path.write_bytes("".join(f"{line.strip()}\n" for line in text.strip().splitlines()).encode(encoding))
    return path


def asked(store: Store, path: Path, kind: FileKind, **options: str) -> FileImport:
    """Make the import that a person asks for, with what they say of the file."""
    return new_import(store, kind.name, {"options": options}, filename=path.name, sha256=file_digest(path), actor="ann", now=NOW)


def look(store: Store, path: Path, kind: FileKind, **options: str) -> Found:
    """Say what taking a file would do."""
    return kind.look(asked(store, path, kind, **options), path, NOW, untold)


def take(store: Store, path: Path, kind: FileKind, *, now: datetime = NOW, **options: str) -> Found:
    """Take a file."""
    return kind.take(asked(store, path, kind, **options), path, now, untold, unguarded)


def undo(store: Store, path: Path, kind: FileKind) -> Undone:
    """Undo every import of a file."""
    return kind.undo(imports_of(store, path, kind), NOW, "ann", untold, unguarded)
