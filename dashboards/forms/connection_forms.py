"""Read what a person types to connect an account: its name, one of the ways in, and what that way wants to know."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from connectors.addresses import base_url
from connectors.connections import check_account
from connectors.faults import Denied
from connectors.oauth import CONSENT
from connectors.spec import Connector, Key, Setting
from dashboards.forms.people_forms import PageForm

LONGEST = 2_000


class ConnectForm(PageForm):
    """One way in: by the platform's own pages, or by a key."""

    account = forms.CharField(max_length=200)
    sandbox = forms.CharField(
        label="Address of a sandbox", required=False, max_length=300,
        help_text="Only to try things out: where “manage.py sandbox” says that its platform is. Leave it empty to connect the real account.",
    )  # fmt: skip

    def __init__(self, *args: Any, connector: Connector, way: Key | None, **kwargs: Any) -> None:
        """Ask for the account and the settings of a way; None is the platform's own consent."""
        self.connector, self.way = connector, way
        self.way_name = way.name if way else CONSENT
        super().__init__(*args, auto_id=f"{self.way_name}_%s", **kwargs)
        self.fields["account"].label = connector.account_label
        self.fields["account"].error_messages["required"] = f"Give the {connector.account_label.lower()}."
        for setting in self.settings:
            self.fields[setting.name] = _field(setting)
        if not settings.SANDBOX_HOSTS:
            del self.fields["sandbox"]
        else:
            self.fields["sandbox"] = self.fields.pop("sandbox")

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Return what this way wants to know."""
        if self.way is not None:
            return self.way.settings
        return self.connector.consent.settings if self.connector.consent else ()

    @property
    def told(self) -> dict[str, str]:
        """Return the settings as they were typed, those left empty left out."""
        return {setting.name: self.cleaned_data[setting.name] for setting in self.settings if self.cleaned_data[setting.name]}

    def clean_account(self) -> str:
        """Tidy the account, or say what to type."""
        try:
            return check_account(self.connector, self.cleaned_data["account"])
        except Denied as denied:
            raise ValidationError(denied.reason) from denied

    def clean_sandbox(self) -> str:
        """Take only the address of a sandbox that the installation allows."""
        address: str = self.cleaned_data["sandbox"].strip()
        if address:
            try:
                base_url(self.connector, "", address)
            except Denied as denied:
                raise ValidationError(denied.reason) from denied
        return address


def _field(setting: Setting) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "off"}) if setting.secret else forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(
        label=setting.label, required=not setting.optional, max_length=LONGEST, widget=widget, help_text=setting.help,
        error_messages={"required": f"Give the {setting.label.lower()}."},
    )  # fmt: skip


def ways(connector: Connector) -> list[Key | None]:
    """Return a platform's ways in, its own pages first."""
    return [*([None] if connector.consent else []), *connector.keys]


def connect_forms(connector: Connector, *, data: Any = None, initial: dict[str, str] | None = None) -> list[ConnectForm]:
    """Return a form for each way in; the one that was sent, which `way` of the data names, is bound to it."""
    sent = data.get("way") if data is not None else None
    return [
        ConnectForm(data if (way.name if way else CONSENT) == sent else None, connector=connector, way=way, initial=initial)
        for way in ways(connector)
    ]  # fmt: skip
