"""What holds for every history of a book, whatever arrives in whatever order."""

from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit import audit
from ledger.book.explain import changes
from ledger.kinds import Basis
from ledger.models import Batch, Book, CostDefaults, Store
from ledger.periods import Period
from ledger.record import record
from ledger.statements import Statement, profit
from tests.builders import SYNC, a_store, book_of, day, ecb
from tests.ledger_text import entry_rows
from tests.properties import examples
from tests.properties.histories import Step, Story, finish, histories, stories, take

pytestmark = pytest.mark.django_db

History = tuple[tuple[Story, ...], list[Step]]
SPAN = Period(day("2026-01-01"), day("2026-12-31"))

some = examples.some(12)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every working day of the histories, one of them missing."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5 and n != 11))


def _fresh_store() -> Store:
    CostDefaults.objects.update(cogs_percentage=Decimal(40))
    return a_store()


def _seen(book: Book, *, as_of: int | None = None) -> tuple[dict[str, Decimal], ...]:
    """Return every account's sum on both bases, without those that are zero."""
    return tuple({name: value for name, value in _of(book, SPAN, basis, as_of).accounts.items() if value} for basis in Basis)


def _of(book: Book, period: Period, basis: Basis, as_of: int | None = None) -> Statement:
    return profit(book, [period], basis=basis, as_of=as_of)[0]


def _run(told: tuple[Story, ...], steps: list[Step]) -> Store:
    store = _fresh_store()
    for step in steps:
        take(store, told, step)
    return store


@some
@given(histories())
def test_audit_is_clean_after_any_history(history: History):
    store = _run(*history)
    assert {name: problems for name, problems in audit(book_of(store)).items() if problems} == {}


@some
@given(histories())
def test_replay_writes_nothing(history: History):
    told, steps = history
    store = _run(told, steps)
    finish(store, told)
    batches = Batch.objects.filter(book_id=store.pk).count()
    again = record(store, [story[-1] for story in told], cause=SYNC)
    for story in told:
        assert record(store, story, cause=SYNC).entries == 0
    take(store, told, Step("costs", number=40))
    assert (again.unchanged, again.entries, Batch.objects.filter(book_id=store.pk).count()) == (len(told), 0, batches)


@some
@given(histories())
def test_what_was_believed_never_moves(history: History):
    told, steps = history
    store = _fresh_store()
    remembered = {0: ({}, {})}
    for step in steps:
        take(store, told, step)
        book = book_of(store)
        remembered[book.last_seq] = _seen(book)
    finish(store, told)
    book = book_of(store)
    assert {seq: _seen(book, as_of=seq) for seq in remembered} == remembered


@some
@given(histories())
def test_closed_days_never_move_on_the_event_basis(history: History):
    told, steps = history
    store = _fresh_store()
    frozen = {}
    for step in [*steps, Step("record")]:
        take(store, told, step)
        book = book_of(store)
        if book.closed_through is not None and book.closed_through not in frozen:
            frozen[book.closed_through] = _closed(book, book.closed_through)
    finish(store, told)
    book = book_of(store)
    assert {last: _closed(book, last) for last in frozen} == frozen


def _closed(book: Book, last) -> dict[str, Decimal]:
    return {name: value for name, value in _of(book, Period(SPAN.first, last), Basis.EVENT).accounts.items() if value}


@some
@given(histories())
def test_changes_between_two_views_add_up_to_their_difference(history: History):
    told, steps = history
    store = _run(told, steps)
    finish(store, told)
    book = book_of(store)
    middle = book.last_seq // 2
    for basis, before, after in zip(Basis, _seen(book, as_of=middle), _seen(book), strict=True):
        told_by_account: defaultdict[str, Decimal] = defaultdict(Decimal, before)
        for change in changes(book, after=middle, through=book.last_seq, basis=basis):
            told_by_account[change.account] += change.amount
        assert {name: value for name, value in told_by_account.items() if value} == after


@some
@given(histories(closing=False), st.randoms(use_true_random=False))
def test_live_entries_do_not_depend_on_the_order_of_arrival(history: History, random):
    told, steps = history
    one = _run(told, steps)
    finish(one, told)
    shuffled = list(steps)
    random.shuffle(shuffled)
    other = _run(told, shuffled)
    finish(other, told)
    assert _live(one) == _live(other)


@some
@given(stories)
def test_one_call_says_the_same_as_many(told: tuple[Story, ...]):
    together, apart = _fresh_store(), _fresh_store()
    record(together, [fact for story in told for fact in story], cause=SYNC)
    for story in told:
        for fact in story:
            record(apart, [fact], cause=SYNC)
    assert _live(together) == _live(apart)
    assert _seen(book_of(together)) == _seen(book_of(apart))


def _live(store: Store) -> Counter[tuple[str, ...]]:
    """Return the live entries in words that do not depend on ids, parts or revisions."""
    hidden = {"seq", "part", "revision"}
    return Counter(tuple(value for name, value in row.items() if name not in hidden) for row in entry_rows(store, live=True))
