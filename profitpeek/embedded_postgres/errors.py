"""Name the ways the embedded server can fail; each says what happened and what to do."""


class EmbeddedPostgresError(Exception):
    """Carry a problem with the embedded server and its remedy."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}\n{remedy}")


class ProgramsMissing(EmbeddedPostgresError):
    """The PostgreSQL programs are not installed or cannot be run."""


class WrongVersion(EmbeddedPostgresError):
    """The data was made by another major version than the one that is installed."""


class DataMissing(EmbeddedPostgresError):
    """The folder that should hold the data is not there."""


class NotPermitted(EmbeddedPostgresError):
    """This user may not use the cluster or may not make what it needs."""


class CannotStart(EmbeddedPostgresError):
    """The server was started and did not become ready."""


class CannotStop(EmbeddedPostgresError):
    """The server was told to stop and did not."""


class TookTooLong(EmbeddedPostgresError):
    """Another process held a lock for longer than anything takes."""
