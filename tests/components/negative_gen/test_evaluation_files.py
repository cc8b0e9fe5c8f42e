import numpy as np
import pytest
from scipy import stats

from components.artifacts.examples import EvaluationLayout, ExamplesSummary
from components.artifacts.records import read_batches
from components.negative_gen.evaluation_files import write_split
from components.shared.errors import UserError
from tests.components.negative_gen.helpers import make_job, random_data, read_lists, run, write_artifacts


def lists(data, folder, split="test", **options):
    """The ranked lists of real users: items [users, width], mask [users, width]."""
    job = make_job(data, folder / "examples", **options)
    write_split(job, split)
    rows = read_lists(folder / "examples", split, job.width)
    users = len(data.held_out[split])
    assert rows["user"][:users].tolist() == [[user] * job.width for user in sorted(data.held_out[split])]
    assert (rows["mask"][users:] == 1).all()
    return rows["item"][:users], rows["mask"][:users]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_standard_lists_avoid_everything_the_user_has_seen_and_repeat_nothing(ml_100k, ml_100k_examples, split):
    rows = read_lists(ml_100k_examples, split)
    for user in range(ml_100k.users):
        items = rows["item"][user].tolist()
        seen = {*ml_100k.train[user], *(held[user] for held in ml_100k.held_out.values())}
        assert rows["user"][user].tolist() == [user] * 100
        assert items[0] == ml_100k.held_out[split][user]
        assert len(set(items)) == 100
        assert not seen & set(items[1:])
    assert not rows["mask"][: ml_100k.users].any()


def test_the_last_batch_is_padded_with_masked_users(ml_100k, ml_100k_examples):
    layout = ExamplesSummary.read(str(ml_100k_examples)).evaluation["test"]
    assert layout == EvaluationLayout(users=943, width=100, users_per_batch=655, batches=2)
    batches = list(read_batches(str(ml_100k_examples / "Split-test" / "shard-00000-of-00001.tfrecord")))
    assert [len(values) for batch in batches for values in batch.values()] == [65_500] * 6
    padding = {name: values[(943 - 655) * 100 :] for name, values in batches[1].items()}
    assert {name: np.unique(values).tolist() for name, values in padding.items()} == {
        "user": [0],
        "item": [0],
        "mask": [1],
    }


def test_a_batch_holds_at_least_one_user(tmp_path):
    data = random_data(tmp_path, users=7)
    job = make_job(data, tmp_path / "examples", eval_rows_per_batch=10)
    write_split(job, "test")
    batches = list(read_batches(str(tmp_path / "examples" / "Split-test" / "shard-00000-of-00001.tfrecord")))
    assert [len(batch["user"]) for batch in batches] == [100] * 7


def test_negatives_are_uniform_over_unseen_items(ml_100k, ml_100k_examples):
    counts, expected = np.zeros(ml_100k.items), np.zeros(ml_100k.items)
    for split in ("validation", "test"):
        items = read_lists(ml_100k_examples, split)["item"][: ml_100k.users, 1:]
        counts += np.bincount(items.ravel(), minlength=ml_100k.items)
        for user in range(ml_100k.users):
            free = np.ones(ml_100k.items)
            free[[*ml_100k.train[user], *(held[user] for held in ml_100k.held_out.values())]] = 0
            expected += free * 99 / free.sum()
    # Without replacement the spread is a little smaller than Poisson's.
    assert stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), ml_100k.items - 1) > 1e-3


def test_the_splits_have_negatives_of_their_own(ml_100k_examples):
    validation, test = (read_lists(ml_100k_examples, split)["item"][:, 1:] for split in ("validation", "test"))
    assert (validation[:943] == test[:943]).mean() < 0.01


@pytest.mark.parametrize("free", [30, 31, 45, 400])
def test_sampling_without_replacement_is_exact_at_any_density(tmp_path, free):
    """30 negatives out of `free` candidates for each of 300 users: every candidate is taken equally often."""
    users = 300
    items = 2 + 500 + free
    seen = list(range(502))
    data = write_artifacts(
        tmp_path,
        items,
        [seen[:500]] * users,
        {"validation": dict.fromkeys(range(users), 500), "test": dict.fromkeys(range(users), 501)},
    )
    drawn, _ = lists(data, tmp_path, num_eval_negatives=30)
    assert all(len(set(row)) == 31 for row in drawn.tolist())
    counts = np.bincount(drawn[:, 1:].ravel(), minlength=items)
    assert counts[:502].sum() == 0
    share = 30 / free
    spread = ((counts[502:] - users * share) ** 2).sum() / (users * share * (1 - share) or 1)
    assert stats.chi2.sf(spread * (free - 1) / free, max(1, free - 1)) > 1e-3


def test_a_user_with_fewer_candidates_has_all_of_them_and_then_masked_rows(tmp_path):
    data = random_data(tmp_path, users=5, items=110, least=5, most=6)
    data.train[3].extend(sorted(set(range(110)) - {*data.train[3], *(held[3] for held in data.held_out.values())})[:20])
    (tmp_path / "more").mkdir()
    data = write_artifacts(tmp_path / "more", 110, data.train, data.held_out)
    drawn, mask = lists(data, tmp_path, num_eval_negatives=99)
    seen = {*data.train[3], *(held[3] for held in data.held_out.values())}
    assert sorted(drawn[3, 1:86]) == sorted(set(range(110)) - seen)
    assert mask[3].tolist() == [0] * 86 + [1] * 14
    assert data.held_out["test"][3] not in drawn[3, 1:]
    assert not mask[[0, 1, 2, 4]].any()
    run(make_job(data, tmp_path / "all", num_eval_negatives=99))
    evaluation = ExamplesSummary.read(str(tmp_path / "all")).evaluation
    assert [evaluation[split].short_users for split in ("validation", "test")] == [1, 1]


