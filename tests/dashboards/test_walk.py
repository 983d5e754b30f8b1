"""Walk every address of the project as every kind of person. Whoever adds a page says here who may see it.

An answer is a status, or `in` (sent to sign in), `door` (sent to the admin's door, which asks to sign in or refuses), or
`again` (asked for the password once more). One answer is everybody's; seven are those of WHO, in its order:
stranger, viewer, analyst, cost editor, owner, another store's owner, superuser. `302/403` allows either.
"""

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from connectors.files.kind import untold
from connectors.files.uploads import look_at, receive
from connectors.models import Connection, FileImport, PrivacyCase, SyncRun, WebhookDelivery
from connectors.privacy import cases
from connectors.privacy.sought import Sought
from dashboards import invitations
from dashboards.models import Invitation
from ledger import findings
from ledger.charges.balance import record_balance, record_payouts
from ledger.charges.charges import ChargeFact, record_charges
from ledger.costs import documents
from ledger.facts import BalanceFact, PayoutFact
from ledger.kinds import AdLevel, BalanceMeaning, ChargeKind
from ledger.models import (
    AdDay,
    BalanceTransaction,
    BundlePart,
    Campaign,
    CogsRule,
    CostDefaults,
    CostOverride,
    Erasure,
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
from ledger.people import Role
from ledger.rules import proposals, rules
from ledger.stores import open_store
from profitpeek.jobs.models import Job, Pause
from tests.builders import a_store, an_order, write
from tests.connectors.tiny import tiny_answers
from tests.dashboards.people import a_person, browser_of
from tests.dashboards.walk import OUTSIDER, STRANGER, SUPERUSER, WHO, Policy, Row, ask, model_routes, routes, rows_of, somebody, text_of, told

pytestmark = pytest.mark.django_db

MEMBERS = "in 200 200 200 200 404 200"
OWNERS = "in 403 403 403 200 404 200"
EDITORS = "in 403 403 200 200 404 200"
EDITORS_THEN = "in 403 403 302 302 404 302"
OWNERS_THEN = "in 403 403 403 302 404 302"
SIGNED_IN = "in 200 200 200 200 200 200"
SIGNED_IN_THEN = "in 302 302 302 302 302 302"
SIGNED_IN_ONLY_READ = "in 405 405 405 405 405 405"
SIGNED_OUT = "200 302 302 302 302 302 302"
AGAIN = "in again again again again again again"
SET_UP = "in 404 404 404 404 404 404"
"""Where somebody with a second factor sees it; the walkers have none."""
SUPERUSERS = "in 403 403 403 403 403 200"
STAFF = "door door door 200 200 200 200"
USERS = "door door door 403 403 403 200"
STAFF_THERE = "door door door 200 200 302 200"
STAFF_HERE = "door door door 200 200 404 200"
STAFF_THEN = "door door door 302 302 404 302"
STAFF_ANYWAY_THEN = "door door door 302 302 302 302"
STAFF_ONLY_READ = STAFF_ONLY_POST = "door door door 405 405 405 405"

PAGES = {
    # Whoever delivers is known by a signature alone.
    "webhooks/<slug:platform>": Row("/webhooks/tiny", "405", "401"),
    "webhooks/<slug:platform>/<str:token>": Row("/webhooks/tiny/zephyr", "405", "401"),
    "": Row("/", "in 302 302 302 302 302 200", "405"),
    "preferences/theme": Row("/preferences/theme", "405", "400"),
    "stores/demo": Row("/stores/demo", SUPERUSERS, "in 403 403 403 403 403 302"),
    "stores/today": Row("/stores/today", SIGNED_IN, "405"),
    "stores/pulse": Row("/stores/pulse", SIGNED_IN, "405"),
    "stores/pnl": Row("/stores/pnl", SIGNED_IN, "405"),
    "stores/pnl.csv": Row("/stores/pnl.csv?stores=walked", MEMBERS, "405"),
    "stores/pnl.xlsx": Row("/stores/pnl.xlsx?stores=walked", MEMBERS, "405"),
    "stores/demo/connect": Row("/stores/demo/connect", "405", "in 403 403 403 403 403 404"),
    "stores/new": Row("/stores/new", SUPERUSERS, SUPERUSERS),
    "<store:slug>": Row("/walked", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/": Row("/walked/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/today/": Row("/walked/today/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/pnl/": Row("/walked/pnl/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/orders/": Row("/walked/orders/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/costs/": Row("/walked/costs/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/start/": Row("/walked/start/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/imports/": Row("/walked/imports/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/connections/": Row("/walked/connections/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/data/": Row("/walked/data/", "in 302 302 302 302 404 302", "405"),
    "<store:slug>/people/": Row("/walked/people/", "in 302 302 302 302 404 302", "405"),
    "<slug:slug>/pulse": Row("/walked/pulse", MEMBERS, "405"),
    "<slug:slug>/pulse/orders/<path:number>": Row("/walked/pulse/orders/%231001", MEMBERS, "405"),
    "<slug:slug>/today": Row("/walked/today", MEMBERS, "405"),
    **Row.in_files("<slug:slug>/pnl", "/walked/pnl", MEMBERS),
    "<slug:slug>/pnl/print": Row("/walked/pnl/print", MEMBERS, "405"),
    **Row.in_files("<slug:slug>/pnl/revenue", "/walked/pnl/revenue", MEMBERS),
    **Row.in_files("<slug:slug>/pnl/costs", "/walked/pnl/costs", MEMBERS),
    **Row.in_files("<slug:slug>/entries", "/walked/entries", MEMBERS),
    "<slug:slug>/changes": Row("/walked/changes", MEMBERS, "405"),
    "<slug:slug>/metrics": Row("/walked/metrics", MEMBERS, "405"),
    **Row.in_files("<slug:slug>/orders", "/walked/orders", MEMBERS),
    "<slug:slug>/orders/<path:number>": Row("/walked/orders/%231001", MEMBERS, "405"),
    "<store:slug>/payouts/": Row("/walked/payouts/", "in 302 302 302 302 404 302", "405"),
    **Row.in_files("<slug:slug>/payouts", "/walked/payouts", MEMBERS),
    **Row.in_files("<slug:slug>/payouts/<int:pk>", "/walked/payouts/{payout}", MEMBERS),
    "<slug:slug>/costs": Row("/walked/costs", MEMBERS, "405"),
    "<slug:slug>/start": Row("/walked/start", EDITORS, "in 403 403 302 302 404 302"),
    "<slug:slug>/start/gap": Row("/walked/start/gap", "405", "in 403 403 302 302 404 302"),
    "<slug:slug>/imports": Row("/walked/imports", MEMBERS, EDITORS_THEN),
    "<slug:slug>/imports.csv": Row("/walked/imports.csv", MEMBERS, "405"),
    "<slug:slug>/imports.xlsx": Row("/walked/imports.xlsx", MEMBERS, "405"),
    "<slug:slug>/imports/mappings": Row("/walked/imports/mappings", EDITORS, EDITORS_THEN),
    "<slug:slug>/imports/<int:pk>": Row("/walked/imports/{waiting}", EDITORS, EDITORS_THEN),
    "<slug:slug>/imports/<int:pk>/columns": Row("/walked/imports/{waiting}/columns", EDITORS, EDITORS),
    "<slug:slug>/imports/<int:pk>/progress": Row("/walked/imports/{waiting}/progress", EDITORS, "405"),
    "<slug:slug>/imports/<int:pk>/undo": Row("/walked/imports/{imported}/undo", EDITORS, EDITORS_THEN),
    "<slug:slug>/imports/<int:pk>/<slug:what>.csv": Row("/walked/imports/{waiting}/unmatched.csv", EDITORS, "405"),
    "connections/<slug:platform>/return": Row("/connections/tiny/return?state=x", SIGNED_IN_THEN, "405"),
    "<slug:slug>/connections": Row("/walked/connections", MEMBERS, "405"),
    "<slug:slug>/connections/pulse": Row("/walked/connections/pulse", MEMBERS, "405"),
    "<slug:slug>/connections/new/<slug:platform>": Row("/walked/connections/new/tiny", OWNERS, OWNERS),
    "<slug:slug>/connections/<int:pk>": Row("/walked/connections/{connection}", MEMBERS, "405"),
    "<slug:slug>/connections/<int:pk>/<slug:action>": Row("/walked/connections/{connection}/pause", "405", OWNERS_THEN),
    "<slug:slug>/data": Row("/walked/data", MEMBERS, "405"),
    "<slug:slug>/delete": Row("/walked/delete", OWNERS, OWNERS),
    "<slug:slug>/people": Row("/walked/people", OWNERS, OWNERS),
    "<store:slug>/privacy/": Row("/walked/privacy/", "in 302 302 302 302 404 302", "405"),
    "<slug:slug>/privacy": Row("/walked/privacy", OWNERS, OWNERS),
    "<slug:slug>/privacy/<int:pk>": Row("/walked/privacy/{case}", OWNERS, "405"),
    "<slug:slug>/privacy/<int:pk>/copy.zip": Row("/walked/privacy/{copied}/copy.zip", OWNERS, "405"),
    "<slug:slug>/privacy/<int:pk>/<slug:action>": Row("/walked/privacy/{case}/confirm", "405", OWNERS_THEN),
    "<slug:slug>/people/<int:pk>/role": Row("/walked/people/{member}/role", "405", OWNERS_THEN),
    "<slug:slug>/people/<int:pk>/remove": Row("/walked/people/{member}/remove", OWNERS, OWNERS_THEN),
    "<slug:slug>/people/invitations/<int:pk>/renew": Row("/walked/people/invitations/{invitation}/renew", "405", OWNERS_THEN),
    "<slug:slug>/people/invitations/<int:pk>/revoke": Row("/walked/people/invitations/{invitation}/revoke", "405", OWNERS_THEN),
}
# A link tells its store's name to whoever holds it, which is what it is for: these are walked with links that are not good.
ACCOUNTS = {
    "accounts/first/<str:token>": Row("/accounts/first/x", "410", "410"),
    "accounts/invitation/<str:token>": Row("/accounts/invitation/x", "410", "410"),
    "accounts/login/": Row("/accounts/login/", SIGNED_OUT, SIGNED_OUT),
    "accounts/login/code/confirm/": Row("/accounts/login/code/confirm/", SIGNED_IN_THEN, SIGNED_IN_THEN),
    "accounts/logout/": Row("/accounts/logout/", SIGNED_IN, "in"),
    "accounts/inactive/": Row("/accounts/inactive/", "200", "405"),
    "accounts/signup/": Row("/accounts/signup/", SIGNED_OUT, SIGNED_OUT),
    "accounts/reauthenticate/": Row("/accounts/reauthenticate/", SIGNED_IN, SIGNED_IN),
    "accounts/email/": Row("/accounts/email/", "200", "200"),
    "accounts/confirm-email/": Row("/accounts/confirm-email/", "200", "405"),
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": Row("/accounts/confirm-email/x/", "200", "404"),
    "accounts/password/change/": Row("/accounts/password/change/", SIGNED_IN, SIGNED_IN),
    "accounts/password/set/": Row("/accounts/password/set/", SIGNED_IN_THEN, SIGNED_IN_THEN),
    "accounts/password/reset/": Row("/accounts/password/reset/", "200", "200"),
    "accounts/password/reset/done/": Row("/accounts/password/reset/done/", "200", "405"),
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": Row("/accounts/password/reset/key/1-x/", "200", "200"),
    "accounts/password/reset/key/done/": Row("/accounts/password/reset/key/done/", "200", "405"),
    "accounts/sessions/": Row("/accounts/sessions/", SIGNED_IN, SIGNED_IN_THEN),
    "accounts/2fa/": Row("/accounts/2fa/", SIGNED_IN, SIGNED_IN_ONLY_READ),
    "accounts/2fa/authenticate/": Row("/accounts/2fa/authenticate/", SIGNED_IN_THEN, SIGNED_IN_THEN),
    "accounts/2fa/reauthenticate/": Row("/accounts/2fa/reauthenticate/", AGAIN, AGAIN),
    "accounts/2fa/totp/activate/": Row("/accounts/2fa/totp/activate/", AGAIN, AGAIN),
    "accounts/2fa/totp/deactivate/": Row("/accounts/2fa/totp/deactivate/", SET_UP, SET_UP),
    "accounts/2fa/recovery-codes/": Row("/accounts/2fa/recovery-codes/", SET_UP, SIGNED_IN_ONLY_READ),
    "accounts/2fa/recovery-codes/generate/": Row("/accounts/2fa/recovery-codes/generate/", AGAIN, AGAIN),
    "accounts/2fa/recovery-codes/download/": Row("/accounts/2fa/recovery-codes/download/", SET_UP, SET_UP),
    "accounts/2fa/webauthn/": Row("/accounts/2fa/webauthn/", SIGNED_IN, SIGNED_IN_ONLY_READ),
    "accounts/2fa/webauthn/add/": Row("/accounts/2fa/webauthn/add/", AGAIN, AGAIN),
    "accounts/2fa/webauthn/login/": Row("/accounts/2fa/webauthn/login/", SIGNED_IN_THEN, SIGNED_IN_THEN),
    "accounts/2fa/webauthn/reauthenticate/": Row("/accounts/2fa/webauthn/reauthenticate/", AGAIN, AGAIN),
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": Row("/accounts/2fa/webauthn/keys/1/edit/", AGAIN, AGAIN),
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": Row("/accounts/2fa/webauthn/keys/1/remove/", AGAIN, AGAIN),
}
ADMIN = {
    "admin/": Row("/admin/", STAFF, STAFF),
    "admin/login/": Row("/admin/login/", "in 403 403 302 302 302 302", "in 403 403 302 302 302 302"),
    "admin/logout/": Row("/admin/logout/", "302 302 302 405 405 405 405", "302 302 302 in in in in"),
    "admin/password_change/": Row("/admin/password_change/", "door door door 302 302 302 302", "door door door 302 302 302 302"),
    "admin/password_change/done/": Row("/admin/password_change/done/", "door door door 302 302 302 302", "door door door 302 302 302 302"),
    "admin/ledger/manualcost/<int:pk>/documents/add/": Row("/admin/ledger/manualcost/{cost}/documents/add/", STAFF_ONLY_READ, STAFF_THEN),
    "admin/ledger/manualcost/<int:pk>/documents/<int:document>/": Row(
        "/admin/ledger/manualcost/{cost}/documents/{document}/", "door door door 200 200 404 200", STAFF_ONLY_READ
    ),
    "admin/ledger/manualcost/<int:pk>/documents/<int:document>/delete/": Row(
        "/admin/ledger/manualcost/{cost}/documents/{document}/delete/", STAFF_ONLY_READ, STAFF_THEN
    ),
    "admin/autocomplete/": Row("/admin/autocomplete/?term=ephyr", "door door door 403 403 403 403", STAFF_ONLY_READ),
    "admin/jsi18n/": Row("/admin/jsi18n/", STAFF, STAFF_ONLY_READ),
    "admin/auth/user/<id>/password/": Row("/admin/auth/user/{person}/password/", USERS, USERS),
    "admin/ledger/proposedchange/<path:object_id>/review/": Row("/admin/ledger/proposedchange/{proposed}/review/", STAFF_THERE, STAFF_THERE),
    "admin/ledger/costchange/<path:object_id>/undo/": Row("/admin/ledger/costchange/{change}/undo/", STAFF_ONLY_POST, STAFF_ANYWAY_THEN),
    "admin/^<app_label>/$": Row("/admin/ledger/", STAFF, STAFF),
    "admin/(?P<url>.*)$": Row("/admin/nowhere", "door door door 404 404 404 404", "door door door 404 404 404 404"),
}
SHEETS = {
    f"admin/ledger/{model}/{page}/": Row(f"/admin/ledger/{model}/{page}/", *answers)
    for model in ("variantcost", "bundlepart", "cogsrule", "feerule", "shippingrule", "manualcost", "partnercode", "profitgoal", "costoverride")
    for page, answers in {"export": (STAFF, STAFF), "import": (STAFF, STAFF), "process_import": (STAFF_ONLY_POST, STAFF_ANYWAY_THEN)}.items()
}
LEDGER = {
    "admin/ledger/variantcost/grid/": Row("/admin/ledger/variantcost/grid/", STAFF, STAFF),
    "admin/ledger/book/<int:store>/batches/": Row("/admin/ledger/book/{book}/batches/", STAFF_HERE, STAFF_ONLY_READ),
    "admin/ledger/book/<int:store>/batches/<int:seq>/": Row("/admin/ledger/book/{book}/batches/1/", STAFF_HERE, STAFF_ONLY_READ),
    "admin/ledger/book/<int:store>/entries/": Row("/admin/ledger/book/{book}/entries/", STAFF_HERE, STAFF_ONLY_READ),
}
TABLE = PAGES | ACCOUNTS | ADMIN | SHEETS | LEDGER

EDIT = frozenset({"cost_editor", "owner", OUTSIDER, SUPERUSER})
OWN = frozenset({"owner", OUTSIDER, SUPERUSER})
RUN = frozenset({SUPERUSER})
POLICIES = {
    "ledger.store": Policy(EDIT),
    "ledger.membership": Policy(OWN, adds=True, deletes=True),
    "ledger.book": Policy(OWN),
    "ledger.finding": Policy(EDIT, saves="403"),
    "ledger.product": Policy(EDIT, saves="403"),
    "ledger.manualcost": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.partner": Policy(EDIT, adds=True, deletes=True),
    "ledger.partnercode": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.profitgoal": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.costdefaults": Policy(RUN),
    "ledger.cogsrule": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.variantcost": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.bundlepart": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.costoverride": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.feerule": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.shippingrule": Policy(EDIT, adds=True, deletes=True, saves="403"),
    "ledger.costchange": Policy(EDIT, saves="403"),
    "ledger.proposedchange": Policy(EDIT),
    "ledger.ordercharge": Policy(EDIT, saves="403"),
    "ledger.variant": Policy(EDIT, saves="403"),
    "ledger.campaign": Policy(EDIT, saves="403"),
    "ledger.adday": Policy(EDIT, saves="403"),
    "connectors.fileimport": Policy(EDIT, saves="403"),
    "ledger.balancetransaction": Policy(EDIT, saves="403"),
    "ledger.payout": Policy(EDIT, saves="403"),
    "ledger.erasure": Policy(RUN, saves="403"),
    "connectors.connection": Policy(EDIT, saves="403"),
    "connectors.syncrun": Policy(EDIT, saves="403"),
    "connectors.webhookdelivery": Policy(EDIT, saves="403"),
    "jobs.job": Policy(RUN, saves="403"),
    "jobs.pause": Policy(RUN, adds=True, deletes=True, saves="403"),
    "auth.user": Policy(RUN, saves="302"),
    "mfa.authenticator": Policy(RUN, deletes=True, saves="403"),
    "usersessions.usersession": Policy(RUN, deletes=True, saves="403"),
}

NAMES = ["zephyr", "member@zephyr.example.com", "invited@zephyr.example.com"]
"""What only the walked store's people may read."""
SEARCHES = [f"/admin/{label.replace('.', '/')}/?q=ephyr" for label in POLICIES]


@pytest.fixture(autouse=True)
def tiny() -> Iterator[None]:
    """Know a platform to connect to."""
    with tiny_answers():
        yield


@pytest.fixture
def walked() -> Store:
    """Open the store that is walked, with an order, two members and an invitation."""
    store = open_store(slug="walked", name="Zephyr Pottery", currency="EUR", zone="UTC")
    write(store, an_order("1001"))
    owner = a_person(store, email="first@zephyr.example.com")
    a_person(store, email="member@zephyr.example.com", role=Role.VIEWER)
    invitations.invite(store, email="invited@zephyr.example.com", role=Role.VIEWER, by=owner, now=timezone.now())
    return store


def keys_of(store: Store) -> dict[str, Any]:
    """Return the key of a row of the walked store for every model the admin shows."""
    member, now = Membership.objects.get(store=store, user__email="member@zephyr.example.com"), timezone.now()
    findings.note(store.pk, "walked", "Zephyr", "Noticed in Zephyr.", now=now)
    cost = ManualCost(
        store=store, category="operating", label="zephyr-rent", amount=Decimal(9), currency="EUR", effective_from=now.date(), effective_to=now.date()
    )
    variant, partner = Variant.objects.get(store=store), Partner.objects.create(store=store, name="Zephyr Ann", kind="influencer")
    part = Variant.objects.create(store=store, product=variant.product, platform="shop", external_id="part", title="Zephyr glaze")
    dated: list[Any] = [
        CogsRule(percentage=30), VariantCost(variant=variant, goods=1, currency="EUR"), FeeRule(gateway="zephyrpay", percentage=2),
        ShippingRule(position=1, name="Zephyr post", amount=3), cost, PartnerCode(partner=partner, code="ZEPHYR"), ProfitGoal(amount=1000),
        BundlePart(bundle=variant, component=part),
        CostOverride(order_id=Order.objects.get(store=store).pk, line="1", unit_cost=1, currency="EUR", told="Zephyr vase"),
    ]  # fmt: skip
    change = rules.change(store, add=dated, actor="first@zephyr.example.com", reason="Zephyr", now=now)
    proposed = proposals.propose(store, add=[FeeRule(gateway="zephyrlater", percentage=2)], actor="first@zephyr.example.com", origin="/", now=now)
    record_charges(store, [ChargeFact(ChargeKind.LABEL, "1001", "zephyr", 10_000, "EUR")], cause_ref="import:1", actor="", now=now)
    labels = BytesIO(b"Order,Cost\n1001,1\n")
    campaign = Campaign.objects.create(store=store, platform="meta-ads", name="Zephyr sale")
    spent = AdDay.objects.create(
        store=store, platform="meta-ads", level=AdLevel.CAMPAIGN, campaign=campaign, day=now.date(), spend=5, currency="EUR", told_at=now
    )
    waiting = receive(store, labels, kind="shipping-costs", template={"options": {}}, filename="Zephyr labels.csv", actor="", now=now)
    imported = FileImport.objects.create(store=store, kind="shipping-costs", template={}, filename="Zephyr.csv", state="done", started_at=now)
    connection = Connection.objects.create(store=store, platform="tiny", account_ref="zephyr", label="Zephyr on Tiny", connected_at=now)
    balance = BalanceFact("shopify_payments", "Zephyr row", now, "zephyr", BalanceMeaning.FINANCING, 10_000, 0, "EUR")
    record_balance(store, [balance], cause_ref="connection:1", now=now)
    record_payouts(store, [PayoutFact("shopify_payments", "Zephyr payout", now, "paid", 10_000, "EUR")], now=now)
    run = SyncRun.objects.create(connection=connection, stream="zephyrs", mode="increment", started_at=now, heartbeat_at=now)
    rung = WebhookDelivery.objects.create(connection=connection, topic="zephyrs/blow", delivery_id="zephyr", received_at=now)
    look_at(waiting, now=now, progress=untold)
    asked = cases.ask(store, "erase_person", Sought(orders=["1001"]), actor="first@zephyr.example.com", now=now)
    copied = PrivacyCase.objects.create(store=store, kind="data_request", state="done", actor="zephyr", received_at=now, due_at=now, done_at=now)
    cases.keep_copy(copied, b"zephyr", b"[]", now=now)
    rows: list[Any] = [
        *dated, change, variant, proposed, partner, campaign, spent, OrderCharge.objects.get(),
        store, store.book, member, member.user, Product.objects.get(store=store), Finding.objects.get(), CostDefaults.objects.get(),
        imported, connection, run, rung, BalanceTransaction.objects.get(store=store), Payout.objects.get(store=store),
        Erasure.objects.create(number=9_999, name="Zephyr gone", slug="gone", currency="EUR", actor="root", asked_at=now, finished_at=now),
        Job.objects.create(kind="walked", key="walked", max_attempts=1), Pause.objects.create(kind="walked"),
        Authenticator.objects.create(user=member.user, type="totp", data={}),
        UserSession.objects.create(user=member.user, ip="127.0.0.1", session_key="walked"),
    ]  # fmt: skip
    keys = {row._meta.label_lower: row.pk for row in rows}
    return keys | {
        "member": member.pk,
        "book": store.pk,
        "payout": keys["ledger.payout"],
        "person": member.user_id,
        "invitation": Invitation.objects.get().pk,
        "proposed": proposed.pk,
        "cost": cost.pk,
        "document": documents.attach(cost, b"Zephyr rent", filename="zephyr.txt", media_type="text/plain", actor="", now=now).pk,
        "waiting": waiting.pk,
        "case": asked.pk,
        "copied": copied.pk,
        "connection": connection.pk,
        "imported": imported.pk,
        "change": change.pk,
    }


def test_every_route_has_its_row() -> None:
    """A new page is added to PAGES, ACCOUNTS or ADMIN; a new model of the admin to POLICIES and to `keys_of`."""
    assert set(routes()) - set(model_routes()) == set(TABLE)
    assert {label for label, _ in model_routes().values()} == set(POLICIES)


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(who: str, walked: Store) -> None:
    keys = keys_of(walked)
    session = session_of(who, walked)
    wrong, read = {}, []
    for route, row in (TABLE | rows_of(POLICIES, keys)).items():
        for method in ("GET", "POST"):
            answer = ask(session, method, row.address.format(**keys))
            expected = row.expected(method)[who]
            if told(answer) not in expected.split("/"):
                wrong[f"{method} {route}"] = f"{told(answer)} instead of {expected}"
            read += [(route, name) for name in NAMES if who in (STRANGER, OUTSIDER) and name in text_of(answer)]
    assert (wrong, read) == ({}, [])


def test_searching_the_admin_finds_nothing_of_another_store(walked: Store) -> None:
    keys_of(walked)
    outsider, superuser = session_of(OUTSIDER, walked), session_of(SUPERUSER, walked)
    assert [address for address in SEARCHES if "zephyr" in text_of(ask(outsider, "GET", address))] == []
    assert len([address for address in SEARCHES if "zephyr" in text_of(ask(superuser, "GET", address))]) == 32


def test_what_is_kept_from_others_is_on_the_pages_of_the_store(walked: Store) -> None:
    """Prove that the walk could see a name that leaks."""
    keys_of(walked)
    session = session_of("owner", walked)
    text = "".join(text_of(ask(session, "GET", address)) for address in ("/walked/people", "/admin/ledger/finding/"))
    assert [name for name in NAMES if name not in text] == []


def session_of(who: str, walked: Store) -> Client:
    """Return a browser of one kind of person, who has a store of their own beside the walked one."""
    person = somebody(who, walked, Store.objects.filter(slug="other").first() or a_store(slug="other"))
    return Client() if person is None else browser_of(person)
