"""What TFX's cache cannot see by itself: the code of the components, and the files a run reads."""

import functools
from pathlib import Path

from components.preprocess.config import DatasetConfig
from components.shared.sources import PACKAGE, data_files, digest, imported_sources


@functools.cache
def code_version(component: str, package: Path = PACKAGE) -> str:
    """A digest of the source that a component's executor imports, templates included: what a container runs.

    What only declares the step, such as its `component.py`, is not in it: that shows in the step's inputs and
    execution properties, which the cache sees by itself.

    Args:
      component: name of its room, such as negative_gen.
      package: the folder `components`.
    """
    sources = imported_sources(package / component / "executor.py", package)
    return digest(sources | data_files(sources), package)


def input_fingerprint(dataset: DatasetConfig) -> str:
    """A digest of the state of what the dataset is read from, wherever it lies.

    Raises:
      UserError: what holds it cannot be reached, or refuses.
    """
    return dataset.chosen.fingerprint()
