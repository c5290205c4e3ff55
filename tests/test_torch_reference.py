"""PyTorch as the outside witness; data/torch_reference.py made the numbers and describes them."""

import json
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe.components.walk import Problems, validate

with np.load(Path(__file__).parent / "data" / "torch_reference.npz") as file:
    TORCH = {name: file[name] for name in file}

OPTIMIZERS = json.loads(str(TORCH["optimizer_cases"]))
STEPS = 200


def of(prefix):
    """The numbers of one case by their last name."""
    return {name.removeprefix(prefix + "/"): array for name, array in TORCH.items() if name.startswith(prefix + "/")}


def cases(prefix):
    return sorted({name.split("/")[1] for name in TORCH if name.startswith(prefix + "/")})


# ------------------------------------------------------------------------------------------------ optimizers


def optimizer_of(case):
    """The witness spells options as nnframe does."""
    problems = Problems()
    optimizer = validate(nn.Optimizer, OPTIMIZERS[case], case, problems)
    assert not problems
    return optimizer


def trajectory(optimizer, seed):
    """The parameters before the first and after every step, (201, *runs, 7)."""
    problem = of("problem")
    model = nn.Dense(7, bias=False).build(1, seed=seed, dtype="float64")
    model.params[...] = problem["start"]
    optimizer.attach(model)
    path = [model.params.copy()]
    for step in range(STEPS):
        rows = slice(4 * step % 12, 4 * step % 12 + 4)
        A, b, p = problem["A"][rows], problem["b"][rows], model.params
        model.grads[...] = (p @ A.T - b) @ A / 2 + 0.4 * p**3 / 7
        optimizer.schedule(step, STEPS)
        optimizer.step()
        path.append(p.copy())
    return np.array(path)


