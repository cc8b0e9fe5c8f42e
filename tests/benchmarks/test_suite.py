"""The suite: which files it finds, what its figures are, and a whole run of it."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.suite import DataFile, Measured, find_files, results
from components.evaluator.bootstrap import Interval
from components.shared.errors import UserError


def _write(path: Path, lines: str) -> Path:
    path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
    return path


def test_csv_files_of_folders_are_found_in_the_order_of_their_names(tmp_path: Path) -> None:
    _write(tmp_path / "songs.csv.gz", "user,item,timestamp\n1,2,3\n")
    _write(tmp_path / "books.csv", "item,user\n1,2\n")
    _write(tmp_path / "README.md", "not data")
    other = tmp_path / "other"
    other.mkdir()
    alone = _write(other / "u.data", "1\t2\t5\t88\n")
    books, songs, movies = find_files([tmp_path, alone])
    assert (books.name, books.timed, books.dataset["timestamp_column"]) == ("books", False, None)
    assert (songs.name, songs.timed) == ("songs", True)
    assert songs.dataset == {"kind": "files", "path": str(tmp_path / "songs.csv.gz")}
    assert (movies.name, movies.timed, movies.dataset["header"]) == ("ml-100k", True, False)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no CSV file in .*" + tmp_path.name):
        find_files([tmp_path])
    with pytest.raises(UserError, match="nowhere is not there"):
        find_files([tmp_path / "nowhere"])
    _write(tmp_path / "a.csv", "person,thing\n")
    with pytest.raises(UserError, match=r"a\.csv: its first line has to name .* not person,thing"):
        find_files([tmp_path])


def _measured(name: str, timed: bool, new_users: Interval | None = None, **figures: tuple[float, float]) -> Measured:
    means = {system: {"HR@10": hr, "NDCG@10": ndcg} for system, (hr, ndcg) in figures.items()}
    return Measured(DataFile(name, {}, timed), means, seconds=70.0, blessed=0.5, new_users=new_users)


def test_ratios_are_to_the_best_baseline_of_each_metric() -> None:
    found = {
        result.name: result
        for result in results(
            [
                _measured("lastfm", False, model=(0.3, 0.1), als=(0.2, 0.1), ease=(0.25, 0.2)),
                _measured("songs", True, model=(0.4, 0.2), als=(0.1, 0.04), popularity=(0.05, 0.01)),
            ]
        )
    }
    assert found["lastfm_ratio_to_best_baseline"].value == pytest.approx(0.5)
    assert found["ratio_to_best_baseline_least"].value == pytest.approx(0.5)
    assert found["ratio_to_best_baseline_mean"].value == pytest.approx((1.2 + 0.5 + 4 + 5) / 4)
    assert found["ratio_to_als_least"].value == pytest.approx(1.0)
    assert found["ratio_to_als_timed_least"].value == pytest.approx(4.0)
    assert found["ratio_to_best_baseline_least"].ok is False
    assert found["lastfm_seconds"].ok is False
    assert found["songs_seconds"].ok is None
    assert found["songs_ndcg10_als"].value == 0.04
    assert "new_users_ratio_least" not in found


def _untimed(ratios: dict[str, Interval | None]) -> list[tuple[str, bool, Interval | None]]:
    return [(name, False, ratio) for name, ratio in ratios.items()]


def test_the_least_ratio_of_new_users_counts() -> None:
    systems = {"model": (0.3, 0.1), "als": (0.2, 0.1)}
    ratios = {"a": Interval(0.97, 0.9, 1.0), "b": Interval(0.9, 0.83, 0.96), "c": None}
    found = {result.name: result for result in results([_measured(*one, **systems) for one in _untimed(ratios)])}
    assert (found["a_new_users_ratio"].value, found["b_new_users_ratio"].value) == (0.97, 0.9)
    assert (found["a_new_users_ratio_low"].value, found["a_new_users_ratio_high"].value) == (0.9, 1.0)
    assert "c_new_users_ratio" not in found
    assert found["new_users_ratio_least_at_most"].value == 0.96
    assert (found["new_users_ratio_least"].value, found["new_users_ratio_least"].ok) == (0.9, False)


def test_without_times_there_is_no_ratio_of_timed_data() -> None:
    names = [result.name for result in results([_measured("songs", False, model=(0.3, 0.1), popularity=(0.2, 0.1))])]
    assert not [name for name in names if "als" in name]


@pytest.mark.slow
def test_a_folder_goes_through_whole_runs(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [
        f"{user},{item}"
        for user in range(150)
        for item in random.choice(60, 25, replace=False)
    ]  # fmt: skip
    _write(tmp_path / "small.csv.gz", "\n".join(["user,item", *rows]) + "\n")
    _write(tmp_path / "tiny.csv", "user,item\n1,2\n")  # too little to run on
    what = ["accuracy", "--suite", "--data", str(tmp_path), "--seeds", "2", "--set", "trainer.epochs=1"]
    # Few factors: with all of the rank, new users are ranked as if they had been trained on.
    what += ["--set", "negatives.num_eval_negatives=20", "--set", "trainer.history_factors=0"]
    what += ["--set", "trainer.num_factors=8"]
    outcome = CliRunner().invoke(main, [*what, "--json", str(tmp_path / "found.json")])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit), outcome.exception
    found = {row["name"]: row["value"] for row in json.loads((tmp_path / "found.json").read_text())["results"]}
    assert 0 < found["small_hr10_als"] < 1
    assert found["new_users_ratio_least"] == found["small_new_users_ratio"] >= 0
    # Of fifteen new users all may be ranked alike; test_new_users has intervals that are wider than nothing.
    low, high = found["small_new_users_ratio_low"], found["small_new_users_ratio_high"]
    assert low <= found["small_new_users_ratio"] <= high
    assert found["small_seconds"] > 1
    assert "small_hr10_recent_items" not in found  # without times
    assert "ratio_to_als_timed_least" not in found
    assert found["ratio_to_best_baseline_least"] == found["small_ratio_to_best_baseline"]
    assert found["tiny_failed"] == 1
