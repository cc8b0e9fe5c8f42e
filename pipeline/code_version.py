"""What TFX's cache cannot see by itself: the code of the components, and the files a run reads."""

import glob
import hashlib
import os
from pathlib import Path

import components
from components.preprocess.config import DatasetConfig

_COMPONENTS = Path(components.__file__).parent


def code_version(component: str) -> str:
    """A digest of the source of one component, templates included, and of the modules that it shares with others."""
    own = [path for path in (_COMPONENTS / component).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    sources = sorted([*_COMPONENTS.glob("*.py"), *_COMPONENTS.glob("kernels/*.py"), *own])
    digest = hashlib.sha256()
    for source in sources:
        digest.update(str(source.relative_to(_COMPONENTS)).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


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
