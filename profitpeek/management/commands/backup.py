"""Write a backup of the database with the pg_dump of the embedded server's programs."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import connection

from profitpeek import environment
from profitpeek.embedded_postgres.programs import installed

# Connection parameters of Django and libpq's variables for them; a password on a command line is public.
VARIABLES = {
    "dbname": "PGDATABASE",
    "host": "PGHOST",
    "password": "PGPASSWORD",
    "port": "PGPORT",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "user": "PGUSER",
}


class Command(BaseCommand):
    """Dump the database into one compressed file that pg_restore reads."""

    help = "Write a backup of the database into var/backups."
    # Data must be rescuable from an installation that is otherwise broken.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Dump and say how to restore."""
        folder = environment.var_dir() / "backups"
        folder.mkdir(exist_ok=True, mode=0o700)
        target = folder / f"profitpeek-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
        dump(target)
        self.stdout.write(f"Wrote {target} ({target.stat().st_size:,} bytes).")
        restore = installed().path("pg_restore")
        self.stdout.write(f"Restore it into an empty database with: '{restore}' --dbname=URL '{target}'")


def dump(target: Path) -> None:
    """Write a whole dump or none."""
    parameters = connection.get_connection_params()
    variables = {VARIABLES[name]: str(value) for name, value in parameters.items() if name in VARIABLES and value}
    draft = target.with_suffix(".part")
    command = [str(installed().path("pg_dump")), "--format=custom", "--no-owner", f"--file={draft}"]
    try:
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CommandError(f"pg_dump failed and no backup was written:\n{done.stderr.strip()}")
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
