"""The sentences of alerts and the names of the positions they watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from options_helper.analysis.alerts.records import AlertEvent
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.analysis.text.figures import format_strike
from options_helper.analysis.text.wording import count, format_day
from options_helper.models import AnyPosition, EquityPosition, Portfolio, Position

WHOLE = "Whole portfolio"
_LISTED = 5


def position_names(portfolio: Portfolio) -> dict[str, str]:
    """Return each position's name, keyed by id: `AAPL 250 call 18 Dec`, with the id if it is not unique."""
    names = {position.id: position.name or _name(position) for position in portfolio.positions}
    uses = Counter(names.values())
    return {key: name if uses[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _name(position: AnyPosition) -> str:
    match position:
        case Position():
            day = format_day(position.expiry, with_year=False)
            words = f"{format_strike(position.strike)} {position.option_type} {day}"
        case EquityPosition():
            words = "shares"
        case _:
            words = describe_structure(position).name
    return f"{position.symbol} {words}"


def subject_of(rule: AlertRule, names: Mapping[str, str]) -> str:
    """Return the subject of a rule: a position's name, an underlying, a tag or the whole portfolio."""
    if rule.position is not None:
        return names.get(rule.position, rule.position)
    return rule.symbol or (WHOLE if rule.tag is None else f"Tag {rule.tag}")


def describe_event(event: AlertEvent, names: Mapping[str, str]) -> str:
    """Return an event in words, such as `SPY 500 put 18 Dec · P/L Open above +$800 · +$812`."""
    what = event.text or (event.rule.metric.format_value(event.value) if event.value is not None else "")
    parts = (subject_of(event.rule, names), event.rule.condition, what)
    return " · ".join(part for part in parts if part)


def notice_of(events: Sequence[AlertEvent], names: Mapping[str, str], *, figures: bool) -> str:
    """Return the text of a notice: a line for each of the first alerts, and the number of the others.

    Args:
        events: The raised alerts, at least one.
        names: The positions' names, keyed by id.
        figures: True to include thresholds and values.
    """
    lines = [describe_event(event, names) if figures else _without_figures(event, names) for event in events]
    more = len(lines) - _LISTED
    return "\n".join(lines[:_LISTED] + ([f"and {count(more, 'more alert')}"] if more > 0 else []))


def _without_figures(event: AlertEvent, names: Mapping[str, str]) -> str:
    rule = event.rule
    side = f" {rule.comparison} its threshold" if rule.comparison is not None else ""
    return f"{subject_of(rule, names)}: {rule.metric.label}{side}"
