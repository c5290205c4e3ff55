"""The README's Python runs as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest

from nnframe.component import REGISTRY

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_readmes_python_runs(monkeypatch, capsys):
    monkeypatch.setitem(REGISTRY, "layer", dict(REGISTRY["layer"]))
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(block.replace("epochs=1000", "epochs=20"), names)
    assert names["history"]["loss"].shape == (20, 256)
    assert names["model"].predict(names["x"]).shape == (256, 4, 1)
    assert np.shares_memory(names["model"].layers[0].W, names["model"].params)
    assert "256 runs" in capsys.readouterr().out
    assert "Scale" in REGISTRY["layer"]


def test_the_readmes_layer_is_found_out_when_its_backward_is_wrong():
    names: dict = {}
    exec("import numpy as np, nnframe as nn\n", names)
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "class Scale" in b)
    wrong = block.replace("@nn.register\n", "").replace("return dy * self.g", "return dy * self.g * 1.0005")
    with pytest.raises(names["nn"].GradientError, match="x: the gradient is off by"):
        exec(wrong, names)