def test_of_many_users_a_sample_is_ranked_with_the_same_negatives(tmp_path):
    data = random_data(tmp_path, users=211, items=300, least=5, most=9)
    whole = make_job(data, tmp_path / "whole")
    some = make_job(data, tmp_path / "some", eval_users=60)
    chosen = {}
    for split in ("validation", "test"):
        write_split(whole, split)
        write_split(some, split)
        everybody, found = (read_lists(tmp_path / name, split, 100) for name in ("whole", "some"))
        users = found["user"][:60, 0]
        assert (found["mask"][60:] == 1).all()
        assert len(set(users)) == 60
        assert sorted(users) == users.tolist()
        np.testing.assert_array_equal(found["item"][:60], everybody["item"][users])
        chosen[split] = users.tolist()
    assert min(chosen["test"]) < 70
    assert max(chosen["test"]) > 140  # of all shards
    assert chosen["test"] != chosen["validation"]
    run(some)
    assert ExamplesSummary.read(str(tmp_path / "some")).evaluation["test"].users == 60


def test_all_candidates_may_be_asked_for(tmp_path):
    data = random_data(tmp_path, users=3, items=60, least=20, most=21)
    drawn, mask = lists(data, tmp_path, num_eval_negatives=40)
    assert all(len(set(row)) == 41 for row in drawn.tolist())
    assert not mask.any()


def test_mlperf_draws_with_replacement_and_masks_repeats(tmp_path):
    data = random_data(tmp_path, users=50, items=150, most=100)
    drawn, mask = lists(data, tmp_path, protocol="mlperf", num_eval_negatives=120)
    held_out_drawn = 0
    for user, (items, masked) in enumerate(zip(drawn.tolist(), mask.tolist(), strict=True)):
        assert not set(items[1:]) & set(data.train[user])
        repeated = [int(item in items[:place]) for place, item in enumerate(items)]
        assert masked == repeated
        held_out_drawn += data.held_out["validation"][user] in items
    assert 0 < mask.mean() < 1
    assert held_out_drawn  # it is unknown at training time, so it may appear
    assert any(items[0] in items[1:] for items in drawn.tolist())  # so may the positive: masked


def test_mlperf_may_ask_for_more_negatives_than_there_are_candidates(tmp_path):
    data = random_data(tmp_path, users=3, items=61)
    drawn, mask = lists(data, tmp_path, protocol="mlperf", num_eval_negatives=500)
    for items, masked in zip(drawn, mask, strict=True):
        assert len(set(items.tolist())) == (masked == 0).sum()


def given_data(folder, negatives, first_held_out=20):
    train = [[0, 1], [2, 3], [4, 5]]
    return write_artifacts(
        folder,
        300,
        train,
        {"validation": {0: 10, 2: 12}, "test": {0: first_held_out, 1: 21, 2: 22}},
        shards=2,
        given=negatives,
    )


def test_ncf_takes_the_given_negatives_and_masks_the_positive_among_them(tmp_path):
    data = given_data(tmp_path, {0: [30, 31, 32], 1: [40, 21, 41], 2: [50, 51, 50]})
    items, mask = lists(data, tmp_path, protocol="ncf")
    assert items.tolist() == [[20, 30, 31, 32], [21, 40, 21, 41], [22, 50, 51, 50]]
    assert mask.tolist() == [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_ncf_samples_validation_lists_of_the_same_width(tmp_path):
    data = given_data(tmp_path, {0: [30, 31, 32], 1: [40, 21, 41], 2: [50, 51, 52]})
    items, mask = lists(data, tmp_path, split="validation", protocol="ncf")
    assert items.shape == (2, 4)
    assert items[:, 0].tolist() == [10, 12]
    assert not mask.any()


def test_ncf_takes_all_candidates_for_validation_where_the_given_lists_are_longer(tmp_path):
    data = given_data(tmp_path, {user: list(range(2, 300)) for user in range(3)})
    items, mask = lists(data, tmp_path, split="validation", protocol="ncf")
    assert items.shape == mask.shape == (2, 299)
    assert mask.sum(axis=1).tolist() == [2, 2]


def test_shorter_given_lists_are_masked_at_the_end(tmp_path):
    data = given_data(tmp_path, {0: [30, 31, 32], 1: [40], 2: [50, 51]})
    _, mask = lists(data, tmp_path, protocol="ncf")
    assert mask.tolist() == [[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]]


@pytest.mark.parametrize("held_out", [0, 299], ids=["first item", "last item"])
def test_places_without_a_given_negative_never_hold_the_positive(tmp_path, held_out):
    data = given_data(tmp_path, {0: [30], 1: [40, 41], 2: [50, 51]}, first_held_out=held_out)
    items, mask = lists(data, tmp_path, protocol="ncf")
    assert items[0, 0] == held_out
    assert mask[0].tolist() == [0, 0, 1]
    assert 0 <= items[0, 2] < 300
    assert items[0, 2] != held_out


def test_ncf_needs_given_negatives(tmp_path):
    job = make_job(random_data(tmp_path), tmp_path / "examples", protocol="ncf")
    with pytest.raises(UserError, match=r"set dataset\.kind to ncf"):
        write_split(job, "test")


def test_ncf_names_a_user_without_given_negatives(tmp_path):
    job = make_job(given_data(tmp_path, {0: [30], 1: [40]}), tmp_path / "examples", protocol="ncf")
    with pytest.raises(UserError, match="user 'u2' has a test item, but"):
        write_split(job, "test")
