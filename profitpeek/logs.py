"""Bring every line of log into one form, with nothing in it that opens a door.

Django, gunicorn, django-q2 and our own code all log through the standard library's root handler: as one JSON object a
line in production, for people elsewhere. What `structlog.contextvars` binds (request_id, job) is on each of them.
"""

import logging.config
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

REMOVED = "[removed]"
LONGEST = 20_000
"""How many characters of a text are written: its beginning and its end, where a traceback says what happened."""
# Loggers of ours speak at LOG_LEVEL; of everybody else's only the warnings matter.
OURS = ("profitpeek", "dashboards", "alerts", "connectors", "ledger")
QUIET = {"django": "WARNING", "django-q": "WARNING", "gunicorn.error": "WARNING", "gunicorn.access": "CRITICAL"}
# Each 4xx has its line already, from the request log.
SILENCED = {"django.request": "ERROR", "django.server": "ERROR", "django.security.DisallowedHost": "CRITICAL"}

# Lines hold what strangers send: none of these patterns may start over inside what it has read in vain.
_SECRET_NAME = re.compile(
    r"pass(word|phrase)|secret|token|authori[sz]ation|cookie|credential|signature|session|api_?key|field_keys|private_key|database_url|email_url"
    r"|e_?mail|^dsn$|^otp$|^code$|^key$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
# The user and password in postgresql://user:password@host and the like.
_USER_OF_URL = re.compile(r"(?<=://)[^\s/@]+@")
# Only what stands directly behind a path may be a query; it may hold a token.
_QUERY = re.compile(r"(?<=[\w/?])\?[^\s\"'<>?=]*=[^\s\"'<>]*")
_BEARER = re.compile(r"\b(bearer|basic|token)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_ASSIGNED = re.compile(r"\b((?:password|secret|token|api_?key|secret_key|field_keys)[\"']?\s*[=:]\s*[\"']?)[^\s\"',}&]{4,}", re.IGNORECASE)
# Whatever follows these words in a path admits its bearer: invitations, first account, password reset, webhooks.
_DOOR = re.compile(r"(/(?:accounts/first|invitations?|reset/key|confirm-email|key|token|hooks?|webhooks?(?:/[\w-]+)?|unsubscribe)/)[^\s/?\"'<>]+")
# And any other part of a path that looks random: long, with a digit and a capital letter or a sign that no name has.
_RANDOM = re.compile(r"(?<=/)(?=[^/\s]*\d)(?=[^/\s]*[A-Z:=])[\w:.=~-]{20,}")


def configure(options: Mapping[str, Any]) -> None:
    """Set up logging for this process; Django calls it with LOGGING, as LOGGING_CONFIG says."""
    logging.config.dictConfig(configuration(**options))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_before(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def configuration(*, json: bool, level: str = "INFO") -> dict[str, Any]:
    """Return what `logging.config.dictConfig` needs; gunicorn's own process is given the same."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": _before(foreign=True), "processors": _formatting(json=json)}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"handlers": [], "level": level, "propagate": True} for name in OURS},
            **{name: {"handlers": [], "level": quiet, "propagate": True} for name, quiet in (QUIET | SILENCED).items()},
        },
    }


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take secrets and people's addresses out of a line, whoever wrote it."""
    return {name: REMOVED if _SECRET_NAME.search(name) else _cleaned(value) for name, value in event.items()}


def cleaned(text: str) -> str:
    """Return a text without the secrets and addresses that can be told by their looks, and not all of one that is very long."""
    if len(text) > LONGEST:
        text = _cut(text)
    text = _USER_OF_URL.sub(f"{REMOVED}@", text)
    text = _BEARER.sub(rf"\1 {REMOVED}", text)
    text = _ASSIGNED.sub(rf"\1{REMOVED}", text)
    text = _QUERY.sub(f"?{REMOVED}", text)
    text = _DOOR.sub(rf"\1{REMOVED}", text)
    text = _RANDOM.sub(REMOVED, text)
    return _ADDRESS.sub("[address]", text)


def _cut(text: str) -> str:
    """Leave the middle out, and the words at its edges: half a secret, or one without what announces it, cannot be told."""
    beginning, end = text[: LONGEST // 2].rsplit(None, 1), text[-LONGEST // 2 :].split(None, 3)
    kept = beginning[0] if len(beginning) > 1 else "", end[3] if len(end) > 3 else ""
    return f"{kept[0]} [{len(text) - len(kept[0]) - len(kept[1])} characters left out] {kept[1]}"


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, Mapping):
        return {name: REMOVED if _SECRET_NAME.search(str(name)) else _cleaned(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(each) for each in value]
    # Whatever else is written out in the end is written by its repr, which may say anything.
    return value if value is None or isinstance(value, bool | int | float) else cleaned(str(value))


def _before(*, foreign: bool = False) -> list[Processor]:
    """Return the steps that note when, where and how loud; `foreign` for lines of the standard library."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # A foreign line has its arguments filled in already.
        *([] if foreign else [structlog.stdlib.PositionalArgumentsFormatter()]),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatting(*, json: bool) -> list[Processor]:
    """Return the steps from an event to a line of text; tracebacks are cleaned like everything else."""
    renderer: Processor = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, redact, renderer]
