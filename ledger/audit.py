"""Check what must always be true of a book: one function per invariant, each returning what does not hold."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from ledger import accounts, findings
from ledger.book.totals import TABLES, Table, fresh_sums
from ledger.kinds import COUNTS_AS_REVENUE, AdLevel, AdTeller, Basis, SourceKind
from ledger.models import Account, Book, Finding
from ledger.money import decimal, minor_step

MOST = 20
"""Problems listed per invariant; the first tell the story."""


class Problem(NamedTuple):
    """One thing that does not hold: where, what it should be, what it is."""

    subject: str
    message: str
    expected: str = ""
    actual: str = ""


Check = Callable[[Book], list[Problem]]


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {MOST}", values)
        return list(cursor.fetchall())


def totals_equal_entries(book: Book) -> list[Problem]:
    """Compare every total with the sum of the entries beneath it, on both bases."""
    return [problem for table in TABLES for basis in Basis for problem in _total_differences(book, table, basis)]


def _total_differences(book: Book, table: Table, basis: Basis) -> list[Problem]:
    keys = ", ".join(table.keys)
    fresh = ", ".join(f"coalesce(fresh.{name}, 0)" for name in table.sums)
    kept = ", ".join(f"coalesce(kept.{name}, 0)" for name in table.sums)
    sql = (
        f"SELECT concat_ws(' ', {keys}), ROW({fresh})::text, ROW({kept})::text FROM ({fresh_sums(table, basis)}) AS fresh "
        f"FULL JOIN (SELECT * FROM {table.name} WHERE book_id = %s AND basis = %s) AS kept USING ({keys}) WHERE ({fresh}) <> ({kept})"
    )
    return [
        Problem(f"{table.name} {basis.label} {key}", "A total differs from the entries beneath it; rebuild it.", expected, actual)
        for key, expected, actual in _rows(sql, [book.pk, book.pk, basis.value])
    ]


def dimensions_agree(book: Book) -> list[Problem]:
    """Compare product totals with day totals, account by account, where every entry of the account carries a variant."""
    columns = ", ".join(f"sum({column})" for column in accounts.PRODUCT_COLUMNS.values())
    found = _rows(f"SELECT {columns} FROM ledger_productdaytotal WHERE book_id = %s AND basis = 1", [book.pk])[0]
    sql = "SELECT account, coalesce(sum(amount), 0) FROM ledger_entry WHERE book_id = %s AND variant IS NOT NULL GROUP BY account"
    entries = dict(_rows(sql, [book.pk]))
    return [
        Problem(
            accounts.name_of(account), "Product totals differ from the entries that carry a variant.", str(entries.get(account, 0)), str(total or 0)
        )
        for account, total in zip(accounts.PRODUCT_COLUMNS, found, strict=True)
        if entries.get(account, 0) != (total or 0)
    ]


_OWN_TOTAL = """
    WITH sold AS (
        SELECT order_id, sum(net + tax) AS charged, count(*) AS events FROM ledger_sale WHERE store_id = %(book)s GROUP BY order_id
    ), posted AS (
        SELECT source_id, sum(CASE WHEN currency IS NULL THEN amount ELSE original_amount END) AS amount FROM ledger_entry
        WHERE book_id = %(book)s AND source_kind = %(kind)s AND account = ANY(%(accounts)s) GROUP BY source_id
    )
    SELECT o.number, coalesce(o.stated_total - o.stated_refunded, s.charged, 0), coalesce(p.amount, 0)
    FROM ledger_order o LEFT JOIN sold s ON s.order_id = o.id LEFT JOIN posted p ON p.source_id = o.id
    WHERE o.store_id = %(book)s AND o.hold = 0 AND abs(coalesce(p.amount, 0) - CASE
        WHEN o.is_test OR o.withdrawn_at IS NOT NULL OR NOT o.financial_status = ANY(%(counting)s) THEN 0
        ELSE coalesce(o.stated_total - o.stated_refunded, s.charged, 0) END) > %(step)s * (1 + 2 * coalesce(s.events, 0)) / 2
