"""Say what is to be deleted with a store, and how far the deletions are that concern a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db.models import Q

from dashboards.forms.people_forms import PageForm
from ledger.models import Erasure, Membership, Store
from profitpeek.jobs.models import Job

TOLD_FOR = timedelta(days=1)
"""How long whoever deleted a store is told that it is gone."""


class ErasureForm(PageForm):
    """The store's name, typed by whoever wants to be rid of it."""

    name = forms.CharField(
        label="Type the store’s name", strip=True, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Nothing was deleted: type the store's name to confirm."},
    )  # fmt: skip

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        """Remember the store that is asked about."""
        super().__init__(*args, **kwargs)
        self.store = store
        self.fields["name"].help_text = f"Exactly as it is written here: {store.name}"

    def clean_name(self) -> str:
        """Refuse anything but the name itself."""
        name: str = self.cleaned_data["name"]
        if name != self.store.name:
            raise ValidationError(f"Nothing was deleted: “{name}” is not the name of this store, which is “{self.store.name}”.")
        return name


@dataclass(frozen=True, slots=True)
class Told:
    """One deletion as its page shows it."""

    erasure: Erasure
    job: Job | None

    @property
    def is_over(self) -> bool:
        """Tell whether the store is gone."""
        return self.erasure.finished_at is not None

    @property
    def is_stopped(self) -> bool:
        """Tell whether nothing goes on by itself any more."""
        return not self.is_over and (self.job is None or self.job.state not in (Job.State.WAITING, Job.State.RUNNING))

    @property
    def is_under_way(self) -> bool:
        """Tell whether it goes on."""
        return not self.is_over and not self.is_stopped


def erasures_for(user: AbstractBaseUser | AnonymousUser, *, actor: str, now: datetime) -> list[Told]:
    """Return the deletions under way of a person's stores, all for who runs the installation, and those the person lately saw to the end."""
    under_way = Q(finished_at=None)
    if not getattr(user, "is_superuser", False):
        under_way &= Q(number__in=Membership.objects.filter(user_id=user.pk or 0).values("store_id"))
    found = list(Erasure.objects.filter(under_way | Q(actor=actor, finished_at__gt=now - TOLD_FOR)))
    jobs = Job.objects.in_bulk([erasure.job for erasure in found if erasure.job is not None]) if found else {}
    return [Told(erasure, jobs.get(erasure.job or 0)) for erasure in found]
