"""The reasons for missing implied volatilities and Greeks, with a sentence for each."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reason for a missing figure: the table contains the value, the page shows the `sentence`.

    If several apply, the first counts.
    """

    SHARES = "shares have no volatility"
    EXPIRED = "expired"
    ADJUSTED = "adjusted deliverable"
    NO_MARK = "no mark from bid and ask"
    NO_SPOT = "no spot"
    APART = "quote and spot too far apart in time"
    BELOW_INTRINSIC = "below intrinsic"
    ABOVE_ALL = "above every model price"
    WIDE = "spread too wide for an IV"

    @property
    def sentence(self) -> str:
        """The reason as a sentence for the page."""
        return _SENTENCES[self]


WIDE_POINTS = 10.0

_SENTENCES = {
    Reason.SHARES: "Shares have a delta and no other Greek.",
    Reason.EXPIRED: "The contract has expired.",
    Reason.ADJUSTED: "Adjusted contract: its deliverable is unknown, so no model fits.",
    Reason.NO_MARK: "There is no mark from a bid and an ask.",
    Reason.NO_SPOT: "The price of the underlying is unknown.",
    Reason.APART: "The contract's quote and the underlying's price are too far apart in time.",
    Reason.BELOW_INTRINSIC: "The mark is not above the model's lowest value, so no volatility explains it.",
    Reason.ABOVE_ALL: "The mark is above the model's price at a volatility of 1,000 %.",
    Reason.WIDE: f"The volatilities implied by bid and ask are more than {WIDE_POINTS:g} points apart.",
}
