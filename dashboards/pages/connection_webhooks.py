"""Read what the page of a connection shows of its webhooks: whether its platform rings, what came, and what could not be followed."""

from dataclasses import dataclass
from datetime import datetime

from connectors.models import Connection, WebhookDelivery, WebhookDoor, WebhookTopic
from connectors.registry import CONNECTORS
from connectors.spec import BulkFinished, CheckAccount, Deleted, Ignore, Privacy, ReadNew, Refetch, Route, Uninstalled
from connectors.webhooks import deliveries, subscribing

MOST_DEAD = 40
WORDS: dict[type[Route], str] = {
    Refetch: "The record is asked for again", Deleted: "It is asked whether it is gone", ReadNew: "What is new is read at once",
    CheckAccount: "The account is asked who it is", Uninstalled: "The account is let go of", BulkFinished: "Its files are fetched",
    Privacy: "A request about personal data is opened",
}  # fmt: skip
NEVER_HEARD_OF = "This version does not know it: nothing is done"


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One topic: what is done when it is rung, and how often it was."""

    topic: str
    does: str
    is_known: bool
    count: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class WebhooksCard:
    """What there is to say of a connection's webhooks."""

    why_off: str
    """In whole sentences; empty: they are on, or about to be."""
    problem: str
    """What is wrong though they are on."""
    checked_at: datetime | None
    last_at: datetime | None
    waiting: int
    more_wait: bool
    """More than were counted."""
    dead: list[WebhookDelivery]
    dead_count: int
    topics: list[TopicRow]
    refused: int
    refused_since: datetime | None
    law_address: str
    """What to name in an app's settings for people's requests; empty where that is nothing to do."""

    @property
    def is_on(self) -> bool:
        """Tell whether the platform rings."""
        return not self.why_off and self.checked_at is not None

    @property
    def can_replay(self) -> bool:
        """Tell whether anything that was given up can be tried again: of some, nothing could be read."""
        return any(each.body is not None for each in self.dead)

    @property
    def tone(self) -> str:
        """Return how it looks: success, warning or danger."""
        return "success" if self.is_on and not self.problem and not self.dead else "warning"


def webhooks_card(row: Connection) -> WebhooksCard | None:
    """Gather what there is to say; None where the platform never rings."""
    connector = CONNECTORS.get(row.platform)
    if connector is None or connector.webhooks is None:
        return None
    door = WebhookDoor.objects.filter(connection=row).first()
    why = subscribing.why_not(row, door)
    if not why and row.status == Connection.Status.DISCONNECTED:
        why = "The account is disconnected: its deliveries are refused, but for requests about personal data."
    told = {each.topic: each for each in WebhookTopic.objects.filter(connection=row)}
    routes = connector.webhooks.routes
    names = sorted({*told, *(door.topics if door is not None and not why else ())})
    waiting, dead = deliveries.count_waiting(row), deliveries.dead(row)
    by_law = any(isinstance(route, Privacy) for route in routes.values())
    return WebhooksCard(
        why_off=why, problem="" if door is None or why else door.problem, checked_at=door.checked_at if door is not None else None,
        last_at=max((each.last_at for each in told.values()), default=None), waiting=waiting, more_wait=waiting >= deliveries.MOST_COUNTED,
        dead=list(dead[:MOST_DEAD]), dead_count=dead.count(), topics=[_topic(name, routes.get(name), told.get(name)) for name in names],
        refused=door.refused if door is not None else 0, refused_since=door.refused_since if door is not None else None,
        law_address=subscribing.address_of_platform(row.platform) if by_law and not why else "",
    )  # fmt: skip


def _topic(name: str, route: Route | None, told: WebhookTopic | None) -> TopicRow:
    does = NEVER_HEARD_OF if route is None else route.why if isinstance(route, Ignore) else WORDS[type(route)]
    return TopicRow(name, does, route is not None, told.count if told is not None else 0, told.last_at if told is not None else None)
