"""The script that the server runs for each visit: the portal, in a folder without `pages/` next to it.

Until a process first calls `st.navigation`, Streamlit takes a neighbouring `pages/` folder for the
navigation, and a first visit straight to /Live_Portfolio would run the page without the portal.
"""

from __future__ import annotations

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().parents[1] / "streamlit_app.py"))
