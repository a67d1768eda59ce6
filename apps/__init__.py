"""The applications built on the package; on the import path, `apps/` would hide the package streamlit."""
