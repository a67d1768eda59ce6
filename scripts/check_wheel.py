"""Open the page of an installed `options-helper` in a browser, far from the checkout.

python scripts/check_wheel.py /path/to/venv/bin/options-helper
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from demo_server import chromium, running_demo, start_streams


def check(program: Path) -> None:
    """Check the home page, Live Portfolio, Start, live figures and Stop.

    Raises:
        SystemExit: The page shows an exception or reports a script error.
        playwright.sync_api.Error: Something does not appear.
    """
    complaints: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo([str(program), "ui", "--demo", "--no-browser"], Path(folder)) as url,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        page.get_by_role("link", name="Live Portfolio").first.wait_for(timeout=60_000)
        start_streams(page, url)
        page.locator(".st-key-live-fills").wait_for(timeout=30_000)
        page.locator('tr[data-kind="position"]').first.wait_for(timeout=30_000)
        if page.locator('[data-testid="stException"]').count():
            complaints.append("the page shows an exception")
        page.get_by_role("button", name="Stop", exact=False).first.click()
        page.locator(".st-key-live-status").get_by_text("Stopped", exact=False).first.wait_for(timeout=15_000)
    if complaints:
        raise SystemExit("\n".join(complaints))
    print("   The installed page starts, streams and stops.")


if __name__ == "__main__":
    check(Path(sys.argv[1]).absolute())
