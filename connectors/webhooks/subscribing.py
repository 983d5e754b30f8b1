"""See to it that platforms ring: subscribe to what we want to be told of, mend what has gone, and take leave."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from connectors.connections import kept, missing_scopes, opened
from connectors.faults import BadPayload, Denied, Expired, Fault, RetryLater, TooBig
from connectors.http import Client
from connectors.models import Connection, WebhookDoor
from connectors.registry import CONNECTORS, find
from connectors.spec import Connector, Subscription, Subscriptions, Webhooks
from connectors.webhooks import doors
from ledger.sealing import Unsealable

MOST_PAGES = 50
HERE = ("localhost", "127.0.0.1", "::1")
PATH = "/webhooks/"


def address_of(door: WebhookDoor, platform: str) -> str:
    """Return the address at which a connection's platform rings; raise Unsealable when its token's key is gone."""
    return f"{address_of_platform(platform)}/{doors.token_of(door)}"


def address_of_platform(platform: str) -> str:
    """Return the address to name in an app's own settings, where an account is known by its name."""
    return f"{settings.SITE_URL.rstrip('/')}{PATH}{platform}"


def why_not(connection: Connection, door: WebhookDoor | None) -> str:
    """Return why a connection's platform cannot ring here, and what its owner can do, in whole sentences; empty: it can."""
    connector = find(connection.platform)
    if connector.webhooks is None:
        return f"{connector.label} does not tell of changes: it is asked every few minutes."
    if door is None or door.signing is None:
        return connector.webhooks.without
    parts = urlsplit(settings.SITE_URL)
    # A simulated platform runs beside us.
    if connection.base_url or (parts.scheme == "https" and parts.hostname not in HERE):
        return ""
    return (
        f"Webhooks are off: {connector.label} cannot reach {settings.SITE_URL}. Set SITE_URL to the https address at which this installation is on "
        "the internet, and restart it. Until then the account is asked every few minutes."
    )


def keep(connection: Connection, *, now: datetime) -> str:
    """Compare what a platform tells us of with what we want, mend it, and return what is wrong in words; empty: nothing.

    Raise the Fault when the platform does not let us look.
    """
    connector = find(connection.platform)
    # A connection may be older than its platform's webhooks.
    door = doors.keep(connection, connector, kept(connection).secrets, now=now)
    if door is None or connector.webhooks is None:
        return why_not(connection, door)
    if reason := why_not(connection, door):
        doors.note_subscriptions(door, [], reason, now=now)
        return reason
    try:
        address = address_of(door, connection.platform)
    except Unsealable:
        reason = "Webhooks are off: the key that their address was sealed with is gone from FIELD_KEYS. Put it back."
        doors.note_subscriptions(door, [], reason, now=now)
        return reason
    try:
        with opened(connection, now=now) as client:
            topics, problem = _mended(connection, connector, connector.webhooks, address, client)
    except (Denied, BadPayload, TooBig, Expired) as fault:
        topics, problem = door.topics, f"{connector.label} did not let its subscriptions be looked at: {fault.reason}"
    doors.note_subscriptions(door, topics, problem, now=now)
    return problem


def _mended(connection: Connection, connector: Connector, webhooks: Webhooks, address: str, client: Client) -> tuple[list[str], str]:
    how, lacking = webhooks.subscriptions, set(missing_scopes(connection))
    wanted = [topic for topic, scopes in how.topics.items() if not lacking & set(scopes)]
    listed = list(_listed(how, client))
    ours = {each.topic: each for each in listed if each.address == address}
    for each in listed:
        if (each.address == address and each.topic not in wanted) or _is_a_former_address(each.address, address, connection.platform):
            client.send(how.drop(each.id))
    refused = {}
    for topic in wanted:
        if topic not in ours and (why := _made(how, topic, address, client)):
            refused[topic] = why
    told = [topic for topic in wanted if topic not in refused]
    return told, " ".join(_problems(connector, webhooks, refused, {each.version for each in ours.values()}))


def _made(how: Subscriptions, topic: str, address: str, client: Client) -> str:
    """Subscribe to a topic; return why that was refused."""
    try:
        return how.made(client.send(how.make(topic, address)).json())
    except (BadPayload, Denied, TooBig, Expired) as fault:
        return fault.reason


def _problems(connector: Connector, webhooks: Webhooks, refused: dict[str, str], versions: set[str]) -> Iterator[str]:
    if refused:
        first = next(iter(refused))
        yield f"{connector.label} does not tell of {', '.join(refused)}: {refused[first]}"
    if strange := versions - {"", webhooks.version}:
        yield (
            f"{connector.label} sends payloads of version {', '.join(sorted(strange))} where {webhooks.version} is expected: set the version of "
            "webhooks in your app's settings. Figures are not affected, since records are asked for again."
        )


def _listed(how: Subscriptions, client: Client) -> Iterator[Subscription]:
    request = how.request()
    for _ in range(MOST_PAGES):
        answer = client.send(request).json()
        yield from how.read(answer)
        following = how.pages.next(request, answer)
        if following is None:
            return
        request = following
    raise BadPayload("The list of subscriptions does not end.")


def _is_a_former_address(there: str, address: str, platform: str) -> bool:
    """Tell whether a subscription rings at an address of this installation that nobody has any more; those of other stores are theirs."""
    beneath = f"{address_of_platform(platform)}/"
    if there == address or not there.startswith(beneath):
        return False
    return not WebhookDoor.objects.filter(token_hash=doors.hash_of(there.removeprefix(beneath))).exists()


def take_leave(connection: Connection, *, now: datetime) -> bool:
    """Give up all subscriptions of a connection that is to be disconnected; tell whether that worked. It is tried once, without waiting."""
    connector = CONNECTORS.get(connection.platform)
    webhooks = connector.webhooks if connector is not None else None
    door = WebhookDoor.objects.filter(connection=connection).exclude(topics=[]).first()
    if webhooks is None or door is None:
        return True
    try:
        address = address_of(door, connection.platform)
        with opened(connection, now=now, sleep=_wait_for_nothing) as client:
            for each in [each for each in _listed(webhooks.subscriptions, client) if each.address == address]:
                client.send(webhooks.subscriptions.drop(each.id))
    except (Fault, Unsealable):
        return False
    doors.note_subscriptions(door, [], "", now=now)
    return True


def _wait_for_nothing(seconds: float) -> None:
    raise RetryLater(f"It would take {seconds:.0f} s.")
