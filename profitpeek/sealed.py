"""List what is sealed with FIELD_KEYS, open a sample of it, and seal all of it anew."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model

from connectors.models import Connection, ConsentRequest, FilePiece, ParkedRecord, PrivacyCase, PrivacyCopy, RawPayload, WebhookDelivery, WebhookDoor
from ledger.models import CostDocument
from ledger.sealing import Unsealable, reseal, unseal

SEALED: tuple[tuple[type[Model], str], ...] = (
    (RawPayload, "body"), (FilePiece, "body"), (CostDocument, "body"), (ParkedRecord, "body"), (ParkedRecord, "detail"), (Connection, "secrets"),
    (ConsentRequest, "secrets"), (PrivacyCase, "sought"), (PrivacyCopy, "body"), (PrivacyCopy, "about"),
    (WebhookDoor, "token"), (WebhookDoor, "signing"), (WebhookDelivery, "body"),
)  # fmt: skip
"""Columns of sealed bytes. The secrets of second factors are sealed within their JSON."""
IN_FACTORS = ("secret", "seed")
CHUNK = 200


class Resealed(NamedTuple):
    """What sealing anew did: values sealed under the newest key, those that were already, and those that no key opens."""

    anew: int
    before: int
    lost: int


def keys_fit() -> bool:
    """Tell whether what is sealed can be opened; where nothing is, any key will do."""
    try:
        for model, field in SEALED:
            values = model._default_manager.exclude(**{field: None}).order_by("pk").values_list(field, flat=True)
            # The oldest as well: FIELD_KEYS may have the newest key only.
            for value in (values.first(), values.last()):
                if value is not None:
                    unseal(bytes(value))
        for _, text in _factors():
            unseal(text.encode())
            break
    except Unsealable:
        return False
    return True


def reseal_all(*, tell: Callable[[str, int], None]) -> Resealed:
    """Seal every sealed value under the newest of FIELD_KEYS, a few rows at a time; `tell` hears each table and how many rows of it are done.

    What no key opens stays as it is and is counted. May be cut and begun again.
    """
    counted = Resealed(0, 0, 0)
    for model, field in SEALED:
        done = 0
        for chunk in _chunks(model, field):
            with transaction.atomic():
                # A delivery may have been drained since its chunk was listed, and its body with it.
                for row in model._default_manager.select_for_update().filter(pk__in=chunk).exclude(**{field: None}).only("pk", field):
                    counted = _sealed_anew(row, field, counted)
            done += len(chunk)
            tell(str(model._meta.verbose_name_plural), done)
    for factor, _ in _factors():
        with transaction.atomic():
            counted = _factor_sealed_anew(Authenticator.objects.select_for_update().get(pk=factor.pk), counted)
    return counted


def _chunks(model: type[Model], field: str) -> Iterator[list[int]]:
    """Yield the keys of rows with a value, in order; values are not read here."""
    last = 0
    keys = model._default_manager.exclude(**{field: None}).order_by("pk").values_list("pk", flat=True)
    while chunk := list(keys.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1]


def _sealed_anew(row: Any, field: str, counted: Resealed) -> Resealed:
    value = bytes(getattr(row, field))
    try:
        fresh = reseal(value)
    except Unsealable:
        return counted._replace(lost=counted.lost + 1)
    if fresh == value:
        return counted._replace(before=counted.before + 1)
    setattr(row, field, fresh)
    row.save(update_fields=[field])
    return counted._replace(anew=counted.anew + 1)


def _factors() -> Iterator[tuple[Authenticator, str]]:
    """Yield second factors with their sealed secret: that of an authenticator app, or the seed of recovery codes; passkeys hold none."""
    for factor in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk"):
        for name in IN_FACTORS:
            if (text := factor.data.get(name)) is not None:
                yield factor, text


def _factor_sealed_anew(factor: Authenticator, counted: Resealed) -> Resealed:
    for name in IN_FACTORS:
        text = factor.data.get(name)
        if text is None:
            continue
        try:
            fresh = reseal(text.encode()).decode()
        except Unsealable:
            return counted._replace(lost=counted.lost + 1)
        if fresh == text:
            return counted._replace(before=counted.before + 1)
        factor.data[name] = fresh
        factor.save(update_fields=["data"])
        return counted._replace(anew=counted.anew + 1)
    return counted
