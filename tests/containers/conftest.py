"""The image, built from this checkout, and Podman's Docker API to run it with."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import docker

PROJECT = Path(__file__).resolve().parents[2]
IMAGE = "neumf-pipeline:latest"


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.DockerClient]:
    """A client of Podman's service, which also answers to DOCKER_HOST."""
    # The containers' user is not ours: what it has to write into must be open to all.
    mask = os.umask(0)
    socket = f"unix://{tmp_path_factory.mktemp('podman')}/podman.sock"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(PROJECT / "docker" / "containers.conf"))
        patch.setenv("DOCKER_HOST", socket)
        service = subprocess.Popen(["podman", "system", "service", "--time=0", socket])
        try:
            yield _connected(socket)
        finally:
            service.terminate()
            service.wait(30)
            os.umask(mask)


def _connected(socket: str) -> docker.DockerClient:
    deadline = time.monotonic() + 60
    while True:
        try:
            client = docker.DockerClient(socket, timeout=600)
            client.ping()
            return client
        except (docker.errors.DockerException, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.fixture(scope="session")
def image(podman: docker.DockerClient) -> str:
    """The name of the image, which is built anew; Podman keeps the layers that are unchanged."""
    start = time.monotonic()
    environment = {**os.environ, "IMAGE": f"localhost/{IMAGE}"}
    del environment["DOCKER_HOST"]
    subprocess.run(["sh", "scripts/build_image.sh"], cwd=PROJECT, env=environment, check=True)
    print(f"built in {time.monotonic() - start:.0f} s")
    return f"localhost/{IMAGE}"


@pytest.fixture(scope="session")
def spec() -> Any:
    """The committed pipeline."""
    return yaml.safe_load((PROJECT / "kfp_pipeline.yaml").read_text(encoding="utf-8"))
