"""Read Shopify's search syntax and judge rows by it: `updated_at:>='2026-11-01T00:00:00Z' AND (status:open OR -tag:old)`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

Fact = Callable[[], Any]
"""Returns what a row holds in a field: a text, a number, a moment, a list of texts, or None."""

_TOKENS = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>AND\b|OR\b|NOT\b)
    |(?P<minus>-)?(?P<field>[A-Za-z_][\w.]*):(?P<op>>=|<=|>|<|=)?(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s()]+)
    |(?P<text>"[^"]*"|'[^']*'|[^\s()]+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a field with a value."""

    field: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that must hold together (AND), of which one must (OR), or which must not (NOT)."""

    how: str
    parts: tuple["Condition", ...]


Condition = Term | Group
EVERYTHING = Group("AND", ())


@dataclass(slots=True)
class Search:
    """One search with the fields it used that its rows do not have: Shopify ignores them and says so in a warning."""

    condition: Condition
    unknown: set[str] = field(default_factory=set)

    def matches(self, facts: Mapping[str, Fact]) -> bool:
        """Tell whether a row is among what is searched for."""
        return self._holds(self.condition, facts) is not False

    def _holds(self, condition: Condition, facts: Mapping[str, Fact]) -> bool | None:
        """Judge a condition; None where it asks for a field that rows do not have."""
        if isinstance(condition, Term):
            fact = facts.get(condition.field)
            if fact is None:
                self.unknown.add(condition.field)
                return None
            return compare(fact(), condition.op, condition.value)
        judged = [held for part in condition.parts if (held := self._holds(part, facts)) is not None]
        if condition.how == "NOT":
            return not judged[0] if judged else None
        if not judged:
            return None
        return all(judged) if condition.how == "AND" else any(judged)

    def bounds(self, name: str) -> tuple[Any, Any]:
        """Return between which values (inclusive, None: open) a moment or number must be for anything to match."""
        low = high = None
        parts = self.condition.parts if isinstance(self.condition, Group) and self.condition.how == "AND" else (self.condition,)
        for part in parts:
            if isinstance(part, Term) and part.field == name:
                value = moment_of(part.value)
                if part.op in (">", ">=") and value is not None:
                    low = value if low is None else max(low, value)
                if part.op in ("<", "<=") and value is not None:
                    high = value if high is None else min(high, value)
        return low, high


def search_for(text: str | None) -> Search:
    """Return the search a text asks for; nothing asks for everything. A broken text raises ValueError."""
    return Search(_parse(text or ""))


@lru_cache(maxsize=1024)
def _parse(text: str) -> Condition:
    tokens = [match for match in _TOKENS.finditer(text) if match.group().strip()]
    condition, place = _either(tokens, 0)
    if place < len(tokens):
        raise ValueError(f"Unexpected {tokens[place].group().strip()} in search")
    return condition


def _either(tokens: list[re.Match[str]], place: int) -> tuple[Condition, int]:
    condition, place = _all(tokens, place)
    parts = [condition]
    while place < len(tokens) and tokens[place]["word"] == "OR":
        condition, place = _all(tokens, place + 1)
        parts.append(condition)
    return (parts[0], place) if len(parts) == 1 else (Group("OR", tuple(parts)), place)


def _all(tokens: list[re.Match[str]], place: int) -> tuple[Condition, int]:
    parts: list[Condition] = []
    while place < len(tokens) and tokens[place]["word"] != "OR" and not tokens[place]["close"]:
        if tokens[place]["word"] == "AND":
            place += 1
            continue
        part, place = _one(tokens, place)
        parts.append(part)
    return (parts[0], place) if len(parts) == 1 else (Group("AND", tuple(parts)), place)


def _one(tokens: list[re.Match[str]], place: int) -> tuple[Condition, int]:
    if place >= len(tokens):
        raise ValueError("Search ends too early")
    token = tokens[place]
    if token["word"] == "NOT":
        part, place = _one(tokens, place + 1)
        return Group("NOT", (part,)), place
    if token["open"]:
        inner, place = _either(tokens, place + 1)
        if place >= len(tokens) or not tokens[place]["close"]:
            raise ValueError("Search lacks a closing bracket")
        return inner, place + 1
    if token["field"]:
        term = Term(token["field"], token["op"] or ":", _bare(token["value"]))
        return (Group("NOT", (term,)) if token["minus"] else term), place + 1
    if token["text"] is None:
        raise ValueError(f"Unexpected {token.group().strip()} in search")
    return Term("default", ":", _bare(token["text"])), place + 1


def _bare(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else value


def compare(fact: Any, op: str, wanted: str) -> bool:
    """Compare what a row holds with a value of a search."""
    if isinstance(fact, list | tuple):
        return any(compare(each, op, wanted) for each in fact)
    if fact is None:
        return False
    if isinstance(fact, bool):
        return wanted.lower() == str(fact).lower()
    if isinstance(fact, datetime):
        value = moment_of(wanted)
        if value is None:
            raise ValueError("Invalid timestamp")
        day_only = op == ":" and len(wanted) <= len("2026-01-01")
        return fact.astimezone(UTC).date() == value.date() if day_only else _ordered(fact.replace(microsecond=0), op, value)
    if isinstance(fact, int):
        return wanted.lstrip("-").isdigit() and _ordered(fact, op, int(wanted))
    text, sought = str(fact).lower(), wanted.lower()
    return text.startswith(sought[:-1]) if sought.endswith("*") else _ordered(text, op, sought)


def _ordered(fact: Any, op: str, value: Any) -> bool:
    if op in (":", "="):
        return bool(fact == value)
    return bool({">": fact > value, ">=": fact >= value, "<": fact < value, "<=": fact <= value}[op])


@lru_cache(maxsize=1024)
def moment_of(text: str) -> datetime | None:
    """Read a moment (UTC where it names no offset) or a day; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.combine(date.fromisoformat(text), datetime.min.time())
        except ValueError:
            return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
