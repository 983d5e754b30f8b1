"""Decide who may have an account, and how accounts are made and kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase

from dashboards.links import at_site
from ledger.sealing import seal, unseal


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps sign-up closed: accounts are made by the first-account link, by invitation, or on the server."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": f"Too many failed attempts to sign in. Try again in {settings.SIGN_IN_PAUSE} minutes."
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Answer that nobody may sign up by themselves."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link to mail for a new password."""
        return at_site(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link to mail for the confirmation of an address."""
        return at_site(super().get_email_confirmation_url(request, emailconfirmation))


class SealedAuthenticators(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Seals the secrets of authenticator apps and recovery codes with FIELD_KEYS."""

    def encrypt(self, text: str) -> str:
        """Return the text sealed."""
        return seal(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text in the clear."""
        return unseal(encrypted_text.encode()).decode()


def accounts_of(email: str) -> QuerySet[User]:
    """Return the accounts an e-mail address stands for; more than one only where somebody made them by hand."""
    people: QuerySet[User] = get_user_model()._default_manager.all()
    named = Q(email__iexact=email) | Q(username__iexact=email)
    # Anybody may say that an address is theirs; it is once a link mailed there was opened.
    return people.filter(named | Q(pk__in=EmailAddress.objects.filter(email__iexact=email, verified=True).values("user_id")))


def addresses_of(user_id: int) -> set[str]:
    """Return the e-mail addresses that stand for an account, in small letters: the other way round of `accounts_of`."""
    named = get_user_model()._default_manager.filter(pk=user_id).values_list("email", "username")
    verified = EmailAddress.objects.filter(user_id=user_id, verified=True).values_list("email", flat=True)
    return {each.lower() for each in (*(each for pair in named for each in pair), *verified) if each}


def open_account(email: str, password: str, *, superuser: bool = False, verified: bool = False) -> User:
    """Make an account that signs in with an e-mail address; `verified` says that a link was mailed there and opened."""
    people: Any = get_user_model()._default_manager
    with transaction.atomic():
        user: User = people.create_user(username=email, email=email, password=password, is_staff=superuser, is_superuser=superuser)
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=verified)
    return user


def sign_in(request: HttpRequest, user: User, *, then: str) -> HttpResponseBase:
    """Sign somebody in who has just chosen their password, and send them on."""
    answer: HttpResponseBase = perform_login(request, user, email_verification="none", redirect_url=then)
    return answer
