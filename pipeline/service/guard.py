"""What holds for every request: who may ask, how much, how long, and that each is counted and told of."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from components.shared.errors import UserError
from pipeline.service.keeper import BusyError
from pipeline.service.logs import event
from pipeline.service.metrics import Metrics

MOST_BYTES = 1 << 20
SECONDS_TO_SEND = 10
OPEN = ("/", "/docs", "/openapi.json", "/healthz", "/readyz")
"""What needs no token: what tells nothing of the model and its users."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def read_token(path: Path) -> str:
    """The token that a file has.

    Raises:
      UserError: it cannot be read, or has none.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--token-file {path}: cannot be read ({error})") from None
    if not token or not token.isascii() or len(token.split()) != 1:
        raise UserError(f"--token-file {path}: one token, of ASCII without spaces, is expected")
    return token


async def body_of(request: web.Request) -> str:
    """The body of a request.

    Raises:
      web.HTTPException: it does not come in time or whole, is too large, cannot be unpacked, or no text.
    """
    if (request.content_length or 0) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES)
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            return (await request.read()).decode()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {SECONDS_TO_SEND} s") from None
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="the body is not UTF-8") from None
    except web.RequestPayloadError:
        raise web.HTTPBadRequest(text="the body is not what its Content-Encoding or Transfer-Encoding says") from None
    except ConnectionError:
        raise web.HTTPBadRequest(text="the connection ended before the body did") from None


def problem(status: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that says why there is none, as TensorFlow Serving does."""
    return web.json_response({"error": reason}, status=status, headers=headers)


def counting(metrics: Metrics, log_requests: bool) -> Any:
    """Has every request counted, and told of where that is wanted."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, status = time.perf_counter(), 499  # as of one who left before
        metrics.in_progress += 1
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            metrics.in_progress -= 1
            seconds = time.perf_counter() - began
            resource = request.match_info.route.resource
            route = f"{request.method} {resource.canonical}" if resource else "other"
            metrics.answered(route, status, seconds)
            if log_requests:
                event(
                    "request", method=request.method, path=request.path[:200], status=status, seconds=round(seconds, 6)
                )

    return count


@web.middleware
async def explaining(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Has every answer that is none say why, in JSON."""
    try:
        return await handler(request)
    except BusyError as error:
        return problem(503, f"{error}; ask again in a moment", {"Retry-After": "1"})
    except web.HTTPRequestEntityTooLarge:
        return problem(413, f"{MOST_BYTES:,} bytes are the most of a body")
    except web.HTTPMethodNotAllowed as error:
        allowed = sorted(error.allowed_methods)
        expected = f"{error.method}: {' or '.join(allowed)} is expected here"
        return problem(error.status, expected, {"Allow": ", ".join(allowed)})
    except web.HTTPException as error:
        nowhere = error is request.match_info.http_exception
        reason = "nothing is at this address; /docs has all requests" if nowhere else error.text
        return problem(error.status, reason or error.reason)


def with_token(token: str) -> Any:
    """Lets only those ask who bring the token."""
    expected = f"bearer {token}".encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")  # schemes are of any case
        brought = f"{scheme.lower()} {rest}".encode(errors="replace")
        if request.path in OPEN or hmac.compare_digest(brought, expected):
            return await handler(request)
        return problem(401, "this service needs a token: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"})

    return check
