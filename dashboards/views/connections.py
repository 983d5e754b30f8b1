"""Connect a store to accounts of platforms, show how far each is read, and steer that."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connectors import accounts, connections, registry, succession
from connectors.faults import Denied, Fault
from connectors.models import Connection
from connectors.oauth import answered, ask, connect_with_key, store_asked_for
from connectors.reading import runs, sync_tasks
from connectors.registry import UnknownPlatform
from connectors.spec import Connector
from connectors.webhooks import deliveries, draining, subscribing
from connectors.webhooks.tasks import ring, submit_subscriptions
from dashboards import pulse
from dashboards.access import OWNERS, actor_of, store_or_404, stores_for
from dashboards.forms.connection_forms import ConnectForm, connect_forms
from dashboards.pages.connection_webhooks import webhooks_card
from dashboards.pages.connections_page import connection_card, connections_page, parked_of, runs_of
from dashboards.pages.notices import current_zone
from ledger.models import Store
from ledger.people import Role

Status = Connection.Status


@require_safe
@login_required
def connections_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a store's connections as they stand now."""
    store = store_or_404(request, slug)
    live = pulse.of_connections(store, now=timezone.now())
    return render(request, "dashboards/connections/list.html", {**_frame(request, store), "live": live, "page": connections_page(store)})


