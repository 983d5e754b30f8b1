"""Keep the collected static files of a production: named by their content, and compressed once."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Files under names that carry a digest of what they hold, so that browsers keep them for ever.

    `serve` collects at every start, and compressing takes ten seconds of a core: what a name was compressed to stays right.
    The plain names, which only the error page uses, are not compressed.
    """

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress the hashed names that are new."""
        named = set(self.hashed_files.values())
        yield from super().compress_files([path for path in paths if path in named and not _is_compressed(Path(self.path(path)))])


def _is_compressed(path: Path) -> bool:
    """Tell whether a file was compressed to its end; the other way of compressing, where there is one, is written before this one."""
    compressed = Path(f"{path}.gz")
    try:
        return compressed.exists() and gzip.decompress(compressed.read_bytes()) == path.read_bytes()
    except (OSError, EOFError, zlib.error):
        return False
