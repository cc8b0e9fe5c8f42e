import pytest

import docker
from tests.containers.runner import NAMELESS, NO_NAMES, run_container

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

_SIZES = """
import os, sys
def size(path):
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)
site = next(path for path in sys.path if path.endswith("site-packages"))
sizes = {name: size(os.path.join(site, name)) for name in os.listdir(site)}
bytecode = sum(
    size(os.path.join(folder, "__pycache__")) for folder, names, _ in os.walk(site) if "__pycache__" in names
)
for name, value in sorted(sizes.items(), key=lambda entry: -entry[1])[:20]:
    print(f"{value / 1e6:8.0f} MB  {name}")
print(f"{sum(sizes.values()) / 1e6:8.0f} MB  all packages, of which {bytecode / 1e6:.0f} MB are bytecode")
"""

_LEFTOVERS = """
import pathlib, shutil
tools = [tool for tool in ("gcc", "g++", "cc", "strip", "pip", "uv") if shutil.which(tool)]
folders = [pathlib.Path(name).expanduser() for name in ("/var/lib/apt/lists", "~root/.cache", "/build")]
print(tools + [str(path) for folder in folders for path in folder.glob("*")])
"""

_WRITABLE = """
import os
apart = "/dev", "/proc", "/sys"
folders = (folder for folder, _, _ in os.walk("/") if not folder.startswith(apart))
print(*(folder for folder in folders if os.access(folder, os.W_OK)))
"""

_NAMES = """
import getpass, os, pwd
getpass.getuser()
try:
    print(pwd.getpwuid(os.getuid()))
except KeyError:
    print("nobody", flush=True)
from pipeline import entrypoint
entrypoint.main(["--help"])
"""

_IMPORTS_AND_LOOPS = """
import importlib, pkgutil, sys
import components, pipeline, scripts
for package in components, pipeline, scripts:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
sys.exit(scripts.compile_ahead.main())
"""


def test_it_is_small_enough(podman: docker.DockerClient, image: str) -> None:
    size = podman.images.get(image).attrs["Size"]
    _, table = run_container(podman, image, ["python", "-c", _SIZES], {})
    print(f"{size / 1e9:.2f} GB\n{table}")
    assert size <= 2.5e9


def test_it_runs_as_somebody_without_rights(podman: docker.DockerClient, image: str) -> None:
    attributes = podman.images.get(image).attrs
    assert attributes["Config"]["User"] == "1000"
    assert attributes["Config"]["Labels"]["org.opencontainers.image.title"] == "neumf-pipeline"
    checks = "id -u; for folder in /gcs /minio /s3 /tmp; do touch $folder/x || exit 1; done; touch /app/x 2>&1"
    code, printed = run_container(podman, image, ["sh", "-c", checks], {}, read_only=False)
    assert (code, printed.splitlines()[0]) == (1, "1000")
    assert "/app/x" in printed.splitlines()[-1]


def test_no_tools_of_the_build_are_left(podman: docker.DockerClient, image: str) -> None:
    _, printed = run_container(podman, image, ["python", "-c", _LEFTOVERS], {}, user="0")
    assert printed == "[]\n"


def test_containers_here_can_write_to_tmp_alone(podman: docker.DockerClient, image: str) -> None:
    """Even as root: what the other tests show not to be needed is not there."""
    assert run_container(podman, image, ["python", "-c", _WRITABLE], {}, user="0") == (0, "/tmp\n")


def test_all_imports_and_the_loops_are_compiled_ahead(podman: docker.DockerClient, image: str) -> None:
    code, printed = run_container(podman, image, ["python", "-c", _IMPORTS_AND_LOOPS], NO_NAMES, user=NAMELESS)
    assert code == 0, printed


def test_any_user_without_a_name_can_run_it(podman: docker.DockerClient, image: str) -> None:
    code, printed = run_container(podman, image, ["python", "-c", _NAMES], NO_NAMES, user=NAMELESS)
    assert (code, printed.splitlines()[0]) == (0, "nobody"), printed
