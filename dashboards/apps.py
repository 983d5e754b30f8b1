"""Register the dashboards app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete
from django.utils import timezone


class DashboardsConfig(AppConfig):
    """Name the dashboards app for Django."""

    name = "dashboards"

    def ready(self) -> None:
        """Watch memberships end: the site, the admin and commands all remove them, below the invitations."""
        post_delete.connect(_membership_ended, sender="ledger.Membership", dispatch_uid="dashboards.membership_ended")


def _membership_ended(instance: Any, **_: Any) -> None:
    # Only now: models are not there yet when this file is read.
    from dashboards.invitations import revoke_of_former_member

    revoke_of_former_member(instance, now=timezone.now())
