"""Read what the P&L and its tabs share: the scope of the address, what stands around the figures, and the links between the tabs."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dashboards.access import stores_for
from dashboards.forms.addresses import Reading, ScopeForm
from dashboards.forms.presets import scope_bar
from dashboards.forms.scope import Scope
from dashboards.metrics import METRICS
from dashboards.opening import Openings
from dashboards.pages.freshness import Freshness
from dashboards.pages.notices import current_zone
from dashboards.pages.statement_table import Table, booked_days
from ledger.kinds import Basis
from ledger.models import Store
from ledger.periods import By

READING = Reading(by=By.MONTH)
TABS = {"pnl": "Profit", "pnl_revenue": "Revenue", "pnl_costs": "Costs"}


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to one of the P&L's tabs with the same scope."""

    label: str
    address: str
    is_shown: bool


def scope_form(request: HttpRequest, store: Store) -> ScopeForm:
    """Read the address of a P&L page; the default range is the last months with entries."""
    zone = current_zone(store)
    today: date = timezone.localdate(timezone=ZoneInfo(zone))
    return ScopeForm(
        request.GET, store=store, today=today, zone=zone, reading=READING, booked=lambda basis: booked_days(store.book, basis, today=today)
    )  # fmt: skip


def frame(request: HttpRequest, store: Store, form: ScopeForm, scope: Scope | None, told: Freshness, *, tab: str) -> dict[str, Any]:
    """Return what the template needs around the figures of a tab; without a scope there is nothing to show."""
    query = scope.query() if scope else ""
    addresses = {name: reverse(name, args=[store.slug]) for name in TABS}
    tabs = [Tab(label, f"{addresses[name]}?{query}" if query else addresses[name], name == tab) for name, label in TABS.items()]
    return {
        "store": store, "stores": stores_for(request.user), "section": "pnl", "zone": form.zone, "scope": scope, "tab": tab, "tabs": tabs,
        "bar": scope_bar(form, scope) if scope else None, "problems": form.problems() if scope else [], "freshness": told, "query": query,
    }  # fmt: skip


def open_figures(store: Store, table: Table) -> Table:
    """Give every figure of a statement its meaning and the address of the entries beneath it, and return the statement."""
    scope = table.scope
    openings = Openings(store, [scope.period, scope.compared or scope.period, *scope.periods], scope.basis, currency=scope.currency)
    for _, rows in table.sections():
        for row in (*rows, *(account for line in rows for account in line.accounts)):
            addresses = openings.of(account=row.key) if row.is_account else openings.of(line=row.key)
            row.meaning = "" if row.is_account else METRICS[row.key].title
            row.address, compared, *row.addresses = addresses
            row.compared_address = compared if scope.compared else ""
    on_bases = [Openings(store, [scope.period], basis, currency=scope.currency) for basis in (Basis.ORDER, Basis.EVENT)]
    for step in table.bridge:
        step.addresses = [openings.of(line=step.key)[0] for openings in on_bases]
    return table


def has_entries(store: Store) -> bool:
    """Tell whether anything was ever booked; a range typed for a store without anything would show a table of zeros."""
    return store.book.last_seq > 0
