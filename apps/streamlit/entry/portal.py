"""The script that the server runs for each visit: the portal, in a folder without `pages/` next to it.

Until the first `st.navigation` of a process, Streamlit's old page scan takes a neighbouring `pages/` folder
for the navigation: a first visit straight to /Live_Portfolio would run the page without its portal.
"""

from __future__ import annotations

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().parents[1] / "streamlit_app.py"))
