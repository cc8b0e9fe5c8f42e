"""Kubeflow's Model Registry, by its REST service (v1alpha3).

Of kubeflow/model-registry's api/openapi/model-registry.yaml, this is three kinds of entities: a registered model has
versions, a version has artifacts. The project's own Python client is not used: it changes Python's event loops, and
takes no encrypted connection without a token.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import requests

from components.shared.errors import UserError, first_line
from components.shared.files.places import with_variables
from components.shared.json_types import Json, JsonObject
from pipeline.kubeflow.config import KubeflowModelRegistryConfig

_API = "api/model_registry/v1alpha3"
_TIMEOUT_SECONDS = (5, 30)
# Where Kubeflow's own client looks for the token of a pod, in this order.
_TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
_TOKEN_OF_POD = "/var/run/secrets/kubernetes.io/serviceaccount/token"


class Registry:
    """One model, whose versions are the blessed ones."""

    def __init__(self, config: KubeflowModelRegistryConfig):
        """Takes the token of the pod's account, where there is one; nothing is asked yet.

        Args:
          config: with a URL.

        Raises:
          UserError: a variable of the environment that the URL names is not set.
        """
        assert config.url
        self._where = f"kubeflow_model_registry.url: {config.url}"
        self._api = f"{with_variables(config.url).rstrip('/')}/{_API}"
        self._model = config.model
        self._session = requests.Session()
        self._session.headers.update(_authorization())

    def take(self, artifact: str, version: str, description: str, properties: Mapping[str, str | float]) -> str:
        """Makes a model a version; one that is there already is not made again.

        Args:
          artifact: URI of the SavedModel's folder.
          version: its name.
          description: of the version.
          properties: of the version; a registry's page shows them beside those of other versions.

        Returns:
          What was done, in one line.

        Raises:
          UserError: the registry cannot be reached, or refuses.
        """
        owner, _ = self._found_or_made("registered_model", {"name": self._model}, {"name": self._model})
        made: JsonObject = {
            "name": version,
            "registeredModelId": owner,
            "description": description,
            "state": "LIVE",
            "customProperties": {name: _property(value) for name, value in properties.items()},
        }
        number, was_there = self._found_or_made("model_version", {"name": version, "parentResourceId": owner}, made)
        # A step that was cut off may have left a version without its artifact.
        if artifact not in self._uris(number):
            self._ask("POST", f"model_versions/{number}/artifacts", body=_saved_model(self._model, artifact))
            was_there = False
        return f"version {version} of the model {self._model} {'was' if was_there else 'is'} there"

    def _found_or_made(self, kind: str, wanted: Mapping[str, str], made: JsonObject) -> tuple[str, bool]:
        """The id of an entity, and whether it was there."""
        if (found := self._ask("GET", kind, wanted, without=404)) is not None:
            return self._id(found), True
        if (made_now := self._ask("POST", f"{kind}s", body=made, without=409)) is not None:
            return self._id(made_now), False
        # Another run made it in between.
        return self._id(self._ask("GET", kind, wanted)), True

    def _uris(self, version: str) -> list[Json]:
        """Of a version's artifacts."""
        answer = self._ask("GET", f"model_versions/{version}/artifacts")
        match answer:
            case {"items": [*artifacts]}:
                return [artifact.get("uri") for artifact in artifacts if isinstance(artifact, dict)]
        raise self._strange()

    def _id(self, answer: Json) -> str:
        match answer:
            case {"id": str(number)}:
                return number
        raise self._strange()

    def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        without: int | None = None,
    ) -> Json:
        """What the registry answers; None where it answers with the status `without`."""
        try:
            response = self._session.request(
                method,
                f"{self._api}/{path}",
                params=parameters,
                json=body,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except (OSError, ValueError) as error:
            raise UserError(f"{self._where} does not answer, or is no address ({type(error).__name__})") from error
        if response.status_code == without:
            return None
        if not 200 <= response.status_code < 300:
            raise self._refusal(response)
        try:
            return response.json()
        except ValueError:
            raise self._strange() from None

    def _strange(self) -> UserError:
        return UserError(f"{self._where} does not answer as Kubeflow's Model Registry does")

    def _refusal(self, response: requests.Response) -> UserError:
        reasons = {
            401: "does not know the account of the step (401)",
            403: "does not allow this to the account of the step (403)",
            404: f"has no {_API} (404)",
        }
        told = reasons.get(response.status_code, f"refuses ({response.status_code})")
        try:
            said = response.json().get("message")
        except (ValueError, AttributeError):
            said = None
        return UserError(f"{self._where} {told}" + (f": {first_line(said)}" if said else ""))


def _authorization() -> dict[str, str]:
    try:
        token = Path(os.environ.get(_TOKEN_VARIABLE, _TOKEN_OF_POD)).read_text().strip()
    except OSError:
        return {}
    return {"Authorization": f"Bearer {token}"} if token else {}


def _property(value: str | float) -> JsonObject:
    if isinstance(value, str):
        return {"metadataType": "MetadataStringValue", "string_value": value}
    return {"metadataType": "MetadataDoubleValue", "double_value": value}


def _saved_model(name: str, uri: str) -> JsonObject:
    return {
        "artifactType": "model-artifact",
        "name": name,
        "uri": uri,
        "state": "LIVE",
        "modelFormatName": "tensorflow",
        "modelFormatVersion": "2",
    }
