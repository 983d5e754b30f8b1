"""Restate what the goods of many orders cost, in SQL: unit costs, COGS entries, totals and the orders' columns.

Does for common orders, set by set, what drafting (ledger/drafts/sales.py) does one by one, to the same cent, and leaves the
rest to it: orders in another currency, costs in another currency or set by hand for a line, orders that are held, and
lines on which more comes back than was sold or something is sold after some came back. A property test holds both equal.

Amounts count ten-thousandths as whole numerics here, so that rounding is exact.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.db import connection

from ledger import accounts
from ledger.book import entries
from ledger.cause import Cause
from ledger.costs.costing import ESTIMATED_SOURCES, PERCENT
from ledger.drafts import DRAFT_VERSION
from ledger.kinds import COUNTS_AS_REVENUE, GIVEN_BACK, SOLD, CostSource, SaleKind, SaleType, SourceKind
from ledger.models import Account, Store
from ledger.money import SCALE, minor_step
from ledger.orders import mirror
from ledger.orders.columns import WHOLE
from ledger.posting import Posting, post_prepared
from ledger.restating.decisions import Terms, lay_out


class Restated(NamedTuple):
    """What restating a chunk wrote, and the orders it left alone, to be drafted one by one."""

    posting: Posting
    left: list[int]


def restate_cogs(store: Store, ids: Sequence[int], *, cause: Cause) -> Restated:
    """Restate the goods' cost of orders, which may be gone meanwhile. Call it in a transaction.

    Holds the orders throughout, and the book for the writing alone. Raises CostsMoved when a rule changes meanwhile.
    """
    mirror.hold(store.pk, ids)
    terms = lay_out(store)
    left = _prepare(store, ids, terms, _STEPS)
    mirror.update_prepared(store.pk)
    posting = post_prepared(store.pk, cause=cause, costs_version=terms.costs_version, closed_through=terms.closed_through)
    return Restated(posting, left)


def look_at_cogs(store: Store, ids: Sequence[int], terms: Terms, *, apart: Collection[int]) -> list[int]:
    """Prepare the entries that restating orders by these terms would write (`prepared_entry`), and write none of them. Call it in a transaction.

    Returns the orders to be drafted one by one: those that sets leave alone, and those that are to stay `apart`.
    """
    return _prepare(store, ids, terms, _TO_ENTRIES, apart)


def _prepare(store: Store, ids: Sequence[int], terms: Terms, steps: Sequence[str], apart: Collection[int] = ()) -> list[int]:
    """Work out a chunk in tables of this connection, and return the orders that are left alone."""
    _make_tables()
    values = {
        "store": store.pk, "ids": list(ids), "first": min(ids), "last": max(ids), "currency": store.currency, "step": minor_step(store.currency),
        "newest": terms.newest_variant, "closed": terms.closed_through, "others": _other_accounts(), "apart": list(apart), **_NUMBERS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        # Chunks are small and stores large: nothing here is to walk a whole table, whatever the planner believes of new rows.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL work_mem = '64MB'")
        for sql in steps:
            cursor.execute(sql, values)
        cursor.execute("SELECT id FROM cogs_order WHERE left_alone ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


_NUMBERS: dict[str, Any] = {
    "scale": SCALE, "percent": PERCENT, "whole": WHOLE, "draft": DRAFT_VERSION, "stated": CostSource.STATED.value,
    "cogs": accounts.COGS_PRODUCT, "order": SourceKind.ORDER.value, "product": SaleType.PRODUCT.value, "first_sale": SaleKind.ORDER.value,
    "sold": [kind.value for kind in SOLD], "given_back": [kind.value for kind in GIVEN_BACK],
    "counting": [status.value for status, counts in COUNTS_AS_REVENUE.items() if counts],
    "estimated": [source.value for source in ESTIMATED_SOURCES],
}  # fmt: skip


def _other_accounts() -> list[int]:
    """Return the accounts of profit but COGS, those of people's labels among them."""
    labelled = Account.objects.values_list("number", flat=True)
    return [number for number in (*accounts.NAMES, *labelled) if number != accounts.COGS_PRODUCT and accounts.in_profit(number)]


