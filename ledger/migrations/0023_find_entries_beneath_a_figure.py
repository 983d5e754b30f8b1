"""Find the entries beneath a figure: those of an order's day, and those of accounts that few orders have."""

from django.db import migrations

# By the day of the order as by the day of booking: block ranges, a thousandth of a b-tree. Accounts that nearly every order has fill a page
# from any day; of the others (a refund, an advert, a rent) a year is read for a few hundred, unless they are found by themselves.
FIND = """
CREATE INDEX entry_by_order_day ON ledger_entry USING brin (book_id, (coalesce(order_day, day))) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX entry_by_rare_account ON ledger_entry (book_id, account, day) WHERE account NOT IN (1, 4, 10, 20, 30, 60, 80, 81);
"""

FORGET = """
DROP INDEX entry_by_order_day;
DROP INDEX entry_by_rare_account;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0022_variants_weigh")]
    operations = [migrations.RunSQL(FIND, FORGET)]
