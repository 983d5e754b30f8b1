"""Run the PostgreSQL that comes by pip, so that nobody has to install a database.

    exit_on_signals()
    membership = join(var / "postgres")
    membership.leave_at_exit()
    os.environ["DATABASE_URL"] = membership.url()

The first user of a cluster starts its server, later users join it, the last to leave stops it. What
makes that safe are three locks of the kernel (`home.py`), which vanish with the processes that hold
them; no list of users and no pid file is ever trusted.

Needs Linux or macOS. Everything else uses a PostgreSQL of its own by DATABASE_URL.
"""

from profitpeek.embedded_postgres.errors import EmbeddedPostgresError
from profitpeek.embedded_postgres.flavours import DISPOSABLE, DURABLE, Flavour
from profitpeek.embedded_postgres.membership import Membership, exit_on_signals, join

__all__ = ["DISPOSABLE", "DURABLE", "EmbeddedPostgresError", "Flavour", "Membership", "exit_on_signals", "join"]
