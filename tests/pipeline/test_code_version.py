import os
import shutil

from components.preprocess.config import DatasetConfig
from pipeline import code_version as module
from pipeline.code_version import code_version, input_fingerprint


def test_a_component_changes_with_its_own_code_and_with_shared_code(tmp_path, monkeypatch):
    copy = tmp_path / "components"
    shutil.copytree(module._COMPONENTS, copy)
    monkeypatch.setattr(module, "_COMPONENTS", copy)
    names = ("preprocess", "negative_gen", "trainer", "evaluator")
    before = {name: code_version(name) for name in names}
    assert len(set(before.values())) == 4

    (copy / "trainer" / "__pycache__").mkdir(exist_ok=True)
    (copy / "trainer" / "__pycache__" / "extra.cpython-311.pyc").write_bytes(b"compiled")
    (copy / "trainer" / "__pycache__" / "kernels").mkdir()
    (copy / "trainer" / "__pycache__" / "kernels" / "extra.nbi").write_bytes(b"compiled")
    assert all(code_version(name) == before[name] for name in names)

    (copy / "evaluator" / "report" / "extra.css").write_text("p {}\n")
    assert [name for name in names if code_version(name) != before[name]] == ["evaluator"]
    (copy / "evaluator" / "report" / "extra.css").unlink()

    (copy / "trainer" / "extra.py").write_text("X = 1\n")
    assert [name for name in names if code_version(name) != before[name]] == ["trainer"]

    for shared in ("artifacts.py", "kernels/products.py"):
        source = (copy / shared).read_text()
        (copy / shared).write_text(f"{source}X = 1\n")
        assert all(code_version(name) != before[name] for name in names)
        (copy / shared).write_text(source)


def test_a_changed_input_file_changes_the_fingerprint(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("user,item\n")
    dataset = DatasetConfig(kind="files", path=str(tmp_path / "*.csv"))
    before = input_fingerprint(dataset)
    assert input_fingerprint(dataset) == before

    os.utime(tmp_path / "b.csv", ns=(1, 1))

    assert input_fingerprint(dataset) != before


def test_the_files_of_a_mirror_count(tmp_path):
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    (folder / "u.data").write_text("1\t1\t5\t0\n")
    dataset = DatasetConfig(kind="movielens", name="ml-100k", mirror=str(tmp_path))
    before = input_fingerprint(dataset)

    (folder / "u.data").write_text("1\t1\t5\t0\n2\t1\t5\t0\n")

    assert input_fingerprint(dataset) != before
