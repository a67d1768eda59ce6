"""The applications built on the package; never on the path themselves (`apps/streamlit` is not streamlit)."""
