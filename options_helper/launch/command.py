"""The command that starts the portal: its script, and Streamlit's settings for a safe local server."""

from __future__ import annotations

import sys
from pathlib import Path

from options_helper.errors import OptionsHelperError
from options_helper.launch.endpoint import Endpoint

# Streamlit's settings wherever the server listens; they keep it safe, local and quiet.
_SETTINGS = {
    "global.developmentMode": "false",
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "server.enableAgentApi": "false",
    "server.enableStaticServing": "false",
    "server.enableWebsocketCompression": "true",
    "server.websocketPingInterval": "10",
    # Each session that is kept holds files open; a browser that returns later still has its settings.
    "server.disconnectedSessionTTL": "20",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "type",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "viewer",
    "logger.level": "warning",
    # A full collection after every run would stop all threads for 50 ms, every second and for every tab.
    "runner.postScriptGC": "false",
    "theme.light.primaryColor": "#1a56db",
    "theme.dark.primaryColor": "#4c8df6",
}


def portal_script() -> Path:
    """Return the portal's entry script, from an installed wheel or else the checkout."""
    here = Path(__file__).resolve().parents[1]
    for root in (here / "_portal", here.parent):
        script = root / "apps" / "streamlit" / "entry" / "server.py"
        if script.is_file():
            return script
    raise OptionsHelperError(
        "The portal's files are missing. Run: pip install --force-reinstall options-helper"
    )


def streamlit_command(script: Path, endpoint: Endpoint) -> list[str]:
    """Return the child's command line; every setting helps to keep the server safe and local."""
    address = {
        "server.address": endpoint.host,
        # Otherwise Streamlit looks up this machine's addresses when it starts on all interfaces, for a
        # greeting that nobody reads.
        "browser.serverAddress": "localhost",
        "server.port": str(endpoint.port),
        "server.baseUrlPath": endpoint.base_path,
        "server.sslCertFile": str(endpoint.certfile or ""),
        "server.sslKeyFile": str(endpoint.keyfile or ""),
    }
    flags = [f"--{name}={value}" for name, value in {**address, **_SETTINGS}.items()]
    flags += [f"--server.allowedHosts={name}" for name in endpoint.names]
    # With `-m`, or without `-P`, a file such as calendar.py beside the portfolio would be imported and run.
    return [sys.executable, "-P", str(Path(__file__).with_name("child.py")), "run", str(script), *flags]
