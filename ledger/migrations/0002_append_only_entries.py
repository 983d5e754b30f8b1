"""Make entries and batches append-only, and tune the tables that are written most."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('profitpeek.erasing_book', true) = OLD.book_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Post a reversal; a book is erased only while profitpeek.erasing_book names it.';
END $$;
CREATE FUNCTION ledger_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: TRUNCATE refused', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER entry_refuses_change BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER batch_refuses_change BEFORE UPDATE OR DELETE ON ledger_batch FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER entry_refuses_truncate BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_truncate();
CREATE TRIGGER batch_refuses_truncate BEFORE TRUNCATE ON ledger_batch FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_truncate();
"""

ALLOW = """
DROP TRIGGER entry_refuses_truncate ON ledger_entry;
DROP TRIGGER batch_refuses_truncate ON ledger_batch;
DROP TRIGGER entry_refuses_change ON ledger_entry;
DROP TRIGGER batch_refuses_change ON ledger_batch;
DROP FUNCTION ledger_refuse_truncate();
DROP FUNCTION ledger_refuse_change();
"""

# Entries arrive in sequence and nearly in time order, so block ranges find a batch or a day at a thousandth of a
# b-tree's size and cost. Totals are updated in place: room in each page keeps those updates off the indexes.
TUNE = """
CREATE INDEX entry_by_seq ON ledger_entry USING brin (book_id, seq) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX entry_by_day ON ledger_entry USING brin (book_id, day) WITH (pages_per_range = 16, autosummarize = on);
ALTER TABLE ledger_daytotal SET (fillfactor = 70);
ALTER TABLE ledger_countrydaytotal SET (fillfactor = 70);
ALTER TABLE ledger_productdaytotal SET (fillfactor = 70);
"""

UNTUNE = """
DROP INDEX entry_by_seq;
DROP INDEX entry_by_day;
ALTER TABLE ledger_daytotal RESET (fillfactor);
ALTER TABLE ledger_countrydaytotal RESET (fillfactor);
ALTER TABLE ledger_productdaytotal RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_ledger_tables")]
    operations = [migrations.RunSQL(REFUSE, ALLOW), migrations.RunSQL(TUNE, UNTUNE)]
