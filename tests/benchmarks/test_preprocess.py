"""The comparison is fair: DuckDB's tables are ours."""

import pyarrow.parquet as pq
import pytest

from benchmarks import preprocess
from components.preprocess.datasets.synthetic import SyntheticConfig, write_csv

pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preprocess")
    path = folder / "ratings.csv"
    write_csv(str(path), SyntheticConfig(users=300, items=200, interactions=12_000), seed=1)
    lines = path.read_text().splitlines()
    # Duplicates, ties in time, and users below the minimum.
    more = [*lines[1:4000:3], *(line.rsplit(",", 1)[0] + ",5" for line in lines[2:4000:7])]
    more += [f"999999,{line.split(',')[1]},3,7" for line in lines[1:12]]
    path.write_text("\n".join(lines + more) + "\n")
    preprocess.run_ours(str(path), str(folder / "ours"))
    preprocess.run_duckdb(str(path), str(folder / "duckdb"))
    return folder


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_same_rows(outputs, split):
    ours = pq.read_table(outputs / "ours" / "interactions" / f"Split-{split}" / "shard-00000-of-00001.parquet")
    peer = pq.read_table(outputs / "duckdb" / f"{split}.parquet")
    assert ours.num_rows > 250
    assert ours.to_pydict() == peer.to_pydict()


@pytest.mark.parametrize("name", ["users", "items"])
def test_same_indexes_and_counts(outputs, name):
    ours = pq.read_table(outputs / "ours" / "vocabulary" / f"{name}.parquet")
    assert ours.to_pydict() == pq.read_table(outputs / "duckdb" / f"{name}.parquet").to_pydict()
