"""Test what a production serves its static files as: named by their content, kept for ever, compressed, charts only where there are any."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from dashboards.templatetags.page import icon
from ledger.models import Store
from tests.builders import a_line, a_store, an_order, write
from tests.dashboards.people import signed_in

MOST_CHART_CODE = {"gzip": 430 * 1024, "br": 360 * 1024}
PAGES = [
    "today",
    "pnl",
    "pnl/revenue",
    "pnl/costs",
    "pnl/print",
    "orders",
    "orders?show=margins",
    "orders/1001",
    "entries",
    "costs",
    "data",
    "imports",
]
CHARTED = {"today", "pnl", "pnl/costs", "orders?show=margins"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collect the files as a production does, once."""
    folder = tmp_path_factory.mktemp("static")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configured, "STATIC_ROOT", folder)
        from profitpeek.static_files import CollectedFiles

        patch.setattr("django.contrib.staticfiles.storage.staticfiles_storage._wrapped", CollectedFiles(), raising=False)
        call_command("collectstatic", interactive=False, verbosity=0)
    return folder


@pytest.fixture
def production(collected: Path, settings: Any) -> Iterator[None]:
    """Serve the files as a production does."""
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = collected, False
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": settings.COLLECTED}}
    icon.cache_clear()
    yield
    icon.cache_clear()


@pytest.fixture
def shop() -> Store:
    store = a_store(slug="shop")
    write(store, an_order("1001", lines=[a_line("1", price="100.00")]))
    return store


def files_of(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"#]+)', page)


def served(address: str, encoding: str) -> tuple[bytes, dict[str, str]]:
    answer = Client().get(address, headers={"accept-encoding": encoding})
    assert answer.status_code == 200, address
    return b"".join(answer.streaming_content), dict(answer.headers)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("production")
def test_every_file_of_a_page_is_named_by_its_content_and_kept_for_ever(shop: Store) -> None:
    page = signed_in(shop).get("/shop/pnl").content.decode()
    files = files_of(page)
    told = {address: served(address, "gzip")[1]["Cache-Control"] for address in files}
    assert told == dict.fromkeys(files, "max-age=315360000, public, immutable")
    names = [address.rpartition("/")[2] for address in files]
    assert [name for name in names if not re.fullmatch(r"[\w.-]+\.[0-9a-f]{12}\.\w+", name)] == []
    assert any(name.startswith("plotly-finance.min.") for name in names)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("encoding", MOST_CHART_CODE)
def test_the_code_of_charts_is_sent_compressed_and_below_its_bound(shop: Store, encoding: str) -> None:
    page = signed_in(shop).get("/shop/pnl").content.decode()
    code = [address for address in files_of(page) if re.search(r"plotly|charts\.", address)]
    assert len(code) == 3
    sent = [served(address, encoding) for address in code]
    assert [headers["Content-Encoding"] for _, headers in sent] == [encoding] * 3
    assert sum(len(body) for body, _ in sent) < MOST_CHART_CODE[encoding]


@pytest.mark.django_db
def test_pages_without_a_chart_load_none_of_its_code(shop: Store) -> None:
    owner = signed_in(shop)
    pages = {address: owner.get(f"/shop/{address}") for address in PAGES}
    assert {address: page.status_code for address, page in pages.items()} == dict.fromkeys(PAGES, 200)
    assert {address for address, page in pages.items() if re.search(r"plotly|charts\.js", page.content.decode())} == CHARTED


@pytest.mark.django_db
def test_a_store_without_anything_to_draw_loads_no_code_of_charts() -> None:
    owner = signed_in(a_store(slug="shop"))
    assert [address for address in CHARTED if re.search(r"plotly|charts\.js", owner.get(f"/shop/{address}").content.decode())] == []


@pytest.mark.slow
def test_collecting_again_compresses_nothing_anew(collected: Path, settings: Any) -> None:
    settings.STATIC_ROOT, settings.STORAGES = collected, {**settings.STORAGES, "staticfiles": {"BACKEND": settings.COLLECTED}}
    [chart] = (collected / "vendor" / "plotly").glob("plotly-finance.min.*.js.gz")
    assert gzip.decompress(chart.read_bytes()) == (configured.BASE_DIR / "static/vendor/plotly/plotly-finance.min.js").read_bytes()
    before = chart.stat()
    call_command("collectstatic", interactive=False, verbosity=0)
    assert (chart.stat().st_ino, chart.stat().st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    chart.write_bytes(b"cut off")
    call_command("collectstatic", interactive=False, verbosity=0)
    assert chart.stat().st_size == before.st_size


def test_every_file_that_a_template_names_is_there() -> None:
    named = {
        (str(path.relative_to(configured.BASE_DIR)), name)
        for path in (configured.BASE_DIR / "templates").rglob("*.html")
        for name in re.findall(r"""{% static ["']([^"'{]+)["']""", path.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert {(template, name) for template, name in named if finders.find(name) is None} == set()
    assert ("templates/base.html", "css/tokens.css") in named
