"""Become another program that ends when the process that started it ends, even by `kill -9`.

    python -m profitpeek.die_with_parent PARENT_PID PROGRAM [ARGUMENT ...]

It is a program of its own, because a parent with threads must not run Python between fork and exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask the kernel to end us with the parent, then become the command."""
    # Only Linux has this; elsewhere a killed parent leaves its children to be stopped by hand.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # A parent that had died before the request was made sends no signal any more.
    if os.getppid() != parent:
        sys.exit(f"The process {parent} that started this one has ended already.")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
