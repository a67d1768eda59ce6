"""Alert rules: a metric of a position or of the portfolio, and a threshold.

Percentages such as `pnl_pct` are fractions, as everywhere in the product: 0.5 is 50 %.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from options_helper.analysis.risk.exposure import Measure
from options_helper.analysis.text.figures import (
    format_count,
    format_percent,
    format_pnl,
    format_price,
    format_quantity,
    format_span,
)
from options_helper.analysis.text.wording import count

LARGEST_FRACTION = 20.0
LONGEST_PENDING_SECONDS = 86_400
_NOT_TAKEN = "comparison, threshold or pending_seconds"
_LONGEST_ID = 200


class AlertMetric(StrEnum):
    """A metric that an alert can watch."""

    PNL_ABS = "pnl_abs"
    PNL_PCT = "pnl_pct"
    MARK = "mark"
    SPREAD_PCT = "spread_pct"
    DTE = "dte"
    QUOTE_AGE_SECONDS = "quote_age_seconds"
    DAY_PNL = "day_pnl"
    SPOT = "spot"
    SPOT_CHANGE_PCT = "spot_change_pct"
    STRIKE_DISTANCE_PCT = "strike_distance_pct"
    STREAM_LOST_SECONDS = "stream_lost_seconds"
    DELTA = "delta"
    GAMMA = "gamma"
    THETA = "theta"
    VEGA = "vega"
    RHO = "rho"
    DOLLAR_DELTA = "dollar_delta"
    DOLLAR_GAMMA = "dollar_gamma"
    BETA_DELTA = "beta_delta"
    QUANTITY_DIFFERS = "quantity_differs"
    FILL = "fill"
    ORDER_REJECTED = "order_rejected"
    ASSIGNMENT = "assignment"

    @property
    def label(self) -> str:
        """The metric's name on the page."""
        return _LABELS[self]

    def format_value(self, value: float | None) -> str:
        """Return a value of the metric with its unit."""
        return _FORMATS[self](value)


_LABELS = {
    AlertMetric.PNL_ABS: "P/L Open",
    AlertMetric.PNL_PCT: "P/L %",
    AlertMetric.MARK: "Mark",
    AlertMetric.SPREAD_PCT: "Spread",
    AlertMetric.DTE: "DTE",
    AlertMetric.QUOTE_AGE_SECONDS: "Quote age",
    AlertMetric.DAY_PNL: "P/L Day",
    AlertMetric.SPOT: "Price of the underlying",
    AlertMetric.SPOT_CHANGE_PCT: "Change in the underlying",
    AlertMetric.STRIKE_DISTANCE_PCT: "Distance to the strike",
    AlertMetric.STREAM_LOST_SECONDS: "Stream lost",
    AlertMetric.DELTA: "Delta",
    AlertMetric.GAMMA: "Gamma",
    AlertMetric.THETA: "Theta per day",
    AlertMetric.VEGA: "Vega per point",
    AlertMetric.RHO: "Rho per point",
    AlertMetric.DOLLAR_DELTA: "Delta $",
    AlertMetric.DOLLAR_GAMMA: "Gamma 1 %",
    AlertMetric.BETA_DELTA: "Beta-weighted delta",
    AlertMetric.QUANTITY_DIFFERS: "Quantity differs from the broker",
    AlertMetric.FILL: "Fill",
    AlertMetric.ORDER_REJECTED: "Order rejected",
    AlertMetric.ASSIGNMENT: "Assignment or exercise",
}


def _signed(value: float | None) -> str:
    """Return signed shares, or shares per dollar, with at most two decimals, such as `+3.12`."""
    return format_quantity(None if value is None else round(value, 2))


def _counted(noun: str) -> Callable[[float | None], str]:
    return lambda value: "" if value is None else count(round(value), noun)


