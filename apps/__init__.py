"""The applications built on the package; not on the import path (`apps/streamlit` is not streamlit)."""
