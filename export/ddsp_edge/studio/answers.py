"""What is read of a request, and how one is turned down: in words, as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ddsp_edge.errors import DdspError, printable

PAGE_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
MOST_JSON = 1 << 16
"""Bytes of a question."""


class TooLarge(DdspError):
    """More was sent than is taken."""


class NotHere(DdspError):
    """What was asked for is not there."""


def page_answer(path: Path) -> Any:
    """Answers with a file of the page, which is read once: nothing of a request is ever a path."""
    body, media_type = path.read_bytes(), PAGE_TYPES[path.suffix]

    async def answer(request: Request) -> Response:
        return Response(body, media_type=media_type)

    return answer


async def asked_json(request: Request) -> dict[str, Any]:
    """The question that a request holds.

    Raises:
        DdspError: If it is none.
    """
    body = b""
    async for data in request.stream():
        body += data
        if len(body) > MOST_JSON:
            raise TooLarge(f"more than {MOST_JSON} bytes are no question")
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise DdspError("a question is JSON (content-type: application/json)")

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    try:
        found = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise DdspError(f"the question is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise DdspError("a question is a JSON object")
    return found


def text_of(asked: Mapping[str, Any], name: str) -> str:
    """A text of a question.

    Raises:
        DdspError: If it is none.
    """
    value = asked.get(name)
    if not isinstance(value, str):
        raise DdspError(f"{name} must be a text. Received: {str(value)[:60]!r}")
    return value


async def refused(request: Request, error: Exception) -> Response:
    """Answers with what was wrong."""
    status = 413 if isinstance(error, TooLarge) else 404 if isinstance(error, NotHere) else 400
    return JSONResponse({"error": printable(str(error))[:600]}, status)


async def unexpected(request: Request, error: Exception) -> Response:
    """Answers that something broke; what it was stands where the studio was started."""
    reason = getattr(error, "strerror", None)  # of the system, such as a disk that is full: it names no file
    words = "something went wrong in the studio, and nothing was done: try again"
    return JSONResponse({"error": f"{words} ({printable(reason)})" if reason else words}, 500)


async def gone(request: Request, error: Exception) -> Response:
    """Answers nobody: the line broke off."""
    return Response(status_code=400)  # nobody is there to read it
