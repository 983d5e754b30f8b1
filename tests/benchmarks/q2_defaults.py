"""Configure django-q2 as it comes: the ORM broker, two workers, and nothing else set."""

from profitpeek.settings import *  # noqa: F403

DATABASES["default"].update(CONN_MAX_AGE=0, CONN_HEALTH_CHECKS=False)  # noqa: F405
Q_CLUSTER = {"name": "defaults", "orm": "default", "workers": 2}
