import errno

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from components.artifacts.examples import ExamplesSummary, list_training_files
from components.artifacts.records import BatchWriter, read_batches
from components.artifacts.vocabulary import write_vocabulary
from components.sampling import drawing, training_files
from components.shared.errors import UserError
from tests.components.negative_gen.helpers import (
    contents,
    make_job,
    random_data,
    read_epoch,
    run,
    write_artifacts,
)

BATCH = 1000


def pairs(data):
    return np.array([(user, item) for user, items in enumerate(data.train) for item in items])


def fresh_rows(data, examples, epoch):
    """The rows of an epoch without those that fill up the first batch."""
    rows = read_epoch(examples, epoch)
    short = 5 * len(pairs(data)) % BATCH
    return {name: np.concatenate([values[:short], values[BATCH:]]) for name, values in rows.items()}


@pytest.fixture(scope="module")
def epochs(ml_100k, ml_100k_examples):
    return [fresh_rows(ml_100k, ml_100k_examples, epoch) for epoch in range(2)]


@pytest.fixture(scope="module")
def seen(ml_100k):
    matrix = np.zeros((ml_100k.users, ml_100k.items), bool)
    matrix[tuple(pairs(ml_100k).T)] = True
    return matrix


def negatives_of(rows):
    return rows["user"][rows["label"] == 0], rows["item"][rows["label"] == 0]


