"""Make a file's name, as somebody's computer told it, harmless and short."""

import unicodedata
from pathlib import PurePath

LONGEST = 200
"""Bytes; file systems take 255."""


def plain_name(filename: str, *, otherwise: str) -> str:
    """Return a file's name without folders, whatever system it comes from, without control characters, and short enough for every file system."""
    name = PurePath(filename.replace("\\", "/")).name.encode("utf-8", "replace").decode()
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    if name.strip(". ") == "":
        return otherwise
    ending = "".join(PurePath(name).suffixes[-2:])[-20:]
    stem = name.removesuffix(ending).encode()[: LONGEST - len(ending.encode())].decode(errors="ignore")
    return stem + ending
