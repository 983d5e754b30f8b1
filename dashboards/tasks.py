"""Do in the background what pages leave behind: expired sessions, sign-in limits and links."""

from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone

from dashboards.models import CacheEntry, FirstAccountLink, Invitation
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work

KEEP_INVITATIONS = timedelta(days=365)
"""How long it stays told who was invited by whom."""


def forget_expired(work: Work) -> None:
    """Delete expired sessions, cached limits and links, and invitations that ended a year ago."""
    now = timezone.now()
    call_command("clearsessions")
    CacheEntry.objects.filter(expires__lt=now).delete()
    FirstAccountLink.objects.filter(expires_at__lt=now).delete()
    Invitation.objects.filter(expires_at__lt=now - KEEP_INVITATIONS).delete()


FORGET_EXPIRED = Kind(name="forget-expired", label="Deletion of expired sessions and links", handler=forget_expired)
