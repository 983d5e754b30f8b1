"""Reckon the ratios of a statement from its sums, and say why where there is none."""

from decimal import Decimal

from dashboards.pages.statement_table import margin_base, share
from ledger.models import Store
from ledger.statements import Statement, amount

MULTIPLES = ("mer", "break_even_mer")
RATIOS = ("margin", *MULTIPLES, "estimated_share")
"""Figures without entries of their own: what they are reckoned from has them."""

NO_BASE = {
    "margin": "nothing was sold to earn a margin on",
    "mer": "nothing was spent on marketing",
    "break_even_mer": "there is no CM2 above zero, so no marketing breaks even",
    "estimated_share": "nothing was booked",
}
"""Why a ratio is unknown."""


def ratio(store: Store, key: str, statement: Statement) -> tuple[Decimal | None, str]:
    """Return a ratio of a statement, and why it is unknown where it is."""
    if key == "estimated_share":
        found = statement.estimated_share
    elif key == "margin":
        found = share(statement.net_profit, margin_base(store, statement))
    else:
        base = -statement.lines["marketing"] if key == "mer" else statement.cm2
        found = share(statement.net_revenue, base)
    return found, NO_BASE[key] if found is None else ""


def parts_of(store: Store, key: str) -> tuple[str, ...]:
    """Return the keys of the figures that a ratio is reckoned from; none for the estimated share, which is reckoned by account."""
    if key == "margin":
        tax = ("tax",) if store.margin_basis == Store.MarginBasis.TOTAL_SALES else ()
        return ("net_profit", "net_revenue", *tax)
    return {"mer": ("net_revenue", "marketing"), "break_even_mer": ("net_revenue", "cm2")}.get(key, ())


def figure_of(statement: Statement, key: str) -> Decimal:
    """Return a line, a sum or a figure beside profit of a statement by its key."""
    return statement.memo[key] if key in statement.memo else amount(statement, key)
