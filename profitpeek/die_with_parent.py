"""Become another program that ends when the process that started it ends, even by `kill -9`.

    python -m profitpeek.die_with_parent PARENT_PID PROGRAM [ARGUMENT ...]

It is a program of its own, because a parent with threads must not run Python between fork and exec.
"""

import os
import sys

from profitpeek.jobs.orphans import end_with_parent


def main(parent: int, command: list[str]) -> None:
    """Ask the kernel to end us with the parent, then become the command."""
    end_with_parent(parent)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