"""


def orders_tie_to_their_own_totals(book: Book) -> list[Problem]:
    """Compare each order's sales and memo entries with what its platform states it charged less what it gave back.

    Where the platform states no totals, with the sum of its sale events. Tolerance: half a minor unit per entry.
    Chargebacks are left out: the processor tells them, and no platform takes them off an order's total.
    """
    values = {
        "book": book.pk, "kind": SourceKind.ORDER.value, "step": decimal(minor_step(book.currency)),
        "counting": [status.value for status, counts in COUNTS_AS_REVENUE.items() if counts],
        "accounts": [number for number, name in accounts.NAMES.items()
                     if number != accounts.SALES_CHARGEBACKS
                     and (name.startswith("sales:") or name in ("memo:tax", "memo:duty", "memo:gift_card:sold"))],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"{_OWN_TOTAL} LIMIT {MOST}", values)
        return [
            Problem(f"order {number}", "Sales and memo entries differ from the order's own total less its refunds.", str(own), str(posted))
            for number, own, posted in cursor.fetchall()
        ]


_SAME = (
    "event_day", "order_day", "channel", "country", "estimated", "variant", "campaign", "currency", "rate", "rate_day", "rate_source",
)  # fmt: skip


def reversals_mirror_their_target(book: Book) -> list[Problem]:
    """Check that every reversal has its target, equal in everything but day and sign, and comes after it."""
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM r.{name}" for name in _SAME)
    sql = (
        "SELECT r.source_kind, r.source_id, r.account, r.part, r.revision FROM ledger_entry r LEFT JOIN ledger_entry t "
        "ON t.book_id = r.book_id AND t.source_kind = r.source_kind AND t.source_id = r.source_id AND t.account = r.account "
        "AND t.part = r.part AND t.revision = r.revision AND NOT t.reverses WHERE r.book_id = %s AND r.reverses AND "
        f"(t.book_id IS NULL OR t.amount <> -r.amount OR t.seq > r.seq OR NOT ({same}))"
    )
    return [Problem(f"entry {row}", "A reversal does not mirror its target.") for row in _rows(sql, [book.pk])]


def one_live_revision(book: Book) -> list[Problem]:
    """Check that each account and part of a source has at most one entry that is not cancelled."""
    sql = (
        "SELECT source_kind, source_id, account, part FROM ledger_entry WHERE book_id = %s "
        "GROUP BY source_kind, source_id, account, part HAVING count(*) FILTER (WHERE NOT reverses) - count(*) FILTER (WHERE reverses) NOT IN (0, 1)"
    )
    return [Problem(f"entry {row}", "More than one revision of an entry is live.") for row in _rows(sql, [book.pk])]


def sequence_is_whole(book: Book) -> list[Problem]:
    """Check that batches are numbered 1 … last without a gap, never go back in time, and hold the entries they say."""
    sql = """
        WITH batches AS (
            SELECT seq, recorded_at, entries, lag(seq, 1, 0::bigint) OVER (ORDER BY seq) AS before,
                lag(recorded_at) OVER (ORDER BY seq) AS earlier
            FROM ledger_batch WHERE book_id = %s
        ), held AS (SELECT seq, count(*) AS entries FROM ledger_entry WHERE book_id = %s GROUP BY seq)
        SELECT coalesce(b.seq, h.seq), b.before, b.entries, h.entries FROM batches b FULL JOIN held h ON h.seq = b.seq
        WHERE b.seq IS NULL OR b.seq <> b.before + 1 OR b.recorded_at < b.earlier OR b.entries IS DISTINCT FROM h.entries
    """
    problems = [
        Problem(f"batch {seq}", f"Follows batch {before}, holds {held} entries.", f"{said} entries")
        for seq, before, said, held in _rows(sql, [book.pk, book.pk])
    ]
    last = _rows("SELECT coalesce(max(seq), 0) FROM ledger_batch WHERE book_id = %s", [book.pk])[0][0]
    if last != book.last_seq:
        problems.append(Problem("book", "The book's last number is not its last batch.", str(book.last_seq), str(last)))
    return problems


_ORDER_COLUMNS = ("revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "marketing_costs")


def order_columns_equal_entries(book: Book) -> list[Problem]:
    """Compare each order's columns, and so its profit, with the sum of its entries, those on accounts made from labels included."""
    known = [*accounts.NAMES, *Account.objects.order_by("number").values_list("number", flat=True)]
    feeding = {
        column: [(number, sign) for number in known for fed, sign in accounts.order_columns(number) if fed == column] for column in _ORDER_COLUMNS
    }
    sums = ", ".join(
        f"coalesce(sum(amount * CASE account {' '.join(f'WHEN {number} THEN {sign}' for number, sign in parts)} END), 0) AS {name}"
        for name, parts in feeding.items()
    )
    fresh = ", ".join(f"coalesce(e.{name}, 0)" for name in _ORDER_COLUMNS)
    kept = ", ".join(f"o.{name}" for name in _ORDER_COLUMNS)
    sql = (
        f"SELECT o.number, ROW({fresh})::text, ROW({kept})::text FROM ledger_order o LEFT JOIN (SELECT source_id, {sums} FROM ledger_entry "
        f"WHERE book_id = %s AND source_kind = {SourceKind.ORDER.value} GROUP BY source_id) e ON e.source_id = o.id "
        f"WHERE o.store_id = %s AND ({fresh}) <> ({kept})"
    )
    return [
        Problem(f"order {number}", "The order's columns differ from its entries; repost it.", expected, actual)
        for number, expected, actual in _rows(sql, [book.pk, book.pk])
    ]


