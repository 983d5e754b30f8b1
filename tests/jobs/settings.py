"""Configure worker processes that know the tests' kinds of jobs."""

from profitpeek.settings import *  # noqa: F403

JOB_TABLE = "tests.jobs.table"
