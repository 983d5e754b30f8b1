"""Serve ProfitPeek to a WSGI server; the database's address comes from the environment."""

import os
import sys
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from profitpeek import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")

try:
    environment.load_for_web_server()
except environment.EnvironmentUnusable as error:
    sys.stderr.write(f"{error}\n")
    # The number that makes gunicorn give up instead of trying again for ever.
    sys.exit(3)

django = get_wsgi_application()
# Once Django is set up: what it imports needs its settings.
front = import_module("connectors.webhooks.front")
application = front.Front(django)
