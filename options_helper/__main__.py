"""`python -m options_helper` runs the command line."""

from options_helper.cli import main

main()
