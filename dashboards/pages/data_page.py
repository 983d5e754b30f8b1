"""Read what the page of a store's data shows: where figures come from, how fresh and how sure they are, and what keeps some out.

Reads daily totals, imports, jobs and findings; of orders only those that are held, and those of days with estimated refunds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Case, Count, F, IntegerField, Max, Min, Q, Sum, Value, When, Window

from connectors.files import kinds as file_kinds
from connectors.files.kinds import UnknownFileKind
from connectors.models import FileImport
from dashboards.pages.costs_page import Bar, bars
from ledger.costs.coverage import Covered, coverage, last_days
from ledger.costs.gaps import Gap, gaps
from ledger.models import Finding, Order, OrderCharge, Store
from ledger.orders.estimated_refunds import EstimatedRefunds, estimated_refunds
from ledger.tasks import AUDIT_BOOK, store_key
from profitpeek.jobs import kinds
from profitpeek.jobs.kinds import UnknownKind
from profitpeek.jobs.models import Job

DAYS = 90
"""Days that coverage is about, today included."""
MOST_FINDINGS, MOST_JOBS, MOST_PROBLEM_LINES = 50, 20, 3
State = FileImport.State


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of file: what came of it in all, the latest that was taken, and the latest that was refused since."""

    label: str
    files: int
    rows: int
    orders: int
    latest: FileImport | None
    refused: FileImport | None

    @property
    def problem(self) -> list[str]:
        """Return the first lines of why the latest file was refused."""
        return self.refused.problem.splitlines()[:MOST_PROBLEM_LINES] if self.refused else []


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of cost: how much of it is known, and a bar of that."""

    title: str
    base: str
    covered: Covered
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Held:
    """Orders that wait for the rate of a currency, and the days they were placed on."""

    currency: str
    orders: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Running:
    """One piece of background work: what it is, about what, and how far it is."""

    label: str
    job: Job


@dataclass(frozen=True, slots=True)
class Audit:
    """The latest audit of the book: when it ended, whether it could, and how many things did not hold."""

    at: datetime | None
    failed: bool
    problems: int


@dataclass(slots=True)
class DataPage:
    """Everything on the page of a store's data."""

    newest_order: date | None
    through: int
    recorded_at: datetime | None
    sources: list[Source]
    underway: list[FileImport]
    coverage: list[Kind]
    gaps: list[Gap]
    held: list[Held]
    waiting_charges: int
    refunds: EstimatedRefunds
    jobs: list[Running]
    findings: list[Finding]
    more_findings: int
    audit: Audit

    @property
    def held_orders(self) -> int:
        """Return how many orders are in no figure."""
        return sum(one.orders for one in self.held)

    @property
    def failed_jobs(self) -> int:
        """Return how many pieces of work gave up."""
        return sum(one.job.state == Job.State.DEAD for one in self.jobs)


def data_page(store: Store, *, today: date) -> DataPage:
    """Read the page; coverage is about the last 90 days, everything else about what stands now."""
    period = last_days(today, DAYS)
    found = coverage(store, period)
    book = store.book
    underway = list(FileImport.objects.filter(store=store, state__in=[State.WAITING, State.RUNNING, State.UNDOING]).order_by("-pk")[:MOST_JOBS])
    findings, in_all = _findings(store)
    return DataPage(
        newest_order=Order.objects.filter(store=store).order_by("-day", "-pk").values_list("day", flat=True).first(),
        through=book.last_seq, recorded_at=book.last_recorded_at, sources=_sources(store), underway=underway,
        coverage=[
            Kind("Goods", "of net product sales", found.goods, bars(found.goods)), Kind("Payment fees", "of the fees", found.fees, bars(found.fees)),
            Kind("Shipping", "of the shipping cost", found.shipping, bars(found.shipping)),
        ],
        gaps=gaps(store, today=today), held=_held(store),
        waiting_charges=OrderCharge.objects.filter(store=store, order_id=None, removed_at=None).count(), refunds=estimated_refunds(store),
        jobs=_jobs(store, [row.job for row in underway if row.job]), findings=findings, more_findings=in_all - len(findings), audit=_audit(store),
    )  # fmt: skip


def _sources(store: Store) -> list[Source]:
    own = FileImport.objects.filter(store=store)
    taken = Q(state__in=[State.DONE, State.UNCHANGED])
    sums = own.values("kind").annotate(files=Count("pk", filter=taken), rows=Sum("rows", filter=taken), orders=Sum("orders", filter=taken))
    latest = {row.kind: row for row in own.filter(taken).order_by("kind", "-pk").distinct("kind")}
    refused = {row.kind: row for row in own.filter(state=State.REFUSED).order_by("kind", "-pk").distinct("kind")}
    sources = []
    for one in sums.order_by("kind"):
        kind = one["kind"]
        last, problem = latest.get(kind), refused.get(kind)
        since = problem if problem is not None and (last is None or problem.pk > last.pk) else None
        if last or since:
            sources.append(Source(_file_label(kind), one["files"], one["rows"] or 0, one["orders"] or 0, last, since))
    return sources


def _held(store: Store) -> list[Held]:
    held = Order.objects.filter(store=store, hold__gt=0).values_list("hold_currency")
    return [Held(*row) for row in held.annotate(orders=Count("pk"), first=Min("day"), last=Max("day")).order_by("hold_currency")]


def _jobs(store: Store, imports: Iterable[int]) -> list[Running]:
    states = [Job.State.RUNNING, Job.State.WAITING, Job.State.DEAD]
    found = Job.objects.filter(Q(key=store_key(store)) | Q(pk__in=list(imports)), state__in=states).order_by("-pk")[:MOST_JOBS]
    return [Running(_job_label(job.kind), job) for job in found]


def _file_label(kind: str) -> str:
    try:
        return file_kinds.find(kind).label
    except UnknownFileKind:
        return kind


def _job_label(kind: str) -> str:
    try:
        return kinds.find(kind).label
    except UnknownKind:
        return kind


def _findings(store: Store) -> tuple[list[Finding], int]:
    """Return the gravest open findings, and how many there are in all."""
    grave = Case(When(severity="error", then=Value(0)), When(severity="warning", then=Value(1)), default=Value(2), output_field=IntegerField())
    found = Finding.objects.filter(Q(book_id=store.pk) | Q(book=None), resolved_at=None).annotate(in_all=Window(Count("pk")))
    listed = list(found.order_by(grave, F("money").desc(nulls_last=True), "-last_seen_at")[:MOST_FINDINGS])
    return [*listed], listed[0].in_all if listed else 0


def _audit(store: Store) -> Audit:
    states = [Job.State.DONE, Job.State.DEAD]
    job = Job.objects.filter(kind=AUDIT_BOOK.name, key=store_key(store), state__in=states).order_by("-finished_at").first()
    problems = Finding.objects.filter(book_id=store.pk, kind__startswith="audit_", resolved_at=None).count()
    return Audit(job.finished_at if job else None, bool(job and job.state == Job.State.DEAD), problems)
