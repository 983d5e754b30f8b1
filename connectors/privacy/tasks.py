"""Do requests about people's data in the background, and see that none is left lying."""

from django.utils import timezone

from connectors.faults import Fault
from connectors.models import PrivacyCase
from connectors.privacy import cases
from connectors.privacy.doing import StillRead, do
from connectors.privacy.leaving import Connected
from connectors.reading.taking import place_of
from ledger.people import kept_stores
from ledger.sealing import Unsealable
from profitpeek.jobs.faults import Cancelled, JobFault, LeaseLost, NeedsAttention, Permanent, Postponed, Retryable
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.models import Job
from profitpeek.jobs.work import Work

WAIT_FOR_OTHERS = 3.0
"""Seconds until it is looked again whether whoever reads has ended."""
LOST_KEY = "What it needs was sealed with a key that is gone from FIELD_KEYS. Put the key back, then try again."


def do_case(work: Work) -> None:
    """Do one request. What goes wrong is told by its kind and its place alone: its words may quote somebody."""
    case = PrivacyCase.objects.select_related("store", "connection").filter(pk=work.parameters["case"], store__in=kept_stores()).first()
    if case is None:
        raise Permanent("The request is there no more.")
    now = timezone.now()
    try:
        do(case, now=now, progress=work.progress, guard=work.fence)
    except StillRead:
        raise Postponed("Waiting for whoever reads already to end.", after=WAIT_FOR_OTHERS) from None
    except Connected as connected:
        cases.fail(case, str(connected), now=now)
        raise NeedsAttention(str(connected)) from None
    except Fault as fault:
        problem = f"{fault.reason} It is tried again by itself a few times."
        cases.fail(case, problem, now=now)
        raise Retryable(problem) from None
    except Unsealable:
        cases.fail(case, LOST_KEY, now=now)
        raise NeedsAttention(LOST_KEY) from None
    except (LeaseLost, Cancelled, JobFault):
        raise
    except Exception as error:
        problem = f"It broke what does it: {place_of(error)}. It is tried again by itself a few times."
        cases.fail(case, problem, now=now)
        raise Retryable(problem) from None


def keep_privacy(work: Work) -> None:
    """Delete what has expired, and see to requests whose work ended without a word."""
    now = timezone.now()
    cases.forget(now=now)
    alive = Job.objects.filter(state__in=(Job.State.WAITING, Job.State.RUNNING)).values("pk")
    for case in PrivacyCase.objects.filter(state=PrivacyCase.State.OPEN, store__in=kept_stores()).exclude(job__in=alive).order_by("pk"):
        cases.fail(case, "The work on it ended without a word; it was asked for again.", now=now)
        cases.again(case, actor=work.actor)


DO_CASE = Kind(name=cases.JOB, label="Request about personal data", handler=do_case, timeout=2_700, attempts=8)
KEEP_PRIVACY = Kind(name="keep-privacy", label="Expiry of copies, and requests left lying", handler=keep_privacy)
