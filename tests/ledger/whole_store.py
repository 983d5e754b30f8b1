"""Fill a store with something of everything, and count what the database holds of it."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from io import BytesIO

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from connectors.files.kind import untold
from connectors.files.uploads import look_at, receive
from connectors.models import FileImport, FilePiece, OrderTransaction, RawPayload
from dashboards import invitations
from dashboards.models import StartEnd
from ledger import findings
from ledger.charges.charges import ChargeFact, record_charges
from ledger.costs import documents
from ledger.facts import OrderFact
from ledger.kinds import AdLevel, ChargeKind
from ledger.models import AdDay, BundlePart, Campaign, CogsRule, FeeRule, ManualCost, Partner, PartnerCode, Store, Variant, VariantCost
from ledger.people import Role
from ledger.rules import proposals, rules, undoing
from profitpeek.jobs import queue
from profitpeek.jobs.housekeeping import HEARTBEAT
from tests.builders import a_refund, a_store, an_order, write
from tests.dashboards.people import a_person

PARTS = {"connectors_filepiece", "connectors_filereport", "connectors_rawpayload", "ledger_costdocument"}
"""Tables whose rows belong to rows of a store, and do not name it themselves."""


def some_orders() -> list[OrderFact]:
    """Return orders with a customer, a fee, a country and a refund."""
    return [
        an_order(str(number), lines=2, tax="5", shipping="4", fee="1.20", customer=f"c{number % 3}", then=[a_refund()]) for number in range(1, 8)
    ]  # fmt: skip


def a_whole_store(slug: str, *, now: datetime) -> Store:
    """Open a store with a row in every kind of table: orders, costs, files, people, jobs, an entry in the admin's log."""
    store = a_store(slug=slug)
    write(store, *some_orders())
    owner = a_person(store, email=f"owner@{slug}.example.com")
    a_person(store, email=f"member@{slug}.example.com", role=Role.VIEWER)
    invitations.invite(store, email=f"new@{slug}.example.com", role=Role.VIEWER, by=owner, now=now)
    StartEnd.objects.create(store=store, at=now, by=owner)
    partner = Partner.objects.create(store=store, name="Ann", kind="influencer")
    bundle, part = Variant.objects.filter(store=store).order_by("pk")
    rent = ManualCost(
        store=store, category="operating", label="rent", amount=Decimal(9), currency="EUR", effective_from=now.date(), effective_to=now.date()
    )
    change = rules.change(
        store, add=[
            CogsRule(percentage=30), VariantCost(variant=part, goods=1, currency="EUR"), FeeRule(gateway="paypal", percentage=2), rent,
            PartnerCode(partner=partner, code="ANN"), BundlePart(bundle=bundle, component=part),
        ],
        actor=owner.email, reason="all of it", now=now,
    )  # fmt: skip
    undoing.undo(change, actor=owner.email, now=now)
    documents.attach(rent, b"a bill", filename="rent.txt", media_type="text/plain", actor="", now=now)
    proposals.propose(store, add=[FeeRule(gateway="later", percentage=2)], actor=owner.email, origin="/", now=now)
    record_charges(store, [ChargeFact(ChargeKind.LABEL, "1", "one", 10_000, "EUR")], cause_ref="import:1", actor="", now=now)
    campaign = Campaign.objects.create(store=store, platform="meta-ads", name="Sale")
    AdDay.objects.create(
        store=store, platform="meta-ads", level=AdLevel.CAMPAIGN, campaign=campaign, day=now.date(), spend=5, currency="EUR", told_at=now
    )
    findings.note(store.pk, "walked", "one", "Noticed.", now=now)
    _files(store, now)
    LogEntry.objects.create(
        user=owner, content_type=ContentType.objects.get_for_model(Partner), object_id=str(partner.pk), object_repr="Ann", action_flag=CHANGE
    )
    queue.submit(HEARTBEAT, {"store": store.pk}, key=f"store:{store.pk}")
    return store


def _files(store: Store, now: datetime) -> None:
    waiting = receive(store, BytesIO(b"Order,Cost\n1,1\n"), kind="shipping-costs", template={"options": {}}, filename="labels.csv", actor="", now=now)
    look_at(waiting, now=now, progress=untold)
    done = FileImport.objects.create(store=store, kind="order-lines", template={}, filename="orders.csv", state="done", started_at=now)
    RawPayload.objects.create(file_import=done, number=1, body=b"sealed", sha256="0" * 64, orders=1)
    FilePiece.objects.create(file_import=done, number=1, body=b"sealed")
    OrderTransaction.objects.create(
        store=store, file_import=done, order_name="#1", kind="sale", status="success", amount=1, currency="EUR", happened_at=now
    )
    queue.submit(HEARTBEAT, {"import": waiting.pk}, key=f"import:{waiting.pk}")


def tables_that_name_stores() -> dict[str, str]:
    """Return every table with a column that holds a store's number, found in the database itself, with the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND column_name IN ('store_id', 'book_id')"
        )
        return dict(cursor.fetchall())


def counted(stores: Collection[int]) -> dict[str, int]:
    """Count the rows of stores in every table that names one, by numbers that may belong to nobody any more."""
    counts = {}
    with connection.cursor() as cursor:
        for table, column in tables_that_name_stores().items():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = ANY(%s)", [list(stores)])
            counts[table] = cursor.fetchone()[0]
    return counts


def counted_parts() -> dict[str, int]:
    """Count all rows of the tables that name no store themselves, whosever they are."""
    counts = {}
    with connection.cursor() as cursor:
        for table in sorted(PARTS | {"django_admin_log", "jobs_job", "ledger_store", "auth_user"}):
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
    return counts
