"""Take what a person gives apart into the files that are in it: itself, or one for each sheet of an Excel workbook."""

from pathlib import Path
from typing import NamedTuple

from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.workbook import is_workbook, sheets_of
from ledger.filenames import plain_name


class Given(NamedTuple):
    """One file of text. `caveats` says in sentences what a person should know of how it became text."""

    path: Path
    filename: str
    caveats: tuple[str, ...] = ()


def files_in(path: Path, folder: Path) -> list[Given]:
    """Return what is in a file: itself, or each sheet of a workbook as a text file of its name in the folder; raise FileRefused."""
    if not is_workbook(path):
        return [Given(path, path.name)]
    sheets = sheets_of(path, folder)
    found = []
    for number, sheet in enumerate(sheets, start=1):
        filename = plain_name(f"{path.stem} ({sheet.name}){path.suffix}", otherwise="file.xlsx") if len(sheets) > 1 else path.name
        home = folder / f"sheet-{number}"
        home.mkdir()
        found.append(Given(sheet.path.rename(home / filename), filename, sheet.caveats))
    return found


def sheet_of(path: Path, folder: Path, *, name: str) -> Given:
    """Return the file to read: itself, or a workbook's sheet of some name, the first where none is named; raise FileRefused."""
    if not is_workbook(path):
        if name:
            raise FileRefused(f"{path.name} is no Excel workbook, so it has no sheet “{name}”.")
        return Given(path, path.name)
    sheets = sheets_of(path, folder)
    chosen = next((sheet for sheet in sheets if sheet.name == name), None) if name else sheets[0]
    if chosen is None:
        raise FileRefused(f"{path.name} has no sheet “{name}” with a table. It has: {', '.join(sheet.name for sheet in sheets)}.")
    home = folder / "sheet"
    home.mkdir()
    return Given(chosen.path.rename(home / path.name), path.name, chosen.caveats)
