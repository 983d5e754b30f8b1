"""Configure gunicorn: `gunicorn --config python:profitpeek.web_server profitpeek.wsgi:application`.

Threads, because a browser's second connection would wait for the first in a process that has none.
"""

import os
import sys
from typing import Any

from gunicorn.glogging import Logger

from profitpeek import environment
from profitpeek.logs import configuration

try:
    # Before any process is started, so that the reasons are all that is printed; and it reads `.env`.
    environment.load_for_web_server()
except environment.EnvironmentUnusable as error:
    sys.exit(str(error))


class WithoutAccessLog(Logger):  # type: ignore[misc]
    """Writes no line per request: the request log does. gunicorn's own would be put together for each, and then thrown away."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Write nothing."""


logger_class = WithoutAccessLog
_json = (os.environ.get("LOG_FORMAT") or ("text" if environment.is_local() else "json")) == "json"

bind = f"{os.environ.get('HOST') or '0.0.0.0'}:{os.environ.get('PORT') or 8000}"  # noqa: S104 - a container's own address
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)
timeout = 60
graceful_timeout = 20
# Memory that a library keeps is given back now and then, never by all processes at once. Seldom, since connections that wait
# for a process that ends are cut, and a flood of deliveries is thousands within seconds.
max_requests = 50_000
max_requests_jitter = 5_000
# The socket would be made in the home directory, which may be missing or read-only.
control_socket_disable = True
# Django decides by BEHIND_PROXY whether to believe what a proxy says about https; gunicorn has no part in it.
secure_scheme_headers: dict[str, str] = {}
logconfig_dict = configuration(json=_json, level=os.environ.get("LOG_LEVEL") or "INFO")
