"""Write down which cluster a supervisor keeps, so that the next one can end what a killed one left behind."""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

import psutil


class Record:
    """A supervisor's own file, locked for as long as the supervisor lives (the kernel drops a killed one's lock)."""

    def __init__(self, folder: Path) -> None:
        """Open the record in a folder of this machine, made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._path, self._file = self._make()
        while not self._path.exists():
            # Another supervisor took it for an abandoned one, between its making and its lock.
            self._file.close()
            self._path, self._file = self._make()

    def _make(self) -> tuple[Path, IO[str]]:
        path = self._folder / f"{uuid4().hex}.json"
        file = path.open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        return path, file

    def write(self, *, cluster: str, group: int) -> None:
        """Note the cluster's name and process group, in place of those before."""
        started = psutil.Process(group).create_time()
        self._file.seek(0)
        self._file.truncate()
        json.dump({"cluster": cluster, "group": group, "started": started}, self._file)
        self._file.flush()

    def forget(self) -> None:
        """Remove the record: nothing is left behind."""
        self._path.unlink(missing_ok=True)
        self._file.close()

    def abandoned(self) -> Iterator["Abandoned"]:
        """Yield what supervisors left that are gone; the records of living ones are locked."""
        for path in sorted(self._folder.glob("*.json")):
            if path == self._path:
                continue
            with path.open(encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                text = file.read()
                # One killed before it wrote anything had started nothing yet.
                noted = json.loads(text) if text.strip() else None
                if noted is None:
                    path.unlink(missing_ok=True)
                    continue
                yield Abandoned(path, noted["cluster"], noted["group"], noted["started"])


class Abandoned:
    """A cluster whose supervisor is gone."""

    def __init__(self, path: Path, cluster: str, group: int, started: float) -> None:
        self._path = path
        self.cluster = cluster
        self._group = group
        self._started = started

    def end_group(self) -> None:
        """Kill what is left of its process group, unless the number belongs to somebody else by now."""
        try:
            first = psutil.Process(self._group)
            if abs(first.create_time() - self._started) > 1.0:
                return
        except psutil.NoSuchProcess:
            # The first process is gone; a group of that number that is still there can only be its own.
            pass
        with suppress(ProcessLookupError):
            os.killpg(self._group, signal.SIGKILL)

    def forget(self) -> None:
        """Remove its record."""
        self._path.unlink(missing_ok=True)
