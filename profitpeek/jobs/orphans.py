"""Leave no process behind: let children end with their parent, and find a dead supervisor's remains."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when its parent ends, even by `kill -9`; end at once when it has already.

    Linux only. Elsewhere a killed parent leaves its children to its next start, or to be stopped by hand.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    # A parent that ended before the request was made sends no signal any more.
    if os.getppid() != parent:
        sys.stderr.write(f"The process {parent} that started this one has ended already.\n")
        sys.stderr.flush()
        os._exit(1)


def let_forks_end_with_us() -> None:
    """Have every process that is forked from here on killed when the one it was forked from ends."""
    forking: list[int] = []

    def remember() -> None:
        forking[:] = [os.getpid()]

    def bind() -> None:
        end_with_parent(forking[0], signal.SIGKILL)

    os.register_at_fork(before=remember, after_in_child=bind)
