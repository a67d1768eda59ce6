"""The program's entry: `options-helper`, and `python -m options_helper`."""

import sys

INTERRUPTED = 130  # a shell's status for SIGINT


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly, also while modules are still being imported."""
    try:
        from options_helper.cli import main as run  # noqa: PLC0415 - takes a moment, in which Ctrl-C may come

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
