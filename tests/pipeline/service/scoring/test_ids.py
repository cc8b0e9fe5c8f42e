import numpy as np
import pytest

from pipeline.service.scoring.ids import Ids, raw_id
from pipeline.service.scoring.refusals import RefusalError


@pytest.mark.parametrize("id_", ["x", "1.5", "1_0", " 1", "", "+1", "9223372036854775808", "-9223372036854775809", "٣"])
def test_a_text_that_is_no_whole_number_of_64_bits_is_refused(id_: str) -> None:
    with pytest.raises(RefusalError, match="the user ids of this model are whole numbers of 64 bits") as refused:
        raw_id("user", id_, texts=False)
    assert refused.value.status == 400
    assert raw_id("user", id_, texts=True) == id_


@pytest.mark.parametrize("values", [[5, -3, 2**63 - 1, 0], [b"b", b"a", "é/1".encode(), b""]])
def test_ids_are_found_whatever_their_order(values: list[int] | list[bytes]) -> None:
    ids = Ids("item", np.array(values, np.int64 if isinstance(values[0], int) else object))
    texts = [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    assert [ids.find(text) for text in texts] == [0, 1, 2, 3]
    assert [ids.text(index) for index in range(4)] == texts
    assert ids.find("7") is None
    assert ids.find(str(ids.unknown())) is None
