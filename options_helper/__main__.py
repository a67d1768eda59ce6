"""`python -m options_helper` is the command line."""

from options_helper.cli import main

main()
