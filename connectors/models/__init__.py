"""Gather the connectors' tables; each file holds one subject."""

from connectors.models.connections import Connection, ConsentRequest, ParkedRecord, SyncCursor, SyncRun
from connectors.models.files import FileImport, FilePiece, FileReport, OrderLineTemplate, OrderTransaction, RawPayload
from connectors.models.privacy import PrivacyCase, PrivacyCopy
from connectors.models.webhooks import WebhookDelivery, WebhookDoor, WebhookTopic

__all__ = [
    "Connection",
    "ConsentRequest",
    "FileImport",
    "FilePiece",
    "FileReport",
    "OrderLineTemplate",
    "OrderTransaction",
    "ParkedRecord",
    "PrivacyCase",
    "PrivacyCopy",
    "RawPayload",
    "SyncCursor",
    "SyncRun",
    "WebhookDelivery",
    "WebhookDoor",
    "WebhookTopic",
]
