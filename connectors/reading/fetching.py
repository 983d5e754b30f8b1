"""Ask a platform for whole records by their ids."""

from collections.abc import Sequence

from connectors.faults import BadPayload
from connectors.http import Client
from connectors.reading.taking import Received
from connectors.spec import Again, Json, Stream


def fetch(stream: Stream, again: Again, ids: Sequence[str], client: Client) -> list[Received]:
    """Return the records of some ids, whole; those that the platform does not find are left out."""
    return [_completed(stream, record, client) for record in again.found(client.send(again.request(ids)).json())]


def _completed(stream: Stream, record: Json, client: Client) -> Received:
    try:
        return Received(stream.complete(record, client.send) if stream.complete else record)
    except BadPayload as fault:
        return Received(record, fault.reason)
