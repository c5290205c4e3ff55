"""What a run and a sweep are warned of before they are trained, and what they are not."""

from pathlib import Path

import numpy as np
import pytest

from nnframe import run

CONFIGS = Path(__file__).parents[2] / "configs"
SIGMOID = "warning: model.1: Sigmoid before BinaryCrossEntropy, which takes logits and applies its own; leave it out\n"
BIAS = "a bias straight before BatchNorm does nothing, and is moved by rounding alone; write bias: false\n"
UNSCALED = "data={type: CSV, path: wide.csv, target: kind}"


@pytest.fixture
def said(place, capsys):
    """What goes to stderr when a config is run."""
    kind = np.repeat([0, 1, 2], 20)
    income = 500 + 300 * kind + np.arange(60)
    rows = [f"{income[i]},{i % 7},c{kind[i]}" for i in range(60)]
    Path("wide.csv").write_text("\n".join(["income,rest,kind", *rows, ""]))

    def said(*arguments):
        capsys.readouterr()
        assert run.main(["--out", "runs", "--quiet", *arguments]) == 0
        out, err = capsys.readouterr()
        assert len(out.splitlines()) == 1  # the folder
        return err

    return said


def test_a_run_says_what_check_says(said):
    assert said("xor.yaml", "train.epochs=1", "model=[{type: Dense, units: 1}, Sigmoid]") == SIGMOID


def test_nothing_is_said_again_when_a_run_goes_on(said):
    said("xor.yaml", "train.epochs=1", "model=[{type: Dense, units: 1}, Sigmoid]")
    (folder,) = Path("runs/xor").iterdir()
    assert said("--resume", str(folder), "train.epochs=2") == ""


def test_a_sweep_says_it_once_before_its_first_trial(said):
    sweep = "sweep={seeds: 3, parameters: {optimizer.lr: [0.1, 0.2]}}"
    assert said("xor.yaml", "train.epochs=1", "model=[{type: Dense, units: 1}, Sigmoid]", sweep, "--workers=1") == SIGMOID


