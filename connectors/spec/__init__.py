"""Define the interface of a platform: a frozen description that one engine runs.

A platform is a folder `connectors/platforms/<name>/` whose `connector.py` makes one `Connector`, and one line in
`connectors/registry.py`. Everything in it is a value or a pure function: it makes requests but sends none, and maps
records to facts but writes none.
"""

from connectors.spec.access import Consent, Grant, Key, Setting
from connectors.spec.connector import AccountInfo, Connector
from connectors.spec.exchange import Budget, Json, Pace, Paginator, Request, Response, Send
from connectors.spec.streams import Again, Bulk, BulkState, Comparison, Context, Cursor, Stream, Told, Whose, Window
from connectors.spec.webhooks import (
    BulkFinished,
    CheckAccount,
    Deleted,
    Envelope,
    Ids,
    Ignore,
    Lookup,
    Privacy,
    PrivacyRequest,
    ReadNew,
    Refetch,
    Route,
    Subscription,
    Subscriptions,
    Uninstalled,
    Webhooks,
)

__all__ = [
    "AccountInfo",
    "Again",
    "Budget",
    "Bulk",
    "BulkFinished",
    "BulkState",
    "CheckAccount",
    "Comparison",
    "Connector",
    "Consent",
    "Context",
    "Cursor",
    "Deleted",
    "Envelope",
    "Grant",
    "Ids",
    "Ignore",
    "Json",
    "Key",
    "Lookup",
    "Pace",
    "Paginator",
    "Privacy",
    "PrivacyRequest",
    "ReadNew",
    "Refetch",
    "Request",
    "Response",
    "Route",
    "Send",
    "Setting",
    "Stream",
    "Subscription",
    "Subscriptions",
    "Told",
    "Uninstalled",
    "Webhooks",
    "Whose",
    "Window",
]
