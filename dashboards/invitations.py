"""Invite people to a store, and let them in by the link they were given."""

from datetime import datetime, timedelta
from smtplib import SMTPException

from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.template.loader import render_to_string

from dashboards.accounts import accounts_of, addresses_of, open_account
from dashboards.links import LinkRefused, digest_of, new_token
from dashboards.models import Invitation
from ledger.models import Membership, Store
from ledger.people import OWNERS, set_role, stores_of

LIFE = timedelta(days=7)


class NotInvited(Exception):
    """Say why somebody cannot be invited, in words for the person who tried."""


def open_invitations(store: Store) -> list[Invitation]:
    """Return the invitations nobody has answered, the newest first; expired ones too, since they can be renewed."""
    return list(Invitation.objects.filter(store=store, accepted_at=None, revoked_at=None).select_related("invited_by").order_by("-created_at"))


def invite(store: Store, *, email: str, role: str, by: User, now: datetime) -> tuple[Invitation, str]:
    """Invite an e-mail address; return the invitation and the token of its link, which is told only now."""
    email = email.lower()
    if Membership.objects.filter(store=store, user__in=accounts_of(email)).exists():
        raise NotInvited(f"{email} is a member of {store.name} already. Change the role in the list of members.")
    token = new_token()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                store=store, email=email, role=role, invited_by=by, digest=digest_of(token), created_at=now, expires_at=now + LIFE
            )
    except IntegrityError as error:
        raise NotInvited(f"{email} has an invitation already. Make a new link for it, or take it back, in the list of invitations.") from error
    return invitation, token


def renew(invitation: Invitation, *, by: User, now: datetime) -> str | None:
    """Give an open invitation a new link and a new week; the old link ends. Return the token, or None if it was answered meanwhile.

    It is theirs from now on who renews it: one by a former owner lets nobody in any more.
    """
    token = new_token()
    changes = {"digest": digest_of(token), "expires_at": now + LIFE, "mailed_at": None, "invited_by": by}
    open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    return token if open_ones.update(**changes) else None


def revoke(invitation: Invitation, *, now: datetime) -> bool:
    """Take an open invitation back; answer whether it still was open."""
    return bool(Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=now))


def revoke_of_former_member(membership: Membership, *, now: datetime) -> None:
    """Take back what would let somebody in again whose role in a store has ended."""
    of_store = Invitation.objects.filter(store_id=membership.store_id, accepted_at=None, revoked_at=None)
    of_store.annotate(address=Lower("email")).filter(address__in=addresses_of(membership.user_id)).update(revoked_at=now)


def mail(invitation: Invitation, address: str, *, now: datetime) -> bool:
    """Send the link to the invited address; answer whether the mail server took it."""
    context = {"invitation": invitation, "address": address}
    try:
        send_mail(
            f"Invitation to {invitation.store.name} on ProfitPeek", render_to_string("dashboards/people/invitation.txt", context),
            from_email=None, recipient_list=[invitation.email],
        )  # fmt: skip
    except (SMTPException, OSError):
        return False
    return bool(Invitation.objects.filter(pk=invitation.pk).update(mailed_at=now))


def find(token: str, *, now: datetime) -> Invitation:
    """Return the open invitation of a link, or refuse with the reason and whom to ask."""
    return _checked(Invitation.objects.select_related("store", "invited_by").filter(digest=digest_of(token)).first(), now)


def accept(token: str, user: User, *, now: datetime) -> Invitation:
    """Make an account a member, once. Whoever is a member meanwhile keeps the role they have."""
    with transaction.atomic():
        invitation = _locked(token, now)
        if not accounts_of(invitation.email).filter(pk=user.pk).exists():
            raise LinkRefused("This invitation is for somebody else", f"It was made for {invitation.email}. Sign in with that address to accept it.")
        _close(invitation, user, now)
        if not Membership.objects.filter(store=invitation.store, user=user).exists():
            set_role(invitation.store, user, invitation.role)
    return invitation


def accept_as_newcomer(token: str, password: str, *, now: datetime) -> tuple[User, Invitation]:
    """Make an account for the invited address and make it a member, both or neither."""
    with transaction.atomic():
        invitation = _locked(token, now)
        user = open_account(invitation.email, password, verified=invitation.mailed_at is not None)
        set_role(invitation.store, user, invitation.role)
        _close(invitation, user, now)
    return user, invitation


def _locked(token: str, now: datetime) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("store", "invited_by")
    return _checked(rows.filter(digest=digest_of(token)).first(), now)


def _close(invitation: Invitation, user: User, now: datetime) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now, accepted_by=user)


def _checked(invitation: Invitation | None, now: datetime) -> Invitation:
    if invitation is None:
        raise LinkRefused("This invitation is not known", "A newer link may have taken its place. Ask whoever invited you for the newest one.")
    inviter = invitation.invited_by
    still_owner = inviter is not None and stores_of(inviter, OWNERS).filter(pk=invitation.store_id).exists()
    whom = (inviter and still_owner and inviter.email) or _an_owner(invitation.store)
    if invitation.accepted_at:
        raise LinkRefused("This invitation has been used", f"If it was you, sign in. If not, tell {whom}.")
    if invitation.revoked_at:
        raise LinkRefused("This invitation was taken back", f"Ask {whom} whether you should have a new one.")
    if invitation.expires_at <= now:
        raise LinkRefused("This invitation has expired", f"It was good until {invitation.expires_at:%-d %B %Y}. Ask {whom} for a new link.")
    if not still_owner:
        raise LinkRefused(
            "This invitation is no longer good", f"Its maker is not an owner of {invitation.store.name} now. Ask {whom} for a new link."
        )
    return invitation


def _an_owner(store: Store) -> str:
    """Name somebody who can answer for a store."""
    owners = Membership.objects.filter(store=store, role__in=OWNERS, user__is_active=True).exclude(user__email="")
    return owners.order_by("pk").values_list("user__email", flat=True).first() or "an owner of the store"
