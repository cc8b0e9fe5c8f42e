import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from components.trainer.config import TrainerConfig
from components.trainer.tuning.findings import Findings, State, Tried
from components.trainer.tuning.space import Space, parse_keys
from pipeline.config import load_config
from pipeline.tuning import files, page
from pipeline.tuning.data import Data

TREE = {
    "name": "mine",
    "dataset": {"kind": "files", "path": "data/clicks-*.csv", "user_column": "customer: id"},
    "trainer": {"learning_rate": 0.01, "epochs": 7},
}
SPACE = Space(TrainerConfig(learning_rate=0.01, epochs=7), parse_keys(None))
DATA = Data("data/clicks-*.csv", 1200, 345, 60_000, "known")
CHANGES = {"learning_rate": 0.0012, "layers": [64, 32, 16], "pretraining": "none", "gmf_l2": 1e-5}
TRIALS = (
    Tried(0, {}, State.COMPLETE, (0.1, 0.12), begun=0.0, ended=30.0),
    Tried(1, CHANGES, State.COMPLETE, (0.1, 0.2, 0.15), begun=30.0, ended=75.0),
    Tried(2, {"learning_rate": 0.01}, State.STOPPED, (0.05, 0.06, 0.05), begun=75.0, ended=100.0),
    Tried(3, {"learning_rate": 0.009}, State.FAILED, reason="<the loss> is not finite", begun=100.0, ended=101.0),
)
FOUND = Findings("NDCG@10", TRIALS, {"learning_rate": 0.75, "layers": 0.25}, 120.0, "all trials were done")
NOTHING = Findings("NDCG@10", TRIALS[:1], {}, 30.0, "the time was up")


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Path]:
    return files.write(tmp_path, TREE, FOUND, DATA, SPACE)


def test_the_winning_file_is_the_configuration_with_what_was_found(written):
    config = load_config(written["tuned"])

    assert config.trainer == TrainerConfig(
        learning_rate=0.0012, epochs=7, layers=(64, 32, 16), pretraining="none", gmf_l2=1e-5
    )
    assert config.name == "mine"
    assert config.dataset.user_column == "customer: id"
    text = written["tuned"].read_text()
    assert text.startswith("# Trial 1 of `tune`: NDCG@10 on validation 0.2000; as it was: 0.1200.\n")
    assert "layers: [64, 32, 16]" in text


def test_where_nothing_better_was_found_it_is_the_configuration(tmp_path):
    written = files.write(tmp_path, TREE, NOTHING, DATA, SPACE)
    assert load_config(written["tuned"]).trainer == SPACE.config


def test_a_configuration_without_a_section_trainer_gets_one():
    assert "trainer:\n  learning_rate: 0.0012\n" in files.tuned_yaml({"name": "mine", "trainer": None}, FOUND)


def test_the_tables_say_what_rules_can_be_made_of(written):
    text = written["tables"].read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert ["users", "1,200"] in rows
    assert ["training interactions", "60,000"] in rows
    assert ["times", "known"] in rows
    assert ["the configuration as it is", "0.1200", "2 of 2", "30"] in rows
    assert ["tuned, trial 1", "0.2000", "2 of 3", "45"] in rows
    assert ["learning_rate", "0.01", "0.0012", "75 %"] in rows
    assert ["layers", "64-32-16-8", "64-32-16", "25 %"] in rows
    assert ["als_regularization", "auto", "not used", ""] in rows
    assert ["stopped early", "1"] in rows


def test_the_page_shows_every_trial_and_is_well_formed(written):
    text = written["plots"].read_text()

    assert "+66.7 %" in text
    assert "&lt;the loss&gt; is not finite" in text
    pictures = [text[start : text.index("</svg>", start) + 6] for start in _places(text, "<svg")]
    assert len(pictures) == 2
    growth, importance = map(ET.fromstring, pictures)
    assert "tuned" in "".join(growth.itertext())
    assert "learning_rate" in "".join(importance.itertext())


def test_the_page_of_a_study_that_found_nothing_better_says_so():
    assert "No trial was better than the configuration as it was: NDCG@10 0.1200." in page.render(NOTHING, DATA, SPACE)


def _places(text: str, what: str) -> list[int]:
    return [place for place in range(len(text)) if text.startswith(what, place)]
