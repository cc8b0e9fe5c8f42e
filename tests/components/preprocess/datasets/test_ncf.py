import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.preprocess.datasets import ncf
from components.preprocess.given_split import GivenSplit, RawPairs
from components.shared.errors import UserError

# User 30 has no test row. User 7's item 5 comes twice, and is rated again at the test row's time.
TRAIN = "7\t5\t4\t100\n30\t9\t1\t3\n7\t2\t3\t50\n7\t5\t2\t300\n7\t11\t2\t300\n9\t5\t5\t80\n7\t3\t1\t10\n"
TEST = "9\t2\t5\t90\n7\t3\t1\t999\n"
NEGATIVE = "(7,3)\t9\t40\t9\n(9,2)\t3\t2\t11\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.train.rating").write_text(TRAIN)
    (tmp_path / "tiny.test.rating").write_text(TEST)
    (tmp_path / "tiny.test.negative").write_text(NEGATIVE)
    (tmp_path / "README").write_text("?")
    return tmp_path


def fault(folder: Path) -> str:
    with pytest.raises(UserError) as error:
        ncf.read(str(folder))
    message = str(error.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def same(one: GivenSplit, other: GivenSplit) -> bool:
    return repr(one) == repr(other)


def as_lists(pairs: RawPairs | None) -> list[list[int]] | None:
    return None if pairs is None else [pairs[0].tolist(), pairs[1].tolist()]


def test_reads_what_is_there(folder: Path) -> None:
    data = ncf.read(str(folder), validation=False)
    assert as_lists(data.train) == [[7, 7, 7, 9, 30], [2, 5, 11, 5, 9]]
    assert data.validation is None
    assert as_lists(data.test) == [[7, 9], [3, 2]]
    assert as_lists(data.negatives) == [[7, 9], [[9, 40, 9], [3, 2, 11]]]
    assert (data.rows_read, data.duplicates) == (9, 2)


def test_validation_is_the_last_training_row_of_users_with_two(folder: Path) -> None:
    data = ncf.read(str(folder), validation=True)
    assert as_lists(data.train) == [[7, 7, 9, 30], [2, 5, 5, 9]]
    assert as_lists(data.validation) == [[7], [11]]


def test_gzip_and_windows_line_ends(folder: Path) -> None:
    plain = ncf.read(str(folder))
    for file in list(folder.glob("tiny.*")):
        text = file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n"
        file.unlink()
        with gzip.open(f"{file}.gz", "wb") as packed:
            packed.write(text)
    assert same(ncf.read(str(folder)), plain)


@pytest.mark.parametrize("suffix", ["train.rating", "test.rating", "test.negative"])
def test_missing_file(folder: Path, suffix: str) -> None:
    (folder / f"tiny.{suffix}").unlink()
    assert f"has no tiny.{suffix} (nor tiny.{suffix}.gz)" in fault(folder)


def test_folder_without_files(tmp_path: Path) -> None:
    assert "is not a folder with NAME.train.rating" in fault(tmp_path)
    assert "is not a folder with NAME.train.rating" in fault(tmp_path / "nowhere")


def test_several_names(folder: Path) -> None:
    (folder / "other.test.rating").write_text(TEST)
    assert "has files of other, tiny;" in fault(folder)


@pytest.mark.parametrize("suffix", ["train.rating", "test.rating", "test.negative"])
def test_empty_file(folder: Path, suffix: str) -> None:
    (folder / f"tiny.{suffix}").write_text("\n")
    assert fault(folder) == f"tiny.{suffix} is empty"


@pytest.mark.parametrize(
    ("suffix", "line", "expected"),
    [
        ("train.rating", "7\t8\t4", "3 columns where 4 are expected"),
        ("train.rating", "7\t8\t4\t1\t1", "5 columns where 4 are expected"),
        ("train.rating", "seven\t8\t4\t1", "'seven' is not an integer"),
        ("train.rating", "7\t\t4\t1", "'' is not an integer"),
        ("train.rating", "7\t8\t4\tNaN", "'NaN' is not an integer"),
        ("train.rating", "7\t99999999999999999999\t4\t1", "'99999999999999999999' is not an integer"),
        ("test.rating", "7,8,4,1", "1 column where 4 are expected"),
        ("test.negative", "(30,9)\t1\t2", "3 columns where 4 are expected"),
        ("test.negative", "30\t1\t2\t3", "'30' is not a pair such as (0,25)"),
        ("test.negative", "(30,9)\t1\tx\t3", "'x' is not an integer"),
    ],
)
def test_malformed_line(folder: Path, suffix: str, line: str, expected: str) -> None:
    file = folder / f"tiny.{suffix}"
    good = file.read_text().splitlines()
    file.write_text("\n".join([good[0], "", line, *good[1:]]) + "\n")
    assert fault(folder) == f"tiny.{suffix} line 3: {expected}"


def test_negatives_without_negatives(folder: Path) -> None:
    (folder / "tiny.test.negative").write_text("(7,3)\n(9,2)\n")
    assert fault(folder) == "tiny.test.negative line 1: 1 column where 2 are expected"


def test_not_utf8(folder: Path) -> None:
    (folder / "tiny.train.rating").write_bytes(b"7\t5\t1\t1\n7\t5\t\xff\t100\n")
    assert fault(folder) == "tiny.train.rating line 2: not UTF-8"


def test_truncated_gzip(folder: Path) -> None:
    file = folder / "tiny.train.rating"
    packed = gzip.compress(TRAIN.encode() * 100)
    (folder / "tiny.train.rating.gz").write_bytes(packed[: len(packed) // 2])
    file.unlink()
    assert "tiny.train.rating.gz is not a whole gzip file" in fault(folder)


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        ("test.rating", TEST + "8\t2\t1\t1\n", "tiny.test.negative: user 8 of tiny.test.rating has no line"),
        ("test.rating", TEST + "7\t2\t1\t1\n", "tiny.test.rating: user 7 has more than one row"),
        ("test.rating", "7\t3\t1\t999\n", "tiny.test.negative: user 9 has no row in tiny.test.rating"),
        ("test.negative", NEGATIVE + "(7,3)\t1\t2\t3\n", "tiny.test.negative: user 7 has more than one row"),
        (
            "test.negative",
            NEGATIVE.replace("(9,2)", "(9,4)"),
            "tiny.test.negative: the line of user 9 is for item 4, but tiny.test.rating has 2",
        ),
        ("train.rating", "7\t5\t4\t100\n", "tiny.test.rating: user 9 has no row in tiny.train.rating"),
        ("train.rating", "7\t5\t4\t1\n9\t2\t5\t90\n", "tiny.test.rating: user 9 has no row in tiny.train.rating"),
    ],
)
def test_contradictions(folder: Path, suffix: str, text: str, expected: str) -> None:
    (folder / f"tiny.{suffix}").write_text(text)
    assert fault(folder).startswith(expected)


def test_the_paper_s_ml_1m(shared_data: Path) -> None:
    data = ncf.read(str(shared_data / "ml-1m-ncf"), validation=False)
    user, item = data.train
    assert user.shape == item.shape == (994_169,)
    assert (np.diff(user) >= 0).all()
    assert data.negatives is not None
    negatives = data.negatives[1]
    assert negatives.shape == (6_040, 99)
    assert len(np.unique(user)) == len(data.test[0]) == 6_040
    assert len(np.union1d(item, data.test[1])) == 3_706
    assert (data.rows_read, data.duplicates) == (1_000_209, 0)
    assert (negatives == data.test[1][:, None]).any(axis=1).sum() == 156

    # The published figure of ItemPop, with the positive's own copies among the negatives left out.
    popularity = np.bincount(item, minlength=3_706)
    rivals = popularity[negatives] >= popularity[data.test[1]][:, None]
    ahead = (rivals & (negatives != data.test[1][:, None])).sum(axis=1)
    assert (ahead < 10).mean() == pytest.approx(0.4535, abs=0.001)


def test_the_paper_s_ml_1m_with_validation(shared_data: Path) -> None:
    data = ncf.read(str(shared_data / "ml-1m-ncf"))
    assert data.validation is not None
    assert len(data.validation[0]) == 6_040
    assert len(data.train[0]) == 994_169 - 6_040
    raw = pd.read_csv(shared_data / "ml-1m-ncf" / "ml-1m.train.rating.gz", sep="\t", names=list("uirt"))
    last = raw.sort_values(["u", "t", "i"]).groupby("u").i.last()
    assert as_lists(data.validation) == [last.index.tolist(), last.tolist()]
