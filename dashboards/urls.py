"""Route addresses to the pages of a store."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import SlugConverter

from dashboards.views.changes import why
from dashboards.views.connections import connect, connection, connections_list, returned, steer
from dashboards.views.costs import costs
from dashboards.views.data import data
from dashboards.views.entrance import email, email_sent, first, invited, password_reset, password_reset_sent
from dashboards.views.entries import entries, entries_file, metrics
from dashboards.views.erasing import delete_store
from dashboards.views.home import home
from dashboards.views.import_columns import import_columns
from dashboards.views.import_mappings import import_mappings
from dashboards.views.imports import file_import, imports, progress, rows_csv, undo_import
from dashboards.views.imports_list import imports_file
from dashboards.views.orders import order, orders, orders_csv_file, orders_xlsx_file
from dashboards.views.payouts import payout, payout_file, payouts, payouts_file
from dashboards.views.people import change_role, people, remove, renew_invitation, revoke_invitation
from dashboards.views.pnl import pnl, pnl_costs, pnl_print, pnl_revenue
from dashboards.views.pnl_files import pnl_costs_file, pnl_file, pnl_revenue_file
from dashboards.views.preferences import theme
from dashboards.views.privacy import privacy, privacy_case, privacy_copy, steer_privacy
from dashboards.views.pulse import book_pulse, connections_pulse, order_pulse, stores_pulse
from dashboards.views.start import mend_gap, start_page
from dashboards.views.stores import new_store, page_of
from dashboards.views.today import today
from dashboards.views.together import stores_pnl, stores_pnl_file, stores_today
from ledger.stores import RESERVED


class StoreConverter(SlugConverter):
    """Matches a store's short name, and leaves /admin and its like to their own pages."""

    regex = rf"(?!(?:{'|'.join(sorted(RESERVED))})(?:/|\Z)){SlugConverter.regex}"


register_converter(StoreConverter, "store")