_FORMATS = {
    AlertMetric.PNL_ABS: format_pnl,
    AlertMetric.PNL_PCT: lambda value: format_percent(value, signed=True),
    AlertMetric.MARK: format_price,
    AlertMetric.SPREAD_PCT: format_percent,
    AlertMetric.DTE: format_count,
    AlertMetric.QUOTE_AGE_SECONDS: format_span,
    AlertMetric.DAY_PNL: format_pnl,
    AlertMetric.SPOT: format_price,
    AlertMetric.SPOT_CHANGE_PCT: lambda value: format_percent(value, signed=True),
    AlertMetric.STRIKE_DISTANCE_PCT: lambda value: format_percent(value, signed=True),
    AlertMetric.STREAM_LOST_SECONDS: format_span,
    AlertMetric.DELTA: _signed,
    AlertMetric.GAMMA: _signed,
    AlertMetric.THETA: format_pnl,
    AlertMetric.VEGA: format_pnl,
    AlertMetric.RHO: format_pnl,
    AlertMetric.DOLLAR_DELTA: format_pnl,
    AlertMetric.DOLLAR_GAMMA: format_pnl,
    AlertMetric.BETA_DELTA: _signed,
    AlertMetric.QUANTITY_DIFFERS: _counted("difference"),
    AlertMetric.FILL: _counted("fill"),
    AlertMetric.ORDER_REJECTED: _counted("order"),
    AlertMetric.ASSIGNMENT: _counted("event"),
}

EVENTS = frozenset({AlertMetric.FILL, AlertMetric.ORDER_REJECTED, AlertMetric.ASSIGNMENT})
"""Metrics of events, which happen once and have no level."""
WITHOUT_THRESHOLD = EVENTS | {AlertMetric.QUANTITY_DIFFERS}
FRACTIONS = frozenset(
    {
        AlertMetric.PNL_PCT,
        AlertMetric.SPREAD_PCT,
        AlertMetric.SPOT_CHANGE_PCT,
        AlertMetric.STRIKE_DISTANCE_PCT,
    }
)
EXPOSURES = frozenset(map(AlertMetric, Measure))
"""Metrics of a position, an underlying, a tag or the whole portfolio, in the units of `analysis.risk`."""
LOWEST = {
    AlertMetric.SPREAD_PCT: 0.0,
    AlertMetric.DTE: 0.0,
    AlertMetric.QUOTE_AGE_SECONDS: 0.0,
    AlertMetric.SPOT: 0.0,
    AlertMetric.SPOT_CHANGE_PCT: -1.0,
    AlertMetric.STREAM_LOST_SECONDS: 0.0,
}
"""The lowest value of each metric that has one."""
OF_UNDERLYING = frozenset({AlertMetric.SPOT, AlertMetric.SPOT_CHANGE_PCT})
OF_CLOCK = frozenset({AlertMetric.DTE, AlertMetric.QUOTE_AGE_SECONDS})
"""Metrics that change with time alone, and so are watched even while the streams are stopped."""
OF_ALL = frozenset({AlertMetric.STREAM_LOST_SECONDS})
OF_POSITION = frozenset({AlertMetric.MARK, AlertMetric.SPREAD_PCT, AlertMetric.STRIKE_DISTANCE_PCT})


class Direction(StrEnum):
    """The side of the threshold that meets the condition; a value equal to the threshold does not."""

    ABOVE = "above"
    BELOW = "below"


def pointless_words(metric: AlertMetric, comparison: Direction, threshold: float) -> str:
    """Return what follows if every value of a metric is on one side of a threshold, or ""."""
    lowest = LOWEST.get(metric)
    if lowest is None or threshold > lowest or (threshold == lowest and comparison is Direction.ABOVE):
        return ""
    when = "always" if comparison is Direction.ABOVE else "never"
    return f"so the alert would {when} be raised"


def _shortened(text: str) -> str:
    """Return the text, or both ends of a long text with a digest between them."""
    if len(text) <= _LONGEST_ID:
        return text
    kept, digest = _LONGEST_ID // 2 - 10, hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
    return f"{text[:kept]} … {digest} … {text[-kept:]}"


