"""The positions table: a pure payload builder, its CSV, and the widget that shows it."""

from apps.streamlit.components.positions.table.csv_export import legs_csv, positions_csv
from apps.streamlit.components.positions.table.grouping import Grouping, hide_columns, regroup
from apps.streamlit.components.positions.table.rows import TableRows, build_table_rows
from apps.streamlit.components.positions.table.widget import (
    chosen_columns,
    chosen_grouping,
    chosen_row,
    render,
    sent_table,
)

__all__ = [
    "Grouping",
    "TableRows",
    "build_table_rows",
    "chosen_columns",
    "chosen_grouping",
    "chosen_row",
    "hide_columns",
    "legs_csv",
    "positions_csv",
    "regroup",
    "render",
    "sent_table",
]
