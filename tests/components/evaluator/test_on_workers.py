"""The model's ranking on workers of a Beam engine: here those of Beam's own job server, over its portable protocol."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.artifacts.evaluation import Evaluation
from components.shared.errors import find_user_error
from tests.components.evaluator.running import Outcome, model_path, run_executor

ENGINE = ("--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK")


def _without_seconds(found: Evaluation) -> Evaluation:
    systems = {name: replace(system, fit_seconds=None) for name, system in found.systems.items()}
    return replace(found, systems=systems, seconds=0.0)


def test_workers_find_what_the_step_itself_does(
    make_world: Callable[..., Any], save_model: Callable[..., None]
) -> None:
    world = make_world(text_ids=False)
    save_model(model_path(world), world.good_scores(), world)

    def run(*beam: str) -> Outcome:
        return run_executor(world, beam=beam, ks=(1, 3, 10), gate_k=3, pairs_per_block=170, als=False)

    alone, on_workers = run(), run(*ENGINE)

    assert repr(_without_seconds(on_workers.report)) == repr(_without_seconds(alone.report))
    assert sorted(path.name for path in (world.root / "evaluation").iterdir()) == ["metrics.json", "report.html"]


def test_what_a_worker_finds_broken_is_told_in_a_line(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    (records,) = (world.root / "examples" / "Split-test").iterdir()
    records.write_bytes(records.read_bytes()[:-20])
    with pytest.raises(Exception) as failure:  # noqa: PT011
        run_executor(world, beam=ENGINE)
    fault = find_user_error(failure.value)
    assert fault is not None
    assert records.name in str(fault)
    assert "\n" not in str(fault)
    assert "while running 'Rank'" in str(failure.value)
