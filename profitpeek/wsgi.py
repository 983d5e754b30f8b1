"""Serve ProfitPeek to a WSGI server; the database's address comes from the environment."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from profitpeek import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")

try:
    environment.load_for_web_server()
except environment.EnvironmentUnusable as error:
    sys.stderr.write(f"{error}\n")
    # The number that makes gunicorn give up instead of trying again for ever.
    sys.exit(3)

application = get_wsgi_application()
