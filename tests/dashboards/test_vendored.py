"""Check the files that came from others: unchanged since they were vendored, and fit to be collected."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

VENDOR = settings.BASE_DIR / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())


def test_every_vendored_file_is_as_the_manifest_says() -> None:
    listed = {one["path"]: one["sha256"] for one in MANIFEST}
    kept = [path for path in VENDOR.rglob("*") if path.is_file() and path.name != "manifest.json"] + [settings.BASE_DIR / "tests/browser/axe.min.js"]
    assert {str(path.relative_to(settings.BASE_DIR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept} == listed


def test_the_manifest_names_the_versions_that_package_json_pins() -> None:
    pinned = json.loads((settings.BASE_DIR / "package.json").read_text())["dependencies"]
    assert {one["name"]: one["version"] for one in MANIFEST} == pinned
    assert {one["licence"] for one in MANIFEST} == {"MIT", "OFL-1.1", "MPL-2.0"}


def test_every_icon_in_a_template_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (VENDOR / "tabler-icons/icons.svg").read_text()))
    templates = [path.read_text() for path in (settings.BASE_DIR / "templates").rglob("*.html")]
    asked = {name for text in templates for name in re.findall(r'{% icon "([\w-]+)" %}', text)}
    assert asked - drawn == set()
    assert "sun" in asked


def test_static_files_can_be_collected_under_hashed_names(tmp_path: Path, settings: object) -> None:
    hashed = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    settings.STORAGES = {**settings.STORAGES, **hashed}  # type: ignore[attr-defined]
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined]
    call_command("collectstatic", interactive=False, verbosity=0)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    assert (tmp_path / names["vendor/tabler/tabler.min.css"]).is_file()
    sheet = (tmp_path / names["css/tokens.css"]).read_text()
    assert Path(names["vendor/inter/inter-latin-wght-normal.woff2"]).name in sheet


@pytest.mark.parametrize("path", sorted((settings.BASE_DIR / "static").glob("*/*.css")), ids=lambda path: path.name)
def test_no_style_sheet_of_ours_fetches_from_elsewhere(path: Path) -> None:
    assert re.findall(r"(?:https?:)?//[\w.]+", path.read_text()) == []
