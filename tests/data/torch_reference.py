"""Numbers from PyTorch, an outside witness, in float64: optimizers, losses with gradients, layers and one training.
To remake torch_reference.npz beside this script: `pip install torch==2.13.0`, then `python torch_reference.py`.
The optimizers minimise, over p, at step t (from 0), with A_t, b_t = the 4 rows of A, b from 4*t % 12 on:
mean((A_t p - b_t)**2) + 0.1 * sum(p**4) / 7, whose gradient is A_t.T (A_t p - b_t) / 2 + 0.4 * p**3 / 7.
A layer's gradients are those of sum(cotangent * y). Weight matrices are stored as (inputs, outputs)."""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

STEPS = 200
BIG_LOGITS = [[40.0, -40.0], [-40.0, 40.0]]

# Each case as nnframe spells it; an option that is left out has the same default in both.
OPTIMIZER_CASES = {
    "sgd": {"type": "SGD", "lr": 0.05},
    "sgd_momentum": {"type": "SGD", "lr": 0.05, "momentum": 0.9},
    "sgd_dampening": {"type": "SGD", "lr": 0.05, "momentum": 0.9, "dampening": 0.5},
    "sgd_nesterov": {"type": "SGD", "lr": 0.05, "momentum": 0.9, "nesterov": True},
    "sgd_weight_decay": {"type": "SGD", "lr": 0.05, "weight_decay": 0.1},
    "sgd_all": {"type": "SGD", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "adam": {"type": "Adam", "lr": 0.001},
    "adam_fast": {"type": "Adam", "lr": 0.05, "betas": [0.8, 0.99], "eps": 1e-6},
    "adam_l2": {"type": "Adam", "lr": 0.05, "weight_decay": 0.1},
    "adam_amsgrad": {"type": "Adam", "lr": 0.05, "amsgrad": True},
    "adamw": {"type": "AdamW", "lr": 0.05},
    "adamw_amsgrad": {"type": "AdamW", "lr": 0.05, "weight_decay": 0.1, "amsgrad": True},
    "adamw_cosine": {"type": "AdamW", "lr": {"type": "Cosine", "start": 0.1, "stop": 0.001}},
    "sgd_step": {
        "type": "SGD",
        "lr": {"type": "Step", "start": 0.05, "factor": 0.5, "every": 50},
        "momentum": 0.9,
    },
    "rmsprop": {"type": "RMSprop", "lr": 0.01},
    "rmsprop_fast": {"type": "RMSprop", "lr": 0.02, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.1},
    "rmsprop_momentum": {"type": "RMSprop", "lr": 0.005, "momentum": 0.8},
    "rmsprop_centered": {"type": "RMSprop", "lr": 0.005, "alpha": 0.9, "centered": True, "momentum": 0.5},
}


def leaf(array):
    return torch.tensor(array, requires_grad=True)


def learning_rate(lr, step):
    """The rate at a step counted from 0; a schedule's "epoch" is one step here."""
    if not isinstance(lr, dict):
        return lr
    if lr["type"] == "Cosine":
        return lr["stop"] + (lr["start"] - lr["stop"]) * (1 + math.cos(math.pi * step / STEPS)) / 2
    return lr["start"] * lr["factor"] ** (step // lr["every"])


def trajectory(options, A, b, start):
    """The parameters before the first step and after every step."""
    p = leaf(start)
    arguments = {name: value for name, value in options.items() if name not in ("type", "lr")}
    optimizer = getattr(torch.optim, options["type"])([p], lr=learning_rate(options["lr"], 0), **arguments)
    path = [start]
    for step in range(STEPS):
        rows = slice(4 * step % 12, 4 * step % 12 + 4)
        optimizer.param_groups[0]["lr"] = learning_rate(options["lr"], step)
        optimizer.zero_grad()
        (((A[rows] @ p - b[rows]) ** 2).mean() + 0.1 * (p**4).sum() / 7).backward()
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


def optimizers():
    rng = np.random.default_rng(1)
    A, b, start = rng.normal(size=(12, 7)), rng.normal(size=12), rng.normal(size=7)
    numbers = {"problem/A": A, "problem/b": b, "problem/start": start, "optimizer_cases": json.dumps(OPTIMIZER_CASES)}
    for case, options in OPTIMIZER_CASES.items():
        numbers[f"optimizer/{case}"] = trajectory(options, torch.tensor(A), torch.tensor(b), start)
    return numbers


def mse(pred, target):
    return functional.mse_loss(pred, target, reduction="none").mean(dim=1)


def mae(pred, target):
    return functional.l1_loss(pred, target, reduction="none").mean(dim=1)


def bce(pred, target):
    return functional.binary_cross_entropy_with_logits(pred, target, reduction="none").mean(dim=1)


def cross_entropy(pred, target):
    return functional.cross_entropy(pred, target, reduction="none")


def losses():
    """Mean losses, and weighted ones: sum(w * l) / sum(w) over the samples' losses l."""
    rng = np.random.default_rng(2)
    values, wanted = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    binary_logits = np.concatenate([BIG_LOGITS, 2 * rng.normal(size=(4, 2))])
    binary = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0], [1, 0]], dtype=float)
    logits, classes = 2 * rng.normal(size=(6, 4)), np.array([0, 3, 1, 2, 2, 0])
    large = 1e4 * rng.uniform(-1, 1, size=(6, 4))
    large[:2] = 1e4 * np.array([[1, -1, 1, -1], [-1, 1, -1, -1]])
    rows = rng.dirichlet(np.ones(4), size=6)
    soft = rng.uniform(0.05, 0.95, size=(6, 2))
    weight5, weight6 = rng.uniform(0.2, 3, size=5), rng.uniform(0.2, 3, size=6)
    cases = {
        "mse": (mse, values, wanted, None),
        "mse_weighted": (mse, values, wanted, weight5),
        "bce": (bce, binary_logits, binary, None),
        "bce_soft": (bce, binary_logits, soft, None),
        "bce_weighted": (bce, binary_logits, binary, weight6),
        "cross_entropy": (cross_entropy, logits, classes, None),
        "cross_entropy_rows": (cross_entropy, logits, rows, None),
        "cross_entropy_weighted": (cross_entropy, logits, classes, weight6),
        "cross_entropy_large": (cross_entropy, large, classes, None),
        "cross_entropy_rows_weighted": (cross_entropy, logits, rows, weight6),
        "mae": (mae, values, np.where(np.arange(5)[:, None] == 2, values, wanted), None),
        "mae_weighted": (mae, values, wanted, weight5),
    }
    numbers = {}
    for case, (loss, pred, target, weight) in cases.items():
        tensor = leaf(pred)
        each = loss(tensor, torch.tensor(target))
        if weight is None:
            value = each.mean()
        else:
            value = (torch.tensor(weight) * each).sum() / weight.sum()
            numbers[f"loss/{case}/weight"] = weight
        value.backward()
        found = {"pred": pred, "target": target, "value": value.item(), "dpred": tensor.grad.numpy()}
        numbers.update({f"loss/{case}/{name}": array for name, array in found.items()})
    return numbers