def assert_is(path, case):
    np.testing.assert_allclose(path, TORCH[f"optimizer/{case}"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_optimizer(case):
    assert_is(trajectory(optimizer_of(case), seed=0), case)


# Cases of equal flags as the rows of one stack. A rate that does not change is a schedule between equal numbers.
STACKS = [
    (
        ["sgd", "sgd_momentum", "sgd_dampening", "sgd_weight_decay"],
        nn.SGD(0.05, momentum=[0, 0.9, 0.9, 0], dampening=[0, 0, 0.5, 0], weight_decay=[0, 0, 0, 0.1]),
    ),
    (["sgd_nesterov", "sgd_all"], nn.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=[0, 0.1])),
    (["sgd_momentum", "sgd_step"], nn.SGD(nn.Step(0.05, every=50, factor=[1, 0.5]), momentum=0.9)),
    (
        ["adam", "adam_fast", "adam_l2"],
        nn.Adam([0.001, 0.05, 0.05], betas=([0.9, 0.8, 0.9], [0.999, 0.99, 0.999]), eps=[1e-8, 1e-6, 1e-8], weight_decay=[0, 0, 0.1]),
    ),
    (["adamw", "adamw_cosine"], nn.AdamW(nn.Cosine([0.05, 0.1], [0.05, 0.001]))),
]


@pytest.mark.parametrize(("names", "optimizer"), STACKS)
def test_optimizer_with_one_setting_a_run(names, optimizer):
    path = trajectory(optimizer, seed=range(len(names)))
    for run, case in enumerate(names):
        assert_is(path[:, run], case)


# ------------------------------------------------------------------------------------------------ losses


def loss_of(case):
    return {"mse": nn.MSE, "mae": nn.MAE, "bce": nn.BinaryCrossEntropy, "cross": nn.CrossEntropy}[case.split("_")[0]]()


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("case", cases("loss"))
def test_loss(case, built):
    loss, torch = loss_of(case), of(f"loss/{case}")
    if built:
        loss.build(torch["pred"].shape[1:], torch["target"])
    value = loss.forward(torch["pred"], torch["target"], torch.get("weight"))
    assert value.shape == ()
    np.testing.assert_allclose(value, torch["value"], rtol=1e-14)
    np.testing.assert_allclose(loss.backward(), torch["dpred"], rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize("case", cases("loss"))
def test_loss_of_a_stack_that_shares_its_target(case):
    loss, torch = loss_of(case), of(f"loss/{case}")
    other = torch["pred"][::-1] / 2
    value = loss.forward(np.stack([other, torch["pred"]]), torch["target"], torch.get("weight"))
    assert value.shape == (2,)
    np.testing.assert_allclose(value[1], torch["value"], rtol=1e-14)
    np.testing.assert_allclose(loss.backward()[1], torch["dpred"], rtol=1e-13, atol=1e-17)


# ------------------------------------------------------------------------------------------------ layers

LAYERS = {
    "dense": nn.Dense(3),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(),
    "softmax": nn.Softmax(),
    "residual": nn.Residual(nn.Dense(4), nn.Tanh()),
    "leaky_relu": nn.LeakyReLU(0.3),
    "layer_norm": nn.LayerNorm(),
}


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_every_stored_layer_is_compared():
    assert {*LAYERS, "batchnorm"} == set(cases("layer"))


@pytest.mark.parametrize("seed", [0, [0, 1]], ids=["alone", "stack"])
@pytest.mark.parametrize("case", LAYERS)
def test_layer(case, seed):
    layer, torch = LAYERS[case].build(4, seed=seed, dtype="float64"), of(f"layer/{case}")
    inner = layer.layers[0] if layer.layers else layer
    names = [name for name in ("W", "b", "gamma", "beta") if hasattr(inner, name)]
    stored = {name: name + "1" if layer.layers else name for name in names}
    for name in names:
        getattr(inner, name)[...] = torch[stored[name]]

    y = layer.forward(torch["x"], training=True)
    close(y, np.broadcast_to(torch["y"], y.shape))
    dx = layer.backward(np.broadcast_to(torch["cotangent"], y.shape).copy())
    close(dx, np.broadcast_to(torch["dx"], dx.shape))
    for name in names:
        gradient = getattr(inner, "d" + name)
        close(gradient, np.broadcast_to(torch["d" + stored[name]], gradient.shape))


@pytest.mark.parametrize("seed", [0, [0, 1]], ids=["alone", "stack"])
def test_batchnorm(seed):
    layer, torch = nn.BatchNorm().build(4, seed=seed, dtype="float64"), of("layer/batchnorm")
    layer.gamma[...], layer.beta[...] = torch["gamma"], torch["beta"]

    def agree(found, name, step=...):
        close(found, np.broadcast_to(torch[name][step], found.shape))

    for step, x in enumerate(torch["x"]):
        y = layer.forward(x, training=True)
        agree(y, "y", step)
        agree(layer.mean, "mean", step)
        agree(layer.var, "var", step)
    agree(layer.backward(np.broadcast_to(torch["cotangent"], y.shape).copy()), "dx")
    agree(layer.dgamma, "dgamma")
    agree(layer.dbeta, "dbeta")
    agree(layer.forward(torch["x"][0]), "y_eval")
    agree(layer.mean, "mean", 2)  # evaluation moves nothing


# ------------------------------------------------------------------------------------------------ a training


@pytest.mark.parametrize("seed", [0, [0, 1]], ids=["alone", "stack"])
def test_training(seed):
    torch = of("training")
    model = nn.Sequential(nn.Dense(5), nn.Tanh(), nn.Dense(2)).build(3, seed=seed, dtype="float64")
    weights = {"W0": model.layers[0].W, "b0": model.layers[0].b, "W1": model.layers[2].W, "b1": model.layers[2].b}
    for name, array in weights.items():
        array[...] = torch[name]
    rate = 0.01 if seed == 0 else [0.02, 0.01]  # PyTorch's run is the last one of the stack

    history = nn.fit(model, nn.CrossEntropy(), nn.Adam(rate), (torch["x"], torch["y"]), epochs=20, batch_size=4, shuffle=False)

    runs = len(model.runs)
    close(history["loss"][:, -1] if runs else history["loss"], torch["loss"])
    for name, array in weights.items():
        found = array[-1] if runs else array
        close(found, np.broadcast_to(torch["end_" + name], found.shape))
