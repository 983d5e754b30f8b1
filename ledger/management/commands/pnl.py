"""Print a store's profit statement: for a span of days, by period, on either basis, now or as it was believed before."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError

from ledger import accounts
from ledger.book.snapshot import snapshot
from ledger.kinds import Basis
from ledger.management.store_command import MOMENT_HELP, StoreCommand, amount_text, batch_at, table
from ledger.models import Batch, Store
from ledger.periods import By, Period, PeriodError, cut
from ledger.statements import STATEMENT_KEYS, BookState, Statement, amount, profit, state

BEFORE = "before income tax, interest and depreciation"
LABELS = {line.key: line.label for line in accounts.STATEMENT} | {
    "net_revenue": "Net revenue", "gross_profit": "Gross profit (CM1)", "cm2": "CM2", "cm3": "CM3", "net_profit": f"Net profit {BEFORE}",
}  # fmt: skip
WIDEST = 8
"""Periods shown as columns; more are shown as rows."""

ROW_COLUMNS = {
    "gross_sales": "Gross", "net_revenue": "Net revenue", "cogs": "COGS", "gross_profit": "CM1", "fulfilment": "Fulfilment", "fees": "Fees",
    "cm2": "CM2", "marketing": "Marketing", "cm3": "CM3", "operating": "Operating", "net_profit": "Net profit",
}  # fmt: skip


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no date such as 2026-01-31") from error


class Command(StoreCommand):
    """Prints the profit statement."""

    help = f"Print a store's profit statement. Costs are negative; net profit is {BEFORE}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        self.add_store_arguments(parser)
        parser.add_argument("--from", dest="first", type=_day, required=True, metavar="DAY", help="first day, in the store's time zone")
        parser.add_argument("--to", dest="last", type=_day, required=True, metavar="DAY", help="last day, included")
        parser.add_argument("--by", choices=[by.value for by in By], help="also cut the span into periods")
        parser.add_argument(
            "--basis", choices=[basis.label for basis in Basis], default=Basis.EVENT.label,
            help="count on the day it happened (event, the default) or on the day its order was placed (order)",
        )  # fmt: skip
        parser.add_argument("--as-of", metavar="MOMENT", help=f"as the book stood then: {MOMENT_HELP}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the statements in one snapshot and print them."""
        basis = next(basis for basis in Basis if basis.label == options["basis"])
        with snapshot():
            store = self.store(options["slug"])
            whole, periods = _periods(store, options["first"], options["last"], options["by"])
            seq = batch_at(store.book, options["as_of"]) if options["as_of"] else None
            total = profit(store.book, whole, basis=basis, as_of=seq)[0]
            parts = profit(store.book, periods, basis=basis, as_of=seq) if periods else []
            read = _read_through(store, seq)
        if options["json"]:
            self.print_json(_as_json(store, basis, total, parts, read))
            return
        self.stdout.write(f"{store.name}, {store.currency}, {whole[0].first} to {whole[0].last}, {basis.label} basis\n\n")
        self.stdout.write(_by_row(store, parts, total) if len(parts) > WIDEST else _by_column(store, parts, total))
        for note in _notes(total, read, rows=len(parts) > WIDEST):
            self.stdout.write(note)


def _periods(store: Store, first: date, last: date, by: str | None) -> tuple[list[Period], list[Period]]:
    how = {"week_starts_on_sunday": store.week_starts_on_sunday, "fiscal_year_start_month": store.fiscal_year_start_month}
    try:
        periods = cut(first, last, By(by or By.YEAR), **how)  # type: ignore[arg-type]
    except PeriodError as error:
        raise CommandError(str(error)) from error
    return [Period(first, last)], periods if by else []


def _read_through(store: Store, seq: int | None) -> BookState:
    """Return the book's state, told through the batch that was read."""
    now = state(store.book)
    if seq is None or seq == now.seq:
        return now
    recorded = Batch.objects.filter(book_id=store.pk, seq=seq).values_list("recorded_at", flat=True).first()
    return now._replace(seq=seq, recorded_at=recorded)


