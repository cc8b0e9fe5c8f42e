"""Runs a container to its end, which can write to `/tmp` and to what is mounted for it, and to nothing else.

kfp's own way of doing it cannot fail, on Podman's Docker API: kfp 2.16 has the container removed as soon as it ends,
and takes one that is gone for one that succeeded; it leaves the image's entry point in place; and it does not know an
image by Podman's name for it.
"""

import time
from typing import Any

import docker

NAMELESS = "12345"  # a user
NO_NAMES: dict[str, Any] = {"/dev/null": {"bind": "/etc/passwd", "mode": "ro"}}  # or Podman makes one up for each user
# Podman's Docker API has three folders writable in a read-only container, if they are not named.
_READ_ONLY: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "mode=1777", "/var/tmp": "ro", "/run": "ro"},
}
_NO_NETWORK: dict[str, Any] = {"network_disabled": True}


def run_container(
    client: docker.DockerClient, image: str, command: list[str], volumes: dict[str, Any], **arguments: Any
) -> tuple[int, str]:
    """Returns the exit code and what the container printed: one stream, then the other, so that no line is torn."""
    container = client.containers.create(
        image, command[1:], entrypoint=command[:1], volumes=volumes, **_READ_ONLY | _NO_NETWORK | arguments
    )
    try:
        container.start()
        while container.status != "exited":  # Podman's own waiting, as this API asks for it, keeps a core busy
            time.sleep(0.2)
            container.reload()
        printed = container.logs(stderr=False) + container.logs(stdout=False)
        return container.attrs["State"]["ExitCode"], printed.decode(errors="replace")
    finally:
        container.remove(force=True)


def run_docker_container(
    client: docker.DockerClient, image: str, command: list[str], volumes: dict[str, Any], **arguments: Any
) -> int:
    """In place of `kfp.local.docker_task_handler.run_docker_container`."""
    code, printed = run_container(client, image, command, volumes, **arguments)
    print(printed)
    return code
