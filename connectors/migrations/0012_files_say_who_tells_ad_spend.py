"""Say of the days of ad spend that files told so far who told them: a platform's own file, or a person's."""

from django.db import migrations

TELLERS = """
    UPDATE ledger_adday a SET teller = CASE f.kind WHEN 'ad-spend' THEN 3 ELSE 2 END
    FROM connectors_fileimport f WHERE a.cause_ref = 'import:' || f.id
"""


class Migration(migrations.Migration):
    dependencies = [("connectors", "0011_streams_are_due_and_pages_kept_once"), ("ledger", "0026_who_tells_ad_spend")]

    operations = [migrations.RunSQL(TELLERS, migrations.RunSQL.noop)]
