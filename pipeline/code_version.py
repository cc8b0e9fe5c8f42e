"""What TFX's cache cannot see by itself: the code of the components, and the files a run reads."""

import functools
import glob
import hashlib
import os
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
    """A digest of the names, sizes and times of change of the local files that the dataset is read from."""
    digest = hashlib.sha256()
    patterns = [dataset.path, dataset.mirror and os.path.join(dataset.mirror, f"{dataset.name}*")]
    for pattern in filter(None, patterns):
        for path in sorted(glob.glob(os.path.expanduser(pattern), recursive=True)):
            for file in _files_below(Path(path)):
                status = file.stat()
                digest.update(f"{file}:{status.st_size}:{status.st_mtime_ns};".encode())
    return digest.hexdigest()[:16]


def _files_below(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [Path(folder) / name for folder, _, names in sorted(os.walk(path)) for name in sorted(names)]
