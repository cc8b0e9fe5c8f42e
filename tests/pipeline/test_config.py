from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.config import describe_config, load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture
def config_file(tmp_path):
    def write(text):
        path = tmp_path / "run.yaml"
        path.write_text(text)
        return path

    return write


FILES = "dataset: {kind: files, path: a.csv}"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_configs_that_come_with_the_project_load(path):
    assert load_config(path).name


def test_assignments_win_over_the_file(config_file):
    path = config_file("dataset: {kind: synthetic}\ntrainer: {epochs: 5, batch_size: 512}\n")

    config = load_config(path, ["trainer.epochs=3", "seed=7", "trainer.layers=[32, 16]", "evaluator.minimum_hr=null"])

    assert (config.trainer.epochs, config.trainer.batch_size, config.seed) == (3, 512, 7)
    assert config.trainer.layers == (32, 16)
    assert config.evaluator.minimum_hr is None


def test_off_is_a_choice_and_a_truth_value_where_one_is_asked_for(config_file):
    written = load_config(config_file(f"{FILES[:-1]}, quoting: off}}\nevaluator: {{leak_free: off}}\n"))
    assigned = load_config(config_file(FILES), ["dataset.quoting=off", "evaluator.leak_free=off"])

    assert written.dataset.quoting == assigned.dataset.quoting == "off"
    assert written.evaluator.leak_free is assigned.evaluator.leak_free is False


def test_a_list_may_be_written_with_commas(config_file):
    config = load_config(config_file("dataset: {kind: synthetic}\n"), ["trainer.layers=64,32,16,8"])

    assert config.trainer.layers == (64, 32, 16, 8)


@pytest.mark.parametrize(
    ("text", "assignments", "message"),
    [
        (
            "dataset: {kind: synthetic}\ntrainer: {epoch: 3}",
            [],
            r"unknown key 'trainer\.epoch'; did you mean 'epochs'\?",
        ),
        ("dataset: {kind: synthetic}\nxyz: 3", [], r"unknown key 'xyz'; allowed here: name, seed, dataset"),
        (
            "dataset: {kind: synthetic}",
            ["trainer.epochs=0"],
            r"trainer\.epochs: .*greater than or equal to 1 \(got 0\)",
        ),
        ("dataset: {kind: synthetic}", ["trainer.epochs=many"], r"trainer\.epochs: .*valid integer.*\(got 'many'\)"),
        (
            "dataset: {kind: web}",
            [],
            r"dataset\.kind: .*'movielens', 'files', 'bigquery', 'ncf' or 'synthetic' \(got 'web'\)",
        ),
        ("dataset: {kind: files}", [], r"dataset\.path is needed"),
        (
            "dataset: {kind: synthetic}",
            ["evaluator.als=false", "evaluator.better_than_als=true"],
            r"evaluator: better_than_als needs als: true$",
        ),
        ("dataset: {kind: synthetic}", ["seed=1", "seed=x"], r"^--set seed=x: seed: "),
        ("dataset: {kind: synthetic}", ["trainer.epoch=3"], r"^--set trainer\.epoch=3: unknown key 'trainer\.epoch'"),
        ("dataset: {kind: synthetic}", ["epochs=3"], r"^--set epochs=3: .*did you mean 'trainer\.epochs'\?"),
        ("dataset: {kind: synthetic}\nepochs: 3", [], r"run\.yaml: .*did you mean 'trainer\.epochs'\?"),
        ("seed: 1", [], r"dataset: field required"),
        (FILES, ["foo.bar=1"], r"^--set foo\.bar=1: unknown key 'foo'; allowed here: name, seed"),
        (FILES + "\nfoo: 1", ["foo.bar=1"], r"'foo' is a value, not a section"),
        (FILES, ["preprocess.split_time=9", "seed=1"], r"^--set preprocess\.split_time=9: .*needs preprocess\.split"),
        (FILES, ["trainer=3"], r"^--set trainer=3: trainer: a mapping of keys and values is expected \(got 3\)"),
        (FILES, ["dataset.titles=a.csv"], r"^--set dataset\.titles=a\.csv: .* set dataset\.titles\.path, \.id and"),
        (FILES, ["dataset.titles.path=a.csv"], r"^--set dataset\.titles\.path=a\.csv: dataset\.titles\.id: field"),
        (
            f"{FILES[:-1]}, titles: {{path: a, id: b, name: c}}}}",
            [],
            r"key 'dataset\.titles\.name'; allowed here: path",
        ),
        ("dataset: {kind: synthetic}", ["seed"], "write it as section.key=value"),
        ("dataset: {kind: synthetic}", ["seed.x=1"], r"'seed' is a value, not a section|unknown key|seed: "),
        ("dataset: {kind: synthetic", [], r"run\.yaml:\d+: not valid YAML"),
        ("- 1", [], "must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(config_file, text, assignments, message):
    with pytest.raises(UserError, match=message) as raised:
        load_config(config_file(text), assignments)

    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.yaml: cannot read the configuration: No such file"):
        load_config(tmp_path / "absent.yaml")


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"binary\.yaml: the configuration is not UTF-8 text"):
        load_config(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("path in dataset", "dataset: {kind: files, path: 'https://me:hunter2@example.org/a.csv'}"),
        ("path in dataset", "dataset: {kind: files, path: 'https://example.org/a.csv?X-Amz-Signature=hunter2'}"),
        ("mirror in dataset", "dataset: {kind: movielens, mirror: 'https://hunter2@example.org/ml'}"),
        (
            "path in dataset.titles",
            "dataset: {kind: files, path: a.csv, titles: {id: a, title: b, path: 's3://me:hunter2@b/t.csv'}}",
        ),
        ("args in beam", "beam: {args: ['--s3_secret_access_key=hunter2']}\ndataset: {}"),
        ("args in beam", "beam: {args: [--azure_connection_string, hunter2]}\ndataset: {}"),
    ],
)
def test_a_secret_is_refused_where_it_would_be_kept(config_file, name, text):
    what, _, section = name.partition(" in ")
    with pytest.raises(
        UserError, match=rf"{section}: the secret in {what} would be kept .* write \$\{{NAME\}}"
    ) as error:
        load_config(config_file(text))
    assert "hunter2" not in str(error.value)


def test_the_description_of_a_configuration_names_variables_in_place_of_secrets(config_file):
    path = config_file(
        "dataset: {kind: movielens, mirror: 'https://${ME}@example.org/ml'}\n"
        "beam: {args: ['--s3_secret_access_key=${KEY}']}\n"
    )

    description = describe_config(load_config(path, ["trainer.epochs=3", "trainer.layers=8,4"]))

    assert "beam" not in description
    assert description["dataset"]["mirror"] == "https://${ME}@example.org/ml"
    assert description["trainer"]["epochs"] == 3
    assert description["trainer"]["layers"] == [8, 4]


@pytest.mark.parametrize(
    ("key", "text"), [("path", "*.csv"), ("separator", "|"), ("time_format", "%d/%m/%Y"), ("user_column", "@id")]
)
def test_an_assignment_takes_text_that_yaml_would_not(config_file, key, text):
    config = load_config(config_file(FILES), [f"dataset.{key}={text}"])

    assert getattr(config.dataset, key) == text
