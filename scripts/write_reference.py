"""Write the reference pages that are made from the code: columns and warnings."""

from __future__ import annotations

from pathlib import Path

from options_helper.analysis.tables.columns import describe_columns
from options_helper.analysis.valuation.row_warnings import RowWarning

DOCS = Path(__file__).parent.parent / "docs" / "reference"
_NOTE = "This page is written by `scripts/write_reference.py`; a test compares the two.\n"


def columns_page() -> str:
    """Return docs/reference/columns.md."""
    intro = (
        "# Columns of the tables\n\n"
        "`options_helper.analysis.live_portfolio_metrics` returns these columns as DataFrames; the positions "
        "table\nand its CSV files show those that have a heading.\n\n"
    )
    return intro + _NOTE + "\n" + "\n".join(describe_columns()) + "\n"


def warnings_page() -> str:
    """Return docs/reference/warnings.md."""
    rows = [f"| `{warning.value}` | {warning.sentence} |" for warning in RowWarning]
    head = ["| warning | what it says |", "| --- | --- |"]
    intro = "# Warnings of a row\n\nEvery row of the tables has a list of these in `warnings`.\n\n"
    return intro + _NOTE + "\n" + "\n".join([*head, *rows]) + "\n"


def main() -> None:
    """Write both pages."""
    (DOCS / "columns.md").write_text(columns_page(), encoding="utf-8")
    (DOCS / "warnings.md").write_text(warnings_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
