"""Test what can be tested of the image and the compose file without a daemon: that they speak of things that exist."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from django.core.management import get_commands

from profitpeek.embedded_postgres.flavours import MAJOR_VERSION
from profitpeek.environment import BASE_DIR
from profitpeek.jobs.supervisor import STOP_SECONDS
from profitpeek.production import refusals

DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
EXAMPLE = (BASE_DIR / ".env.example").read_text()
# Read by our code, but nothing a person would put into .env.
INTERNAL = {"PATH", "DJANGO_SETTINGS_MODULE", "PROFITPEEK_ENV_FILE", "PROFITPEEK_JOB_CLUSTER"}
PACKAGES = ("profitpeek", "dashboards", "alerts", "connectors", "ledger")


def instructions(name: str) -> list[str]:
    """Return the arguments of one kind of Dockerfile instruction."""
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    return [line.split(None, 1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def compose() -> dict[str, Any]:
    """Return the compose file, merged as YAML says."""
    return yaml.safe_load((BASE_DIR / "compose.yaml").read_text())


def explained() -> set[str]:
    """Return the variables .env.example explains."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.MULTILINE))


def read_by_the_code() -> set[str]:
    """Return the variables our code asks for."""
    asked = re.compile(r"""(?:\benv(?:\.\w+)?\(|environ\.get\(|environ\[|variables\.get\()\s*["']([A-Z][A-Z0-9_]+)["']""")
    return {name for package in PACKAGES for path in (BASE_DIR / package).rglob("*.py") for name in asked.findall(path.read_text())}


def test_image_copies_what_exists_and_everything_that_runs() -> None:
    copied = {source for line in instructions("COPY") for source in line.split()[:-1]}
    assert {name for name in copied if not (BASE_DIR / name).exists()} == set()
    assert copied >= {"manage.py", "requirements.txt", "pyproject.toml", "static", "templates", *PACKAGES}
    let_in = {line[1:] for line in (BASE_DIR / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == copied


def test_image_runs_as_an_ordinary_user_with_the_locked_packages() -> None:
    assert instructions("FROM") == ["python:3.11-slim"]
    assert instructions("USER") == ["profitpeek"]
    assert any("--require-hashes --requirement requirements.txt" in line for line in instructions("RUN"))


def test_image_holds_no_secret() -> None:
    named = {pair.partition("=")[0] for line in instructions("ENV") for pair in shlex.split(line)}
    assert named.isdisjoint({"SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "POSTGRES_PASSWORD", "METRICS_TOKEN"})
    assert instructions("ARG") == []


def test_commands_of_procfile_image_and_compose_exist() -> None:
    procfile = dict(line.split(": ", 1) for line in (BASE_DIR / "Procfile").read_text().splitlines())
    services = compose()["services"]
    image = " ".join(yaml.safe_load(instructions("CMD")[-1]))
    assert procfile == {"release": "python manage.py migrate --noinput", "web": image, "worker": " ".join(services["worker"]["command"])}
    assert " ".join(services["migrate"]["command"]) == procfile["release"]
    assert {"migrate", "worker", "collectstatic"} <= set(get_commands())


@pytest.mark.slow
def test_build_step_collects_the_static_files_with_throw_away_keys(tmp_path: Path) -> None:
    [step] = [line for line in instructions("RUN") if "collectstatic" in line]
    variables = {pair.partition("=")[0]: pair.partition("=")[2] for line in instructions("ENV") for pair in shlex.split(line)}
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "FIELD_KEYS")}
    collected, data = tmp_path / "static", tmp_path / "data"
    environment = {**kept, **variables, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PROFITPEEK_ENV_FILE": os.devnull}
    environment |= {"STATIC_ROOT": str(collected), "PROFITPEEK_VAR": str(data)}
    command = step.partition("&& python -m compileall")[0]
    done = subprocess.run(["/bin/sh", "-c", command], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (collected / "css" / "profitpeek.css").is_file()
    assert list(data.iterdir()) == []


def test_gunicorn_accepts_its_configuration() -> None:
    environment = {**os.environ, "PORT": "8123", "WEB_CONCURRENCY": "3"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:profitpeek.web_server", "--print-config", "profitpeek.wsgi:application"]
    done = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    shown = dict(re.findall(r"^(\w+)\s+= (.*)$", done.stdout, re.MULTILINE))
    wanted = ("bind", "workers", "threads", "control_socket_disable")
    assert {name: shown[name] for name in wanted} == {"bind": "['0.0.0.0:8123']", "workers": "3", "threads": "4", "control_socket_disable": "True"}


def test_compose_starts_after_a_healthy_database_and_a_finished_migration() -> None:
    services = compose()["services"]
    assert set(services) == {"migrate", "web", "worker", "postgres"}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["web"]["depends_on"] == services["worker"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["postgres"]["image"] == f"postgres:{MAJOR_VERSION}"
    assert services["postgres"]["networks"] == ["database"]
    assert compose()["networks"]["database"] == {"internal": True}
    assert "ports" not in services["postgres"]
    assert all(service["init"] for service in services.values())
    assert services["worker"]["stop_grace_period"] == "2m"
    assert STOP_SECONDS < 100


def test_what_compose_sets_is_enough_to_start_and_only_must_fills_are_needed() -> None:
    text = (BASE_DIR / "compose.yaml").read_text()
    filled = {
        "SECRET_KEY": "k3y" * 20,
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "shop.example.com",
        "SITE_URL": "https://shop.example.com",
        "POSTGRES_PASSWORD": "p455",
    }
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) == set(filled)

    def fill(value: object) -> str:
        return re.sub(r"\$\{([A-Z_]+):([?-])([^}]*)\}", lambda found: filled.get(found[1], found[3] if found[2] == "-" else ""), str(value))

    variables = {name: fill(value) for name, value in compose()["services"]["web"]["environment"].items()}
    assert refusals(variables) == []
    # Without what it says about its network, its own database would be refused.
    assert len(refusals({**variables, "DATABASE_TLS": ""})) == 1


def test_every_variable_is_explained_and_every_explained_one_is_used() -> None:
    named = set(re.findall(r"\$\{([A-Z_]+)", (BASE_DIR / "compose.yaml").read_text())) | set(compose()["services"]["web"]["environment"])
    assert named - explained() == set()
    assert read_by_the_code() - explained() - INTERNAL == set()
    assert explained() - read_by_the_code() - named == set()
