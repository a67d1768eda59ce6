"""Sentences about Alpaca's refusals and interruptions: what happened, and the next step.

The codes come from the error table of Alpaca's "Real-time stock and option data" page (402 auth failed, 405
symbol limit, 406 connection limit, 409 insufficient subscription, …) and from HTTP (429 at the upgrade).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from options_helper.analysis.text.wording import capital, format_time, join_words
from options_helper.market import LiveSnapshot, StreamHealth, StreamName

_ADJECTIVE = {StreamName.OPTIONS: "option", StreamName.STOCKS: "stock", StreamName.FILLS: "fill"}
_KEY_REFUSED = {401, 402}
_PLAN_LACKS_FEED = {409}
_SYMBOL_LIMIT = 405
_HELD_ELSEWHERE = {406}
_BOTH_KEYS = "APCA_API_KEY_ID and APCA_API_SECRET_KEY"


def name_streams(streams: Sequence[StreamName]) -> str:
    """Return the streams in words, such as `the option and stock streams`."""
    words = join_words([_ADJECTIVE[stream] for stream in streams])
    return f"the {words} stream{'s' if len(streams) > 1 else ''}"


def explain_rejection(
    record: StreamHealth, streams: Sequence[StreamName], snapshot: LiveSnapshot, *, data_works: bool
) -> tuple[str, str]:
    """Return the headline and the next step for streams that ended for good.

    Args:
        record: The health of the first such stream, with its failure.
        streams: All such streams.
        snapshot: The newest snapshot.
        data_works: True if a market data stream is running.
    """
    failure = record.last_failure
    code = failure.code if failure else None
    where, number = name_streams(streams), f" ({code})" if code is not None else ""
    again = "press Restart" if snapshot.running else "press Start"
    if code in _KEY_REFUSED or (failure is not None and "unauthorized" in failure.text.lower()):
        return f"Alpaca refused the key for {where}{number}.", _mend_key(
            streams, snapshot, again, data_works=data_works
        )
    if code in _PLAN_LACKS_FEED:
        return (
            f"Your plan does not include {_feed(record.stream, snapshot)}{number}.",
            f"Not retried. {_other_feed(record.stream, snapshot)}, then {again}.",
        )
    if code == _SYMBOL_LIMIT:
        return f"Your plan allows fewer symbols than the {len(record.asked):,} requested{number}.", (
            f"Nothing is subscribed on {where}. {_ask_less(record.stream)}, then {again}."
        )
    text = failure.text.rstrip(".") if failure else "no reason was given"
    return (
        f"{where.capitalize()} ended{number}.",
        f"{capital(text)}. Not retried; {again} to try again.",
    )


def _mend_key(streams: Sequence[StreamName], snapshot: LiveSnapshot, again: str, *, data_works: bool) -> str:
    host = snapshot.account if snapshot.account in {"paper", "live"} else ""
    if list(streams) == [StreamName.FILLS] and data_works:
        other = {"paper": "a live key is refused there", "live": "a paper key is refused there"}.get(host, "")
        of_host = f" (the {host} host; {other})" if other else ""
        return (
            f"Not retried. Market data accepts the key; the trading host does not{of_host}. "
            f"Choose the account that the key belongs to in the sidebar, then {again}."
        )
    wrong = {"paper": "live", "live": "paper"}.get(host)
    misfit = f" A {wrong} key does not work on the {host} host." if wrong else ""
    wins = " Keys in the environment override the file."
    return f"Not retried. Set {_BOTH_KEYS} in config/alpaca.env, then {again}.{wins}{misfit}"


def _feed(stream: StreamName, snapshot: LiveSnapshot) -> str:
    feed = snapshot.options_feed if stream == StreamName.OPTIONS else snapshot.stock_feed
    name = {"indicative": "the indicative options feed"}.get(feed or "", (feed or "").upper())
    return name or "this feed"


def _other_feed(stream: StreamName, snapshot: LiveSnapshot) -> str:
    """Return the next step after a refused feed: the free feed, unless it was the refused one."""
    is_options = stream == StreamName.OPTIONS
    if (snapshot.options_feed if is_options else snapshot.stock_feed) in {"indicative", "iex"}:
        return "This is the free plan's feed: check this account's data subscription at Alpaca"
    return f"Choose {'Indicative as the options' if is_options else 'IEX as the stock'} feed in the sidebar"


def _ask_less(stream: StreamName) -> str:
    if stream == StreamName.OPTIONS:
        return "Lower Max option contracts in the sidebar"
    return "Use a portfolio with fewer underlyings, or turn Stocks off"


def explain_retry(away: Sequence[StreamHealth], zone: dt.tzinfo) -> tuple[str, str]:
    """Return the headline and the causes for streams that are reconnecting."""
    held = [each for each in away if _code(each) in _HELD_ELSEWHERE]
    others = [each for each in away if each not in held]
    if not held or away[0] not in held:
        return f"Reconnecting {name_streams([each.stream for each in away])}.", _causes(away, zone)
    where = name_streams([each.stream for each in held]).replace("the", "your", 1)
    limit = "Alpaca allows one connection per stream and account."
    resumes = "Streaming resumes when the other program disconnects."
    too = f"Reconnecting {name_streams([each.stream for each in others])} too." if others else ""
    return f"Another program is using {where} ({_code(held[0])}).", " ".join(
        part for part in (limit, resumes, too, _causes(others, zone)) if part
    )


def _causes(away: Sequence[StreamHealth], zone: dt.tzinfo) -> str:
    """Return the cause of the interruption, or each stream's own if they differ."""
    known = [(each, each.last_failure) for each in away if each.last_failure is not None]
    if not known:
        return ""
    if len({_cause(each) for each in away}) == 1:
        words = _timed(away[0], max(failure.at for _, failure in known), zone)
    else:
        words = "; ".join(
            f"{_ADJECTIVE[each.stream]} stream: {_timed(each, failure.at, zone)}" for each, failure in known
        )
    return f"{capital(words)}."


def _timed(record: StreamHealth, at: dt.datetime, zone: dt.tzinfo) -> str:
    """Return a stream's cause with its time, inserted before the next step if a semicolon announces one."""
    cause, semicolon, step = _cause(record).partition("; ")
    return f"{cause} at {format_time(at, zone)}{semicolon}{step}"


def _cause(record: StreamHealth) -> str:
    failure = record.last_failure
    if failure is None:
        return ""
    return replace(failure, text=failure.text.rstrip(".")).words


def _code(record: StreamHealth) -> int | None:
    return record.last_failure.code if record.last_failure else None