def entries_have_their_sources(book: Book) -> list[Problem]:
    """Check what foreign keys would: sources, variants, campaigns and accounts of entries exist, lines and sales have their order."""
    sql = f"""
        SELECT 'order', source_id FROM ledger_entry e WHERE book_id = %(b)s AND source_kind = {SourceKind.ORDER.value}
            AND NOT EXISTS (SELECT 1 FROM ledger_order o WHERE o.store_id = e.book_id AND o.id = e.source_id)
        UNION ALL SELECT 'customer', source_id FROM ledger_entry e WHERE book_id = %(b)s AND source_kind = {SourceKind.CUSTOMER.value}
            AND NOT EXISTS (SELECT 1 FROM ledger_customer c WHERE c.store_id = e.book_id AND c.id = e.source_id)
        UNION ALL SELECT 'manual cost', source_id FROM ledger_entry e WHERE book_id = %(b)s AND source_kind = {SourceKind.MANUAL_COST.value}
            AND NOT EXISTS (SELECT 1 FROM ledger_manualcost m WHERE m.store_id = e.book_id AND m.id = e.source_id)
        UNION ALL SELECT 'ad day', source_id FROM ledger_entry e WHERE book_id = %(b)s AND source_kind = {SourceKind.AD_DAY.value}
            AND NOT EXISTS (SELECT 1 FROM ledger_adday a WHERE a.store_id = e.book_id AND a.id = e.source_id)
        UNION ALL SELECT 'campaign', campaign FROM ledger_entry e WHERE book_id = %(b)s AND campaign IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM ledger_campaign c WHERE c.store_id = e.book_id AND c.id = e.campaign)
        UNION ALL SELECT 'variant', variant FROM ledger_entry e WHERE book_id = %(b)s AND variant IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM ledger_variant v WHERE v.store_id = e.book_id AND v.id = e.variant)
        UNION ALL SELECT 'sale of order', order_id FROM ledger_sale s WHERE store_id = %(b)s
            AND NOT EXISTS (SELECT 1 FROM ledger_order o WHERE o.store_id = s.store_id AND o.id = s.order_id)
        UNION ALL SELECT 'charged order', order_id FROM ledger_ordercharge h WHERE store_id = %(b)s AND order_id IS NOT NULL AND removed_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM ledger_order o WHERE o.store_id = h.store_id AND o.id = h.order_id)
        UNION ALL SELECT DISTINCT 'account', account::bigint FROM ledger_daytotal t WHERE book_id = %(b)s AND account <> ALL(%(fixed)s)
            AND NOT EXISTS (SELECT 1 FROM ledger_account a WHERE a.number = t.account)
        LIMIT {MOST}
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"b": book.pk, "fixed": list(accounts.NAMES)})
        return [Problem(f"{kind} {pk}", f"An entry or row points at a {kind} that does not exist.") for kind, pk in cursor.fetchall()]


def customers_count_their_orders(book: Book) -> list[Problem]:
    """Check each customer's order count and that exactly one "new customer" is posted for those who ordered."""
    sql = f"""
        SELECT c.id, c.order_count, coalesce(n.orders, 0), coalesce(e.amount, 0) FROM ledger_customer c
        LEFT JOIN (SELECT coalesce(m.same_as, m.id) AS who, count(*) FILTER (WHERE o.counts) AS orders,
                count(*) FILTER (WHERE o.platform = r.told_by AND o.placed_at <= r.told_at) AS seen
            FROM ledger_order o JOIN ledger_customer m ON m.id = o.customer_id JOIN ledger_customer r ON r.id = coalesce(m.same_as, m.id)
            WHERE o.store_id = %s GROUP BY 1) n ON n.who = c.id
        LEFT JOIN (SELECT source_id, sum(amount) AS amount FROM ledger_entry
            WHERE book_id = %s AND source_kind = {SourceKind.CUSTOMER.value} GROUP BY source_id) e ON e.source_id = c.id
        WHERE c.store_id = %s AND (c.order_count <> coalesce(n.orders, 0) OR coalesce(e.amount, 0)
            <> CASE WHEN coalesce(c.told_orders, 0) > coalesce(n.seen, 0) THEN 0 ELSE least(coalesce(n.orders, 0), 1) END)
    """
    return [
        Problem(f"customer {pk}", f"Counts {count} orders; posted as new {posted} times.", str(orders), str(count))
        for pk, count, orders, posted in _rows(sql, [book.pk] * 3)
    ]


