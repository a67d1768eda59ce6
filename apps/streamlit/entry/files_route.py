"""The route that answers the page's download links."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from apps.streamlit.components.downloads import FILES_PATH, find_file, serve_below

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route  # absent without Streamlit


def files_route(base: str) -> Route:
    """Return the route of all offered files below the portal's path, and let pages draw links to them."""
    from starlette.routing import Route  # noqa: PLC0415 - Streamlit's server, absent in a bare run

    serve_below(base)
    return Route(f"{base}{FILES_PATH}/{{token}}/{{key:path}}", _answer)


def _answer(request: Request) -> Response:
    """Answer with a file that is written now; called in a thread, because it may take a while."""
    from starlette.responses import PlainTextResponse, Response  # noqa: PLC0415 - as above

    file = find_file(request.path_params["token"], request.path_params["key"])
    if file is None:
        return PlainTextResponse("The page that offered this file is closed. Reload it, and try again.", 404)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        "Cache-Control": "no-store",
    }
    return Response(file.write(), media_type=file.mime, headers=headers)
