"""The image, and Podman's Docker API to run it with."""

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
IMAGE = "localhost/neumf-pipeline:latest"


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
    """The name of the image that `make test-containers` has built."""
    try:
        podman.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        pytest.fail(f"there is no image {IMAGE}: run `make test-containers`")
    return IMAGE


@pytest.fixture(scope="session")
def spec() -> Any:
    """The committed pipeline."""
    return yaml.safe_load((PROJECT / "kfp_pipeline.yaml").read_text(encoding="utf-8"))
