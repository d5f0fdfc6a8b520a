"""The experiments compute on a device of PyTorch what they compute with NumPy."""

import numpy as np
import pytest

import theorytk as tk
from theorytk.diffusion.torch import to_device

pytestmark = pytest.mark.torch


def test_claims_are_judged_on_tensors(tmp_path):
    here = {"results": tmp_path, "jobs": 1}
    id = "diffusion-samplers/ddim-identities"
    ledger = tk.verify(id, controls=True, device="torch-cpu", **here)
    assert ledger.ok
    assert repr(ledger).endswith("; 1 on torch-cpu")
    experiment = "diffusion-samplers/identities"
    pair = {"pair": ["tAB0"], "history": 0}
    tensors = tk.run(experiment, device="torch-cpu", **pair, **here)
    arrays = tk.run(experiment, **pair, **here)
    assert len(tensors) == len(arrays) > 0
    assert (tensors["difference"] < 1e-12).all()
    assert (arrays["difference"] < 1e-12).all()


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"device must be .* got 'abacus'"):
        to_device(np.ones(2), "abacus")
