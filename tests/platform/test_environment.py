"""Test where an installation's variables come from."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from profitpeek import environment
from profitpeek.environment import EnvironmentUnusable, read_env_file, supply_secrets, var_dir


@pytest.fixture(autouse=True)
def _nothing_set() -> Iterator[None]:
    """Begin without keys, and take back what a test reads from a file."""
    before = dict(os.environ)
    for name in environment.GENERATED:
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_first_use_writes_private_keys_and_the_second_reads_the_same(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    supply_secrets(file)
    first = {name: os.environ.pop(name) for name in environment.GENERATED}
    supply_secrets(file)
    assert {name: os.environ[name] for name in environment.GENERATED} == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.env"]
    Fernet(first["FIELD_KEYS"])


def test_given_key_is_kept_and_only_the_missing_one_is_filled_in(tmp_path: Path) -> None:
    os.environ["SECRET_KEY"] = "given"
    os.environ["FIELD_KEYS"] = ""
    supply_secrets(tmp_path / "secrets.env")
    assert os.environ["SECRET_KEY"] == "given"
    assert os.environ["FIELD_KEYS"]


def test_no_keys_are_written_when_all_are_given(tmp_path: Path) -> None:
    os.environ.update(SECRET_KEY="given", FIELD_KEYS="given")
    supply_secrets(tmp_path / "secrets.env")
    assert list(tmp_path.iterdir()) == []


def test_real_variable_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROFITPEEK_A=file\nPROFITPEEK_B=file\n")
    os.environ["PROFITPEEK_A"] = "real"
    read_env_file(tmp_path / ".env")
    assert (os.environ["PROFITPEEK_A"], os.environ["PROFITPEEK_B"]) == ("real", "file")


def test_var_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.environ["PROFITPEEK_VAR"] = str(tmp_path / "file" / "var")
    with pytest.raises(EnvironmentUnusable, match="name another one in PROFITPEEK_VAR"):
        var_dir()
