"""Let people in by a link: the first account, and those who are invited. Say what goes without a mail server."""

from typing import Any

from allauth.account import views as stock
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from dashboards import first_account, invitations
from dashboards.accounts import accounts_of, sign_in
from dashboards.forms.people_forms import FirstAccountForm, PasswordForm
from dashboards.links import LinkRefused
from dashboards.models import Invitation
from ledger.models import Store
from ledger.people import OWNERS, stores_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password", "again")
def first(request: HttpRequest, token: str) -> HttpResponseBase:
    """Make the account that runs the installation; `use=mine` appoints the account that is signed in."""
    now = timezone.now()
    mine = request.user if isinstance(request.user, User) and not _is_demo(request.user) else None
    form = FirstAccountForm(request.POST if request.method == "POST" and "use" not in request.POST else None)
    try:
        first_account.check(token, now=now)
        if mine and request.POST.get("use") == "mine":
            first_account.appoint(token, mine, now=now)
            messages.success(request, "You run this installation now: you see every store, and the admin in full.")
            return redirect("home")
        if form.is_valid():
            given = form.cleaned_data
            user = first_account.make_first_account(token, email=given["email"], password=given["password"], now=now)
            messages.success(request, "Your account is made. Sign-up is closed now: everybody else is invited by the owner of a store.")
            return sign_in(request, user, then=reverse("new_store"))
    except LinkRefused as refusal:
        return _refused(request, refusal)
    except IntegrityError:  # the address was given an account a moment ago
        return redirect("first_account", token=token)
    return render(request, "dashboards/people/first_account.html", {"form": form, "problems": form.problems(), "mine": mine})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password", "again")
def invited(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show an invitation; POST accepts it, for the account that is signed in or for a new one."""
    now = timezone.now()
    try:
        invitation = invitations.find(token, now=now)
        accounts = accounts_of(invitation.email)
        state: dict[str, Any] = {"invitation": invitation, "known": accounts.exists(), "here": request.get_full_path()}
        if isinstance(request.user, User):
            state["yours"] = accounts.filter(pk=request.user.pk).exists()
            if request.method == "POST" and state["yours"]:
                _welcome(request, invitations.accept(token, request.user, now=now))
                return redirect("today", slug=invitation.store.slug)
        elif not state["known"]:
            form = PasswordForm(request.POST if request.method == "POST" else None, address=invitation.email)
            state |= {"form": form, "problems": form.problems()}
            if form.is_valid():
                user, invitation = invitations.accept_as_newcomer(token, form.cleaned_data["password"], now=now)
                _welcome(request, invitation)
                return sign_in(request, user, then=reverse("today", args=[invitation.store.slug]))
    except LinkRefused as refusal:
        return _refused(request, refusal)
    except IntegrityError:  # the address was given an account a moment ago
        return redirect("invitation", token=token)
    return render(request, "dashboards/people/invitation.html", state)


def password_reset(request: HttpRequest) -> HttpResponseBase:
    """Mail a link to set a new password; without a mail server, name the command that does it."""
    return _with_mail(request, stock.password_reset, "account/password_reset_on_server.html")


def email(request: HttpRequest) -> HttpResponseBase:
    """Change one's e-mail address once the new one is confirmed; without a mail server, say who can."""
    if "action_primary" in request.POST:
        # No page of ours has it: allauth would take an address that nobody confirmed for the account's own.
        messages.error(request, "Nothing was changed. A new address counts once the link mailed there was opened.")
        return redirect("account_email")
    return _with_mail(request, stock.email, "account/email_on_server.html")


@require_safe
def password_reset_sent(request: HttpRequest) -> HttpResponseBase:
    """Say that a link to set a new password was mailed, where that can be."""
    return _with_mail(request, stock.password_reset_done, "account/password_reset_on_server.html")


@require_safe
def email_sent(request: HttpRequest) -> HttpResponseBase:
    """Say that a link to confirm an address was mailed, where that can be."""
    return _with_mail(request, stock.email_verification_sent, "account/email_on_server.html")


def _with_mail(request: HttpRequest, view: Any, otherwise: str) -> HttpResponseBase:
    if settings.MAIL_CONFIGURED:
        answer: HttpResponseBase = view(request)
        return answer
    return render(request, otherwise, {"owned": stores_of(request.user, OWNERS)})


def _welcome(request: HttpRequest, invitation: Invitation) -> None:
    messages.success(request, f"Welcome to {invitation.store.name}.")


def _refused(request: HttpRequest, refusal: LinkRefused) -> HttpResponse:
    return render(request, "dashboards/people/link_refused.html", {"refusal": refusal}, status=410)


def _is_demo(user: User) -> bool:
    """Tell the demo's account, which everybody may know, from others: it belongs to demo stores only."""
    of_user = Store.objects.filter(memberships__user=user)
    return of_user.filter(is_demo=True).exists() and not of_user.filter(is_demo=False).exists()