def _as_json(store: Store, basis: Basis, total: Statement, parts: Sequence[Statement], read: BookState) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "store": store.slug, "currency": store.currency, "basis": basis.label, **_figures(store, total),
        "through_batch": read.seq, "recorded_at": read.recorded_at, "held_orders": read.held_orders, "restating": read.restating,
    }  # fmt: skip
    if parts:
        answer["periods"] = [_figures(store, part) for part in parts]
    return answer


def _figures(store: Store, statement: Statement) -> dict[str, Any]:
    share = statement.estimated_share
    return {
        "from": statement.period.first, "to": statement.period.last,
        **{key: amount_text(amount(statement, key), store.currency) for key in STATEMENT_KEYS},
        "memo": {key: amount_text(value, store.currency) for key, value in statement.memo.items()},
        "orders": statement.orders, "units": statement.units, "returned_units": statement.returned_units,
        "new_customers": statement.new_customers, "estimated_share": None if share is None else f"{share:f}",
    }  # fmt: skip


def _by_column(store: Store, parts: Sequence[Statement], total: Statement) -> str:
    """Write the statement from top to bottom, a column per period and one for the whole span."""
    columns = [*parts, total]

    def row(label: str, value: Callable[[Statement], str]) -> list[str]:
        return [label, *(value(statement) for statement in columns)]

    rows = [["", *(_name(part.period) for part in parts), "Total"]]
    rows += [row(LABELS[key], lambda s, key=key: amount_text(amount(s, key), store.currency)) for key in STATEMENT_KEYS]  # type: ignore[misc]
    rows += [row(line.label, lambda s, key=line.key: str(getattr(s, key))) for line in accounts.STATISTICS]  # type: ignore[misc]
    rows += [row(f"Not in profit: {m.label}", lambda s, key=m.key: amount_text(s.memo[key], store.currency)) for m in accounts.MEMO]  # type: ignore[misc]
    rows.append(row("Estimated share", _share))
    return table(rows)


def _by_row(store: Store, parts: Sequence[Statement], total: Statement) -> str:
    """Write one row per period with the sums and costs of the statement."""
    rows = [["Period", *ROW_COLUMNS.values(), "Orders", "Units", "Estimated"]]
    for name, statement in [*((_name(part.period), part) for part in parts), ("Total", total)]:
        figures = [amount_text(amount(statement, key), store.currency) for key in ROW_COLUMNS]
        rows.append([name, *figures, str(statement.orders), str(statement.units), _share(statement)])
    return table(rows)


def _name(period: Period) -> str:
    if period.first == period.last:
        return period.first.isoformat()
    after = period.last + timedelta(days=1)
    if period.first.day == after.day == 1 and (period.last - period.first).days < 31:
        return f"{period.first:%Y-%m}"
    return f"{period.first}..{period.last}"


def _share(statement: Statement) -> str:
    share = statement.estimated_share
    return "–" if share is None else f"{share * 100:.1f} %"


def _notes(total: Statement, read: BookState, *, rows: bool) -> list[str]:
    """Say what the figures rest on."""
    recorded = f", recorded {read.recorded_at:%Y-%m-%d %H:%M:%S} UTC" if read.recorded_at else ""
    notes = ["", f"Through batch {read.seq}{recorded}."]
    if rows:
        notes.append(f"Net profit is {BEFORE}.")
    if total.estimated_share:
        notes.append(f"{_share(total)} of the money that moved was supplied by a rule (estimated).")
    if read.held_orders:
        notes.append(f"{read.held_orders} orders are held and in no figure: their exchange rate is missing.")
    if read.restating:
        notes.append("A cost rule changed and some orders still carry earlier costs: the worker restates them, or run books repost.")
    return notes
