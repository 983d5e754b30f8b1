"""Give costs and percentages that were set before changes were kept a change of their own."""

from datetime import date, timedelta

from django.db import migrations
from django.db.models import Min
from django.utils import timezone

BEFORE = "before changes were kept"


def _change(apps, store, at, summary):
    return apps.get_model("ledger", "CostChange").objects.create(store_id=store, at=at, actor="", reason=BEFORE, summary=summary[:300])


def tell(apps, schema_editor):
    """Put every manual cost under a change, and every undated percentage into a rule that has always held."""
    ManualCost, CogsRule = apps.get_model("ledger", "ManualCost"), apps.get_model("ledger", "CogsRule")
    Store, Product = apps.get_model("ledger", "Store"), apps.get_model("ledger", "Product")
    now = timezone.now()
    for store in ManualCost.objects.values_list("store", flat=True).distinct().order_by("store"):
        added = _change(apps, store, now, "Costs entered by hand")
        costs = ManualCost.objects.filter(store=store)
        costs.update(added_by=added)
        gone = costs.filter(removed_at__isnull=False)
        if gone.exists():
            gone.update(removed_by=_change(apps, store, gone.aggregate(at=Min("removed_at"))["at"], "Costs taken back"))
    shares = [(pk, None, share) for pk, share in Store.objects.exclude(cogs_percentage=None).values_list("pk", "cogs_percentage")]
    shares += list(Product.objects.exclude(cogs_percentage=None).values_list("store", "pk", "cogs_percentage"))
    for store, product, share in shares:
        standing = CogsRule.objects.filter(store=store, product=product, removed_by=None).values_list("effective_from", "effective_to")
        spans = list(_uncovered(sorted(standing, key=lambda span: span[0] or date.min)))
        if spans:
            summary = f"{share.normalize():f} % for {'every product' if product is None else 'a product'}"
            change = _change(apps, store, now, summary)
        for first, last in spans:
            CogsRule.objects.create(
                store_id=store, product_id=product, percentage=share, effective_from=first, effective_to=last, added_by=change
            )


def _uncovered(standing):
    """Yield the spans in which no dated rule holds: there the undated percentage did."""
    first = None
    for start, end in standing:
        if start is not None and (first is None or start > first):
            yield first, start - timedelta(days=1)
        if end is None:
            return
        first = end + timedelta(days=1)
    yield first, None


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_manual_costs_have_a_basis_and_scope")]
    operations = [migrations.RunPython(tell, migrations.RunPython.noop)]
