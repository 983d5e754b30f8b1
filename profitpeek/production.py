"""Refuse to start in production with what would be unsafe there; each refusal names the variable and the way out."""

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.fernet import Fernet

NEW_SECRET_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 - the way to make one
NEW_FIELD_KEY = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
MODES = ("local", "production")
TLS_MODES = ("require", "verify-ca", "verify-full")
# Said in full, so that nobody writes it without having read what it means.
WITHOUT_TLS = "off-inside-private-network"
SHORTEST_SECRET_KEY = 50


def refusals(variables: Mapping[str, str]) -> list[str]:
    """Return why an installation with these variables must not start; none for a sound one."""
    mode = variables.get("PROFITPEEK_ENV") or "local"
    if mode not in MODES:
        return [f"PROFITPEEK_ENV is {mode!r}, which means nothing here. Set it to production, or to local on your own machine."]
    found = list(_pooled(variables.get("DATABASE_URL", "")))
    if variables.get("EMBEDDED_POSTGRES", "").lower() == "off" and not variables.get("DATABASE_URL"):
        found.append("DATABASE_URL is not set, and this installation has no database server of its own (EMBEDDED_POSTGRES=off). Name one.")
    if mode == "production":
        found += [*_secrets(variables), *_address(variables), *_database(variables)]
        if variables.get("DEBUG", "").lower() in ("true", "on", "ok", "y", "yes", "1"):
            found.append("DEBUG is on, which shows strangers the code and its settings with every error. Remove DEBUG.")
    return found


def _secrets(variables: Mapping[str, str]) -> Iterator[str]:
    secret_key = variables.get("SECRET_KEY", "")
    if not secret_key:
        yield f"SECRET_KEY is not set. Make one with: {NEW_SECRET_KEY}"
    elif len(secret_key) < SHORTEST_SECRET_KEY:
        yield f"SECRET_KEY has {len(secret_key)} characters, fewer than {SHORTEST_SECRET_KEY}. Make a better one with: {NEW_SECRET_KEY}"
    keys = [key.strip() for key in variables.get("FIELD_KEYS", "").split(",") if key.strip()]
    if not keys:
        yield f"FIELD_KEYS is not set. Make a key with: {NEW_FIELD_KEY}"
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield f"FIELD_KEYS: key {number} of {len(keys)} is not a Fernet key. Make one with: {NEW_FIELD_KEY}"


def _address(variables: Mapping[str, str]) -> Iterator[str]:
    hosts = [host.strip() for host in variables.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    if not hosts:
        yield "ALLOWED_HOSTS is not set. Name the hosts people use, such as profitpeek.example.com."
    elif "*" in hosts:
        yield "ALLOWED_HOSTS is '*', which lets anybody put their own host into our links. Name the hosts people use."
    site = variables.get("SITE_URL", "")
    if not site:
        yield "SITE_URL is not set. Give the address people use, such as https://profitpeek.example.com."
    elif urlsplit(site).scheme != "https" or not urlsplit(site).hostname:
        yield f"SITE_URL is {site!r}, not an https:// address. Sign-ins must not travel in the clear: put a proxy with a certificate in front."


def _database(variables: Mapping[str, str]) -> Iterator[str]:
    """Look at a database of one's own; without one the embedded server is used, which only this machine can reach."""
    url = variables.get("DATABASE_URL", "")
    if not url or variables.get("DATABASE_TLS") == WITHOUT_TLS:
        return
    if variables.get("DATABASE_TLS"):
        yield f"DATABASE_TLS is {variables['DATABASE_TLS']!r}. The only value it can have is {WITHOUT_TLS}; otherwise remove it."
    remote = [host for host in _hosts(url) if not _is_local(host)]
    if remote and (parse_qs(urlsplit(url).query).get("sslmode") or ["none"])[-1] not in TLS_MODES:
        yield (
            f"DATABASE_URL leads to {remote[0]} without TLS. Add ?sslmode=verify-full&sslrootcert=… (or require) to it; if nobody else "
            f"can listen on the way, as between containers of one machine, set DATABASE_TLS={WITHOUT_TLS}."
        )


def _pooled(url: str) -> Iterator[str]:
    if any(name.lower() in ("pool", "pool_options") for name in parse_qs(urlsplit(url).query, keep_blank_values=True)):
        yield "DATABASE_URL asks for a connection pool, with which the worker never starts. Remove pool from it; connections are kept open anyway."


def _hosts(url: str) -> list[str]:
    """Return every host the address names; libpq takes them from the query as well."""
    parts = urlsplit(url)
    named = [*parse_qs(parts.query).get("host", []), *parse_qs(parts.query).get("hostaddr", [])]
    # Several hosts stand between commas, each with a port of its own.
    inside = parts.netloc.rpartition("@")[2]
    return [host for text in (inside, *named) for host in map(_bare, unquote(text).split(",")) if host]


def _bare(host: str) -> str:
    """Return a host without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 or host.startswith("/") else host.partition(":")[0]


def _is_local(host: str) -> bool:
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
