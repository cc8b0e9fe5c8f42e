"""The executor of BulkRecommend."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.artifacts.recommendations import RecommendationsSummary, recommendations_file
from components.bulk_recommend.bulk import recommend_to_all
from components.bulk_recommend.config import BulkConfig
from components.serving.contract import RECOMMEND
from components.serving.recommend import load
from components.serving.versions import is_whole
from components.shared import progress


class Executor(base_executor.BaseExecutor):
    """See `BulkRecommend`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        pushed_model = artifact_utils.get_single_uri(input_dict["pushed_model"])
        recommendations = artifact_utils.get_single_uri(output_dict["recommendations"])
        if not is_whole(pushed_model):
            progress.note("nothing was pushed, so nothing is recommended")
            return
        bulk = BulkConfig.from_properties(exec_properties)
        written = recommend_to_all(*load(pushed_model, [RECOMMEND]), bulk.k, recommendations_file(recommendations))
        RecommendationsSummary(k=bulk.k, users=written.users, rows=written.rows).write(recommendations)
        progress.note(f"{written.rows:,} rows for {written.users:,} users: {recommendations_file(recommendations)}")
