"""Files of a table."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.bulk_recommend.tables import written


def test_lines_of_json_have_all_digits_of_a_small_score(tmp_path: Path) -> None:
    scores = np.array([0.25, 3.0517578e-5, 1.2345678e-7], np.float32)
    table = pa.table({"score": scores})
    with written(str(tmp_path / "scores.jsonl"), table.schema) as write:
        write(table)
    lines = (tmp_path / "scores.jsonl").read_text().splitlines()
    np.testing.assert_allclose([json.loads(line)["score"] for line in lines], scores, rtol=1e-7)
