"""The colours of the charts in both themes.

A chart has the colours of the theme in which the server last drew it. The style sheet replaces them in the
browser, so that a chart follows the theme at once, even if it is not drawn again because nothing streams.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cache

import streamlit as st


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme; lines and bars have a contrast of 3 : 1 against the page, texts of 4.5 : 1."""

    line: str
    gain: str
    loss: str
    mark: str
    text: str
    grid: str


LIGHT = Palette(
    line="#1a56db", gain="#157a5c", loss="#b3323f", mark="#9b4519", text="#57534e", grid="#dcd8d4"
)
DARK = Palette(line="#6ea8ff", gain="#4fbf95", loss="#ef7f8a", mark="#f2a56d", text="#b8b3a8", grid="#3a3834")


def palette() -> Palette:
    """Return the colours of the theme that the reader's browser last reported."""
    return DARK if st.context.theme.type == "dark" else LIGHT


@cache
def palette_css() -> str:
    """Return CSS rules that replace each colour with its counterpart in the browser's current theme.

    A popover is outside of `.stApp`, where no theme is known; a chart in it has the colours of the server.
    """
    rules = (
        f'.stApp .stVegaLiteChart svg :is([{name}="{light}"], [{name}="{dark}"]) '
        f"{{ {name}: light-dark({light}, {dark}); }}"
        for light, dark in zip(astuple(LIGHT), astuple(DARK), strict=True)
        for name in ("fill", "stroke")
    )
    return "\n".join(rules)
