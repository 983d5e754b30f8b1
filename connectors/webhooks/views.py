"""Answer deliveries within Django, where nothing stands ahead of it, such as in tests and Django's own server."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from connectors.webhooks import deliveries, doors, tasks
from connectors.webhooks.accepting import Row, accept
from connectors.webhooks.doors import Doors
from connectors.webhooks.front import asked_of


class _Inbox:
    """Writes deliveries down through Django's own connection, and rings at once."""

    def __init__(self) -> None:
        self.doors = Doors()

    def write(self, row: Row) -> None:
        """Write a delivery down."""
        deliveries.write(row)

    def ring(self, connection: int) -> None:
        """Ask for the job that looks at it."""
        tasks.ring(connection)

    def refuse(self, connection: int) -> None:
        """Count a delivery that was not signed."""
        doors.note_refused({connection: 1}, now=timezone.now())


@csrf_exempt
def deliver(request: HttpRequest, platform: str, token: str = "") -> HttpResponse:
    """Take a delivery or refuse it, as the front does."""
    asked = asked_of(request.META)
    assert asked is not None  # noqa: S101  the address is one of deliveries
    reply = accept(asked, _Inbox(), now=timezone.now())
    status, _, reason = reply.status.partition(" ")
    return HttpResponse(reply.text, "text/plain; charset=utf-8", int(status), reason, headers=dict(reply.headers))
