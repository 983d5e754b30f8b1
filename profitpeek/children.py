"""Run child processes that a command waits for, and leave none of them behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

STOP_SECONDS = 30.0
AT_ONCE_SECONDS = 5.0
"""A child that ends sooner than this after its start could not do its work at all."""
_PAUSE_SECONDS = 0.1


class ToldToStop(BaseException):
    """Interrupt whatever is running, because a person or the system asked this command to end."""


class ChildEnded(Exception):
    """Say that a child that should run for ever ended as soon as it was started."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"The {name} process {how_it_ended(status)} right after its start; its last lines say why.")


def how_it_ended(status: int) -> str:
    """Say in words how a process ended, by the status its parent is given."""
    if status >= 0:
        return f"ended by itself with status {status}"
    killed = " (killed by somebody, or by the system for want of memory)" if status == -signal.SIGKILL else ""
    return f"was ended by the signal {signal.Signals(-status).name}{killed}"


@contextmanager
def stoppable() -> Iterator[None]:
    """Run a block that Ctrl-C, SIGTERM and a closed terminal break off, quietly and as a success."""

    def stop(number: int, frame: FrameType | None) -> None:
        # Once is enough: what follows is the tidying up, which a second signal must not break.
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise ToldToStop

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except ToldToStop:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_for_ever(
    commands: Mapping[str, Sequence[str]], *, tell: Callable[[str], object], pass_fds: Sequence[int] = (), variables: Mapping[str, str] | None = None
) -> None:
    """Run named commands side by side until this process is told to stop; start again what ends, and tell so.

    `variables` are added to the environment they are given. Raise ChildEnded when one ends right after its start: it would do so again.
    """
    children: dict[str, subprocess.Popen[bytes]] = {}
    started: dict[str, float] = {}
    try:
        for name, command in commands.items():
            children[name], started[name] = _start(command, pass_fds, variables or {}), time.monotonic()
        while True:
            for name, child in children.items():
                if (status := child.poll()) is None:
                    continue
                if time.monotonic() - started[name] < AT_ONCE_SECONDS:
                    raise ChildEnded(name, status)
                tell(f"The {name} process {how_it_ended(status)}; it is started again.")
                children[name], started[name] = _start(commands[name], pass_fds, variables or {}), time.monotonic()
            time.sleep(_PAUSE_SECONDS)
    finally:
        _stop(list(children.values()))


def _start(command: Sequence[str], pass_fds: Sequence[int], variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start one child that the terminal's signals do not reach and that does not outlive us."""
    wrapper = [sys.executable, "-m", "profitpeek.die_with_parent", str(os.getpid())]
    # Started from another folder, Python would not find our package.
    return subprocess.Popen(
        [*wrapper, *command], cwd=Path(__file__).parent.parent, env={**os.environ, **variables}, process_group=0, pass_fds=pass_fds
    )


def _stop(children: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End the children, politely at first."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # Its whole group, because a killed parent cannot end its own children.
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
