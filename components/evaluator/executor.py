"""Unpacks the Evaluator's artifacts, calls the logic and writes what it found."""

import functools
import json
import posixpath
from typing import Any

from tfx import types
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.artifacts import evaluation, storage
from components.artifacts.model_run import History
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import Rank, describe, evaluate
from components.evaluator.on_workers import RankingJob, rank_on_workers
from components.evaluator.origin import origin_of
from components.evaluator.report import git_version, render
from components.evaluator.trials import Sources
from components.shared import progress
from components.shared.beam_executor import BeamExecutor
from components.shared.json_types import JsonObject

_RANKS = "ranking"


class Executor(BeamExecutor):
    """See `Evaluator`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model, writes `metrics.json`, `report.html` and the blessing."""
        inputs = {name: artifact_utils.get_single_instance(found) for name, found in input_dict.items() if found}
        model = inputs["model"]
        config, seed = EvaluatorConfig.from_properties(exec_properties), int(exec_properties["seed"])
        history = History.read(inputs["model_run"].uri) if "model_run" in inputs else None
        uri = artifact_utils.get_single_instance(output_dict["evaluation"]).uri
        sources = Sources(
            model=path_utils.serving_model_dir(model.uri),
            examples=inputs["examples"].uri,
            interactions=inputs["interactions"].uri,
            vocabulary=inputs["vocabulary"].uri,
            push_destination=exec_properties["push_destination"] or None,
            learnt_validation=bool(history and history.blend and history.blend.learnt_validation),
            exported=history.exported if history else None,
        )
        rank: Rank | None = None
        if self._has_engine:
            job = RankingJob(sources, config, seed, posixpath.join(uri, _RANKS))
            rank = functools.partial(rank_on_workers, self._make_beam_pipeline, job)
        found = evaluate(sources, config, seed, rank=rank)
        run = _describe_run(json.loads(exec_properties["run_description"]), history, config, seed)
        evaluation.write(uri, found)
        with storage.write_atomically(posixpath.join(uri, evaluation.REPORT_FILE)) as file:
            file.write(render(found, history, run).encode())
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        origin_of(found, json.loads(exec_properties["run_description"])).write(blessing.uri)
        _bless(blessing, model, found.blessed)
        progress.note(describe(found))
        if found.champion.warning:
            progress.warn(found.champion.warning)
        for way in found.ways:
            if told := found.told_short_users(way):
                progress.warn(told)


def _describe_run(description: JsonObject, history: History | None, config: EvaluatorConfig, seed: int) -> JsonObject:
    """The pipeline's description, with what the steps were told in this run where that is known."""
    sections = {**description.get("config", {}), "seed": seed, "evaluator": config.model_dump(mode="json")}
    if history is not None:
        sections["trainer"] = history.config
    # The version of the code is looked up here: as a property, it would be a part of the cache's key.
    return {**description, "config": sections, "git_version": git_version()}


def _bless(blessing: types.Artifact, model: types.Artifact, blessed: bool) -> None:
    """Writes the blessing as TFX's own Evaluator does; Pusher reads it."""
    with storage.write_atomically(posixpath.join(blessing.uri, "BLESSED" if blessed else "NOT_BLESSED")):
        pass
    blessing.set_string_custom_property("current_model", model.uri)
    blessing.set_int_custom_property("current_model_id", model.id)
    blessing.set_int_custom_property("blessed", int(blessed))
