"""Show accounts to whoever runs the installation: who signs in, with what, and from where."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.module_loading import import_string

from profitpeek.jobs.admin import InstallationAdmin


@admin.register(User)
class PersonAdmin(UserAdmin, InstallationAdmin):
    """Lists everybody with an account. People come by invitation, and go by being deactivated: what they did keeps their name."""

    note = "Roles in stores are given under memberships. Times are UTC."
    change_password_form = import_string(f"{settings.ADMIN_FORMS}.AdminPasswordChangeForm")
    list_display = ["email", "roles", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "username", "first_name", "last_name"]
    ordering = ["email", "pk"]
    fieldsets = [
        (None, {"fields": ["email", "first_name", "last_name", "password"]}),
        ("Access", {"fields": ["is_active", "is_superuser", "roles"]}),
        ("Times (UTC)", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = ()
    filter_horizontal = ()
    readonly_fields = ["email", "is_superuser", "roles", "last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return everybody with their roles."""
        people: QuerySet[User] = super().get_queryset(request)
        return people.prefetch_related("memberships__store")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Let nobody lock themselves out."""
        return [*self.readonly_fields, "is_active"] if obj is not None and obj.pk == request.user.pk else self.readonly_fields

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        """Return what the person is in which store."""
        held: Any = getattr(person, "memberships", None)
        return ", ".join(f"{membership.get_role_display()} of {membership.store}" for membership in held.all()) or "—"


@admin.register(Authenticator)
class AuthenticatorAdmin(InstallationAdmin):
    """Lists second factors, never their secrets, and takes away a lost one."""

    note = "Delete the second factor of somebody who has lost it, once you are sure who asks: they sign in with their password alone then."
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]
    ordering = ["user__email", "pk"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)


@admin.register(UserSession)
class SessionAdmin(InstallationAdmin):
    """Lists who is signed in where, never the key of a session, and signs them out."""

    note = "Deleting a session signs that browser out. Times are UTC."
    list_display = ["user", "ip", "user_agent", "created_at", "last_seen_at"]
    list_select_related = ["user"]
    search_fields = ["user__email", "ip"]
    fields = ["user", "ip", "user_agent", "created_at", "last_seen_at"]
    ordering = ["-last_seen_at", "-pk"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        """End the session as well as its row."""
        obj.end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End every chosen session."""
        for session in queryset:
            session.end()