_AD_DAYS = f"""
    WITH posted AS (
        SELECT source_id, sum(amount) AS amount, sum(CASE WHEN currency IS NULL THEN amount ELSE original_amount END) AS original FROM ledger_entry
        WHERE book_id = %(book)s AND source_kind = {SourceKind.AD_DAY.value} GROUP BY source_id
    ), told AS (
        SELECT a.id, a.platform, a.day, a.level, a.account, (a.teller, a.teller < {AdTeller.PERSON.value} AND a.account = '') AS sureness,
            coalesce(c.external_id, '') AS known_as, lower(btrim(coalesce(c.name, ''))) AS name
        FROM ledger_adday a LEFT JOIN ledger_campaign c ON c.id = a.campaign_id WHERE a.store_id = %(book)s AND a.removed_at IS NULL
    ), mixed AS (
        SELECT told.* FROM told JOIN (SELECT platform, day FROM told GROUP BY 1, 2 HAVING min(sureness) < max(sureness)) AS several
            USING (platform, day)
    ), way AS (
        SELECT DISTINCT less.id FROM mixed AS less JOIN mixed AS surer USING (platform, day) WHERE surer.sureness < less.sureness
            AND (lower(surer.account) = lower(less.account) OR '' IN (surer.account, less.account))
            AND CASE WHEN less.level = {AdLevel.ACCOUNT.value} THEN true WHEN surer.level = {AdLevel.ACCOUNT.value} THEN surer.account <> less.account
                WHEN surer.known_as <> '' AND less.known_as <> '' THEN surer.known_as = less.known_as
                ELSE surer.name <> '' AND surer.name = less.name END
    ), levels AS (
        SELECT a.platform, a.account, a.day, a.level, count(*) AS rows, count(*) FILTER (WHERE a.removed_at IS NULL AND w.id IS NULL) AS standing,
            coalesce(sum(a.spend) FILTER (WHERE a.removed_at IS NULL AND w.id IS NULL), 0) AS spend,
            bool_or(a.hold <> 0 AND a.removed_at IS NULL) AS held,
            min(a.currency) AS least, max(a.currency) AS most, coalesce(sum(p.original), 0) AS posted, bool_or(p.amount <> 0) AS booked
        FROM ledger_adday a LEFT JOIN posted p ON p.source_id = a.id LEFT JOIN way w ON w.id = a.id WHERE a.store_id = %(book)s GROUP BY 1, 2, 3, 4
    ), days AS (
        SELECT platform, account, day, -sum(posted) AS posted, sum(rows) AS rows, min(least) = max(most) AS comparable,
            count(*) FILTER (WHERE level > {AdLevel.ACCOUNT.value} AND booked) AS levels,
            CASE WHEN bool_or(held) THEN 0 ELSE coalesce(
                max(spend) FILTER (WHERE level = {AdLevel.ACCOUNT.value} AND standing > 0), max(spend) FILTER (WHERE standing > 0), 0) END AS told
        FROM levels GROUP BY 1, 2, 3
    )
    SELECT concat_ws(' ', platform, nullif(account, ''), day), told, posted FROM days
    WHERE levels > 1 OR (comparable AND abs(told - posted) > %(step)s * (1 + rows) / 2) LIMIT {MOST}
"""


