"""The pushed models that BulkRecommend is tested on."""

from tests.components.bulk_recommend.conftest import inputs, push

__all__ = ["inputs", "push"]