class AlertRule(BaseModel):
    """An alert rule.

    Attributes:
        id: Unique among the rules; derived from the other fields if omitted.
        metric: The metric to watch.
        position: A position id; None watches the whole portfolio, with its nearest expiry as `dte` and its
            oldest quote as `quote_age_seconds`.
        symbol: An underlying, for its price and its change, or for the exposure of all positions on it.
        tag: A tag, for the exposure of all positions with it.
        comparison, threshold: The condition; an event and `quantity_differs` take neither.
        pending_seconds: How long the condition must hold before the alert is raised.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=_LONGEST_ID)] = ""
    metric: AlertMetric
    position: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    symbol: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    tag: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    comparison: Direction | None = None
    # Strict, because pydantic would otherwise accept `true` as 1.
    threshold: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    pending_seconds: Annotated[
        float, Field(strict=True, ge=0, le=LONGEST_PENDING_SECONDS, allow_inf_nan=False)
    ] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _name(cls, values: object) -> object:
        if not isinstance(values, dict) or values.get("id"):
            return values
        parts = (
            values.get(key) for key in ("position", "symbol", "tag", "metric", "comparison", "threshold")
        )
        return {**values, "id": _shortened(" ".join(str(part) for part in parts if part is not None))}

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_subject()
        if self.metric in WITHOUT_THRESHOLD:
            held = self.pending_seconds and self.metric in EVENTS
            if self.comparison is not None or self.threshold is not None or held:
                taken = "comparison or threshold" if self.metric not in EVENTS else _NOT_TAKEN
                raise ValueError(f"an alert on {self.metric} takes no {taken}")
            return self
        if self.comparison is None or self.threshold is None:
            raise ValueError(f"an alert on {self.metric} needs a comparison (above or below) and a threshold")
        if self.metric in FRACTIONS and abs(self.threshold) > LARGEST_FRACTION:
            raise ValueError(f"{self.metric} is a fraction: write 0.5 for 50 %, not {self.threshold:g}")
        pointless = pointless_words(self.metric, self.comparison, self.threshold)
        if pointless:
            raise ValueError(f"{self.metric} is never below {LOWEST[self.metric]:g}, {pointless}")
        return self

    def _check_subject(self) -> None:
        if self.metric in EXPOSURES:
            if sum(one is not None for one in (self.position, self.symbol, self.tag)) > 1:
                raise ValueError(f"an alert on {self.metric} takes only one of position, symbol and tag")
            return
        if self.tag is not None:
            raise ValueError(f"an alert on {self.metric} takes no tag")
        if (self.metric in OF_UNDERLYING) != (self.symbol is not None):
            needs = "needs a symbol" if self.symbol is None else "takes no symbol"
            raise ValueError(f"an alert on {self.metric} {needs}")
        if self.position is None and self.metric in OF_POSITION:
            raise ValueError(f"an alert on {self.metric} needs a position")
        if self.position is not None and self.metric in OF_ALL | OF_UNDERLYING:
            raise ValueError(f"an alert on {self.metric} takes no position")

    @property
    def subject(self) -> str | None:
        """The watched position id, underlying or tag; None for the whole portfolio.

        A tag, and the underlying of an exposure, begin with spaces, which a position id cannot.
        """
        if self.tag is not None:
            return f"  {self.tag}"
        if self.symbol is not None and self.metric in EXPOSURES:
            return f" {self.symbol}"
        return self.position or self.symbol

    @property
    def condition(self) -> str:
        """The condition in words, such as "P/L Open above +$800 for 10 s"."""
        held = f" for {format_span(self.pending_seconds)}" if self.pending_seconds else ""
        if self.comparison is None:
            return f"{self.metric.label}{held}"
        return f"{self.metric.label} {self.comparison} {self.metric.format_value(self.threshold)}{held}"

    def is_met_by(self, value: float) -> bool:
        """Return whether a value is on the watched side of the threshold."""
        if self.threshold is None:
            return value > 0
        return value > self.threshold if self.comparison is Direction.ABOVE else value < self.threshold