@require_safe
@login_required
def connection(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show one connection: what it may read, its latest runs, and records that could not be understood."""
    store = store_or_404(request, slug)
    live = pulse.of_connections(store, now=timezone.now())
    row = get_object_or_404(Connection, store=store, pk=pk)
    context = {
        **_frame(request, store),
        "live": live,
        "card": connection_card(row),
        "webhooks": webhooks_card(row),
        "runs": runs_of(row),
        "parked": parked_of(row),
        "next_currency": succession.next_currency(row),
    }
    return render(request, "dashboards/connections/one.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def connect(request: HttpRequest, slug: str, platform: str) -> HttpResponse:
    """Ask what is needed to connect an account; POST sends the person to the platform's page, or connects with a key."""
    store = store_or_404(request, slug, roles=OWNERS)
    connector = _connector(platform)
    forms = connect_forms(connector, data=request.POST if request.method == "POST" else None, initial=_initial(request))
    sent = next((form for form in forms if form.is_bound), None)
    if sent is not None and sent.is_valid():
        try:
            return _connect(request, store, connector, sent)
        except Fault as fault:
            sent.add_error(None, fault.reason)
    context = {
        **_frame(request, store), "connector": connector, "forms": forms, "problems": sent.problems() if sent else [], "sent": sent,
        "redirect": return_address(request, platform),
    }  # fmt: skip
    return render(request, "dashboards/connections/connect.html", context)


def _connect(request: HttpRequest, store: Store, connector: Connector, form: ConnectForm) -> HttpResponse:
    account, foreign, now = form.cleaned_data["account"], form.cleaned_data.get("sandbox", ""), timezone.now()
    if form.way is None:
        address = ask(
            store, connector, account=account, foreign=foreign, told=form.told, user=_person(request), session=_session(request),
            redirect=return_address(request, connector.platform), now=now,
        )  # fmt: skip
        # A page between, since a form may lead to this site's own addresses only (content security policy).
        context = {**_frame(request, store), "connector": connector, "account": account, "address": address}
        return render(request, "dashboards/connections/leaving.html", context)
    row = connect_with_key(store, connector, form.way, account=account, foreign=foreign, told=form.told, actor=actor_of(request), now=now)
    return _welcome(request, row)


@require_safe
@login_required
def returned(request: HttpRequest, platform: str) -> HttpResponse:
    """Take the answer that a person brings from a platform's page."""
    connector = _connector(platform)
    store = store_asked_for(request.GET.get("state", ""), user=_person(request))
    if store is not None:
        store = store_or_404(request, store.slug, roles=OWNERS)
    try:
        row = answered(
            request.GET.dict(), platform=platform, user=_person(request), session=_session(request), redirect=return_address(request, platform),
            actor=actor_of(request), now=timezone.now(),
        )  # fmt: skip
    except Fault as fault:
        messages.error(request, f"{connector.label} was not connected. {fault.reason}")
        return redirect("connections", store.slug) if store else redirect("home")
    return _welcome(request, row)


def _welcome(request: HttpRequest, row: Connection) -> HttpResponse:
    sync_tasks.submit_connected(row, actor=actor_of(request))
    submit_subscriptions(row, actor=actor_of(request))
    messages.success(request, f"{row.label or row.account_ref} is connected. Its past is read now, then whatever is new.")
    return redirect("connections", row.store.slug)


@require_POST
@login_required
def steer(request: HttpRequest, slug: str, pk: int, action: str) -> HttpResponse:
    """Do with a connection what a button says, and say what came of it."""
    store = store_or_404(request, slug, roles=OWNERS)
    row = get_object_or_404(Connection, store=store, pk=pk)
    if action not in ACTIONS:
        raise Http404("No such action.")
    try:
        _refuse(row, action)
        messages.success(request, ACTIONS[action](request, row))
    except Fault as fault:
        messages.error(request, fault.reason)
    except UnknownPlatform as unknown:
        messages.error(request, str(unknown))
    return redirect("connection", store.slug, row.pk)


def _refuse(row: Connection, action: str) -> None:
    """Raise Denied, with what to do, for what cannot be done with a connection as it stands, and UnknownPlatform for what nobody can do."""
    if action not in OF_ANY_PLATFORM:
        registry.find(row.platform)
    if row.status not in WHEN.get(action, {Status.ACTIVE}):
        raise Denied(ALREADY.get((action, row.status)) or WHY_NOT[row.status])


def _check(request: HttpRequest, row: Connection) -> str:
    info = accounts.check(row, now=timezone.now())
    return f"It works: the platform answers as {info.name}, in {info.currency}, {info.zone}."


def _pause(request: HttpRequest, row: Connection) -> str:
    if not connections.pause(row):
        raise Denied(MEANWHILE)
    return "Paused. Nothing is read until you resume it."


def _resume(request: HttpRequest, row: Connection) -> str:
    if not connections.resume(row):
        raise Denied(MEANWHILE)
    runs.wake(row)
    sync_tasks.submit_connection(row, actor=actor_of(request))
    return "Resumed. What was missed meanwhile is read now."


def _sync(request: HttpRequest, row: Connection) -> str:
    sync_tasks.submit_connection(row, actor=actor_of(request))
    return "What is new is asked for now."


def _backfill(request: HttpRequest, row: Connection) -> str:
    sync_tasks.submit_past(row, actor=actor_of(request))
    return "All of the past is read again. What is known already changes nothing."


def _replay(request: HttpRequest, row: Connection) -> str:
    sync_tasks.submit_replay(row, actor=actor_of(request))
    return "What was not understood is tried again."


def _go_on(request: HttpRequest, row: Connection) -> str:
    fresh = succession.go_on(row, actor=actor_of(request), now=timezone.now())
    sync_tasks.submit_connected(fresh, actor=actor_of(request))
    submit_subscriptions(fresh, actor=actor_of(request))
    sync_tasks.submit_connection(row, actor=actor_of(request))
    before, now = row.store.currency, fresh.store.currency
    return (
        f"{fresh.store.name} is open and reads {row.label or row.account_ref}, too: orders in {now} are booked there from now on, and those in "
        f"{before} stay here. Look at its costs and fees: rules in {before} are not taken over."
    )


def _disconnect(request: HttpRequest, row: Connection) -> str:
    # While the platform still lets us: afterwards it would go on ringing until it gives up by itself.
    heard = subscribing.take_leave(row, now=timezone.now())
    connections.disconnect(row, now=timezone.now())
    rings = "" if heard else " The platform could not be told to ring no more: its deliveries are refused, and end by themselves."
    return f"Disconnected: its secrets are forgotten. What was read of it stays in the book.{rings}"


def _replay_deliveries(request: HttpRequest, row: Connection) -> str:
    again = deliveries.replay(row)
    ring(row.pk)
    draining.tell_given_up(row, now=timezone.now())
    return (
        f"{again:,} {'deliveries are' if again != 1 else 'delivery is'} followed again."
        if again
        else "There is nothing that could be followed again."
    )


def _subscribe(request: HttpRequest, row: Connection) -> str:
    submit_subscriptions(row, actor=actor_of(request))
    return "What the platform tells of is compared with what it should, and mended."


ACTIONS: dict[str, Callable[[HttpRequest, Connection], str]] = {
    "test": _check,
    "sync": _sync,
    "backfill": _backfill,
    "replay": _replay,
    "deliveries": _replay_deliveries,
    "subscribe": _subscribe,
    "pause": _pause,
    "resume": _resume,
    "go-on": _go_on,
    "disconnect": _disconnect,
}

OF_ANY_PLATFORM = {"pause", "disconnect"}
"""Can be done also where this version does not know the platform."""
WHEN: dict[str, set[str]] = {
    "test": {Status.ACTIVE, Status.NEEDS_CONSENT, Status.PAUSED},
    "replay": set(Status),
    "resume": {Status.PAUSED},
    "disconnect": {Status.ACTIVE, Status.NEEDS_CONSENT, Status.PAUSED},
}
"""How a connection has to stand for an action; for those that are not here it has to be active."""
ALREADY: dict[tuple[str, str], str] = {
    ("pause", Status.PAUSED): "It is paused already.",
    ("disconnect", Status.DISCONNECTED): "It is disconnected already.",
}
WHY_NOT: dict[str, str] = {
    Status.ACTIVE: "It is not paused: it is read already.",
    Status.NEEDS_CONSENT: "Nothing is read until it has your consent again: connect it once more.",
    Status.PAUSED: "It is paused, so nothing is read of it. Resume it first.",
    Status.DISCONNECTED: "It is disconnected, so nothing is read of it. Connect it again first.",
}
MEANWHILE = "Somebody else changed how it stands meanwhile. Look at it again."


def _frame(request: HttpRequest, store: Store) -> dict[str, Any]:
    return {
        "store": store, "stores": stores_for(request.user), "section": "connections", "zone": current_zone(store), "now": timezone.now(),
        "may_steer": getattr(store, "role", None) == Role.OWNER,
    }  # fmt: skip


def _connector(platform: str) -> Connector:
    try:
        return registry.find(platform)
    except UnknownPlatform as error:
        raise Http404(str(error)) from error


def _initial(request: HttpRequest) -> dict[str, str]:
    """Return what a link to the page fills in: the account that is to be connected again, or a sandbox to try."""
    return {name: request.GET[name] for name in ("account", "sandbox") if name in request.GET}


def return_address(request: HttpRequest, platform: str) -> str:
    """Return where a platform sends the person back to."""
    # On the host the person is on: the session that the answer is bound to is known there alone.
    return request.build_absolute_uri(reverse("connection_returned", args=[platform]))


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  login_required stands before
    return request.user


def _session(request: HttpRequest) -> str:
    return request.session.session_key or ""
