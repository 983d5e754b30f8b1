"""Configure the product's processes to live by a simulated clock."""

from django.utils import timezone

from profitpeek.settings import *  # noqa: F403
from tests.soak import simulated

timezone.now = simulated.now

JOB_TABLE = "tests.soak.table"
