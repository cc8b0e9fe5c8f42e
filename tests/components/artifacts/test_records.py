import numpy as np
import pytest

from components.artifacts.records import (
    EVALUATION_COLUMNS,
    TRAIN_COLUMNS,
    BatchBuffer,
    BatchWriter,
    read_batches,
    write_batches,
)
from components.shared.errors import UserError


def a_batch(rows, seed=0, last="label"):
    random = np.random.default_rng(seed)
    return {
        "user": random.integers(0, 2**31, rows, dtype=np.int32),
        "item": random.integers(0, 2**31, rows, dtype=np.int32),
        last: random.integers(0, 2, rows, dtype=np.uint8),
    }


def assert_same(read, written):
    assert list(read) == list(written)
    for name, values in written.items():
        assert read[name].dtype == values.dtype
        np.testing.assert_array_equal(read[name], values)


@pytest.mark.parametrize("rows", [1, 31, 127, 128, 5_000, 70_000])  # lengths of one, two, three bytes
def test_reads_what_was_written(tmp_path, rows):
    path = str(tmp_path / "file.tfrecord")
    batches = [a_batch(rows, seed) for seed in range(3)]

    write_batches(path, batches)

    read = list(read_batches(path))
    assert len(read) == 3
    for got, wanted in zip(read, batches, strict=True):
        assert_same(got, wanted)


def test_a_file_without_batches_is_empty(tmp_path):
    path = tmp_path / "file.tfrecord"
    write_batches(str(path), [])
    assert path.read_bytes() == b""
    assert list(read_batches(str(path))) == []


@pytest.mark.parametrize("columns", [TRAIN_COLUMNS, EVALUATION_COLUMNS])
def test_tensorflow_reads_the_records(tmp_path, columns):
    tf = pytest.importorskip("tensorflow")
    path = str(tmp_path / "file.tfrecord")
    batches = [a_batch(300, seed, last=columns[-1]) for seed in range(2)]
    write_batches(path, batches)

    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in columns}
    records = list(tf.data.TFRecordDataset(path))

    assert len(records) == 2
    for record, batch in zip(records, batches, strict=True):
        example = tf.io.parse_single_example(record, spec)
        for name in columns:
            kind = tf.uint8 if name == columns[-1] else tf.int32
            np.testing.assert_array_equal(tf.io.decode_raw(example[name], kind), batch[name])


def test_reads_what_tensorflow_writes(tmp_path):
    tf = pytest.importorskip("tensorflow")
    path = str(tmp_path / "file.tfrecord")
    batch = a_batch(50)
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[values.tobytes()]))
        for name, values in batch.items()
    }
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())

    (read,) = read_batches(path)
    assert {name: values.tolist() for name, values in read.items()} == {
        name: values.tolist() for name, values in batch.items()
    }


@pytest.mark.parametrize("position", [0, 9, 40, -1])
def test_a_flipped_bit_is_found(tmp_path, position):
    path = tmp_path / "file.tfrecord"
    write_batches(str(path), [a_batch(100)])
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="record 0 is damaged"):
        list(read_batches(str(path)))


@pytest.mark.parametrize("missing", [1, 4, 5, 500])
def test_a_cut_off_file_is_found(tmp_path, missing):
    path = tmp_path / "file.tfrecord"
    write_batches(str(path), [a_batch(100), a_batch(100)])
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(UserError, match="record 1 is damaged or cut off"):
        list(read_batches(str(path)))


def test_a_failed_write_leaves_no_file(tmp_path):
    def batches():
        yield a_batch(10)
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_batches(str(tmp_path / "file.tfrecord"), batches())
    assert list(tmp_path.iterdir()) == []


def test_several_records_of_a_buffer_are_written_at_once(tmp_path):
    path = tmp_path / "file.tfrecord"
    buffer = BatchBuffer(TRAIN_COLUMNS, rows=7, records=4)
    batches = [a_batch(7, seed) for seed in range(3)]
    for number, batch in enumerate(batches):
        for name, values in batch.items():
            buffer.columns[name][number] = values
    with path.open("wb") as file:
        writer = BatchWriter(file)
        writer.write(buffer, 3)

    assert writer.records == 3
    for got, wanted in zip(read_batches(str(path)), batches, strict=True):
        assert_same(got, wanted)
    assert writer.digest() == write_batches(str(tmp_path / "other.tfrecord"), batches)
