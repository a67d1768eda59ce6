"""Sends one notice in a separate process: `python -m options_helper.session.send_notice`.

It reads `{"urls", "title", "text", "seconds"}` as JSON from standard input and writes `{"taken", "failed"}`,
the names of the services, or `null` if an address is unknown. It exits after `seconds` at the latest.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading

_MOST_MEMORY = 1 << 30


def main() -> None:
    """Send the notice read from standard input."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - absent on Windows

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    notice = json.load(sys.stdin)
    # The portal kills a process that takes too long, but may itself have exited by then.
    deadline = threading.Timer(notice["seconds"], os._exit, (1,))
    deadline.daemon = True
    deadline.start()
    import apprise  # noqa: PLC0415 - the limits apply to it too

    logging.disable()  # its lines may quote an address
    services = apprise.Apprise()
    if not services.add(notice["urls"]):
        json.dump(None, sys.stdout)
        return
    taken: list[str] = []
    failed: list[str] = []
    for service in services:
        service.redirects = False  # the notice goes to the configured address and nowhere else
        name = str(service.url(privacy=True)).partition(":")[0]  # the scheme alone
        (taken if service.notify(body=notice["text"], title=notice["title"]) else failed).append(name)
    json.dump({"taken": taken, "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main()
