"""Run the product as programs of its own, on the test's database, and kill parts of it."""

import os
import random
import socket
import sys
from pathlib import Path

import psutil

from connectors.sandbox.posting import post
from profitpeek.environment import BASE_DIR
from tests.jobs.workers import Worker
from tests.platform.clusters import living, wait_until


class Web:
    """The web server: one parent and one child that answers."""

    def __init__(self, folder: Path, application: str, environment: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._output, self._application, self._environment = folder / "web.log", application, environment
        self._server: psutil.Popen | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "gunicorn", "--config", "python:profitpeek.web_server", f"{self._application}:application"]
        environment = {**os.environ, **self._environment, "HOST": "127.0.0.1", "PORT": str(self.port), "WEB_CONCURRENCY": "1"}
        with self._output.open("ab") as output:
            self._server = psutil.Popen(command, cwd=BASE_DIR, env=environment, stdout=output, stderr=output)
        assert wait_until(self._answers, seconds=40), self._output.read_text()

    def _answers(self) -> bool:
        return post(f"{self.address}/webhooks/shopify/nobody", {}, b"") == 401

    def processes(self) -> list[psutil.Process]:
        """Return parent and children."""
        return [self._server, *self._server.children(recursive=True)] if self._server is not None else []

    def kill(self, dice: random.Random) -> None:
        """Kill the child, which its parent replaces, or both, and start anew."""
        assert self._server is not None
        children = self._server.children()
        if children and dice.random() < 0.6:
            dice.choice(children).kill()
            return
        self.stop()
        self.start()

    def stop(self) -> None:
        """End it hard."""
        if self._server is not None:
            for process in living(self.processes()):
                process.kill()
            self._server.wait(timeout=30)
            self._server = None


class Installation:
    """Web server and worker."""

    def __init__(self, folder: Path, *, settings: str = "profitpeek.settings", application: str = "profitpeek.wsgi", **environment: str) -> None:
        told = {"DJANGO_SETTINGS_MODULE": settings, "PROFITPEEK_VAR": str(folder), **environment}
        self.web = Web(folder, application, told)
        told["SITE_URL"] = self.web.address
        self._folder, self._told = folder, told
        self.peaks: list[int] = []
        """What the workers held in memory, in bytes, one look after the other."""

    def __enter__(self) -> "Installation":
        """Start both."""
        self.web.start()
        self.worker = Worker(self._folder, **self._told)
        try:
            self.worker.wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End both, whatever state they are in."""
        self.worker.__exit__(*error)
        self.web.stop()

    def kill_something(self, dice: random.Random) -> str:
        """Kill a part by `kill -9` and say which."""
        if dice.random() < 0.4:
            self.web.kill(dice)
            return "web"
        parts = [part for part in self.worker.parts() if part in living([part])]
        if not parts:
            return ""
        try:
            dice.choice(parts).kill()
        except psutil.NoSuchProcess:
            return ""
        return "worker"

    def cpu(self) -> tuple[float, float]:
        """Return the seconds of CPU that web server and workers have taken so far."""
        return _cpu(self.web.processes()), _cpu(self.worker.remember())

    def look(self) -> None:
        """Note what the workers hold in memory."""
        held = 0
        for part in self.worker.parts():
            try:
                held += part.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        if held:
            self.peaks.append(held)

    def log(self) -> str:
        """Return what worker and web server have written."""
        return self.worker.log() + (self._folder / "web.log").read_text()


def _cpu(processes: list[psutil.Process]) -> float:
    found = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found += times.user + times.system
    return found
