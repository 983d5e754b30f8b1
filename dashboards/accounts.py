"""Decide who may sign up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps sign-up closed: accounts are made by `create_store --owner` or by the administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Answer that nobody may sign up by themselves."""
        return False
