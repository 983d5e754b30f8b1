"""Show who may do what in a store, and let its owners change it."""

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboards import invitations
from dashboards.access import OWNERS, roles_in, store_or_404, stores_for
from dashboards.forms.people_forms import InvitationForm, RoleForm
from dashboards.links import at_site, is_of_this_computer
from dashboards.models import Invitation
from dashboards.pages.notices import current_zone
from ledger.models import Membership, Store
from ledger.people import WHAT_ROLES_MAY, LastOwner, Role, remove_member, set_role
from ledger.sealing import Unsealable, seal, unseal

LINK = "invitation_link"
"""Where the session keeps a link, sealed, until the next page has shown it, once."""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """List the members and the open invitations of a store; POST invites somebody."""
    store = store_or_404(request, slug, roles=OWNERS)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given, now = form.cleaned_data, timezone.now()
        try:
            invitation, token = invitations.invite(store, email=given["email"], role=given["role"], by=_user(request), now=now)
        except invitations.NotInvited as error:
            form.add_error("email", str(error))
        else:
            _deliver(request, invitation, token)
            return redirect("people", slug=store.slug)
    members = store.memberships.select_related("user").order_by("user__email", "user__username")
    context = {
        "store": store, "stores": stores_for(request.user), "section": "people", "zone": current_zone(store),
        "form": form, "problems": form.problems(),
        "members": members, "roles": [(role, role.label, WHAT_ROLES_MAY[role]) for role in Role], "invitations": invitations.open_invitations(store),
        "now": timezone.now(), "mail": settings.MAIL_CONFIGURED, "link": _kept_link(request),
    }  # fmt: skip
    return render(request, "dashboards/people/people.html", context)


@require_POST
@login_required
def change_role(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give a member another role."""
    store = store_or_404(request, slug, roles=OWNERS)
    member, form = _member(store, pk), RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: that is not one of the roles.")
        return redirect("people", slug=store.slug)
    try:
        changed = set_role(store, member.user, form.cleaned_data["role"])
    except LastOwner as error:
        messages.error(request, f"Nothing was changed. {error}")
    else:
        messages.success(request, f"{_name(changed.user)} is {changed.get_role_display()} of {store.name} now.")
    return _back(request, store)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Ask whether to remove a member; POST does it."""
    store = store_or_404(request, slug, roles=OWNERS)
    member = _member(store, pk)
    if request.method != "POST":
        context = {"store": store, "stores": stores_for(request.user), "section": "people", "member": member}
        return render(request, "dashboards/people/remove.html", context)
    try:
        remove_member(store, member.user)
    except LastOwner as error:
        messages.error(request, f"Nobody was removed. {error}")
    else:
        messages.success(request, f"{_name(member.user)} is no longer a member of {store.name}.")
    return _back(request, store)


@require_POST
@login_required
def renew_invitation(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give an invitation a new link and a new week."""
    store = store_or_404(request, slug, roles=OWNERS)
    invitation = get_object_or_404(Invitation, store=store, pk=pk)
    token = invitations.renew(invitation, by=_user(request), now=timezone.now())
    if token is None:
        messages.error(request, f"No new link: the invitation of {invitation.email} has been accepted or taken back.")
    else:
        invitation.refresh_from_db()
        _deliver(request, invitation, token)
    return redirect("people", slug=store.slug)


@require_POST
@login_required
def revoke_invitation(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take an invitation back."""
    store = store_or_404(request, slug, roles=OWNERS)
    invitation = get_object_or_404(Invitation, store=store, pk=pk)
    if invitations.revoke(invitation, now=timezone.now()):
        messages.success(request, f"The invitation of {invitation.email} was taken back; its link lets nobody in.")
    else:
        messages.error(request, f"The invitation of {invitation.email} was answered already, so it cannot be taken back. Look among the members.")
    return redirect("people", slug=store.slug)


def _deliver(request: HttpRequest, invitation: Invitation, token: str) -> None:
    """Mail the link, or keep it for the next page to show where there is no mail server or it refuses."""
    path = reverse("invitation", args=[token])
    if settings.MAIL_CONFIGURED and invitations.mail(invitation, at_site(path), now=timezone.now()):
        messages.success(request, f"The invitation was sent to {invitation.email}.")
        return
    if settings.MAIL_CONFIGURED:
        messages.error(request, f"The mail server did not take the message to {invitation.email}. Pass the link below on yourself.")
    shown = {"email": invitation.email, "address": request.build_absolute_uri(path), "until": invitation.expires_at.isoformat()}
    # Sealed: the link lets its reader in, and sessions lie in the database and in its backups.
    request.session[LINK] = seal(json.dumps(shown).encode()).decode()


def _kept_link(request: HttpRequest) -> dict[str, Any] | None:
    """Take the link out of the session that is to be shown on this page, once."""
    sealed = request.session.pop(LINK, None)
    try:
        shown: dict[str, Any] | None = json.loads(unseal(sealed.encode())) if isinstance(sealed, str) else None
    except Unsealable:  # FIELD_KEYS were changed in between; the list of invitations makes another link
        return None
    if shown is not None:
        shown |= {"until": datetime.fromisoformat(shown["until"]), "is_of_this_computer": is_of_this_computer(shown["address"])}
    return shown


def _member(store: Store, pk: int) -> Membership:
    return get_object_or_404(store.memberships.select_related("user"), pk=pk)


def _name(user: User) -> str:
    return user.email or user.get_username()


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  # login_required has seen to it
    return request.user


def _back(request: HttpRequest, store: Store) -> HttpResponse:
    """Return to the page, or home for somebody who has just given it up."""
    return redirect("people", slug=store.slug) if roles_in(request.user, store) & OWNERS else redirect("home")
