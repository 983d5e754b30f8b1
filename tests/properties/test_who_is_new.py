"""Property: whichever way a person's orders and names arrive, they are new once, on the day of their first order."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import OrderFact
from tests.builders import a_store, write
from tests.ledger.test_who_is_new import count, march, new, order
from tests.properties import examples

pytestmark = pytest.mark.django_db
PEOPLE = 3
some = examples.some(25)


@some
@given(
    owners=st.lists(st.integers(0, PEOPLE - 1), min_size=1, max_size=5),
    tellers=st.lists(st.sampled_from(["file", "api", "both"]), min_size=5, max_size=5),
    hidden=st.lists(st.integers(0, 1), min_size=PEOPLE, max_size=PEOPLE),
    data=st.data(),
)
def test_each_person_is_new_once_on_the_day_of_their_first_order(
    owners: Sequence[int], tellers: Sequence[str], hidden: Sequence[int], data: st.DataObject
) -> None:
    facts: list[OrderFact | int] = []
    for number, (owner, teller) in enumerate(zip(owners, tellers, strict=False), 1):
        if teller in ("file", "both"):
            facts.append(order(number, f"p{owner}@example.com", number, by="file"))
        if teller in ("api", "both"):
            facts.append(order(number, str(7000 + owner), number))
    facts += sorted({owner for owner, teller in zip(owners, tellers, strict=False) if teller != "file"})
    store = a_store()
    for fact in data.draw(st.permutations(facts)):
        if isinstance(fact, int):
            in_sight = sum(owner == fact and _is_one(fact, owners, tellers, place) for place, owner in enumerate(owners))
            count(store, str(7000 + fact), in_sight + hidden[fact])
        else:
            write(store, fact)
    assert new(store) == march(*_new(owners, tellers, hidden))


def _is_one(person: int, owners: Sequence[int], tellers: Sequence[str], place: int) -> bool:
    """Tell whether an order counts with what the platform calls a person: it told of it, or some order has both names."""
    linked = any(owner == person and teller == "both" for owner, teller in zip(owners, tellers, strict=False))
    return tellers[place] != "file" or linked


def _new(owners: Sequence[int], tellers: Sequence[str], hidden: Sequence[int]) -> list[int]:
    """Return the days on which somebody is new, reckoned from all facts at once."""
    found = []
    for person in set(owners):
        own = [place for place, owner in enumerate(owners) if owner == person]
        as_one = [place for place in own if _is_one(person, owners, tellers, place)]
        apart = [place for place in own if place not in as_one]
        by_api = any(tellers[place] != "file" for place in own)
        found += [min(as_one) + 1] if as_one and not (by_api and hidden[person]) else []
        found += [min(apart) + 1] if apart else []
    return found
