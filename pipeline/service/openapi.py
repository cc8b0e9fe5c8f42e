"""What the service can be asked, as an OpenAPI 3.1 document and as a page."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from components.shared.json_types import JsonObject
from pipeline.service import bodies
from pipeline.service.bodies import DEFAULT_K, MOST_RECOMMENDED

_FOLDER = Path(__file__).parent
_MODELS: tuple[type[BaseModel], ...] = (
    bodies.Wanted, bodies.Recommendations, bodies.SimilarItems, bodies.History, bodies.Users, bodies.Items,
    bodies.Problem,
)  # fmt: skip
_WANTED = {"user": "4711", "items": ["7", "12", "3"], "k": 10}
_ROWS = {"instances": [{"user_id": 4711, "item_ids": [7, 12]}]}


def document(name: str) -> JsonObject:
    """The document.

    Args:
      name: of the model in TensorFlow Serving's addresses.
    """
    _, definitions = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    model = f"/v1/models/{name}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Recommendations",
            "version": "1",
            "description": "What a pushed model of neumf-pipeline recommends. The addresses below /v1 are those of "
            "TensorFlow Serving. Every answer of the others names the version of the model that gave it.",
        },
        "paths": {
            "/recommend/{user}": {
                "get": _operation(
                    "The best items that a user has not seen",
                    bodies.Recommendations,
                    [_in_path("user", "Raw id of the user."), _number("k", DEFAULT_K, MOST_RECOMMENDED)],
                )
            },
            "/recommend": {
                "post": _operation(
                    "The best items for somebody new, by what they did", bodies.Recommendations, body=bodies.Wanted
                )
            },
            "/similar/{item}": {
                "get": _operation(
                    "The items most like one",
                    bodies.SimilarItems,
                    [_in_path("item", "Raw id of the item."), _number("k", DEFAULT_K, MOST_RECOMMENDED)],
                    missing=True,
                )
            },
            "/history/{user}": {
                "get": _operation(
                    "What a user has seen, the latest first",
                    bodies.History,
                    [_in_path("user", "Raw id of the user."), _number("limit", 24, 500)],
                    missing=True,
                )
            },
            "/users": {
                "get": _operation("Some of the users that the model knows", bodies.Users, [_number("limit", 24, 500)])
            },
            "/items": {
                "get": _operation(
                    "Items by a part of their id or title, the most popular first",
                    bodies.Items,
                    [_query("q", "A part of it, in any case."), _number("limit", 24, 500)],
                )
            },
            f"{model}:predict": {
                "post": _tensorflow_serving("Any signature of the model, in rows or in columns", _ROWS)
            },
            model: {"get": _tensorflow_serving("Whether a version answers, and which")},
            f"{model}/metadata": {"get": _tensorflow_serving("The signatures of the model")},
            "/healthz": {"get": _plain("Whether the service is alive", "text/plain")},
            "/readyz": {"get": _plain("Whether a version is loaded; 503 where none is", "application/json")},
            "/metrics": {"get": _plain("Counts and times, in Prometheus' text format", "text/plain")},
        },
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }  # fmt: skip


def page(described: JsonObject) -> str:
    """The document to look at: a page of its own, without network.

    Args:
      described: the document.
    """
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("api.html").render(document=described)


def _operation(
    summary: str,
    answer: type[BaseModel],
    parameters: list[JsonObject] | None = None,
    body: type[BaseModel] | None = None,
    missing: bool = False,
) -> JsonObject:
    problems = {"400": "It cannot be asked so.", **({"404": "The model does not know it."} if missing else {})}
    return {
        "summary": summary,
        "parameters": parameters or [],
        **({"requestBody": _content(body, example=_WANTED)} if body else {}),
        "responses": {
            "200": {"description": (answer.__doc__ or "").strip(), **_content(answer)},
            **{status: {"description": text, **_content(bodies.Problem)} for status, text in problems.items()},
            "503": {"description": "Nobody can answer now; ask again in a moment.", **_content(bodies.Problem)},
        },
    }


def _content(model: type[BaseModel], example: JsonObject | None = None) -> JsonObject:
    schema = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {"content": {"application/json": {**schema, **({"example": example} if example else {})}}}


def _in_path(name: str, about: str) -> JsonObject:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": {"type": "string"}}


def _query(name: str, about: str) -> JsonObject:
    return {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}


def _number(name: str, default: int, most: int) -> JsonObject:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return {"name": name, "in": "query", "description": "How many are wanted.", "schema": schema}


def _tensorflow_serving(summary: str, example: JsonObject | None = None) -> JsonObject:
    schema = {"application/json": {"schema": {"type": "object"}}}
    body = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "example": example}}}}
    return {
        "summary": summary,
        "parameters": [],
        **(body if example else {}),
        "responses": {"200": {"description": "As TensorFlow Serving answers.", "content": schema}},
        "externalDocs": {"url": "https://www.tensorflow.org/tfx/serving/api_rest"},
    }


def _plain(summary: str, content: str) -> JsonObject:
    answer = {"description": "OK", "content": {content: {"schema": {"type": "string"}}}}
    return {"summary": summary, "parameters": [], "security": [{}], "responses": {"200": answer}}
