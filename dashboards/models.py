"""Hold the links that let people in, and the rows of the shared cache."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models import Membership, Store


class Link(models.Model):
    """A link that lets its holder in once; only a digest of its secret is kept, so the table opens no door."""

    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        abstract = True


class FirstAccountLink(Link):
    """A link to make the first account, who runs the installation."""

    def __str__(self) -> str:
        return f"first account, until {self.expires_at:%Y-%m-%d %H:%M}"


class Invitation(Link):
    """A link that makes one e-mail address a member of one store, in one role."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Membership.Role.choices)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    mailed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "email"], condition=Q(accepted_at=None, revoked_at=None), name="one_open_invitation_per_store_and_address"
            ),
            models.CheckConstraint(condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_is_not_both_accepted_and_revoked"),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.store} as {self.get_role_display()}"


class StartEnd(models.Model):
    """Says that the list of first steps of a store was finished, or put away, and by whom."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="start_end")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"first steps of {self.store} ended"


class CacheEntry(models.Model):
    """A row of Django's database cache, which alone reads and writes it.

    Limits on sign-in attempts are counted here: a cache of each process would allow them once per process.
    It is a model only so that a migration makes its table.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
