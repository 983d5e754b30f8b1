"""Do in the background what proposals need: working out the effect of large ones, and forgetting old ones."""

from django.utils import timezone

from ledger.models import ProposedChange
from ledger.rules import preparing, proposals
from ledger.rules.rules import RuleRefused
from profitpeek.jobs import queue
from profitpeek.jobs.faults import Permanent
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work


def submit_preview(proposed: ProposedChange) -> int:
    """Have the effect of a proposal worked out in the background, and return the job's number."""
    subject = f"{proposed.store}: {proposed.summary}"
    return queue.submit(PREVIEW_COSTS, {"proposed": proposed.pk}, key=f"proposed:{proposed.pk}", subject=subject, actor=proposed.actor)


def preview_costs(work: Work) -> None:
    """Work out what a proposal would do; a proposal that is decided or forgotten needs it no more."""
    proposed = ProposedChange.objects.filter(pk=work.parameters["proposed"], state=ProposedChange.State.OPEN).select_related("store").first()
    if proposed is None:
        return

    def progress(done: int, whole: int) -> None:
        work.progress("drafting orders", done, whole)

    try:
        preparing.complete(proposed, now=timezone.now(), progress=progress)
    except RuleRefused as refused:
        raise Permanent(str(refused)) from refused


def forget_proposals(work: Work) -> None:
    """Delete the proposals that nobody has applied within a week."""
    proposals.forget(timezone.now())


PREVIEW_COSTS = Kind(name="preview-costs", label="Working out a cost change", handler=preview_costs, timeout=1_800, attempts=2)
FORGET_PROPOSALS = Kind(name="forget-proposals", label="Forgetting old proposals", handler=forget_proposals, atomic=True)
