"""The NCF paper's layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from components.preprocess.datasets.base import Dataset, Request

if TYPE_CHECKING:
    from components.preprocess.given_split import GivenSplit


class NcfFiles(Dataset):
    """A folder in the layout of He et al. (WWW 2017), which brings its split and its test negatives."""

    what: ClassVar[str] = "the NCF paper's layout, whose split and negatives are taken as they are"

    path: str = Field(description="a folder with NAME.train.rating, ...; a path, gs:// or s3://.")

    def interactions(self, request: Request) -> GivenSplit:
        from components.preprocess.datasets import ncf_files

        return ncf_files.read(self.path, request.validation)

    def files_read(self) -> list[str]:
        return [self.path]
