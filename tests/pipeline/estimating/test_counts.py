import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from components.preprocess.config import PreprocessConfig
from components.preprocess.datasets.bigquery import BigQuery
from components.preprocess.datasets.files import Files
from components.preprocess.datasets.movielens import RELEASES, MovieLens
from components.preprocess.datasets.ncf import NcfFiles
from components.preprocess.datasets.synthetic import Synthetic
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, write_csv
from components.shared.errors import UserError
from pipeline.estimating import counts
from pipeline.estimating.counts import find_counts

SHAPE = SyntheticConfig(users=3_000, items=500, interactions=300_000)
COLUMNS = {"user_column": "userId", "item_column": "movieId"}
DEFAULTS = PreprocessConfig()


@pytest.fixture(scope="module")
def ratings(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    write_csv(str(path), SHAPE, seed=1)
    return path


def test_synthetic_data_has_what_is_configured():
    found = find_counts(Synthetic(synthetic_users=30, synthetic_items=40, synthetic_interactions=500), DEFAULTS)
    assert found is not None
    assert (found.rows, found.users, found.items) == (500, 30, 40)
    assert (found.train, found.validation, found.test) == (440, 30, 30)
    assert found.generated


def test_a_release_has_what_is_published_and_is_not_downloaded():
    found = find_counts(MovieLens(name="ml-1m", mirror="http://127.0.0.1:9/nothing"), DEFAULTS, quick=True)
    assert found is not None
    assert (found.rows, found.users, found.train) == (1_000_209, 6_040, 1_000_209 - 2 * 6_040)
    assert set(counts.PUBLISHED) <= set(RELEASES)


@pytest.mark.parametrize(
    ("keys", "train", "validation", "test"),
    [
        ({"validation": False}, 470, 0, 30),
        ({"split": "random", "split_share": 0.2}, 300, 30, 30),
        ({"split": "time", "split_share": 0.02, "validation": False}, 490, 0, 10),
    ],
)
def test_rows_are_held_out_as_the_split_says(keys, train, validation, test):
    data = Synthetic(synthetic_users=30, synthetic_items=40, synthetic_interactions=500)
    found = find_counts(data, PreprocessConfig(**keys))
    assert found is not None
    assert (found.train, found.validation, found.test) == (train, validation, test)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_files_are_counted_by_a_sample(ratings, tmp_path, form):
    path = tmp_path / f"ratings.{form}"
    if form == "parquet":
        pq.write_table(pyarrow.csv.read_csv(ratings), path)
    else:
        path.write_bytes(gzip.compress(ratings.read_bytes()) if form.endswith("gz") else ratings.read_bytes())
    found = find_counts(Files(path=str(path), **COLUMNS), DEFAULTS, quick=True)
    assert found is not None
    assert found.rows == pytest.approx(SHAPE.interactions, rel=0 if form == "parquet" else 0.2)
    assert found.users == pytest.approx(SHAPE.users, rel=0.2)
    assert found.items == pytest.approx(SHAPE.items, rel=0.2)
    assert found.in_order


@pytest.mark.parametrize("sorted_by_user", [True, False])
def test_users_are_counted_whatever_the_order_of_the_rows(sorted_by_user):
    random = np.random.default_rng(0)
    users = random.integers(5_000, size=400_000)
    users = np.sort(users) if sorted_by_user else users
    blocks = [pa.array(part[:20_000].astype(str)) for part in np.split(users, 4)]
    assert counts._extrapolated(blocks, len(users)) == pytest.approx(5_000, rel=0.3)


def test_a_quick_look_reads_nothing_whole_and_nothing_from_elsewhere(tmp_path):
    assert find_counts(NcfFiles(path=str(tmp_path)), DEFAULTS, quick=True) is None
    assert find_counts(Files(path="http://127.0.0.1:9/ratings.csv"), DEFAULTS, quick=True) is None


def test_a_query_is_not_run_to_be_counted():
    assert find_counts(BigQuery(table="shop.web.clicks"), DEFAULTS) is None


def test_files_that_are_not_there_are_told(tmp_path):
    with pytest.raises(UserError, match="is not there"):
        find_counts(Files(path=str(tmp_path / "none.csv")), DEFAULTS)


def test_rows_that_cannot_be_read_are_no_matter(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,timestamp\n" + "".join(f"{row % 9},{row % 7},{row}\n" for row in range(99)) + "a,,b\n")
    found = find_counts(Files(path=str(path)), DEFAULTS)
    assert found is not None
    assert (found.users, found.items) == (9, 7)
