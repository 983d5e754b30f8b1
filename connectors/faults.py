"""Say, as a type, what is to become of a request, a record or a run that failed. The sync engine branches on the type alone."""


class Fault(Exception):
    """Carries what happened, in words for the person whose connection it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


LONGEST_PAUSE = 86_400.0
"""Seconds after which a platform is asked again, whatever it said: no answer silences a connection for years."""


class RetryLater(Fault):
    """Asks for another try: after `after` seconds, a day at most, or after the job's own growing pause."""

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = None if after is None else min(after, LONGEST_PAUSE)


class QuotaUsedUp(RetryLater):
    """Says that the platform takes no more for `after` seconds; nothing failed, so no try is counted."""

    def __init__(self, reason: str, *, after: float) -> None:
        super().__init__(reason, after=after)


class NeedsReauth(Fault):
    """Says that the platform no longer takes our credentials: a person has to connect the account again."""


class Denied(Fault):
    """Says that the account lacks a permission; the stream rests, the others go on."""

    def __init__(self, reason: str, *, scopes: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.scopes = scopes
        """What would have to be granted."""


class Expired(Fault):
    """Says that what the platform gave to fetch or to go on with, an address or a page's token, is not valid any more: ask for it anew."""


class TooBig(Fault):
    """Says that the platform cannot answer a question of this size: ask for less at once."""


class BadPayload(Fault):
    """Says that an answer or a record is not what the platform documents; `record` is its id where it is about one."""

    def __init__(self, reason: str, *, record: str = "") -> None:
        super().__init__(reason)
        self.record = record
