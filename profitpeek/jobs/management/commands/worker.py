"""Do the background work: keep a cluster of workers running until told to stop."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from profitpeek.jobs.records import Record
from profitpeek.jobs.supervisor import Supervisor


class Command(BaseCommand):
    """Run django-q2's cluster under our own watch."""

    help = "Do the background work until Ctrl-C or SIGTERM; `serve` starts it by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until a signal says stop."""
        stop = threading.Event()

        def note(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, note)
        Supervisor(Record(Path(settings.JOB_RECORDS)), timezone.now).run(stop)
