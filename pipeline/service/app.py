"""The routes of the service."""

import base64
import hashlib
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from pipeline.service import guard, openapi
from pipeline.service.bodies import DEFAULT_K, MOST_RECOMMENDED
from pipeline.service.keeper import NONE_IS_LOADED, BusyError, Keeper
from pipeline.service.metrics import Metrics

SOME, MOST = 24, 500
_FOLDER = Path(__file__).parent
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_WHOLE_NUMBER = re.compile(r"[0-9]{1,6}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(keeper: Keeper, name: str, metrics: Metrics, token: str | None, log_requests: bool) -> web.Application:
    """The application.

    Args:
      keeper: answers.
      name: of the model in TensorFlow Serving's addresses.
      metrics: count.
      token: that a request has to bring; None: anybody may ask.
      log_requests: whether each request is told of.
    """
    middlewares = [guard.counting(metrics, log_requests), guard.explaining]
    app = web.Application(
        middlewares=[*middlewares, *([guard.with_token(token)] if token else [])], client_max_size=guard.MOST_BYTES
    )
    routes = _Routes(keeper, name, metrics)
    app.add_routes([*routes.of_people(), *routes.of_tensorflow_serving(), *routes.of_operators()])
    return app


class _Routes:
    def __init__(self, keeper: Keeper, name: str, metrics: Metrics):
        self._keeper, self._name, self._metrics = keeper, name, metrics

    def of_people(self) -> list[web.RouteDef]:
        document = openapi.document(self._name)
        return [
            web.get("/", _page(_FOLDER.joinpath("page.html").read_text(encoding="utf-8"))),
            web.get("/docs", _page(openapi.page(document))),
            web.get("/openapi.json", _fixed(lambda: web.json_response(document))),
            web.get("/recommend/{user}", self.recommend),
            web.post("/recommend", self.recommend_for),
            web.get("/similar/{item}", self.similar),
            web.get("/history/{user}", self.history),
            web.get("/users", self.users),
            web.get("/items", self.items),
        ]

    def of_tensorflow_serving(self) -> list[web.RouteDef]:
        model = f"/v1/models/{self._name}"
        return [
            handler
            for at in (model, model + "/versions/{version}")
            for handler in (
                web.get(at, self.status),
                web.get(f"{at}/metadata", self.metadata),
                web.post(f"{at}:predict", self.predict),
            )
        ]

    def of_operators(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", _fixed(lambda: web.Response(text="alive\n"))),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def recommend(self, request: web.Request) -> web.Response:
        k = _number(request, "k", DEFAULT_K, MOST_RECOMMENDED)
        return await self._answer("recommend", user=request.match_info["user"], k=k)

    async def recommend_for(self, request: web.Request) -> web.Response:
        return await self._answer("recommend_for", body=await guard.body_of(request))

    async def similar(self, request: web.Request) -> web.Response:
        k = _number(request, "k", DEFAULT_K, MOST_RECOMMENDED)
        return await self._answer("similar", item=request.match_info["item"], k=k)

    async def history(self, request: web.Request) -> web.Response:
        limit = _number(request, "limit", SOME, MOST)
        return await self._answer("history", user=request.match_info["user"], limit=limit)

    async def users(self, request: web.Request) -> web.Response:
        return await self._answer("users", limit=_number(request, "limit", SOME, MOST))

    async def items(self, request: web.Request) -> web.Response:
        limit = _number(request, "limit", SOME, MOST)
        return await self._answer("items", query=request.query.get("q", "")[:200], limit=limit)

    async def predict(self, request: web.Request) -> web.Response:
        self._check_version(request)
        return await self._answer("predict", body=await guard.body_of(request))

    async def metadata(self, request: web.Request) -> web.Response:
        self._check_version(request)
        return await self._answer("metadata")

    async def status(self, request: web.Request) -> web.Response:
        self._check_version(request)
        state = "AVAILABLE" if self._keeper.version else "LOADING"
        status = {"error_code": "OK", "error_message": ""}
        version = {"version": self._keeper.version or "", "state": state, "status": status}
        return web.json_response({"model_version_status": [version]})

    async def ready(self, _request: web.Request) -> web.Response:
        version = self._keeper.version
        if version is None:
            return guard.problem(503, NONE_IS_LOADED, {"Retry-After": "1"})
        return web.json_response({"version": version})

    async def metrics(self, _request: web.Request) -> web.Response:
        processes = {"http": os.getpid(), **self._keeper.processes}
        text = self._metrics.text(self._keeper.version, processes)
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _answer(self, call: str, **arguments: Any) -> web.Response:
        answer = await self._keeper.ask(call, **arguments)
        return web.Response(status=answer.status, body=answer.body, content_type="application/json", charset="utf-8")

    def _check_version(self, request: web.Request) -> None:
        answers = self._keeper.version
        wanted = request.match_info.get("version", answers)
        if answers is None and wanted is not None:
            raise BusyError(NONE_IS_LOADED)
        if wanted != answers:
            raise web.HTTPNotFound(text=f"version {wanted}: {answers} is the one that answers")


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    """A number from 1 on, that the query of an address may have.

    Raises:
      web.HTTPBadRequest: it is none, or too large.
    """
    text = request.query.get(name, str(default))
    if not _WHOLE_NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise web.HTTPBadRequest(text=f"{name}={text[:20]}: a whole number from 1 to {most:,} is expected")
    return int(text)


def _fixed(make: Callable[[], web.Response]) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return make()

    return answer


def _page(text: str) -> Handler:
    """Answers with a page, whose own script and style alone may run, and which nobody may put into another one."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(text)]
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return _fixed(lambda: web.Response(text=text, content_type="text/html", headers=headers))
