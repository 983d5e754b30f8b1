"""Route addresses to the pages of a store."""

from django.urls import URLPattern, path

from dashboards.views.entrance import email, first, invited, password_reset
from dashboards.views.home import home
from dashboards.views.orders import order, orders
from dashboards.views.people import change_role, people, remove, renew_invitation, revoke_invitation
from dashboards.views.pnl import pnl, pnl_csv
from dashboards.views.preferences import theme
from dashboards.views.stores import new_store

urlpatterns: list[URLPattern] = [
    path("", home, name="home"),
    path("preferences/theme", theme, name="theme"),
    path("accounts/first/<str:token>", first, name="first_account"),
    path("accounts/invitation/<str:token>", invited, name="invitation"),
    # In front of allauth's, which need a mail server.
    path("accounts/password/reset/", password_reset, name="account_reset_password"),
    path("accounts/email/", email, name="account_email"),
    path("stores/new", new_store, name="new_store"),
    path("<slug:slug>/pnl", pnl, name="pnl"),
    path("<slug:slug>/pnl.csv", pnl_csv, name="pnl_csv"),
    path("<slug:slug>/orders", orders, name="orders"),
    path("<slug:slug>/orders/<path:number>", order, name="order"),
    path("<slug:slug>/people", people, name="people"),
    path("<slug:slug>/people/<int:pk>/role", change_role, name="change_role"),
    path("<slug:slug>/people/<int:pk>/remove", remove, name="remove_member"),
    path("<slug:slug>/people/invitations/<int:pk>/renew", renew_invitation, name="renew_invitation"),
    path("<slug:slug>/people/invitations/<int:pk>/revoke", revoke_invitation, name="revoke_invitation"),
]
