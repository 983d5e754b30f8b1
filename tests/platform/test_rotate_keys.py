"""Test that a new key takes over everything that is sealed, and that nothing sealed is forgotten."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import BinaryField
from django.utils import timezone

from connectors.models import Connection, RawPayload
from ledger.sealing import seal, unseal
from profitpeek.sealed import SEALED, keys_fit
from tests.builders import a_store
from tests.dashboards.people import a_person

pytestmark = pytest.mark.django_db

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
NOT_SEALED = {
    ("dashboards.invitation", "digest"), ("dashboards.firstaccountlink", "digest"), ("ledger.customer", "identity_hash"),
    ("ledger.erasedidentity", "identity_hash"), ("ledger.order", "facts_digest"),
}  # fmt: skip


@pytest.fixture
def sealed(settings: Any) -> None:
    """Have things sealed with the old key."""
    settings.FIELD_KEYS = [OLD]
    now = timezone.now()
    account = Connection.objects.create(store=a_store(), platform="tiny", account_ref="north", connected_at=now, secrets=seal(b"token"))
    for number in range(450):
        RawPayload.objects.create(connection=account, stream="things", number=0, body=seal(b"page %d" % number), sha256=str(number), orders=0)
    Authenticator.objects.create(user=a_person(), type="totp", data={"secret": seal(b"totp").decode()})


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_after_it_the_new_key_alone_opens_everything(sealed: None, settings: Any) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    assert "Sealed anew: 452. Sealed with the newest key before: 0." in rotate()
    assert "Sealed anew: 0. Sealed with the newest key before: 452." in rotate()
    settings.FIELD_KEYS = [NEW]
    assert keys_fit()
    assert [unseal(bytes(row.body)) for row in RawPayload.objects.order_by("pk")] == [b"page %d" % number for number in range(450)]
    assert unseal(bytes(Connection.objects.get().secrets or b"")) == b"token"
    assert unseal(Authenticator.objects.get().data["secret"].encode()) == b"totp"


def test_what_no_key_opens_is_counted_and_left_as_it_is(sealed: None, settings: Any) -> None:
    before = bytes(RawPayload.objects.order_by("pk").values_list("body", flat=True)[0])
    settings.FIELD_KEYS = [NEW, OTHER]
    assert not keys_fit()
    with pytest.raises(CommandError, match="452 values are opened by none of FIELD_KEYS"):
        rotate()
    assert bytes(RawPayload.objects.order_by("pk").values_list("body", flat=True)[0]) == before


def test_every_column_of_bytes_is_listed_as_sealed_or_known_not_to_be() -> None:
    columns = {
        (model._meta.label_lower, field.name) for model in apps.get_models() for field in model._meta.get_fields()
        if isinstance(field, BinaryField) and model._meta.app_label in ("connectors", "ledger", "dashboards", "alerts", "jobs")
    }  # fmt: skip
    assert columns - NOT_SEALED == {(model._meta.label_lower, field) for model, field in SEALED}
