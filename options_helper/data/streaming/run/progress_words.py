"""Sentences about a part of the background fetch, and what remains of them after Stop."""

from __future__ import annotations

import re

FETCHING = "fetching"
_PLAN = re.compile(r" (?:Trying again in|Waiting) \d+ s\.$")


def failure_words(reason: str, seconds: float) -> str:
    """Return why a part failed, and the seconds until it is tried again."""
    return f"{reason.rstrip('.')}. Trying again in {seconds:.0f} s."


def limit_words(path: str, seconds: float) -> str:
    """Return that a request waits because there were too many."""
    return f"GET {path}: too many requests (429). Waiting {seconds:.0f} s."


def count_words(count: int) -> str:
    """Return how many of the day's executions have come so far."""
    return f"{FETCHING} today's fills, {count:,} so far"


def words_after_stop(words: str) -> str:
    """Return a sentence without what no longer happens."""
    return "not fetched before Stop" if words.startswith(FETCHING) else _PLAN.sub("", words)
