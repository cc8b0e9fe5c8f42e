"""The step before the others in a scheduled run: it looks whether the files of the data set have changed.

The platforms' caches go by the parameters, which are the same in every run of a schedule. What this step finds, names,
sizes and states of the files and not their content, is the `input_version` of Preprocess: where nothing is new, all
steps come from the cache; where something is, they run.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from components.artifacts import storage
from components.preprocess.config import DatasetConfig
from components.shared.errors import find_user_error
from components.shared.files.secrets import without_secrets
from components.shared.json_types import Json
from pipeline.code_version import input_fingerprint

STEP = "Look"
DESCRIPTION = "Looks whether the files of the data set have changed since an earlier run."
OUTPUT = "input_version"
COMMAND = ("python", "-m", "pipeline.look")
ARGUMENTS = ("--executor_input", "{{$}}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the step.

    Returns:
      The exit code: 0, or 2 for an error that the user can mend, which is the last line on standard error.
    """
    parser = argparse.ArgumentParser(prog=" ".join(COMMAND), description=DESCRIPTION)
    parser.add_argument("--executor_input", required=True)
    executor_input = json.loads(parser.parse_args(arguments).executor_input)
    try:
        version = version_of(executor_input["inputs"]["parameterValues"])
    except Exception as error:
        if user_error := find_user_error(error):
            print(f"error: {without_secrets(str(user_error))}", file=sys.stderr, flush=True)
            return 2
        raise
    storage.write_json(executor_input["outputs"]["outputFile"], {"parameterValues": {OUTPUT: version}})
    print(f"the data set is as in {version}", flush=True)
    return 0


def version_of(values: Json) -> str:
    """What stands for the state of the data set's files, and for the text that the run was given besides.

    Args:
      values: of the section `dataset` and of `input_version`, as execution properties.

    Raises:
      UserError: a value is not allowed, or the files' storage cannot be reached.
    """
    given = values.get(OUTPUT) or ""
    found = input_fingerprint(DatasetConfig.from_properties({name: values[name] for name in values if name != OUTPUT}))
    return f"{given}-{found}" if given else found


if __name__ == "__main__":
    sys.exit(main())
