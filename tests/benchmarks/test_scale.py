from pathlib import Path

import pytest

from benchmarks import scale, scale_fit, scale_steps
from benchmarks.scale_steps import Measured
from components.shared.errors import UserError
from pipeline.estimating.counts import find_counts
from pipeline.estimating.estimate import estimate
from pipeline.estimating.figures import FIGURES
from pipeline.estimating.fitted import total
from pipeline.estimating.machine import Machine, Speed


def size_of(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def test_sizes_are_of_one_shape():
    assert (scale.shape_of("20m").users, scale.shape_of("1m").interactions) == (138_491, 1_000_000)
    for wrong in ("20", "0m", "m", "1.5m"):
        with pytest.raises(UserError, match="--sizes"):
            scale.shape_of(wrong)


def test_a_fit_finds_what_the_measurements_were_made_of():
    speed, shapes = Speed(0.01, 0.02), [scale.SMALL["ml-100k"], scale.shape_of("1m"), scale.shape_of("4m")]
    truth = {"fixed": 0.5, "rows": 0.25, "generated": 0.125}
    observed = [
        (found, {"Preprocess": Measured(total(truth, found["Preprocess"]), 1.0, 0.25, 0.0)})
        for shape in shapes
        for found in (scale.amounts_of(shape), scale.amounts_of(shape, generated=True))
    ]
    found = scale_fit.fit(observed, "a CPU", speed, program_gb=0.5)
    assert found.parts["Preprocess"].seconds == pytest.approx(truth, rel=1e-3)
    assert found.parts["Preprocess"].memory_gb == pytest.approx({"fixed": 0.25}, rel=1e-3)
    assert set(found.parts) == {"Preprocess"}


def test_figures_are_written_as_the_module_that_they_are_read_from():
    assert scale_fit.PATH.read_text() == scale_fit.rendered(FIGURES)


def test_results_tell_the_growth_the_peaks_and_the_errors():
    shapes = {size: scale.shape_of(size) for size in ("1m", "20m")}
    runs = {
        "1m": {"Preprocess": Measured(2.0, 1.0, 0.5, 0.1), "Trainer": Measured(9.0, 9.0, 9.0, 0.0)},
        "20m": {"Preprocess": Measured(20.0, 3.0, 2.5, 2.0), "Trainer": Measured(99.0, 9.0, 9.0, 0.0)},
    }
    estimates = {"1m": {"Preprocess": 1.0}, "20m": {"Preprocess": 21.0}}
    found = {result.name: result for result in scale.results(shapes, runs, estimates)}
    assert found["seconds_per_million_worst_to_best"].value == pytest.approx(2)
    assert found["peak_memory_gb_20m"].value == 3.0
    assert found["peak_memory_gb_20m"].ok is False
    assert found["estimate_error_worst"].value == pytest.approx(0.5)


def test_what_the_data_steps_leave_on_disk_is_as_estimated(tmp_path):
    # ml-100k's shape. The bytes do not depend on the machine, and a quarter is what the fit has to hold elsewhere too.
    config = scale_steps.configured(scale.SMALL["ml-100k"], "files")
    counts = find_counts(config.dataset.chosen, config.preprocess)
    assert counts is not None
    scale_steps.preprocess(str(tmp_path), config)
    before = size_of(tmp_path)
    scale_steps.generate_negatives(str(tmp_path), config)
    preprocess, negative_gen, *_ = estimate(config, counts, Machine(FIGURES.speed, 2, 100.0, None)).steps
    assert preprocess.disk_gb == pytest.approx(before, rel=0.25)
    assert negative_gen.disk_gb == pytest.approx(size_of(tmp_path) - before, rel=0.25)
