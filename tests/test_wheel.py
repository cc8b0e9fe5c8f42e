"""The wheel, built and installed as a user does, and used away from the checkout."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.cli import main

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("components", "configs", "pipeline")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, from a copy of what it is made of: building leaves files beside the source."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(built), str(source))
    (found,) = built.iterdir()
    return found


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a folder outside the checkout to run its programs in."""

    folder: Path
    elsewhere: Path

    @property
    def site(self) -> Path:
        return self.folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "bin" / program), *arguments]
        return subprocess.run(command, cwd=self.elsewhere, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Holds the wheel; the packages of the lock are those of this environment, so that nothing is installed twice."""
    made = Environment(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.folder)], check=True)
    (made.site / "lock.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip("--python", str(made.folder / "bin" / "python"), "install", str(wheel))
    return made


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_it_holds_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    files = {path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()}
    expected = {str(path) for path in files if "__pycache__" not in path.parts}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_it_says_its_version_and_brings_its_licence(wheel: Path, environment: Environment) -> None:
    (installed,) = importlib.metadata.distributions(name="neumf-pipeline", path=[str(environment.site)])
    assert installed.version == PROJECT["project"]["version"]
    assert installed.metadata["License-Expression"] == "Apache-2.0"
    licence = installed.read_text("licenses/LICENSE")
    assert licence == (ROOT / "LICENSE").read_text()


def test_the_code_comes_from_the_wheel_and_knows_its_version(environment: Environment) -> None:
    code = """
import components, pipeline
from components.evaluator.report import git_version
print(components.__file__, pipeline.__file__, git_version(), sep="\\n")
"""
    done = environment.run("python", "-c", code)
    expected = [str(environment.site / name / "__init__.py") for name in ("components", "pipeline")]
    assert done.stdout.splitlines() == [*expected, PROJECT["project"]["version"]], done.stderr


def test_the_program_has_every_command(environment: Environment) -> None:
    done = environment.run("neumf", "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: neumf [OPTIONS] COMMAND")
    assert set(re.findall(r"^  ([a-z-]+) ", done.stdout.partition("Commands:")[2], flags=re.MULTILINE)) == {
        *main.commands
    }


def test_without_a_configuration_it_takes_the_one_of_the_wheel(environment: Environment) -> None:
    done = environment.run("neumf", "run", "--set", "trainer.epochs=0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --set trainer.epochs=0: trainer.epochs: input should be greater than or equal to 1 (got 0)\n"
    )
    assert Path(environment.site, "configs", "synthetic.yaml").is_file()
    assert not list(environment.elsewhere.iterdir())


@pytest.mark.slow
def test_a_model_that_is_not_there_is_told_in_one_line(environment: Environment) -> None:
    done = environment.run("neumf", "recommend", "--model", "absent", "--user", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: .*absent.*\n", done.stderr)


def test_the_lock_meets_every_requirement_but_those_overridden(environment: Environment) -> None:
    (installed,) = importlib.metadata.distributions(name="neumf-pipeline", path=[str(environment.site)])
    overridden = {Requirement(text).name for text in PROJECT["tool"]["uv"]["override-dependencies"]}
    lock = (ROOT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9._-]+)==([^ \\;]+)", lock, flags=re.MULTILINE))
    needed = {requirement for text in installed.requires or [] for requirement in closure(Requirement(text))}
    assert {name_of(requirement) for requirement in needed} <= locked.keys()
    unmet = {one for one in needed if not one.specifier.contains(locked[name_of(one)], prereleases=True)}
    assert {name_of(one) for one in unmet} <= overridden
    assert not unmet & {Requirement(text) for text in installed.requires or []}


def name_of(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


def closure(root: Requirement) -> Iterator[Requirement]:
    """A requirement and, at the versions installed here, all that it brings along."""
    reached, waiting = set(), [(root, "")]
    while waiting:
        requirement, extra = waiting.pop()
        if (requirement, extra) in reached or not holds(requirement, extra):
            continue
        reached.add((requirement, extra))
        yield requirement
        texts = importlib.metadata.requires(requirement.name) or []
        waiting += [(Requirement(text), of) for text in texts for of in ("", *requirement.extras)]


def holds(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
