"""Make a shop with cost rules, and check them, for the tests of rule checks."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.cost_checks.run import check_costs
from ledger.kinds import CauseKind
from ledger.models import CogsRule, CostChange, Finding, ManualCost, Product, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules import rules
from ledger.rules.rules import change
from tests.builders import a_line, a_store, an_order, at, day, write

NOW = at("2026-03-31 09:00")
TODAY = day("2026-03-31")


def a_shop() -> Store:
    """Return a store that sold a mug and a cup for 50.00 each, by card, to Germany, on the third and the twentieth of March."""
    store = a_store()
    lines = [a_line("mug", price="50.00"), a_line("cup", price="50.00")]
    write(store, an_order("1", lines=lines), an_order("2", lines=lines, when="2026-03-20 12:00"))
    return store


def make(store: Store, *add: Rule, now: str = "2026-03-31 09:00") -> CostChange:
    """Change rules, and restate."""
    made = change(store, add=add, actor="ann@example.com", now=at(now))
    repost(store, cause=Cause(CauseKind.RULE, "test"))
    return made


def enter(store: Store, *costs: Rule) -> None:
    """Write costs without booking them: their checks read the rules alone."""
    with transaction.atomic():
        rules.write(store, add=costs, actor="ann@example.com", now=NOW)


def check(store: Store, name: str, today: date = TODAY) -> list[tuple[str, str | None, str]]:
    """Run every check; return what one found: about what, money, where to mend it."""
    store.refresh_from_db()
    found = check_costs(store, today=today, now=NOW)[name]
    kept = Finding.objects.filter(book_id=store.pk, kind=f"costs_{name}", resolved_at=None).values_list("subject", "message", "mend", "money")
    assert sorted((one.subject, one.message, one.mend, one.money) for one in found) == sorted(kept)
    return [(one.subject, None if one.money is None else f"{one.money:.2f}", one.mend) for one in found]


def variant(key: str) -> Variant:
    return Variant.objects.get(external_id=f"v{key}")


def cost(key: str, goods: str, first: str | None = None, currency: str = "EUR") -> VariantCost:
    return VariantCost(variant=variant(key), goods=goods, currency=currency, effective_from=first and day(first))


def manual(label: str = "rent", amount: str | None = "100", first: str | None = "2026-01-01", last: str | None = None, **more: object) -> ManualCost:
    usual = {"category": "operating", "basis": "month", "currency": "EUR"}
    return ManualCost(
        label=label, amount=amount and Decimal(amount), effective_from=first and day(first), effective_to=last and day(last), **{**usual, **more}
    )  # fmt: skip


def cogs(percentage: str, first: str | None = None, last: str | None = None, product: Product | None = None) -> CogsRule:
    return CogsRule(percentage=percentage, product=product, effective_from=first and day(first), effective_to=last and day(last))
