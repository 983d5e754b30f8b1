"""Hold the house to its plan: imports go one way, files stay small, each table has one writer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
OURS = ("profitpeek", "dashboards", "alerts", "connectors", "ledger", "tests")
SOFT, HARD = 300, 400


def python_files(*folders: str) -> list[Path]:
    """Return our Python files, migrations left out."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment in the project's folder."""
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_imports_go_one_way() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_style_is_clean() -> None:
    done = run("ruff", "check", ".")
    assert done.returncode == 0, done.stdout


def test_format_is_clean() -> None:
    done = run("ruff", "format", "--check", ".")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_types_are_clean() -> None:
    done = run("mypy", ".")
    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_the_hard_limit() -> None:
    long = {str(path.relative_to(ROOT)): count for path in python_files(*OURS) if (count := len(path.read_text().splitlines())) > HARD}
    assert long == {}


WRITERS = {
    # table → the only files outside migrations whose SQL or model may write it
    "ledger_entry": {"ledger/book/entries.py"},
    "ledger_daytotal": {"ledger/book/totals.py"},
    "ledger_countrydaytotal": {"ledger/book/totals.py"},
    "ledger_productdaytotal": {"ledger/book/totals.py"},
    "ledger_orderline": {"ledger/orders/mirror.py"},
    "ledger_sale": {"ledger/orders/mirror.py"},
    "ledger_payment": {"ledger/orders/mirror.py"},
    "ledger_ordercost": {"ledger/orders/mirror.py"},
    "ledger_ordercharge": {"ledger/charges/charge_rows.py"},
    "ledger_adday": {"ledger/advertising/ad_rows.py"},
    "ledger_orderreference": {"ledger/orders/references.py"},
    "ledger_touch": {"ledger/orders/touches.py"},
    "ledger_location": {"ledger/catalogue/locations.py"},
    "ledger_orderidentity": {"ledger/orders/same_people.py"},
    "ledger_exchangerate": {"ledger/rates.py"},
    "ledger_account": {"ledger/costs/labels.py"},
    # what orders name makes them; what catalogues tell of them is written over it
    "ledger_product": {"ledger/orders/dimensions.py", "ledger/catalogue/catalog_rows.py"},
    "ledger_variant": {"ledger/orders/dimensions.py", "ledger/catalogue/catalog_rows.py"},
    "ledger_balancetransaction": {"ledger/charges/balance_rows.py"},
    "ledger_payout": {"ledger/charges/balance_rows.py"},
    "connectors_webhookdelivery": {"connectors/webhooks/deliveries.py"},
    "connectors_webhooktopic": {"connectors/webhooks/deliveries.py"},
    "ledger_variantprice": {"ledger/catalogue/catalog_rows.py"},
}
MODEL_WRITES = {
    "CostChange": {"ledger/rules/rules.py"},
    "VariantCost": {"ledger/rules/rules.py"},
    "CogsRule": {"ledger/rules/rules.py"},
    "BundlePart": {"ledger/rules/rules.py"},
    "CostOverride": {"ledger/rules/rules.py"},
    "FeeRule": {"ledger/rules/rules.py"},
    "ShippingRule": {"ledger/rules/rules.py"},
    "ManualCost": {"ledger/rules/rules.py"},
    "PartnerCode": {"ledger/rules/rules.py"},
    "ProfitGoal": {"ledger/rules/rules.py"},
    "CostDocument": {"ledger/costs/documents.py"},
    "Account": {"ledger/costs/labels.py"},
    "ProposedChange": {"ledger/rules/proposals.py"},
    "Batch": {"ledger/posting.py"},
    "OrderCharge": {"ledger/charges/charge_rows.py"},
    "Finding": {"ledger/findings.py"},
    "StoreZone": {"ledger/stores.py"},
    "Connection": {"connectors/connections.py"},
    "ConsentRequest": {"connectors/oauth.py"},
    "SyncCursor": {"connectors/reading/runs.py"},
    "SyncRun": {"connectors/reading/runs.py"},
    "ParkedRecord": {"connectors/reading/parking.py"},
    "PrivacyCase": {"connectors/privacy/cases.py"},
    "PrivacyCopy": {"connectors/privacy/cases.py"},
    "ErasedIdentity": {"ledger/erasure/privacy.py"},
    "WebhookDoor": {"connectors/webhooks/doors.py"},
    "WebhookDelivery": {"connectors/webhooks/deliveries.py"},
    "WebhookTopic": {"connectors/webhooks/deliveries.py"},
    "Seen": {"ledger/costs/seen.py"},
    "ExchangeRate": {"ledger/rates.py"},
    "FileImport": {"connectors/files/imports.py"},
    "FileReport": {"connectors/files/imports.py"},
    "OrderLineTemplate": {"connectors/files/orders/order_line_templates.py"},
    # files' payloads, and connections'
    "RawPayload": {"connectors/files/imports.py", "connectors/reading/archive.py"},
    "OrderTransaction": {"connectors/files/orders/told_transactions.py"},
    "Channel": {"ledger/orders/dimensions.py"},
    "AdDay": {"ledger/advertising/ad_rows.py"},
    "Campaign": {"ledger/advertising/ad_rows.py"},
    "Membership": {"ledger/people.py"},
    "Invitation": {"dashboards/invitations.py"},
    "FirstAccountLink": {"dashboards/first_account.py"},
    "StartEnd": {"dashboards/pages/start.py"},
}


def test_each_table_has_one_writer() -> None:
    sql = re.compile(r"(?:INSERT INTO|MERGE INTO|UPDATE|DELETE FROM|copy_rows\(\s*)\s*\"?(ledger_\w+|connectors_\w+)")
    orm = re.compile(r"\b([A-Z]\w+)\.objects\.(?:create|bulk_create|update_or_create|get_or_create|bulk_update)\(")
    strangers = []
    for path in python_files("profitpeek", "dashboards", "alerts", "connectors", "ledger"):
        name, text = str(path.relative_to(ROOT)), path.read_text()
        strangers += [(name, table) for table in sql.findall(text) if name not in WRITERS.get(table, {name})]
        strangers += [(name, model) for model in orm.findall(text) if name not in MODEL_WRITES.get(model, {name})]
    assert strangers == []


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_deploy_check_is_clean() -> None:
    secrets = {"SECRET_KEY": "k" * 40 + "".join(map(str, range(20))), "FIELD_KEYS": Fernet.generate_key().decode()}
    environment = {
        **os.environ,
        **secrets,
        "PROFITPEEK_ENV": "production",
        "ALLOWED_HOSTS": "shop.example.com",
        "SITE_URL": "https://shop.example.com",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_template_is_used() -> None:
    folder = ROOT / "templates"
    shown = {str(path.relative_to(folder)) for path in (folder / "dashboards").rglob("*.html")}
    text = "".join(path.read_text() for path in (*python_files("dashboards"), *folder.rglob("*.html")))
    assert {name for name in shown if name not in text} == set()


def test_no_float_touches_money() -> None:
    guilty = [str(path.relative_to(ROOT)) for path in python_files("ledger", "connectors") if re.search(r"\bfloat\(", path.read_text())]
    assert guilty == []