def layers():
    rng = np.random.default_rng(3)
    x = 2 * rng.normal(size=(5, 4))
    cases = {
        "dense": (
            lambda x, W, b: functional.linear(x, W.T, b),
            {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)},
        ),
        "sigmoid": (torch.sigmoid, {}),
        "tanh": (torch.tanh, {}),
        "relu": (torch.relu, {}),
        "softmax": (lambda x: torch.softmax(x, dim=-1), {}),
        "residual": (
            lambda x, W1, b1: x + torch.tanh(x @ W1 + b1),
            {"W1": rng.normal(size=(4, 4)), "b1": rng.normal(size=4)},
        ),
        "leaky_relu": (lambda x: functional.leaky_relu(x, 0.3), {}),
        "layer_norm": (
            lambda x, gamma, beta: functional.layer_norm(x, (4,), gamma, beta),
            {"gamma": np.array([0.5, 1.5, 2.0, -1.0]), "beta": np.array([0.3, -0.2, 0.0, 1.0])},
        ),
    }
    numbers = {}
    for case, (layer, parameters) in cases.items():
        inputs = {"x": x, **parameters}
        leaves = {name: leaf(array) for name, array in inputs.items()}
        y = layer(**leaves) if parameters else layer(leaves["x"])
        cotangent = rng.normal(size=tuple(y.shape))
        y.backward(torch.tensor(cotangent))
        found = {**inputs, "y": y.detach().numpy(), "cotangent": cotangent}
        found.update({f"d{name}": tensor.grad.numpy() for name, tensor in leaves.items()})
        numbers.update({f"layer/{case}/{name}": array for name, array in found.items()})
    return numbers


def batchnorm():
    """Three training batches (the gradients are the third's), then the first again as in evaluation."""
    rng = np.random.default_rng(4)
    x = 1.5 * rng.normal(size=(3, 6, 4)) + rng.normal(size=4)
    gamma, beta, cotangent = rng.uniform(0.5, 2, size=4), rng.normal(size=4), rng.normal(size=(6, 4))
    layer = torch.nn.BatchNorm1d(4, eps=1e-5, momentum=0.1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(gamma))
        layer.bias.copy_(torch.tensor(beta))
    outputs, means, variances = [], [], []
    for batch in x:
        last = leaf(batch)
        y = layer(last)
        outputs.append(y.detach().numpy())
        means.append(layer.running_mean.numpy().copy())
        variances.append(layer.running_var.numpy().copy())
    y.backward(torch.tensor(cotangent))
    layer.eval()
    found = {
        "x": x,
        "gamma": gamma,
        "beta": beta,
        "cotangent": cotangent,
        "y": np.array(outputs),
        "mean": np.array(means),
        "var": np.array(variances),
        "dx": last.grad.numpy(),
        "dgamma": layer.weight.grad.numpy(),
        "dbeta": layer.bias.grad.numpy(),
        "y_eval": layer(torch.tensor(x[0])).detach().numpy(),
    }
    return {f"layer/batchnorm/{name}": array for name, array in found.items()}


def training():
    """20 epochs of Adam on a 3-5-2 tanh network, batches of 4, 4 and 2 rows in order."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(10, 3)), np.array([0, 1, 1, 0, 1, 0, 0, 1, 0, 1])
    start = {
        "W0": rng.normal(size=(3, 5)),
        "b0": rng.normal(size=5),
        "W1": rng.normal(size=(5, 2)),
        "b1": rng.normal(size=2),
    }
    weights = {name: leaf(array) for name, array in start.items()}
    optimizer = torch.optim.Adam(weights.values(), lr=0.01)
    epoch_losses = []
    for _ in range(20):
        total = 0.0
        for batch_x, batch_y in zip(torch.tensor(x).split(4), torch.tensor(y).split(4), strict=True):
            hidden = torch.tanh(batch_x @ weights["W0"] + weights["b0"])
            loss = functional.cross_entropy(hidden @ weights["W1"] + weights["b1"], batch_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += len(batch_x) * loss.item()
        epoch_losses.append(total / len(x))
    end = {f"end_{name}": tensor.detach().numpy() for name, tensor in weights.items()}
    found = {"x": x, "y": y, **start, "loss": np.array(epoch_losses), **end}
    return {f"training/{name}": array for name, array in found.items()}


if __name__ == "__main__":
    numbers = {**optimizers(), **losses(), **layers(), **batchnorm(), **training()}
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **numbers)
