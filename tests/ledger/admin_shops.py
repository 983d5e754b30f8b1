"""Open stores with one row of every kind that the admin lists, each carrying the store's name."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.models import Connection, FileImport, SyncRun, WebhookDelivery
from ledger import findings
from ledger.advertising.spending import record_spend
from ledger.charges.balance import record_balance, record_payouts
from ledger.charges.charges import ChargeFact, record_charges
from ledger.facts import AdDayFact, BalanceFact, PayoutFact
from ledger.kinds import AdLevel, BalanceMeaning, ChargeKind
from ledger.models import (
    AdDay,
    BalanceTransaction,
    BundlePart,
    Campaign,
    CogsRule,
    CostOverride,
    FeeRule,
    Finding,
    ManualCost,
    Membership,
    Order,
    OrderCharge,
    Partner,
    PartnerCode,
    Payout,
    Product,
    ProfitGoal,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)
from ledger.models.rules import Rule
from ledger.rules import proposals, rules
from tests.builders import a_store, an_order, at, write
from tests.dashboards.people import a_person


@dataclass
class Shop:
    """Hold a store with one row of every kind the admin lists."""

    store: Store
    rows: dict[str, Any]


def a_shop(slug: str) -> Shop:
    """Open a store whose every row carries its name."""
    store = a_store(slug=slug)
    write(store, an_order("1"))
    product = Product.objects.get(store=store)
    product.title = f"{slug} mug"
    product.save()
    cost = ManualCost(
        store=store, category="operating", label=f"{slug}-rent", amount=Decimal(100), currency="EUR",
        effective_from=date(2026, 3, 1), effective_to=date(2026, 3, 2), note=slug,
    )  # fmt: skip
    findings.note(store.pk, f"{slug}-kind", slug, f"{slug} message", now=store.created_at)
    took = FileImport.objects.create(
        store=store, kind=f"{slug}-lines", template={}, filename=f"{slug}.csv", sha256="0" * 64, started_at=at("2026-03-03 12:00")
    )
    owner = a_person(store, email=f"owner@{slug}.example.com")
    variant = Variant.objects.get(store=store)
    variant.sku = slug
    variant.save()
    partner = Partner.objects.create(store=store, name=f"{slug} influencer", kind="influencer")
    part = Variant.objects.create(store=store, product=product, platform="shop", external_id="part", sku=f"{slug}-part")
    added: list[Rule] = [
        CogsRule(product=product, percentage=30), VariantCost(variant=variant, goods=1, currency="EUR"), FeeRule(gateway=slug, percentage=2),
        ShippingRule(position=1, name=slug, amount=3), cost, PartnerCode(partner=partner, code=slug), ProfitGoal(amount=1000),
        BundlePart(bundle=variant, component=part, quantity=2),
        CostOverride(order_id=Order.objects.get(store=store).pk, line="1", unit_cost=1, currency="EUR", told=slug),
    ]  # fmt: skip
    change = rules.change(store, add=added, actor=f"owner@{slug}.example.com", reason=slug, now=store.created_at)
    proposed = proposals.propose(
        store, add=[FeeRule(gateway=f"{slug}pay", percentage=1)], actor=f"owner@{slug}.example.com", origin="/admin/", now=store.created_at
    )
    record_charges(
        store,
        [ChargeFact(ChargeKind.LABEL, slug, slug, 10_000, "EUR")],
        cause_ref="import:1",
        actor=f"owner@{slug}.example.com",
        now=store.created_at,
    )
    record_spend(
        store,
        [AdDayFact("meta_ads", AdLevel.CAMPAIGN, date(2026, 3, 3), 10_000, "EUR", slug, slug, f"{slug} campaign", slug, slug)],
        cause_ref="import:1",
        actor=f"owner@{slug}.example.com",
        now=store.created_at,
    )
    account = Connection.objects.create(store=store, platform="tiny", account_ref=slug, label=slug, connected_at=store.created_at)
    run = SyncRun.objects.create(
        connection=account, stream="things", mode="increment", status="done", problem=slug, started_at=store.created_at, heartbeat_at=store.created_at
    )
    delivery = WebhookDelivery.objects.create(connection=account, topic=slug, delivery_id=slug, received_at=store.created_at, error=slug)
    record_balance(
        store,
        [BalanceFact("shopify_payments", slug, store.created_at, slug, BalanceMeaning.FINANCING, 10_000, 0, "EUR")],
        cause_ref="connection:1",
        now=store.created_at,
    )
    record_payouts(store, [PayoutFact("shopify_payments", slug, store.created_at, slug, 10_000, "EUR")], now=store.created_at)
    rows = {
        "connectors/connection": account, "connectors/syncrun": run, "connectors/webhookdelivery": delivery, "ledger/partner": partner,
        "ledger/campaign": Campaign.objects.get(store=store),
        "ledger/adday": AdDay.objects.get(store=store),
        "ledger/balancetransaction": BalanceTransaction.objects.get(store=store),
        "ledger/payout": Payout.objects.get(store=store),
        "ledger/ordercharge": OrderCharge.objects.get(store=store),
        "ledger/proposedchange": proposed, "ledger/store": store, "ledger/product": product, "ledger/book": store.book,
        "ledger/membership": Membership.objects.get(user=owner), "ledger/finding": Finding.objects.get(book=store.pk), "connectors/fileimport": took,
        "ledger/variant": variant, "ledger/costchange": change, **{f"ledger/{rule._meta.model_name}": rule for rule in added},
    }  # fmt: skip
    return Shop(store, rows)
