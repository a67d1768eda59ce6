"""Draw the mark rule's thresholds, from the constants of the code, to docs/images/marks.svg.

Every quote with a bid and an ask is a point: its middle to the right, its spread upward. The line of quotes
with a bid of zero bounds them all.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from options_helper.analysis.valuation.marks import (  # noqa: E402 - after the path
    STUB_SPREAD_DOLLARS,
    STUB_SPREAD_FRACTION,
    WIDE_SPREAD_FRACTION,
    ZERO_BID_MAX_ASK,
)

TARGET = ROOT / "docs" / "images" / "marks.svg"

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 20, 52
_MOST_MIDDLE, _MOST_SPREAD = 1.20, 1.20  # dollars
_ZERO_BID = 2.0  # the spread is twice the middle if the bid is zero

_STYLE = """
  .paper { fill: #ffffff } .ink { fill: #24292f } .soft { fill: #57606a } .axis { stroke: #57606a }
  .mid { fill: #cfe8d5 } .wide { fill: #fbe3b5 } .none { fill: #f5c9c6 }
  .edge { stroke: #24292f; stroke-width: 2.5 } .dash { stroke: #57606a; stroke-dasharray: 4 4 }
  .half { stroke: #1a7f37; stroke-width: 6; stroke-linecap: round }
  text { font: 14px system-ui, sans-serif } .small { font-size: 12px } .bold { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #1c2128 } .ink { fill: #e6edf3 } .soft { fill: #adbac7 } .axis { stroke: #adbac7 }
    .mid { fill: #1f4d31 } .wide { fill: #5c4513 } .none { fill: #5f2a29 }
    .edge { stroke: #e6edf3 } .dash { stroke: #adbac7 } .half { stroke: #57ab5a }
  }
"""


def _x(middle: float) -> float:
    return round(_LEFT + middle / _MOST_MIDDLE * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(spread: float) -> float:
    return round(_HEIGHT - _BOTTOM - spread / _MOST_SPREAD * (_HEIGHT - _TOP - _BOTTOM), 1)


def _area(kind: str, *points: tuple[float, float]) -> str:
    corners = " ".join(f"{_x(middle)},{_y(spread)}" for middle, spread in points)
    return f'<polygon class="{kind}" points="{corners}"/>'


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (a, b), (c, d) = start, end
    return f'<line class="{kind}" x1="{_x(a)}" y1="{_y(b)}" x2="{_x(c)}" y2="{_y(d)}"/>'


def _text(words: str, middle: float, spread: float, kind: str = "ink", anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{_x(middle)}" y="{_y(spread)}" text-anchor="{anchor}">{words}</text>'


def _areas() -> list[str]:
    """Return the areas of the three outcomes, the milder drawn over the stricter."""
    right, top = _MOST_MIDDLE, _MOST_SPREAD
    stub = STUB_SPREAD_DOLLARS
    return [
        _area("none", (0, 0), (top / _ZERO_BID, top), (right, top), (right, 0)),
        _area("wide", (0, 0), (stub / _ZERO_BID, stub), (stub / STUB_SPREAD_FRACTION, stub),
              (top / STUB_SPREAD_FRACTION, top), (right, top), (right, 0)),
        _area("mid", (0, 0), (right, right * WIDE_SPREAD_FRACTION), (right, 0)),
    ]  # fmt: skip


def _labels() -> list[str]:
    stub, wide = STUB_SPREAD_DOLLARS, WIDE_SPREAD_FRACTION
    return [
        _text("the middle", 0.92, 0.09, "ink bold"),
        _text(f"spread {wide:.0%} of the middle", 1.19, 0.315, "soft small", "end"),
        _text("the middle, with the warning", 0.86, 0.56, "ink bold"),
        _text("“wide spread”", 0.86, 0.49, "ink bold"),
        _text("no mark:", 0.62, 0.98, "ink bold"),
        _text("a placeholder", 0.62, 0.91, "ink bold"),
        _text(f"spread over ${stub:.2f}", 0.525, 0.455, "soft small"),
        _text(f"spread {STUB_SPREAD_FRACTION:.0%} of the middle", 1.19, 0.86, "soft small", "end"),
        _text(f"bid 0, ask over ${ZERO_BID_MAX_ASK:.2f}:", 0.385, 0.9, "ink", "end"),
        _text("no mark →", 0.385, 0.83, "ink bold", "end"),
        _text(f"← bid 0, ask up to ${ZERO_BID_MAX_ASK:.2f}: half the ask", 0.105, 0.15, "ink", "start"),
    ]


def _axes() -> list[str]:
    parts = [
        _line("axis", (0, 0), (_MOST_MIDDLE, 0)),
        _line("axis", (0, 0), (0, _MOST_SPREAD)),
    ]
    for cents in range(20, 121, 20):
        dollars = cents / 100
        parts.append(_text(f"${dollars:.2f}", dollars, -0.065, "soft small"))
        parts.append(_text(f"${dollars:.2f}", -0.015, dollars - 0.015, "soft small", "end"))
    parts.append(_text("the middle of bid and ask", _MOST_MIDDLE / 2, -0.145, "soft"))
    height = _y(_MOST_SPREAD / 2)
    parts.append(
        f'<text class="soft" transform="translate(16 {height}) rotate(-90)" text-anchor="middle">'
        "ask less bid</text>"
    )
    return parts


def draw_figure() -> str:
    """Return the figure as SVG, with colours for light and dark and its own background."""
    half = ZERO_BID_MAX_ASK
    parts = [
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>',
        *_areas(),
        _line("dash", (STUB_SPREAD_DOLLARS / _ZERO_BID, STUB_SPREAD_DOLLARS), (0.5, STUB_SPREAD_DOLLARS)),
        _line("edge", (0, 0), (_MOST_SPREAD / _ZERO_BID, _MOST_SPREAD)),
        _line("half", (0.004, 0.008), (half / _ZERO_BID, half)),
        *_axes(),
        *_labels(),
    ]
    body = "\n".join(f"  {part}" for part in parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Which mark a quote gets, by its middle and its spread">\n<style>{_STYLE}</style>\n'
        f"{body}\n</svg>\n"
    )


if __name__ == "__main__":
    TARGET.write_text(draw_figure(), encoding="utf-8")
    print(TARGET.relative_to(ROOT))
