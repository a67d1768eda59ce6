"""The positions table: a pure payload builder, its CSV, and the widget that shows it."""

from apps.streamlit.components.positions.table.csv_export import legs_csv, positions_csv
from apps.streamlit.components.positions.table.rows import TableRows, build_table_rows
from apps.streamlit.components.positions.table.widget import render

__all__ = ["TableRows", "build_table_rows", "legs_csv", "positions_csv", "render"]
