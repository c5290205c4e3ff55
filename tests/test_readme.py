"""The README's Python runs as it stands there."""

import re
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import __main__ as command
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_readmes_python_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(REGISTRY, "layer", dict(REGISTRY["layer"]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(block.replace("epochs=1000", "epochs=20"), names)
        if "256 networks" in block:
            assert names["history"]["loss"].shape == (20, 256)
            assert names["model"].predict(names["x"]).shape == (256, 4, 1)
            assert np.shares_memory(names["model"].layers[0].W, names["model"].params)
            assert "256 runs" in capsys.readouterr().out
    assert "Scale" in REGISTRY["layer"]
    assert names["curves"]["val_accuracy"].shape == (30, 8)
    assert names["trained"].predict(names["flower"]).tolist() == ["virginica"]
    assert names["p"].activations["3"].shape == (8, 150, 16) and names["p"].gradients["3"].shape == (8, 6, 16)


def test_the_readmes_own_csv(monkeypatch, capsys, tmp_path):
    """What the first section shows, word for word but for folders and times."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    config, first, using, sweep = re.findall(
        r"```(?:yaml)?\n(.*?)```", README[README.index("## Your own CSV") : README.index("What else a config may")], re.S
    )
    (tmp_path / "flowers.yaml").write_text(config)
    rows = (ROOT / "configs/data/iris.csv").read_text().splitlines()[:4]
    (tmp_path / "new.csv").write_text("".join(f"{line.rpartition(',')[0]}\n" for line in rows))
    assert len(config.splitlines()) == 8
    folders: dict = {}
    for said in (first, using, sweep):
        for command_line, answer in re.findall(r"^\$ nnframe (.*)\n((?:[^$].*\n|\n)*)", said, re.M):
            words = [folders.get(word, word) for word in shlex.split(command_line)]
            assert command.main(words) == 0
            printed = capsys.readouterr().out.splitlines()
            if words[0] == "run":
                later = using if said is first else sweep
                folders[re.search(r"experiments/runs/flowers/\S+", later)[0]] = printed[-1]
            told = [line for line in answer.splitlines() if not re.search(r"^\.\.\.$|experiments/runs|trials in", line)]
            assert told and set(told) <= set(printed), set(told) - set(printed)


def test_the_readmes_layer_is_found_out_when_its_backward_is_wrong():
    names: dict = {}
    exec("import numpy as np, nnframe as nn\n", names)
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "class Scale" in b)
    wrong = block.replace("@nn.register\n", "").replace("return dy * self.g", "return dy * self.g * 1.0005")
    with pytest.raises(names["nn"].GradientError, match="x: the gradient is off by"):
        exec(wrong, names)


@pytest.mark.parametrize("factor, status", [("", 0), (" * 1.0005", 2)])
def test_the_readmes_layer_works_from_yaml_and_check_finds_a_wrong_backward(tmp_path, monkeypatch, capsys, factor, status):
    monkeypatch.setitem(REGISTRY, "layer", dict(REGISTRY["layer"]))
    monkeypatch.setattr(plugins, "LOADED", [])
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "class Scale" in b)
    code = "import nnframe as nn\n\n\n" + block.partition("rng = ")[0]
    (tmp_path / "my_layers.py").write_text(code.replace("return dy * self.g", f"return dy * self.g{factor}"))
    config = Path(__file__).parent.parent / "configs/xor.yaml"
    assert command.main(["check", str(config), "model.1=Scale", "--plugin", str(tmp_path / "my_layers.py")]) == status
    captured = capsys.readouterr()
    assert "1  Scale()" in captured.out
    assert ("model.1: Scale: x: the gradient is off by" in captured.err) == bool(status)


def test_the_readmes_callback_acts_on_each_run_and_survives_interruptions(tmp_path):
    names: dict = {}
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "class Plateau" in b)
    exec("import numpy as np, nnframe as nn\n" + block, names)
    x, y = np.random.default_rng(0).normal(size=(2, 20, 2))

    def train(seed, rate, **options):
        model, plateau = nn.Dense(2).build(2, seed=seed, dtype="float64"), names["Plateau"](patience=2)
        callbacks = [plateau, nn.EarlyStopping("loss", patience=9), *options.pop("callbacks", ())]
        history = nn.fit(model, nn.MSE(), nn.SGD(rate), (x, y), epochs=40, batch_size=5, callbacks=callbacks, **options)
        return model.params.tobytes(), history["lr"].tobytes(), history

    class Ring:
        def on_epoch(self, state):
            if state.epoch == 17:
                signal.raise_signal(signal.SIGTERM)

    params, rates, history = train([0, 1, 2], [0.5, 0.05, 0.9])
    lowest = np.nanmin(history["lr"], 0)
    assert (lowest < [0.5, 0.05, 0.9]).all() and set(np.log2(lowest / [0.5, 0.05, 0.9])) <= set(range(-20, 0))
    for run, rate in enumerate([0.5, 0.05, 0.9]):
        assert train(run, rate)[2]["lr"].tobytes() == history["lr"][:, run].tobytes()
    with pytest.raises(nn.Interrupted):
        train([0, 1, 2], [0.5, 0.05, 0.9], checkpoint=tmp_path, callbacks=[Ring()])
    assert train([0, 1, 2], [0.5, 0.05, 0.9], checkpoint=tmp_path, callbacks=[type("Ring", (), {"on_epoch": lambda *_: None})()])[:2] == (
        params,
        rates,
    )
