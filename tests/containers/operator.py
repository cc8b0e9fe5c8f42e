"""What the operator of TFJobs does with a manifest, imitated: containers on one network, and TF_CONFIG.

After kubeflow/training-operator 078ec30 (release 1.9), pkg/controller.v1/tensorflow: each worker has a name on the
network, `JOB-worker-N.NAMESPACE.svc`, and the container `tensorflow` gets TF_CONFIG with the port `tfjob-port` of all.
"""

import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
from components.shared.json_types import JsonObject
from tests.containers.runner import NAMELESS, NO_NAMES, run_container

_NAMESPACE = "team"


def run_tfjob(podman: docker.DockerClient, job: JsonObject, claims: Mapping[str, Path]) -> list[tuple[int, str]]:
    """Runs all workers of a job to their end, once.

    Args:
      podman: that runs the containers, as a user that has no name.
      job: the manifest.
      claims: the folder of each persistent volume claim.

    Returns:
      Of each worker, the exit code and what it printed.
    """
    replicas = job["spec"]["tfReplicaSpecs"]["Worker"]
    pod = replicas["template"]["spec"]
    (container,) = (found for found in pod["containers"] if found["name"] == "tensorflow")
    (port,) = (found["containerPort"] for found in container["ports"] if found["name"] == "tfjob-port")
    hosts = [f"{job['metadata']['name']}-worker-{index}.{_NAMESPACE}.svc" for index in range(replicas["replicas"])]
    claimed = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]}
    volumes = {
        str(claims[claimed[mount["name"]]]): {"bind": mount["mountPath"], "mode": "rw"}
        for mount in container["volumeMounts"]
    }
    network = podman.networks.create(f"tfjob-{uuid.uuid4().hex[:12]}")

    def run(index: int) -> tuple[int, str]:
        config = {
            "cluster": {"worker": [f"{host}:{port}" for host in hosts]},
            "task": {"type": "worker", "index": index},
            "environment": "cloud",
        }
        return run_container(
            podman,
            container["image"],
            container["command"],
            volumes | NO_NAMES,
            user=NAMELESS,
            environment={
                **{entry["name"]: entry["value"] for entry in container.get("env", [])},
                "TF_CONFIG": json.dumps(config),
            },
            network_disabled=False,
            network=network.name,
            networking_config={network.name: podman.api.create_endpoint_config(aliases=[hosts[index]])},
        )

    try:
        with ThreadPoolExecutor(len(hosts)) as workers:
            return list(workers.map(run, range(len(hosts))))
    finally:
        network.remove()
