"""Test that the admin works without unfold: everything its own tests ask for, in a process that cannot import it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from profitpeek.environment import BASE_DIR

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def test_the_plain_admin_passes_the_tests_of_the_admin(tmp_path: Path) -> None:
    (tmp_path / "unfold").mkdir()
    (tmp_path / "unfold" / "__init__.py").write_text('raise ImportError("unfold is not installed here")\n')
    environment = {**os.environ, "PLAIN_ADMIN": "true", "PYTHONPATH": str(tmp_path)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    files = ("tests/ledger/test_admin.py", "tests/ledger/test_admin_door.py", "tests/ledger/test_sheets.py", "tests/ledger/test_sheets_again.py")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *command], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert "unfold is not installed here" in run("-c", "import unfold").stderr
    checked = run("manage.py", "check")
    assert checked.returncode == 0, checked.stderr
    done = run("-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
