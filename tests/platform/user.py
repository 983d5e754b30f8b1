"""Use a cluster until standard input ends: `python -m tests.platform.user FOLDER`."""

import sys
from pathlib import Path

from profitpeek.embedded_postgres import DISPOSABLE, exit_on_signals, join


def main() -> None:
    """Join, print the address, wait to be told to leave."""
    exit_on_signals()
    membership = join(Path(sys.argv[1]), flavour=DISPOSABLE)
    membership.leave_at_exit()
    sys.stdout.write(f"{membership.url()}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