def test_the_shape_of_an_epoch_is_known_before(ml_100k, ml_100k_examples):
    summary = ExamplesSummary.read(str(ml_100k_examples))
    rows = 5 * len(pairs(ml_100k))
    assert summary.rows_per_epoch == rows
    assert summary.batches_per_epoch == -(-rows // BATCH)
    for epoch in range(2):
        files = list_training_files(str(ml_100k_examples), epoch)
        assert [file.split("/")[-1] for file in files] == [
            f"epoch-0000{epoch}-shard-0000{shard}-of-00005.tfrecord" for shard in range(5)
        ]
        batches = [batch for file in files for batch in read_batches(file)]
        assert len(batches) == summary.batches_per_epoch
        assert {len(values) for batch in batches for values in batch.values()} == {BATCH}


def test_each_positive_appears_once_in_an_epoch(ml_100k, epochs):
    wanted = np.unique(pairs(ml_100k), axis=0)
    for rows in epochs:
        positive = rows["label"] == 1
        found = np.stack([rows["user"][positive], rows["item"][positive]], axis=1)
        np.testing.assert_array_equal(found[np.lexsort(found.T[::-1])], wanted)


def test_no_negative_is_a_training_positive_of_its_user(seen, epochs):
    for rows in epochs:
        assert not seen[negatives_of(rows)].any()


def test_a_held_out_item_may_be_a_negative(ml_100k, epochs):
    test_item = np.array([ml_100k.held_out["test"][user] for user in range(ml_100k.users)])
    user, item = negatives_of(epochs[0])
    assert (test_item[user] == item).any()


def test_every_user_gets_four_negatives_for_each_positive(ml_100k, seen, epochs):
    for rows in epochs:
        counts = np.bincount(negatives_of(rows)[0], minlength=ml_100k.users)
        np.testing.assert_array_equal(counts, 4 * seen.sum(axis=1))


def test_the_batch_that_is_filled_up_holds_rows_of_the_epoch_without_repeats(ml_100k, ml_100k_examples, epochs):
    short = 5 * len(pairs(ml_100k)) % BATCH
    first = {name: values[:BATCH] for name, values in read_epoch(ml_100k_examples, 0).items()}
    rows = list(zip(*(first[name].tolist() for name in ("user", "item", "label")), strict=True))
    others = set(zip(*(epochs[0][name][short:].tolist() for name in ("user", "item", "label")), strict=True))
    assert set(rows[short:]) <= others
    assert first["label"].mean() == pytest.approx(0.2, abs=0.05)


def test_epochs_are_independent(seen, epochs):
    first, second = (np.zeros(seen.shape, bool), np.zeros(seen.shape, bool))
    for drawn, rows in zip((first, second), epochs, strict=True):
        drawn[negatives_of(rows)] = True
    cells = (~seen).sum(axis=1)
    once = 1 - (1 - 1 / cells) ** (4 * seen.sum(axis=1))
    assert (first & second).sum() == pytest.approx((cells * once**2).sum(), rel=0.01)
    assert (epochs[0]["user"] == epochs[1]["user"]).mean() < 0.02


def test_negatives_are_uniform_over_the_items_that_a_user_has_not_seen(ml_100k, seen, epochs):
    counts = np.zeros(seen.shape)
    for rows in epochs:
        np.add.at(counts, negatives_of(rows), 1)
    draws, cells = counts.sum(axis=1), (~seen).sum(axis=1)
    expected = np.where(seen, np.inf, (draws / cells)[:, None])
    # Pearson's statistic of a uniform multinomial has exactly this mean and variance, however few the draws.
    statistic = np.where(seen, 0, (counts - np.where(seen, 0, expected)) ** 2 / expected).sum(axis=1)
    z = (statistic - (cells - 1)).sum() / np.sqrt((2 * (cells - 1) * (draws - 1) / draws).sum())
    assert abs(z) < 4
    by_item = (counts.sum(axis=0) - np.where(seen, 0, expected).sum(axis=0)) ** 2 / np.where(seen, 0, expected).sum(
        axis=0
    )
    assert 1e-4 < stats.chi2.sf(by_item.sum(), ml_100k.items - 1) < 1 - 1e-4


def test_the_rows_of_a_user_stand_anywhere(ml_100k, epochs):
    for rows in epochs:
        order = np.argsort(rows["user"], kind="stable")
        places = np.split((order + 0.5) / len(order), np.cumsum(np.bincount(rows["user"]))[:-1])
        p_values = [stats.kstest(place, "uniform", method="asymp").pvalue for place in places if len(place) >= 200]
        assert len(p_values) > 500
        assert stats.kstest(p_values, "uniform").pvalue > 1e-4


def test_labels_and_neighbours_are_independent_of_the_place(epochs):
    for rows in epochs:
        labels = rows["label"].astype(float)
        batches = labels[: len(labels) // BATCH * BATCH].reshape(-1, BATCH).sum(axis=1)
        spread = ((batches - BATCH * 0.2) ** 2 / (BATCH * 0.2 * 0.8)).sum()
        assert 1e-4 < stats.chi2.sf(spread, len(batches) - 1) < 1 - 1e-4
        pairs_of_labels = (labels[1:] - 0.2) * (labels[:-1] - 0.2) / (0.2 * 0.8)
        assert abs(pairs_of_labels.sum()) < 4 * np.sqrt(len(pairs_of_labels))
        share = np.bincount(rows["user"]) / len(labels)
        neighbours = (rows["user"][1:] == rows["user"][:-1]).sum()
        expected = len(labels) * (share**2).sum()
        assert abs(neighbours - expected) < 4 * np.sqrt(expected)


def test_tensorflow_reads_an_epoch(ml_100k_examples):
    tf = pytest.importorskip("tensorflow")
    files = list_training_files(str(ml_100k_examples), 1)
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("user", "item", "label")}
    dtypes = {"user": tf.int32, "item": tf.int32, "label": tf.uint8}

    def decode(record):
        example = tf.io.parse_single_example(record, features)
        return {name: tf.io.decode_raw(example[name], dtype) for name, dtype in dtypes.items()}

    batches = list(tf.data.TFRecordDataset(files).map(decode).as_numpy_iterator())
    for name, values in read_epoch(ml_100k_examples, 1).items():
        np.testing.assert_array_equal(np.concatenate([batch[name] for batch in batches]), values)


def test_a_batch_larger_than_all_rows_repeats_them_evenly(tmp_path):
    data = random_data(tmp_path, users=4, most=9)
    rows = 5 * len(pairs(data))
    examples = run(make_job(data, tmp_path / "examples", batch_size=3 * rows + 7))

    epoch = read_epoch(examples, 0)

    assert len(epoch["user"]) == 3 * rows + 7
    assert ExamplesSummary.read(str(examples)).batches_per_epoch == 1
    first, *others = (
        np.stack(list(epoch.values()), axis=1)[start : start + rows] for start in range(0, 3 * rows, rows)
    )
    for other in others:
        np.testing.assert_array_equal(first, other)
    positives = first[first[:, 2] == 1][:, :2]
    assert sorted(map(tuple, positives.tolist())) == sorted(map(tuple, pairs(data).tolist()))


def test_rows_that_fill_the_batches_exactly_need_no_filling(tmp_path):
    data = write_artifacts(tmp_path, 50, [[1, 2], [3, 4]], {}, shards=1)
    examples = run(make_job(data, tmp_path / "examples", batch_size=5))
    assert len(read_epoch(examples, 0)["user"]) == 20


def test_files_smaller_than_a_batch_are_pooled(tmp_path):
    data = random_data(tmp_path, users=40, most=20)
    rows = 5 * len(pairs(data))
    job = make_job(data, tmp_path / "examples", batch_size=rows // 3, max_rows_per_file=rows // 7)
    assert job.sampler.file_bits == 3
    epoch = read_epoch(run(job), 0)
    short = rows % job.batch_size
    positive = np.r_[0:short, job.batch_size : len(epoch["user"])]
    assert epoch["label"][positive].sum() == len(pairs(data))
    assert len(epoch["user"]) == job.batch_size * -(-rows // job.batch_size)


@pytest.mark.parametrize("missing", [1, 2, 40, 600])
def test_a_user_with_nearly_all_items_gets_exact_negatives(tmp_path, missing):
    """From dense to sparse: the enumeration of candidates and the rejection draw from the same distribution."""
    items = 1_000
    data = write_artifacts(tmp_path, items, [list(range(missing, items))], {}, shards=1)
    rows = read_epoch(run(make_job(data, tmp_path / "examples", num_negatives=20, batch_size=100)), 0)
    drawn = rows["item"][rows["label"] == 0]
    assert drawn.max() < missing
    if missing > 1:
        assert stats.chisquare(np.bincount(drawn, minlength=missing)).pvalue > 1e-3


def test_a_user_with_all_items_has_positives_in_place_of_negatives(tmp_path):
    data = write_artifacts(tmp_path, 4, [[0, 1], [2], [3, 2, 0, 1], [1]], {}, shards=2)
    job = make_job(data, tmp_path / "examples", num_negatives=100, batch_size=808)
    rows = read_epoch(run(job), 0)
    mine = rows["user"] == 2
    assert rows["label"][mine].all()
    assert mine.sum() == 4 * 101
    assert stats.chisquare(np.bincount(rows["item"][mine], minlength=4)).pvalue > 1e-3
    assert rows["label"][~mine].sum() == 4
    assert not ((rows["user"] == 1) & (rows["item"] == 2) & (rows["label"] == 0)).any()


def test_users_with_all_items_are_known_by_their_ids(tmp_path):
    data = write_artifacts(tmp_path, 4, [[0, 1], [2], [3, 2, 0, 1], [1]], {}, shards=2)
    counts = np.array([2, 1, 4, 1])
    write_vocabulary(data.vocabulary_uri, pa.array([f"u{n}" for n in range(4)]), pa.array(range(4)), counts, counts)
    assert make_job(data, tmp_path / "examples").users_with_every_item() == ["'u2'"]


def test_a_user_without_training_items_has_no_rows(tmp_path):
    data = write_artifacts(tmp_path, 9, [[0, 1], [], [3]], {}, shards=2)
    rows = read_epoch(run(make_job(data, tmp_path / "examples", batch_size=15)), 0)
    assert np.bincount(rows["user"]).tolist() == [10, 0, 5]


def test_too_small_buckets_are_noticed(tmp_path):
    sampler = make_job(random_data(tmp_path), tmp_path / "examples").sampler
    assert drawing._try_to_scatter(sampler, 0, 0, np.empty((4, 20), np.uint64)) is None
    assert drawing._try_to_scatter(sampler, 0, 0, np.empty((4, sampler.rows_per_epoch), np.uint64)) is not None


def test_an_interrupted_file_is_absent(tmp_path, monkeypatch):
    job = make_job(random_data(tmp_path), tmp_path / "examples", batch_size=10)
    write = BatchWriter.write

    def write_then_stop(self, buffer, records):
        write(self, buffer, records)
        raise KeyboardInterrupt

    monkeypatch.setattr(BatchWriter, "write", write_then_stop)
    with pytest.raises(KeyboardInterrupt):
        training_files.write_file(job.sampler, job.examples_uri, epoch=0, file=0)
    assert contents(tmp_path / "examples") == {}


def test_a_file_that_cannot_be_written_is_a_users_error(tmp_path, files_of_at_most):
    job = make_job(random_data(tmp_path), tmp_path / "examples", batch_size=1000)
    with files_of_at_most(20_000), pytest.raises(UserError, match="cannot write") as error:
        training_files.write_file(job.sampler, job.examples_uri, epoch=0, file=0)
    assert error.value.__cause__.errno == errno.EFBIG
    assert contents(tmp_path / "examples") == {}
