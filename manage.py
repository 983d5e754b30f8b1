#!/usr/bin/env python3
"""Run ProfitPeek's commands, with the embedded database server where one is needed."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from profitpeek import embedded_postgres, environment

# Commands that never open a connection; any other one gets a database.
WITHOUT_DATABASE = frozenset(
    {
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "sandbox",
        "startapp",
        "startproject",
        "version",
    }
)
HELP_OPTIONS = frozenset({"-h", "--help", "--version"})


def needs_database(arguments: list[str]) -> bool:
    """Tell whether the command on this command line opens a database connection."""
    command = next(iter(arguments), "help")
    return command not in WITHOUT_DATABASE and HELP_OPTIONS.isdisjoint(arguments)


def main() -> None:
    """Join the embedded server unless DATABASE_URL names another one, then run the command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    try:
        environment.load()
        if needs_database(sys.argv[1:]) and not os.environ.get("DATABASE_URL"):
            embedded_postgres.exit_on_signals()
            membership = embedded_postgres.join(environment.var_dir() / "postgres")
            membership.leave_at_exit()
            # The settings read it, and so do child processes, which therefore start no server.
            os.environ["DATABASE_URL"] = membership.url()
        execute_from_command_line(sys.argv)
    except (embedded_postgres.EmbeddedPostgresError, environment.EnvironmentUnusable, ImproperlyConfigured) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
