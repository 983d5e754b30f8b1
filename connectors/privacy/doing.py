"""Do what a request asks for; a run that was cut goes on where it was.

A person who is erased is first recognised by nobody any more: what is told from then on is kept as nobody's. When whoever began to read
before that has ended, everything that was kept before is gone through.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from connectors.files.kind import Guard, Progress
from connectors.models import Connection, FileImport, PrivacyCase, SyncRun
from connectors.privacy import cases, copying, leaving
from connectors.privacy.cutting import PLACES, Place, Search
from connectors.privacy.sought import Sought, opened, resolve
from connectors.reading.runs import STALE
from ledger.erasure import privacy
from ledger.models import Store
from profitpeek.jobs.models import Job

Kind = PrivacyCase.Kind


AT_HAND = timedelta(hours=1)
"""So long an import by the command line may take."""


class StillRead(Exception):
    """Say that work goes on that began when the person was recognised still; it ends by itself."""


def do(case: PrivacyCase, *, now: datetime, progress: Progress, guard: Guard) -> None:
    """Do a request, or go on with it; `guard` is called last in each transaction.

    Raise StillRead while others have to end first, leaving.Connected where a person has to decide.
    """
    if case.state == PrivacyCase.State.DONE:
        return
    sought = opened(case)
    cases.begin(case)
    if case.kind == Kind.DATA_REQUEST:
        _copy(case, sought, now, progress, guard)
    elif case.kind == Kind.ERASE_PERSON:
        _erase_person(case, sought, now, progress, guard)
    else:
        _erase_account(case, sought, now, progress, guard)
    with transaction.atomic():
        cases.finish(case, now=now)
        guard()


def _copy(case: PrivacyCase, sought: Sought, now: datetime, progress: Progress, guard: Guard) -> None:
    case.counts, notes = {}, resolve(case.store, sought)
    made = copying.make(case.store, sought, notes, now=now, progress=progress)
    with transaction.atomic():
        cases.keep(case, sought, notes)
        cases.keep_copy(case, made.body, made.about, now=now)
        cases.step(case, "", 0, made.counts)
        guard()


def _erase_person(case: PrivacyCase, sought: Sought, now: datetime, progress: Progress, guard: Guard) -> None:
    if not sought.since:
        with transaction.atomic():
            notes = resolve(case.store, sought)
            privacy.never_recognise(case.store, sought.hashes, now=now)
            cases.keep(case, sought, notes)
            guard()
        wait_from_now(case, sought, guard)
    end_readers(case.store, sought.since)
    search = Search(case.store, sought, sought.hashes, now)
    names = [place.name for place in PLACES]
    begun = names.index(case.place) if case.place in names else 0
    for number, place in enumerate(PLACES[begun:], start=begun):
        _go_through(case, place, search, progress, guard, number)


def _go_through(case: PrivacyCase, place: Place, search: Search, progress: Progress, guard: Guard, number: int) -> None:
    after = case.after if case.place == place.name else 0
    while True:
        with transaction.atomic():
            done = place.cut(search, after)
            after = done.last or 0
            cases.step(case, place.name if done.last else PLACES[min(number + 1, len(PLACES) - 1)].name, after, done.counts)
            guard()
        progress(place.label, after, 0)
        if done.last is None:
            return


def _erase_account(case: PrivacyCase, sought: Sought, now: datetime, progress: Progress, guard: Guard) -> None:
    account = case.connection
    if account is None:
        return
    if not sought.since:
        # Once it was let go of, a run that goes on does not ask again.
        leaving.refuse_connected(account, now=now)
    with transaction.atomic():
        leaving.let_go(account, now=now)
        guard()
    if not sought.since:
        wait_from_now(case, sought, guard)
    end_readers(case.store, sought.since)
    for place in leaving.PLACES:
        count = 1
        while count:
            with transaction.atomic():
                count = place.erase(account, now)
                cases.step(case, place.name, 0, {place.name: count} if count else {})
                guard()
            progress(place.label, case.counts.get(place.name, 0), 0)


def wait_from_now(case: PrivacyCase, sought: Sought, guard: Guard) -> None:
    """Note when what was decided is in force: whoever began before may not know it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        sought.since = cursor.fetchone()[0].isoformat()
        cases.keep(case, sought)
        guard()


def end_readers(store: Store, since: str) -> None:
    """Raise StillRead while anybody reads for the store who began before a moment of the database's clock."""
    began = datetime.fromisoformat(since)
    runs = SyncRun.objects.filter(connection__store=store, status=SyncRun.Status.RUNNING, started_at__lte=began, heartbeat_at__gt=Now() - STALE)
    if runs.exists():
        raise StillRead
    # By the command line, in no job; one that was cut there stays as if it ran.
    at_hand = FileImport.objects.filter(store=store, job=None, state=FileImport.State.RUNNING, started_at__lte=began, started_at__gt=began - AT_HAND)
    if at_hand.exists():
        raise StillRead
    jobs = Job.objects.filter(Q(parameters__has_key="connection") | Q(parameters__has_key="import"), state=Job.State.RUNNING, started_at__lte=began)
    for parameters in jobs.values_list("parameters", flat=True):
        own = Connection.objects.filter(store=store, pk=parameters.get("connection", 0)).exists()
        if own or FileImport.objects.filter(store=store, pk=parameters.get("import", 0)).exists():
            raise StillRead