_TABLES = """
    CREATE TEMP TABLE IF NOT EXISTS cogs_order (
        id bigint PRIMARY KEY, day date, day_number int, channel smallint, country smallint, counting boolean, left_alone boolean
    );
    CREATE TEMP TABLE IF NOT EXISTS cogs_line (
        order_id bigint, part int, external_id text, variant bigint, unit_cost numeric, source smallint, percentage numeric, changed boolean
    );
    CREATE TEMP TABLE IF NOT EXISTS cogs_sale (
        order_id bigint, part int, day date, amount numeric, estimated boolean, variant bigint, surprising boolean
    );
    TRUNCATE cogs_order, cogs_line, cogs_sale;
"""


def _make_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
    mirror.prepare()
    entries.prepare()


def _half_even(numerator: str, denominator: str) -> str:
    """Write the quotient of two whole numerics, the denominator positive, rounded half-even to a whole one."""
    quotient, twice = f"div({numerator}, {denominator})", f"2 * abs(mod({numerator}, {denominator}))"
    up = f"{twice} > {denominator} OR ({twice} = {denominator} AND mod({quotient}, 2) <> 0)"
    return f"({quotient} + CASE WHEN {up} THEN sign({numerator}) ELSE 0 END)"


_ORDERS = """
    INSERT INTO cogs_order
    SELECT o.id, o.day, o.day - DATE '2000-01-01', o.channel,
        CASE o.country WHEN '' THEN 0 ELSE (ascii(upper(o.country)) - 64) * 27 + ascii(upper(substr(o.country, 2))) - 64 END,
        o.financial_status = ANY(%(counting)s) AND NOT o.is_test AND o.withdrawn_at IS NULL,
        o.hold <> 0 OR o.id = ANY(%(apart)s::bigint[]) OR o.currency <> %(currency)s OR o.draft_version <> %(draft)s
            OR o.id IN (SELECT order_id FROM ledger_costoverride WHERE store_id = %(store)s AND removed_by_id IS NULL)
            OR o.id IN (SELECT order_id FROM ledger_ordercost
                        WHERE store_id = %(store)s AND order_id BETWEEN %(first)s AND %(last)s AND account = %(cogs)s)
    FROM ledger_order o WHERE o.store_id = %(store)s AND o.id = ANY(%(ids)s)
"""
_LINES = f"""
    INSERT INTO cogs_line
    SELECT d.order_id, d.part, d.external_id, d.variant_id, d.unit_cost, d.source, d.percentage,
        (d.unit_cost, d.source, d.percentage, '')
            IS DISTINCT FROM (d.was_cost * %(scale)s, d.was_source, d.was_percentage * %(scale)s, d.was_currency)
    FROM (
        SELECT l.order_id, l.part, l.external_id, l.variant_id, l.unit_cost AS was_cost, l.cost_source AS was_source,
            l.cost_percentage AS was_percentage, l.cost_currency AS was_currency,
            CASE WHEN l.stated_cost IS NULL THEN coalesce(own.source, other.source) ELSE %(stated)s END AS source,
            CASE WHEN l.stated_cost IS NULL THEN coalesce(own.percentage, other.percentage) END AS percentage,
            CASE
                WHEN l.stated_cost IS NOT NULL THEN l.stated_cost * %(scale)s
                WHEN l.variant_id > %(newest)s THEN NULL
                WHEN coalesce(own.percentage, other.percentage) IS NULL THEN coalesce(own.amount, other.amount)
                ELSE {_half_even("(l.unit_price * %(scale)s * coalesce(own.percentage, other.percentage))", "%(percent)s::numeric")}
            END AS unit_cost
        FROM cogs_order o
        JOIN ledger_orderline l ON l.store_id = %(store)s AND l.order_id = o.id AND l.order_id BETWEEN %(first)s AND %(last)s
        LEFT JOIN cogs_decision own ON own.variant = l.variant_id AND o.day_number BETWEEN own.first_day AND own.last_day
        LEFT JOIN cogs_decision other ON own.variant IS NULL AND other.variant = 0 AND o.day_number BETWEEN other.first_day AND other.last_day
        WHERE NOT o.left_alone
    ) AS d
"""
_LEAVE_LINES = "UPDATE cogs_order o SET left_alone = true FROM cogs_line l WHERE l.order_id = o.id AND l.unit_cost IS NULL"
# What is left of a line's units is worth booked × left ÷ sold, rounded; units that come back take the difference of two such values.
_LEFT = _half_even("(all_booked * (all_units - back_so_far))", "(all_units * %(step)s)") + " * %(step)s"
_BEFORE = _half_even("(all_booked * (all_units - back_so_far + back))", "(all_units * %(step)s)") + " * %(step)s"
_SALES = f"""
    INSERT INTO cogs_sale
    WITH told AS (
        SELECT s.order_id, s.line_part, s.part, s.day, s.quantity, l.variant, s.estimated OR l.source = ANY(%(estimated)s) AS estimated,
            s.happened_at, s.kind, s.external_id, greatest(s.quantity, 0)::numeric AS units, -least(s.quantity, 0)::numeric AS back,
            {_half_even("(-l.unit_cost * greatest(s.quantity, 0))", "%(step)s::numeric")} * %(step)s AS booked
        FROM cogs_order o JOIN cogs_line l ON l.order_id = o.id
        JOIN ledger_sale s ON s.store_id = %(store)s AND s.order_id = l.order_id AND s.line_part = l.part
            AND s.order_id BETWEEN %(first)s AND %(last)s
        WHERE o.counting AND NOT o.left_alone AND s.type = %(product)s AND s.quantity <> 0
            AND (s.kind = ANY(%(sold)s) OR (s.kind = ANY(%(given_back)s) AND s.restocked))
    ), counted AS (
        SELECT *, sum(units) OVER line AS all_units, sum(booked) OVER line AS all_booked, sum(back) OVER line AS all_back,
            sum(back) OVER (line ORDER BY happened_at, kind, external_id COLLATE "C" ROWS UNBOUNDED PRECEDING) AS back_so_far
        FROM told WINDOW line AS (PARTITION BY order_id, line_part)
    )
    SELECT order_id, part, day,
        CASE WHEN quantity > 0 THEN booked WHEN all_units > 0 THEN {_LEFT} - {_BEFORE} END,
        estimated, variant,
        (quantity > 0 AND back_so_far > 0) OR (quantity < 0 AND kind = %(first_sale)s) OR all_back > all_units
    FROM counted
"""
_LEAVE_SALES = "UPDATE cogs_order o SET left_alone = true FROM cogs_sale s WHERE s.order_id = o.id AND s.surprising"
_ENTRIES = f"""
    INSERT INTO prepared_entry ({entries.PREPARED_COLUMNS}, late)
    WITH live AS (
        SELECT DISTINCT ON (e.source_id, e.part) e.* FROM cogs_order o
        JOIN ledger_entry e ON e.book_id = %(store)s AND e.source_kind = %(order)s AND e.source_id = o.id AND e.account = %(cogs)s
            AND e.source_id BETWEEN %(first)s AND %(last)s
        WHERE NOT o.left_alone ORDER BY e.source_id, e.part, e.revision DESC, e.reverses DESC
    ), wanted AS (
        SELECT s.order_id, s.part, s.day, s.amount * 0.0001 AS amount, s.estimated, s.variant, o.day AS order_day, o.channel, o.country
        FROM cogs_sale s JOIN cogs_order o ON o.id = s.order_id WHERE NOT o.left_alone AND s.amount <> 0
    ), moved AS (
        SELECT live.*, w.order_id AS w_order, w.part AS w_part, w.day AS w_day, w.amount AS w_amount, w.estimated AS w_estimated,
            w.variant AS w_variant, w.order_day AS w_order_day, w.channel AS w_channel, w.country AS w_country,
            live.source_id IS NOT NULL AND NOT live.reverses AS gone, w.order_id IS NOT NULL AS comes
        FROM live FULL JOIN wanted w ON w.order_id = live.source_id AND w.part = live.part
        WHERE (live.source_id IS NOT NULL AND NOT live.reverses OR w.order_id IS NOT NULL) AND (
            live.reverses IS NOT FALSE
            OR (live.event_day, live.order_day, live.channel, live.country, live.estimated, live.amount, live.variant, live.campaign, live.currency)
               IS DISTINCT FROM (w.day, w.order_day, w.channel, w.country, w.estimated, w.amount, w.variant, NULL::bigint, NULL::varchar)
        )
    ), judged AS (
        SELECT *, coalesce(gone AND event_day <= %(closed)s, false) OR coalesce(comes AND w_day <= %(closed)s, false) AS late FROM moved
    )
    SELECT source_id, book_id, part, greatest(day, %(closed)s::date + 1), event_day, order_day, source_kind, account, revision, channel, country,
        true, estimated, -amount, variant, campaign, -original_amount, currency, rate, rate_day, rate_source, late
    FROM judged WHERE gone
    UNION ALL
    SELECT w_order, %(store)s, w_part, greatest(w_day, %(closed)s::date + 1), w_day, w_order_day, %(order)s, %(cogs)s, coalesce(revision, 0) + 1,
        w_channel, w_country, false, w_estimated, w_amount, w_variant, NULL, NULL, NULL, NULL, NULL, NULL, late
    FROM judged WHERE comes
"""
_CHANGED_LINES = """
    INSERT INTO prepared_line
    SELECT l.order_id, l.external_id, l.unit_cost * 0.0001, l.source, l.percentage * 0.0001
    FROM cogs_line l JOIN cogs_order o ON o.id = l.order_id WHERE l.changed AND NOT o.left_alone
"""
_CHANGED_ORDERS = f"""
    INSERT INTO prepared_order
    WITH changed AS (SELECT DISTINCT source_id AS id FROM prepared_entry), sums AS (
        SELECT e.source_id AS id, e.account, sum(e.amount) AS amount, coalesce(sum(e.amount) FILTER (WHERE e.estimated), 0) AS guess
        FROM cogs_order o JOIN ledger_entry e ON e.book_id = %(store)s AND e.source_kind = %(order)s AND e.source_id = o.id
            AND e.source_id BETWEEN %(first)s AND %(last)s
        WHERE e.account = ANY(%(others)s) AND o.id IN (SELECT id FROM changed)
        GROUP BY e.source_id, e.account
        UNION ALL
        SELECT s.order_id, %(cogs)s, sum(s.amount) * 0.0001, coalesce(sum(s.amount) FILTER (WHERE s.estimated), 0) * 0.0001
        FROM cogs_sale s WHERE s.order_id IN (SELECT id FROM changed) GROUP BY s.order_id
    ), shares AS (
        SELECT id, coalesce(-sum(amount) FILTER (WHERE account = %(cogs)s), 0) AS cogs,
            sum(abs(guess)) * %(scale)s AS guessed, sum(abs(guess) + abs(amount - guess)) * %(scale)s AS moved
        FROM sums GROUP BY id
    )
    SELECT id, cogs, CASE WHEN moved > 0 THEN {_half_even("(guessed * %(whole)s)", "moved")} * 0.0001 END FROM shares
"""
_TO_ENTRIES = (
    _ORDERS, "ANALYZE cogs_order (id)",
    _LINES, _LEAVE_LINES, "ANALYZE cogs_line (order_id, part)",
    _SALES, _LEAVE_SALES, "ANALYZE cogs_order (id)", "ANALYZE cogs_sale (order_id, part)",
    _ENTRIES,
)  # fmt: skip
_STEPS = (
    *_TO_ENTRIES, "ANALYZE prepared_entry (source_id)",
    _CHANGED_LINES, _CHANGED_ORDERS, "ANALYZE prepared_line (order_id)", "ANALYZE prepared_order (id)",
)  # fmt: skip