urlpatterns: list[URLPattern] = [
    path("", home, name="home"),
    path("preferences/theme", theme, name="theme"),
    path("accounts/first/<str:token>", first, name="first_account"),
    path("accounts/invitation/<str:token>", invited, name="invitation"),
    # In front of allauth's, which need a mail server.
    path("accounts/password/reset/", password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", password_reset_sent, name="account_reset_password_done"),
    path("accounts/email/", email, name="account_email"),
    path("accounts/confirm-email/", email_sent, name="account_email_verification_sent"),
    path("stores/new", new_store, name="new_store"),
    path("stores/today", stores_today, name="stores_today"),
    path("stores/pnl", stores_pnl, name="stores_pnl"),
    path("stores/pnl.csv", stores_pnl_file, {"kind": "csv"}, name="stores_pnl_csv"),
    path("stores/pnl.xlsx", stores_pnl_file, {"kind": "xlsx"}, name="stores_pnl_xlsx"),
    path("stores/pulse", stores_pulse, name="stores_pulse"),
    path("<slug:slug>/pulse", book_pulse, name="pulse"),
    path("<slug:slug>/pulse/orders/<path:number>", order_pulse, name="order_pulse"),
    path("<slug:slug>/today", today, name="today"),
    path("<slug:slug>/pnl", pnl, name="pnl"),
    path("<slug:slug>/pnl.csv", pnl_file, {"kind": "csv"}, name="pnl_csv"),
    path("<slug:slug>/pnl.xlsx", pnl_file, {"kind": "xlsx"}, name="pnl_xlsx"),
    path("<slug:slug>/pnl/print", pnl_print, name="pnl_print"),
    path("<slug:slug>/pnl/revenue", pnl_revenue, name="pnl_revenue"),
    path("<slug:slug>/pnl/revenue.csv", pnl_revenue_file, {"kind": "csv"}, name="pnl_revenue_csv"),
    path("<slug:slug>/pnl/revenue.xlsx", pnl_revenue_file, {"kind": "xlsx"}, name="pnl_revenue_xlsx"),
    path("<slug:slug>/pnl/costs", pnl_costs, name="pnl_costs"),
    path("<slug:slug>/pnl/costs.csv", pnl_costs_file, {"kind": "csv"}, name="pnl_costs_csv"),
    path("<slug:slug>/pnl/costs.xlsx", pnl_costs_file, {"kind": "xlsx"}, name="pnl_costs_xlsx"),
    path("<slug:slug>/entries", entries, name="entries"),
    path("<slug:slug>/entries.csv", entries_file, {"kind": "csv"}, name="entries_csv"),
    path("<slug:slug>/entries.xlsx", entries_file, {"kind": "xlsx"}, name="entries_xlsx"),
    path("<slug:slug>/changes", why, name="changes"),
    path("<slug:slug>/metrics", metrics, name="metrics"),
    path("<slug:slug>/orders", orders, name="orders"),
    path("<slug:slug>/orders.csv", orders_csv_file, name="orders_csv"),
    path("<slug:slug>/orders.xlsx", orders_xlsx_file, name="orders_xlsx"),
    path("<slug:slug>/orders/<path:number>", order, name="order"),
    path("<slug:slug>/payouts", payouts, name="payouts"),
    path("<slug:slug>/payouts.csv", payouts_file, {"kind": "csv"}, name="payouts_csv"),
    path("<slug:slug>/payouts.xlsx", payouts_file, {"kind": "xlsx"}, name="payouts_xlsx"),
    path("<slug:slug>/payouts/<int:pk>", payout, name="payout"),
    path("<slug:slug>/payouts/<int:pk>.csv", payout_file, {"kind": "csv"}, name="payout_csv"),
    path("<slug:slug>/payouts/<int:pk>.xlsx", payout_file, {"kind": "xlsx"}, name="payout_xlsx"),
    path("<slug:slug>/costs", costs, name="costs"),
    path("<slug:slug>/start", start_page, name="start"),
    path("<slug:slug>/start/gap", mend_gap, name="mend_gap"),
    path("<slug:slug>/imports", imports, name="imports"),
    path("<slug:slug>/imports.csv", imports_file, {"kind": "csv"}, name="imports_csv"),
    path("<slug:slug>/imports.xlsx", imports_file, {"kind": "xlsx"}, name="imports_xlsx"),
    path("<slug:slug>/imports/mappings", import_mappings, name="import_mappings"),
    path("<slug:slug>/imports/<int:pk>", file_import, name="file_import"),
    path("<slug:slug>/imports/<int:pk>/columns", import_columns, name="file_import_columns"),
    path("<slug:slug>/imports/<int:pk>/progress", progress, name="file_import_progress"),
    path("<slug:slug>/imports/<int:pk>/undo", undo_import, name="undo_import"),
    path("<slug:slug>/imports/<int:pk>/<slug:what>.csv", rows_csv, name="file_import_rows"),
    path("connections/<slug:platform>/return", returned, name="connection_returned"),
    path("<slug:slug>/connections", connections_list, name="connections"),
    path("<slug:slug>/connections/pulse", connections_pulse, name="connections_pulse"),
    path("<slug:slug>/connections/new/<slug:platform>", connect, name="connect"),
    path("<slug:slug>/connections/<int:pk>", connection, name="connection"),
    path("<slug:slug>/connections/<int:pk>/<slug:action>", steer, name="steer_connection"),
    path("<slug:slug>/data", data, name="data"),
    path("<slug:slug>/delete", delete_store, name="delete_store"),
    path("<slug:slug>/people", people, name="people"),
    path("<slug:slug>/people/<int:pk>/role", change_role, name="change_role"),
    path("<slug:slug>/people/<int:pk>/remove", remove, name="remove_member"),
    path("<slug:slug>/people/invitations/<int:pk>/renew", renew_invitation, name="renew_invitation"),
    path("<slug:slug>/people/invitations/<int:pk>/revoke", revoke_invitation, name="revoke_invitation"),
    path("<slug:slug>/privacy", privacy, name="privacy"),
    path("<slug:slug>/privacy/<int:pk>", privacy_case, name="privacy_case"),
    path("<slug:slug>/privacy/<int:pk>/copy.zip", privacy_copy, name="privacy_copy"),
    path("<slug:slug>/privacy/<int:pk>/<slug:action>", steer_privacy, name="steer_privacy"),
    # What people type: the store alone, or a slash too many.
    path("<store:slug>", page_of, name="store"),
    path("<store:slug>/", page_of),
    path("<store:slug>/today/", page_of),
    path("<store:slug>/pnl/", page_of, {"page": "pnl"}),
    path("<store:slug>/orders/", page_of, {"page": "orders"}),
    path("<store:slug>/payouts/", page_of, {"page": "payouts"}),
    path("<store:slug>/costs/", page_of, {"page": "costs"}),
    path("<store:slug>/start/", page_of, {"page": "start"}),
    path("<store:slug>/imports/", page_of, {"page": "imports"}),
    path("<store:slug>/connections/", page_of, {"page": "connections"}),
    path("<store:slug>/data/", page_of, {"page": "data"}),
    path("<store:slug>/people/", page_of, {"page": "people"}),
    path("<store:slug>/privacy/", page_of, {"page": "privacy"}),
]
