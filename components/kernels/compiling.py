"""How loops are compiled, and where their code is kept.

A loop that Python calls is an `entry_point`: its code is kept on disk, with that of all it calls. What only other loops
call is `compiled` as a part of them. Both compile at the first call, release the interpreter lock, and divide as NumPy
does. Under `NUMBA_BOUNDSCHECK=1` every index is checked.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from components.shared.sources import digest, imported_sources

_OPTIONS: dict[str, object] = {"nogil": True, "error_model": "numpy"}
# What vectorising a sum or a selection needs; infinities and NaNs keep their meaning.
_HOT: dict[str, object] = {**_OPTIONS, "fastmath": {"reassoc", "contract", "arcp", "nsz"}, "_nrt": False}
_SETTINGS = ("BOUNDSCHECK", "OPT", "SLP_VECTORIZE", "LOOP_VECTORIZE")  # of Numba, that change what it compiles


def compiled(function: Callable[..., Any] | None = None, *, hot: bool = False, variant: str = "") -> Any:
    """Compiles a function as a part of those that call it.

    Args:
      function: the function; without it, a decorator is returned.
      hot: for loops whose callers hold all arrays, and in which the last bit may depend on the CPU. References to
        arrays are not counted, which takes half the time of a loop over short rows; what is so compiled can neither
        make an array nor return one. Sums may be taken in another order. Else floating-point arithmetic is as written,
        on every CPU.
      variant: what tells a function apart from others that are made by the same lines. Code that is kept calls its
        parts by their names; one that stands for two functions would have it call the wrong one.
    """
    if function is None:
        return functools.partial(compiled, hot=hot, variant=variant)
    if variant:
        function.__qualname__ = f"{function.__qualname__}_{variant}"
    return njit(**(_HOT if hot else _OPTIONS))(function)


def entry_point(function: Callable[..., Any] | None = None, *, hot: bool = False) -> Any:
    """Compiles a function that Python calls, and keeps the code wherever there is a place for it.

    The places are `NUMBA_CACHE_DIR` if that is set, else `__pycache__` beside the function's file, else the user's
    folder for caches. Code that was kept is used from a place that cannot be written, too; where there is neither, the
    function is compiled in each process.

    Args:
      function: the function; without it, a decorator is returned.
      hot: see `compiled`.
    """
    if function is None:
        return functools.partial(entry_point, hot=hot)
    dispatcher = compiled(function, hot=hot)
    with contextlib.suppress(RuntimeError):  # Numba's, where no place serves
        dispatcher._cache = _Kept(function)
    return dispatcher


class _Place(_CacheLocator):
    """Where the code of a function is kept, and the state of the sources that it is made from.

    Numba itself looks at the function's own file alone, and wants to write even where there is only something to read.
    """

    def __init__(self, folder: Path, source: Path):
        self._folder, self._source = folder, source

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return digest(imported_sources(self._source))

    def get_disambiguator(self) -> str:
        return "loop"

    @classmethod
    def from_function(cls, function: Callable[..., Any], source: str) -> Self | None:
        if not os.path.exists(source):  # typed in, or a script's argument
            return None
        kept = f"*{function.__qualname__}-loop.*.nbi"
        for folder in _folders(source):
            if _can_be_written(folder) or any(folder.glob(kept)):
                return cls(folder, Path(source))
        return None


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Place,)


class _Kept(FunctionCache):
    """Numba's cache, which tells code by Numba's settings too, and does without a place that fails."""

    _impl_class = _Implementation

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        with contextlib.suppress(OSError):
            yield

    def _index_key(self, signature: Any, codegen: Any) -> Any:
        return super()._index_key(signature, codegen), tuple(getattr(config, name) for name in _SETTINGS)


def _folders(source: str) -> Iterator[Path]:
    if config.CACHE_DIR:
        yield Path(config.CACHE_DIR, _CacheLocator.get_suitable_cache_subpath(source))
    yield Path(source).parent / "__pycache__"
    with contextlib.suppress(RuntimeError):  # no home
        caches = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        yield Path(caches, "neumf-pipeline", _CacheLocator.get_suitable_cache_subpath(source))


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
