"""Say what rests on a partner, so that none is deleted whom the book still names."""

from ledger.models import ManualCost, OrderCharge, Partner, PartnerCode


def what_rests_on(partner: Partner) -> list[str]:
    """Return what names a partner, in words, what was taken back included: an undo may put it back."""
    counts = [
        (PartnerCode.objects.filter(partner=partner).count(), "discount code", "discount codes"),
        (ManualCost.objects.filter(partner=partner).count(), "cost", "costs"),
        (OrderCharge.objects.filter(partner=partner).count(), "charge of an order", "charges of orders"),
    ]
    return [f"{count} {one if count == 1 else many} of {partner}, now or before" for count, one, many in counts if count]
