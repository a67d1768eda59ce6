"""The entry point of `options-helper` and `python -m options_helper`."""

import sys

INTERRUPTED = 130  # a shell's status for SIGINT


def main() -> None:
    """Run the command line; exit quietly on Ctrl-C, even while modules are being imported."""
    try:
        from options_helper.cli import main as run  # noqa: PLC0415 - slow, so Ctrl-C may arrive during it

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
