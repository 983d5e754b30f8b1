"""Read searches as Shopify reads them."""

from datetime import UTC, datetime

import pytest

from connectors.sandbox.shopify_search import search_for

ROW = {
    "id": 7, "name": "#1001", "status": ["open", "any"], "tag": ["gift", "Late delivery"], "test": False, "note": None,
    "updated_at": datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC),
}  # fmt: skip


def matches(text: str) -> bool:
    facts = {key: (lambda value=value: value) for key, value in ROW.items()}
    return search_for(text).matches({**facts, "default": lambda: ROW["name"]})


@pytest.mark.parametrize(
    "text",
    [
        "", "id:7", "id:>=7 AND id:<8", "status:open", "status:OPEN", "-status:closed", "NOT status:closed", "tag:gift",
        "tag:'late delivery'", 'tag:"Late delivery"', "tag:lat*", "(status:closed OR tag:gift) test:false", "#1001", "name:#1001",
        "updated_at:>='2026-03-01T12:00:00Z'", "updated_at:<='2026-03-01T12:00:00Z'", "updated_at:>'2026-03-01T11:59:59Z'",
        "updated_at:>=2026-03-01T07:00:00-05:00", "updated_at:2026-03-01", "updated_at:>2026-02-28 updated_at:<'2026-03-02'", "colour:red",
        "status:closed OR status:cancelled OR id:7", "note:x OR id:7",
    ],
)  # fmt: skip
def test_search_finds_the_row(text: str) -> None:
    assert matches(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "id:8", "id:>7", "id:seven", "status:closed", "-tag:gift", "NOT (id:7 OR id:8)", "test:true", "tag:lat", "note:x",
        "updated_at:>'2026-03-01T12:00:00Z'", "updated_at:<'2026-03-01T12:00:00Z'", "updated_at:2026-03-02", "id:7 AND status:closed", "#1002",
    ],
)  # fmt: skip
def test_search_leaves_the_row_out(text: str) -> None:
    assert matches(text) is False


@pytest.mark.parametrize("text", ["(id:7", "id:7)", "NOT", "id:7 OR (", "updated_at:>'soon'"])
def test_a_broken_search_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"earch|timestamp"):
        matches(text)


def test_bounds_narrow_only_what_must_hold() -> None:
    low, high = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert search_for("updated_at:>='2026-01-01T00:00:00Z' updated_at:<'2026-02-01' status:open").bounds("updated_at") == (low, high)
    assert search_for("updated_at:>2026-01-01").bounds("updated_at") == (low, None)
    assert search_for("updated_at:>2026-01-01 OR id:7").bounds("updated_at") == (None, None)
    assert search_for("-updated_at:>2026-01-01").bounds("updated_at") == (None, None)
