"""What a cluster takes as a TFJob, and a check of a manifest against it.

The fields around the pod are those of kubeflow.org_tfjobs.yaml (kubeflow/training-operator 078ec30, release 1.9), v1;
the rules that it has beside the definition are of pkg/webhooks there. The pod's are those of Kubernetes' own client.
"""

import re
from typing import Any

from kubernetes import client

from components.shared.json_types import Json

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
NUMBER = {"type": "integer"}
TEMPLATE = {
    "type": "object",
    "properties": {
        "metadata": {
            "type": "object",
            "properties": {
                "annotations": TEXTS,
                "labels": TEXTS,
                "finalizers": {"type": "array", "items": {"type": "string"}},
                "name": {"type": "string"},
                "namespace": {"type": "string"},
            },
        },
        "spec": {"model": client.V1PodSpec},
    },
}
REPLICAS = {
    "type": "object",
    "properties": {"replicas": NUMBER, "restartPolicy": {"type": "string"}, "template": TEMPLATE},
}
RUN_POLICY = {
    "type": "object",
    "properties": {
        "activeDeadlineSeconds": NUMBER,
        "backoffLimit": NUMBER,
        "cleanPodPolicy": {"type": "string"},
        "managedBy": {"type": "string"},
        "schedulingPolicy": {"type": "object", "properties": {}},
        "suspend": {"type": "boolean"},
        "ttlSecondsAfterFinished": NUMBER,
    },
}
TFJOB = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"type": "string", "enum": ["kubeflow.org/v1"]},
        "kind": {"type": "string", "enum": ["TFJob"]},
        "metadata": {"model": client.V1ObjectMeta},
        "spec": {
            "type": "object",
            "required": ["tfReplicaSpecs"],
            "properties": {
                "enableDynamicWorker": {"type": "boolean"},
                "runPolicy": RUN_POLICY,
                "successPolicy": {"type": "string"},
                "tfReplicaSpecs": {"type": "object", "additionalProperties": REPLICAS},
            },
        },
    },
}
_TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_PLAIN: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def faults(found: Json, schema: Json, path: str = "") -> list[str]:
    """What a value has that its schema does not allow: a part of JSON Schema, with all properties named."""
    if "model" in schema:
        return model_faults(found, schema["model"].__name__, path)
    if type(found) is not _TYPES[schema["type"]]:
        return [f"{path}: {found!r} is no {schema['type']}"]
    told = [f"{path}: {name} is missing" for name in schema.get("required", ()) if name not in found]
    if found not in schema.get("enum", [found]):
        told.append(f"{path}: {found!r} is none of {schema['enum']}")
    for name, value in found.items() if isinstance(found, dict) else ():
        inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
        told += faults(value, inner, f"{path}.{name}") if inner else [f"{path}: unknown {name}"]
    for number, value in enumerate(found) if isinstance(found, list) else ():
        told += faults(value, schema["items"], f"{path}[{number}]")
    return told


def model_faults(found: Json, kind: str, path: str) -> list[str]:
    """The same for a type of Kubernetes, as its client names it: `V1Container`, `list[str]`, `dict(str, str)`."""
    if listed := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(found, list):
            return [f"{path}: {found!r} is no list"]
        return [
            fault for number, value in enumerate(found) for fault in model_faults(value, listed[1], f"{path}[{number}]")
        ]
    if mapped := re.fullmatch(r"dict\(str, (.+)\)", kind):
        if not isinstance(found, dict):
            return [f"{path}: {found!r} is no mapping"]
        return [fault for name, value in found.items() for fault in model_faults(value, mapped[1], f"{path}.{name}")]
    if kind in _PLAIN:
        return [] if isinstance(found, _PLAIN[kind]) else [f"{path}: {found!r} is no {kind}"]
    model: Any = getattr(client, kind)
    fields = {written: model.openapi_types[name] for name, written in model.attribute_map.items()}
    told: list[str] = []
    for name, value in found.items():
        told += model_faults(value, fields[name], f"{path}.{name}") if name in fields else [f"{path}: unknown {name}"]
    try:
        model(**{name: found.get(written) for name, written in model.attribute_map.items()})
    except ValueError as error:  # a field that must be there
        told.append(f"{path}: {error}")
    return told
