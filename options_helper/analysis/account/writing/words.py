"""The differences between two portfolios in words, one line each."""

from __future__ import annotations

from options_helper.analysis.holdings.plausibility import describe_position
from options_helper.analysis.text.figures import MINUS
from options_helper.models import Portfolio

NOTHING = "The file and the account agree; nothing would change."


def describe_changes(before: Portfolio, after: Portfolio) -> list[str]:
    """Return a line for each addition (+), removal (-) and change (~), or `NOTHING` if there is none."""
    old = {position.id: position for position in before.positions}
    new = {position.id: position for position in after.positions}
    lines = [
        f"- {name}: {describe_position(old[name])}; the account does not hold it"
        for name in old
        if name not in new
    ]
    for name, position in new.items():
        words = describe_position(position)
        if name not in old:
            lines.append(f"+ {name}: {words}")
        elif old[name] != position:
            lines += [f"~ {name}: {describe_position(old[name])}", f"  → {words}"]
        else:
            continue
        if position.note and (name not in old or old[name].note != position.note):
            lines.append(f"  note: {position.note}")
    if before.cash != after.cash:
        lines.append(f"~ cash: {_dollars(before.cash)} → {_dollars(after.cash)}")
    return lines or [NOTHING]


def _dollars(amount: float) -> str:
    return f"{MINUS if amount < 0 else ''}${abs(amount):,.2f}"
