"""`init` and `run --ratings`: what is found in files, as a configuration and as sentences."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from components.shared.errors import UserError
from pipeline.cli import main
from pipeline.command_options import name_of, one_pattern
from pipeline.config import load_config
from pipeline.inspection import as_yaml, assumed, found_in, tree_of
from tests.storages import website

ROWS = [(user, item, 1 + (user * item) % 5, 1_000_424_599 + 60 * (20 * user + item)) for user in range(20)
        for item in range(6 + user % 4)]  # fmt: skip


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    path = tmp_path / "Clicks 2020.csv"
    path.write_text("\n".join(["user_id;item_id;stars;ts", *(";".join(map(str, row)) for row in ROWS)]) + "\n")
    return path


@pytest.fixture
def init(capfd):
    """Runs `init`; returns its exit code, what it prints, and its errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        result = CliRunner().invoke(main, ["init", *arguments])
        return result.exit_code, capfd.readouterr().out, result.stderr

    return run


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("s3://shop/clicks-*.csv.gz", "clicks"),
        ("/data/u.data", "u"),
        ("Ratings[2020].CSV", "ratings-2020"),
        ("*.parquet", "ratings"),
        ("https://host/a/b.json", "b"),
        ("https://me:hush@host/a/b.csv.gz?token=hush", "b"),
    ],
)
def test_a_run_is_called_after_its_files(path, name):
    assert name_of(path) == name


def test_files_that_a_shell_lists_are_one_glob(tmp_path):
    for name in ("clicks[1]-1.csv", "clicks[1]-22.csv", "other.csv"):
        (tmp_path / name).write_text("user,item\n")
    files = [str(tmp_path / name) for name in ("clicks[1]-1.csv", "clicks[1]-22.csv")]
    assert one_pattern(files) == str(tmp_path / "clicks[[]1]-*.csv")
    assert one_pattern(files[:1]) == files[0]


def test_files_that_no_glob_finds_alone_are_refused(tmp_path):
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("user,item\n")
    with pytest.raises(UserError, match="no glob finds these alone"):
        one_pattern([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])


def test_the_written_configuration_is_what_was_found(clicks, tmp_path, init):
    written = tmp_path / "my.yaml"
    known = ["preprocess.min_interactions=2", "trainer.epochs=3"]
    code, out, _ = init(str(clicks), "-o", str(written), "--set", known[0], "--set", known[1])
    assert code == 0
    assert out.splitlines()[-1].endswith(f"next: python -m pipeline run --config {written}")
    config, found = load_config(written), found_in(str(clicks), known)
    assert yaml.safe_load(written.read_text()) == tree_of(found, known)
    assert config.trainer.epochs == 3
    assert (config.name, config.dataset.separator, config.preprocess.min_interactions) == ("neumf-clicks-2020", ";", 2)
    assert (config.dataset.user_column, config.dataset.timestamp_column) == ("user_id", "ts")


def test_comments_tell_what_is_found_and_doubtful(clicks):
    text = as_yaml(found_in(str(clicks), []), [])
    assert f"# - {len(ROWS)} rows: 20 users" in text
    assert "user_column: user_id                # by its name: integers" in text
    assert "2001-09-13 23:43:19 to" in text
    assert "# - the gate asks for 100 users to test by, and there are 20 (evaluator.minimum_test_users)" in text
    assert "# - rows count whatever their rating (column 'stars')" in text


def test_what_a_run_assumes_has_six_lines_at_most(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f'"u{user}\ti{item}\tx{item % 2}\t{stars}\t{user % 3}a' for user, item, stars, _ in ROWS]
    path.write_bytes("\n".join([*rows, "é"]).encode("latin-1"))
    lines = assumed(found_in(str(path), []))
    assert len(lines) == 6
    assert lines[-1].endswith(f"more remarks: python -m pipeline init {path}")


def test_what_is_secret_in_an_address_is_asked_for_by_the_name_of_a_variable(clicks, tmp_path, init, monkeypatch):
    clicks.rename(tmp_path / "clicks.csv")
    monkeypatch.setenv("SIGNATURE", "hush")
    with website(tmp_path, monkeypatch) as site:
        refused = init(f"{site.url}/clicks.csv?page=2&token=hush", "-o", str(tmp_path / "my.yaml"))
        code, out, _ = init(f"{site.url}/clicks.csv?page=2&token=${{SIGNATURE}}", "-o", str(tmp_path / "my.yaml"))
    written = (tmp_path / "my.yaml").read_text()
    assert refused[0] == 2
    assert "write ${NAME} in its place" in refused[2]
    assert code == 0
    assert "hush" not in "".join(refused[1:]) + out + written
    assert f"path: {site.url}/clicks.csv?page=2&token=${{SIGNATURE}}" in written
    assert "name: neumf-clicks\n" in written


def test_nothing_is_written_over(clicks, tmp_path, init):
    written = tmp_path / "my.yaml"
    written.write_text("mine")
    code, _, err = init(str(clicks), "-o", str(written))
    assert (code, written.read_text()) == (2, "mine")
    assert "is there already" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.csv"], "dataset.path: absent.csv: it is not there"),
        (["{clicks}", "--set", "dataset.user_colum=1"], "--set dataset.user_colum=1: unknown key"),
        (["{clicks}", "--set", "dataset.user_column=who"], "dataset.user_column: there is no column 'who'"),
        (["{clicks}", "--set", "dataset=1"], "--set dataset=1: "),
    ],
)
def test_a_fault_is_one_line(clicks, init, arguments, message):
    code, _, err = init(*(argument.format(clicks=clicks) for argument in arguments))
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ratings", "a.csv", "--config", "b.yaml"], "--ratings stands instead of --config"),
        (["a.csv"], "Got unexpected extra argument (a.csv)"),
    ],
)
def test_ratings_and_a_configuration_exclude_each_other(arguments, message):
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 2
    assert message in result.output
