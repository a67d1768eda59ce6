"""The positions table: a pure payload builder, its CSV, and the widget that shows it."""

from apps.streamlit.components.positions_table.csv_export import legs_csv, positions_csv
from apps.streamlit.components.positions_table.rows import TablePayload, build_table_rows
from apps.streamlit.components.positions_table.widget import render

__all__ = ["TablePayload", "build_table_rows", "legs_csv", "positions_csv", "render"]
