"""Serve ProfitPeek to a WSGI server; the database's address comes from the environment."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")

application = get_wsgi_application()
