"""Read what people pages send: an invitation, a role, a new account, a new store."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from dashboards.accounts import accounts_of
from ledger.models import Membership, Store
from ledger.money import is_currency
from ledger.stores import StoreRefused, refuse_reserved


class PageForm(forms.Form):
    """A form in the pages' looks, with its problems listed for the summary on top."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give every field the pages' class."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field.widget, forms.Select) else "form-control"

    def problems(self) -> list[tuple[str, str]]:
        """List what was refused, each with the id of its field (empty for the form as a whole)."""
        return [
            (self[name].id_for_label if name in self.fields else "", str(message))
            for name, messages in self.errors.items() for message in messages
        ]  # fmt: skip


class InvitationForm(PageForm):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="E-mail address", error_messages={"required": "Give the e-mail address of the person to invite."})
    role = forms.ChoiceField(label="Role", choices=Membership.Role.choices, initial=Membership.Role.VIEWER)


class RoleForm(forms.Form):
    """A member's new role."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    role = forms.ChoiceField(choices=Membership.Role.choices)


class PasswordForm(PageForm):
    """A new password, typed twice."""

    password = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Choose a password."},
    )  # fmt: skip
    again = forms.CharField(
        label="The same password again", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Type the password a second time."},
    )  # fmt: skip

    def __init__(self, *args: Any, address: str = "", **kwargs: Any) -> None:
        """Remember the address, so that the password is not one like it."""
        super().__init__(*args, **kwargs)
        self.address = address
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        """Refuse passwords that differ, and weak ones."""
        cleaned = super().clean() or {}
        password, email = cleaned.get("password"), cleaned.get("email", self.address)
        if password and cleaned.get("again") not in (None, password):
            self.add_error("again", "The two passwords differ.")
        if password:
            try:
                validate_password(password, User(username=email, email=email))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class FirstAccountForm(PasswordForm):
    """The e-mail address and password of the account that runs the installation."""

    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        error_messages={"required": "Give the e-mail address to sign in with."},
    )  # fmt: skip
    field_order = ["email", "password", "again"]

    def clean_email(self) -> str:
        """Refuse an address that has an account already."""
        email = str(self.cleaned_data["email"]).lower()
        if accounts_of(email).exists():
            raise ValidationError("This address has an account already. Sign in with it, then open the link again.")
        return email


class StoreForm(PageForm):
    """A new store: its name, its short name, its currency and its time zone."""

    name = forms.CharField(label="Name", max_length=120, error_messages={"required": "Give the store's name as pages will show it."})
    slug = forms.SlugField(
        label="Short name", max_length=60, required=False,
        help_text="Used in addresses, such as harbour-pottery. Left empty, it is made from the name.",
        error_messages={"invalid": "The short name has only letters a to z, figures, hyphens and underscores."},
    )  # fmt: skip
    currency = forms.CharField(
        label="Currency", max_length=3, help_text="Its ISO 4217 code, such as EUR or USD. It can never change.",
        error_messages={"required": "Give the currency the store's books are kept in."},
    )  # fmt: skip
    zone = forms.ChoiceField(
        label="Time zone", choices=[("", "Choose one")] + [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())],
        help_text="Decides what day a sale falls on.", error_messages={"required": "Choose the store's time zone."},
    )  # fmt: skip

    def clean_currency(self) -> str:
        """Refuse a code that is no currency."""
        code = str(self.cleaned_data["currency"]).upper()
        if not is_currency(code):
            raise ValidationError(f"“{code}” is not an ISO 4217 currency code such as EUR or USD.")
        return code

    def clean(self) -> dict[str, Any]:
        """Make the short name where none was given, and refuse one that is taken, by a store or by our own addresses."""
        cleaned = super().clean() or {}
        if "name" in cleaned and not self.errors.get("slug"):
            cleaned["slug"] = slug = cleaned.get("slug") or slugify(cleaned["name"])[:60]
            if not slug:
                self.add_error("slug", "Give a short name: none can be made from the store's name.")
            elif Store.objects.filter(slug=slug).exists():
                self.add_error("slug", f"There already is a store with the short name “{slug}”.")
            else:
                try:
                    refuse_reserved(slug)
                except StoreRefused as refused:
                    self.add_error("slug", str(refused))
        return cleaned
