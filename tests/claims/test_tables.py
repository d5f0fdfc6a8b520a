"""Arrays out of tables, against values placed by hand."""

import numpy as np
import pandas as pd

from theorytk.claims import by_replicate


def test_levels_and_replicates_go_to_their_places():
    keys = [(k, s, r, t) for k in (5, 3) for s in ("b", "a") for r in (1, 0) for t in (0, 1, 2)]
    rows = pd.DataFrame(keys, columns=["k", "start", "replicate", "t"])
    rows["x"] = 100 * rows["k"] + 10 * rows["replicate"] + rows["t"] + (rows["start"] == "b") / 2
    found = by_replicate(rows, "x", by=("k", "start"))
    assert list(found) == ["k=3, start=a", "k=3, start=b", "k=5, start=a", "k=5, start=b"]
    np.testing.assert_array_equal(
        found["k=5, start=b"], [[500.5, 501.5, 502.5], [510.5, 511.5, 512.5]]
    )


def test_a_real_factor_is_short_in_its_label():
    rows = pd.DataFrame({"alpha": [1 / 3, 0.5], "replicate": 0, "x": [1.0, 2.0]})
    assert list(by_replicate(rows, "x", by=("alpha",))) == ["alpha=0.333333", "alpha=0.5"]
