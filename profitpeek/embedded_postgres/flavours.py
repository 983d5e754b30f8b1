"""State how a cluster is made and run: one flavour keeps data, the other is fast to throw away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# The programs and the data must agree on this; the wheel carries more than one.
MAJOR_VERSION = 18

_EVERY_CLUSTER = {
    "listen_addresses": "",  # a Unix socket in a private folder is the only way in
    "port": "5432",  # part of the socket's name, no network port
    "unix_socket_permissions": "0700",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "jit": "off",  # compiling costs more than it saves on short statements
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Flavour:
    """Hold the settings a server is started with."""

    settings: Mapping[str, str] = field(default_factory=dict)
    initdb_options: tuple[str, ...] = ()

    def arguments(self) -> Iterator[str]:
        """Yield the settings as arguments, which outrank the cluster's own files."""
        for name, value in {**_EVERY_CLUSTER, **self.settings}.items():
            yield from ("-c", f"{name}={value}")


DURABLE = Flavour()

# A crash may ruin such a cluster, which is why nothing but tests uses it.
DISPOSABLE = Flavour(
    settings={"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"},
    initdb_options=("--no-sync",),
)
