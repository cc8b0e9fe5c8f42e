import os
import shutil
from pathlib import Path

import pytest

from components.preprocess.config import DatasetConfig
from components.shared.sources import PACKAGE
from pipeline.code_version import code_version, input_fingerprint

COMPONENTS = ("preprocess", "negative_gen", "trainer", "evaluator", "pusher")
ALL = set(COMPONENTS)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKAGE, tmp_path / "components", ignore=shutil.ignore_patterns("__pycache__")))


def versions(package: Path) -> dict[str, str]:
    code_version.cache_clear()
    return {name: code_version(name, package) for name in COMPONENTS}


def changed_by(file: Path, package: Path, line: str = "# A comment.") -> set[str]:
    before = versions(package)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as source:
        source.write(f"{line}\n")
    after = versions(package)
    return {name for name in COMPONENTS if after[name] != before[name]}


def test_the_components_differ(copy: Path) -> None:
    assert len(set(versions(copy).values())) == len(COMPONENTS)
    assert versions(copy) == versions(PACKAGE)


@pytest.mark.parametrize(
    ("file", "components"),
    [
        ("shared/als.py", {"trainer", "evaluator"}),
        ("kernels/products.py", {"trainer", "evaluator"}),
        ("evaluator/report/style.css", {"evaluator"}),
        ("evaluator/report/templates/gate.html", {"evaluator"}),
        ("evaluator/gate.py", {"evaluator"}),
        ("trainer/run_fn.py", {"trainer"}),
        ("trainer/engines/cpu/adam.py", {"trainer"}),
        ("preprocess/readers/text/__init__.py", {"preprocess"}),
        ("negative_gen/loops.py", {"negative_gen"}),
        ("sampling/loops.py", {"negative_gen", "trainer"}),
        ("artifacts/records.py", {"negative_gen", "trainer", "evaluator"}),
        ("shared/errors.py", ALL),
        ("shared/progress.py", ALL),
        ("__init__.py", ALL),
        ("trainer/component.py", set()),
        ("trainer/__pycache__/loop.cpython-311.pyc", set()),
        ("trainer/engines/__pycache__/loop.nbi", set()),
        ("trainer/imported_by_nobody.py", set()),
    ],
)
def test_a_change_runs_again_what_imports_the_file_and_no_more(file: str, components: set[str], copy: Path) -> None:
    assert changed_by(copy / file, copy) == components


@pytest.mark.parametrize(
    "line", ["from components.shared.als import fit", "def f():\n    import components.shared.als\n"]
)
def test_what_a_component_comes_to_import_counts_from_then_on(line: str, copy: Path) -> None:
    with (copy / "pusher" / "executor.py").open("a") as source:
        source.write(f"{line}\n")
    assert changed_by(copy / "shared" / "als.py", copy) == {"trainer", "evaluator", "pusher"}


def test_a_changed_input_file_changes_the_fingerprint(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("user,item\n")
    dataset = DatasetConfig(kind="files", path=str(tmp_path / "*.csv"))
    before = input_fingerprint(dataset)
    assert input_fingerprint(dataset) == before

    os.utime(tmp_path / "b.csv", ns=(1, 1))

    assert input_fingerprint(dataset) != before


def test_the_files_of_a_mirror_count(tmp_path: Path) -> None:
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    (folder / "u.data").write_text("1\t1\t5\t0\n")
    dataset = DatasetConfig(kind="movielens", name="ml-100k", mirror=str(tmp_path))
    before = input_fingerprint(dataset)

    (folder / "u.data").write_text("1\t1\t5\t0\n2\t1\t5\t0\n")

    assert input_fingerprint(dataset) != before
