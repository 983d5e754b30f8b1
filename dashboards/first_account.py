"""Let the first account be made, once, by whoever can read the terminal; it runs the installation."""

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from dashboards.accounts import open_account
from dashboards.links import LinkRefused, digest_of, new_token
from dashboards.models import FirstAccountLink

LIFE = timedelta(hours=24)


def is_missing() -> bool:
    """Tell whether nobody runs the installation yet; the demo's account and owners of stores do not."""
    return not get_user_model()._default_manager.filter(is_superuser=True).exists()


def issue(*, now: datetime) -> str:
    """Make a link for the first account and return its token. Links given before stay good until they expire."""
    token = new_token()
    FirstAccountLink.objects.filter(expires_at__lte=now).delete()
    FirstAccountLink.objects.create(digest=digest_of(token), created_at=now, expires_at=now + LIFE)
    return token


def check(token: str, *, now: datetime) -> None:
    """Refuse a token that would not make the first account."""
    _check(FirstAccountLink.objects.filter(digest=digest_of(token)).first(), now)


def make_first_account(token: str, *, email: str, password: str, now: datetime) -> User:
    """Make the account that runs the installation, and end every such link."""
    with transaction.atomic():
        _spend(token, now)
        return open_account(email, password, superuser=True)


def appoint(token: str, user: User, *, now: datetime) -> None:
    """Let an account there is run the installation, and end every such link."""
    with transaction.atomic():
        _spend(token, now)
        get_user_model()._default_manager.filter(pk=user.pk).update(is_superuser=True, is_staff=True)


def _spend(token: str, now: datetime) -> None:
    digest = digest_of(token)
    # All are locked, whichever is shown: of two people with two links, the second waits and then finds the first's account.
    links = {bytes(link.digest): link for link in FirstAccountLink.objects.select_for_update().order_by("pk")}
    _check(links.get(digest), now)
    FirstAccountLink.objects.all().delete()


def _check(link: FirstAccountLink | None, now: datetime) -> None:
    if not is_missing():
        raise LinkRefused("The first account has been made already", "Sign in with it. Everybody else is invited by the owner of a store.")
    if link is None or link.expires_at <= now:
        raise LinkRefused("This link has expired", "On the server, run “manage.py first_account” for a new one.")