def ad_spend_is_booked_once(book: Book) -> list[Problem]:
    """Compare what is booked of each advertising account and day with its total, else with the level that tells most; one level has entries.

    What gives way to somebody surer has none.
    Tolerance: half a minor unit per row.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AD_DAYS, {"book": book.pk, "step": decimal(minor_step(book.currency))})
        return [
            Problem(
                f"ad spend {subject}", "What is booked of the day differs from what was told, or is booked at two levels.", str(told), str(posted)
            )
            for subject, told, posted in cursor.fetchall()
        ]


INVARIANTS: tuple[Check, ...] = (
    totals_equal_entries,
    dimensions_agree,
    orders_tie_to_their_own_totals,
    reversals_mirror_their_target,
    one_live_revision,
    sequence_is_whole,
    order_columns_equal_entries,
    entries_have_their_sources,
    customers_count_their_orders,
    ad_spend_is_booked_once,
)


def check_all(book: Book) -> dict[str, list[Problem]]:
    """Check every invariant of a book and return what does not hold, by the invariant's name."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Every check reads whole tables. Right after a large import the planner knows nothing of them yet, and
        # would walk one per row of the other: minutes instead of a second.
        cursor.execute("SET LOCAL enable_nestloop = off")
        book.refresh_from_db()
        return {check.__name__: check(book) for check in INVARIANTS}


def audit(book: Book) -> dict[str, list[Problem]]:
    """Check every invariant of a book; what fails becomes a finding, what holds again resolves its findings."""
    now = timezone.now()
    results = check_all(book)
    for name, problems in results.items():
        kind = f"audit_{name}"[:40]
        still = {problem.subject[:120] for problem in problems}
        for subject in set(book.findings.filter(kind=kind, resolved_at=None).values_list("subject", flat=True)) - still:
            findings.resolve(book.pk, kind, subject, now=now)
        for problem in problems:
            findings.note(
                book.pk,
                kind,
                problem.subject,
                problem.message,
                severity=Finding.Severity.ERROR,
                expected=problem.expected,
                actual=problem.actual,
                now=now,
            )
    return results