@pytest.mark.parametrize("config", ["gender", "iris", "xor", "digits"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_examples_are_warned_of_nothing(said, config, seed):
    assert said(f"{config}.yaml", "train.epochs=1", f"seed={seed}") == ""


def test_inputs_that_are_not_scaled(said):
    """Only where the loss before training shows it: logits of hundreds, where ln 3 would be had for nothing."""
    iris = ["iris.yaml", "train.epochs=1", "predict={}"]
    words, loss = said(*iris, UNSCALED).split(", and the loss at the start is ")
    assert words == "warning: data: inputs are not scaled: 'income' goes from 500 to 1159"
    loss, rest = loss.split(", ", 1)
    rest, end, _ = rest.split("\n")
    assert float(loss) > 30 and rest == "where a model that knows nothing has 1.099; write transforms: [Standardize]"
    assert end.startswith("warning: loss 2") and end.endswith(" may help, or transforms: [Standardize], since inputs are not scaled")
    assert said(*iris, UNSCALED, "data.transforms=[Standardize]") == ""
    assert "at the start" not in said(*iris, UNSCALED, "model=[{type: Dense, units: 3, init: {type: Normal, std: 1e-4}}]")


KNOWS_NOTHING = "is far above that of a model that knows nothing, "


@pytest.mark.parametrize(
    ("config", "change", "loss", "nothing"),
    [
        ("iris.yaml", "optimizer={type: Adam, lr: 1e6}", "loss", "ln 3 = 1.099 if all classes are as likely"),
        ("xor.yaml", "optimizer={type: Adam, lr: 1e6}", "loss", "ln 2 = 0.6931 if both are as likely"),
        ("tabular/diabetes.yaml", "optimizer={type: Adam, lr: 1e6}", "loss", "1, the targets' variance, if the mean is always given"),
    ],
)
def test_a_loss_worse_than_knowing_nothing_gets_a_remark(said, config, change, loss, nothing):
    told = said(config, change, "train.epochs=30", "predict={}")
    assert told.startswith(f"warning: {loss} ") and told.endswith(f"{KNOWS_NOTHING}{nothing}; a smaller optimizer.lr than 1e+06 may help\n")


def test_knowing_nothing_by_absolute_errors(said):
    Path("far.csv").write_text("x,y\n" + "".join(f"{x / 10},{x}\n" for x in (0, 1, 2, 3, 10)))  # the median is 2: 12 / 5 from it
    data = ["data={type: CSV, path: far.csv, target: y}", "loss=MAE", "metrics=[]", "predict={}", "train.epochs=20"]
    told = said("xor.yaml", *data, "optimizer={type: Adam, lr: 1e6}")
    assert f"{KNOWS_NOTHING}2.4, the targets' mean distance from their median, if that is always given; a smaller" in told
    assert said("xor.yaml", *data) == ""


def test_rows_learnt_by_heart_get_another_remark(said):
    rng = np.random.default_rng(0)  # classes by chance: nothing can be learnt but the rows themselves
    lines = [",".join([*(f"{x:.4f}" for x in rng.normal(size=20)), "ab"[int(rng.integers(2))]]) for _ in range(40)]
    Path("chance.csv").write_text("\n".join([",".join([*(f"x{i}" for i in range(20)), "y"]), *lines]) + "\n")
    change = ["data={type: CSV, path: chance.csv, target: y, validation: 0.5}", "model.0.units=64", "optimizer={type: Adam, lr: 0.1}"]
    told = said("xor.yaml", *change, "predict={}", "train.epochs=200", "train.batch_size=20")
    assert told.startswith("warning: val_loss ") and f"{KNOWS_NOTHING}ln 2 = 0.6931" in told
    assert ", while loss is " in told and told.endswith(
        "it is too sure of rows that it was not trained on; EarlyStopping keeps an earlier epoch\n"
    )


@pytest.mark.parametrize(
    "config",
    sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.yaml") if "sweep" not in path.name and path.name != "seeds.yaml"),
)
def test_no_example_gets_a_remark_at_its_end(said, config):
    assert said(config, *(["train.epochs=15"] if "mlp" in config else [])) == ""


def test_targets_far_from_zero_are_not_the_inputs_fault(said):
    Path("far.csv").write_text("x,y\n" + "".join(f"{x},{1e5 + x}\n" for x in range(12)))
    data = ["data={type: CSV, path: far.csv, target: y}", "loss=MSE", "metrics=[]", "predict={}"]
    told = f"targets go from 1e+05 to 1e+05, and outputs start near 0; {SCALE} (metrics stay in the target's units)"
    assert said("xor.yaml", "train.epochs=1", *data) == f"warning: data.target: {told}\n"


SCALE = "write target_transforms: [Standardize]"


def test_targets_that_are_not_scaled(said):
    """Prices of houses: 60 epochs of a usual lr bring outputs nowhere."""
    rng = np.random.default_rng(0)
    area = rng.uniform(50, 250, 200)
    Path("prices.csv").write_text("area,price\n" + "".join(f"{a:.1f},{3500 * a + 1e4:.0f}\n" for a in area))
    config = ["xor.yaml", "loss=MSE", "metrics=[]", "predict={}", "train={epochs: 60, batch_size: 32}", "optimizer=Adam"]
    config += ["data={type: CSV, path: prices.csv, target: price, transforms: [Standardize]}"]
    before, after = said(*config).splitlines()
    assert before.startswith("warning: data.target: targets go from 1.8") and SCALE in before
    assert "is no better than that of a model that knows nothing, " in after and after.endswith(f"if the mean is always given; {SCALE}")
    assert said(*config, "data.target_transforms=[Standardize]") == ""
    logs = said(*config, "data.target_transforms=[Log]")
    assert "targets go from 12" in logs and "write target_transforms: [Log, Standardize] (" in logs
    assert "data.target" not in said(*config, "model=[{type: Dense, units: 1}]", "train.epochs=1")


def test_rows_that_are_held_out_and_trained_on_are_told(said):
    lines = [f"{i % 7},{i % 11},{'ab'[i % 2]}\n" for i in range(60)]
    for name, part in {"train": lines[:40], "same": lines[30:50], "new": lines[40:]}.items():
        Path(f"{name}.csv").write_text("".join(["u,v,y\n", *part]))
    data = "data={{type: CSV, path: train.csv, target: y, validation: {{type: CSV, path: {}.csv, target: y}}, test: {{type: CSV, path: {}.csv, target: y}}}}"
    config = ["xor.yaml", "predict={}", "train.epochs=1"]
    assert said(*config, data.format("same", "new")) == (
        "warning: data.validation: 10 of the 20 validation rows are trained on too (their inputs are the same)\n"
    )
    assert said(*config, data.format("new", "train")) == (
        "warning: data.test: 40 of the 40 test rows are trained on too (their inputs are the same)\n"
    )
    assert said(*config, "data={type: CSV, path: train.csv, target: y, validation: 0.3}") == ""


DENSE = "{type: Dense, units: 4}"


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        (f"{DENSE}, BatchNorm", "model.0"),
        (f"{DENSE}, {{type: Residual, layers: [{DENSE}, BatchNorm]}}", "model.1.layers.0"),
        (f"{{type: Sequential, layers: [Tanh, {DENSE}]}}, BatchNorm", "model.0.layers.1"),
        (f"{DENSE}, {{type: Sequential, layers: [BatchNorm, Tanh]}}", "model.0"),
        ("{type: Dense, units: 4, bias: false}, BatchNorm", None),
        (f"{DENSE}, Tanh, BatchNorm", None),
        (f"{{type: Residual, layers: [{DENSE}]}}, BatchNorm", None),  # its input has no such bias
    ],
)
def test_a_bias_that_does_nothing(said, layers, where):
    assert said("iris.yaml", "train.epochs=1", f"model=[{layers}, {{type: Dense, units: 3}}]") == (
        f"warning: {where}: {BIAS}" if where else ""
    )
