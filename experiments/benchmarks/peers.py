"""256 trials, 32 learning rates with 8 seeds each, as other libraries train them: the same networks, batches and steps.

Each function trains and returns the last mean losses, so that it is plain that all of them do the same work. Data, orders and
starting numbers are drawn by NumPy beforehand, outside of the clock; what a library does once, such as compiling, is inside.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

Task = dict  # x, y, widths, activation, loss, rates, seeds, epochs, batch, dtype


def start(task: Task, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Weights and biases U(-1/sqrt(n), 1/sqrt(n)), and the rows' order of every epoch."""
    rng = np.random.default_rng(seed)
    params = []
    for n, m in zip(task["widths"], task["widths"][1:], strict=False):
        params += [rng.uniform(-1, 1, shape).astype(task["dtype"]) / np.sqrt(n).astype(task["dtype"]) for shape in ((n, m), (m,))]
    rows = len(task["x"])
    return params, rng.permuted(np.tile(np.arange(rows), (task["epochs"], 1)), axis=1)


def trials(task: Task) -> list[tuple[float, int]]:
    return [(rate, seed) for rate in task["rates"] for seed in task["seeds"]]


# ---------------------------------------------------------------------------------------------- PyTorch, eager


def torch_alone(task: Task, rate: float, seed: int) -> float:
    import torch
    from torch import nn

    act = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[task["activation"]]
    layers: list[nn.Module] = []
    params, orders = start(task, seed)
    dtype = getattr(torch, task["dtype"])
    for i, (n, m) in enumerate(zip(task["widths"], task["widths"][1:], strict=False)):
        dense = nn.Linear(n, m, dtype=dtype)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(params[2 * i].T))
            dense.bias.copy_(torch.from_numpy(params[2 * i + 1]))
        layers += [dense, act()]
    model = nn.Sequential(*(layers if task["loss"] == "mse" else layers[:-1]))
    loss_of = nn.MSELoss() if task["loss"] == "mse" else nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate) if task["loss"] == "mse" else torch.optim.Adam(model.parameters(), lr=rate)
    x, y = torch.from_numpy(task["x"]), torch.from_numpy(task["y"])
    total = 0.0
    for order in torch.from_numpy(orders):
        total = 0.0
        for batch in order.split(task["batch"]):
            optimizer.zero_grad()
            loss = loss_of(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
    return total / len(x)


def _torch_some(task: Task, some: list[tuple[float, int]]) -> tuple[float, list[float]]:
    import torch

    torch.set_num_threads(1)
    torch_alone(task | {"epochs": 1}, *some[0])
    begin = time.perf_counter()
    losses = [torch_alone(task, *trial) for trial in some]
    return time.perf_counter() - begin, losses


def torch_eager(task: Task, sample: int) -> tuple[float, float]:
    """On two processes; `sample` trials on each are timed and the time is scaled to all of them, as it would take minutes."""
    every = trials(task)
    parts = [every[k :: len(every) // sample][:sample] for k in (0, 1)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        done = list(pool.map(_torch_some, [task, task], parts))
    return max(seconds for seconds, _ in done) * len(every) / (2 * sample), float(np.mean([losses for _, losses in done]))


# ---------------------------------------------------------------------------------------------- torch.func, all as one


def torch_vmap(task: Task, epochs: int) -> tuple[float, float]:
    """All trials as one by torch.func.vmap of grad, with an Adam or SGD step on the stacked tensors; scaled from `epochs`."""
    import torch
    from torch.func import grad_and_value, vmap

    every = trials(task)
    starts = {seed: start(task, seed) for seed in task["seeds"]}
    params = [torch.from_numpy(np.stack([starts[seed][0][k] for _, seed in every])) for k in range(2 * len(task["widths"]) - 2)]
    orders = torch.from_numpy(np.stack([starts[seed][1] for _, seed in every]))
    rates = torch.tensor([rate for rate, _ in every], dtype=params[0].dtype)
    x, y = torch.from_numpy(task["x"]), torch.from_numpy(task["y"])

    def loss_of(p, xb, yb):
        for i in range(0, len(p), 2):
            xb = xb @ p[i] + p[i + 1]
            if task["loss"] == "mse" or i < len(p) - 2:
                xb = torch.sigmoid(xb) if task["activation"] == "sigmoid" else torch.relu(xb)
        return ((xb - yb) ** 2).mean() if task["loss"] == "mse" else torch.nn.functional.cross_entropy(xb, yb)

    step = vmap(grad_and_value(loss_of))
    m, v = [torch.zeros_like(p) for p in params], [torch.zeros_like(p) for p in params]
    begin, t, total = time.perf_counter(), 0, None
    with torch.no_grad():
        for epoch in range(epochs):
            total = torch.zeros_like(rates)
            for batch in orders[:, epoch].split(task["batch"], 1):
                grads, losses = step(params, x[batch], y[batch])
                total += losses * batch.shape[1]
                t += 1
                for k, g in enumerate(grads):
                    lr = rates.reshape(-1, *[1] * (g.ndim - 1))
                    if task["loss"] == "mse":
                        params[k] -= lr * g
                        continue
                    m[k].mul_(0.9).add_(g, alpha=0.1)
                    v[k].mul_(0.999).addcmul_(g, g, value=0.001)
                    params[k] -= lr / (1 - 0.9**t) * m[k] / ((v[k] / (1 - 0.999**t)).sqrt() + 1e-8)
    return (time.perf_counter() - begin) * task["epochs"] / epochs, float(total.mean() / len(x))


# ---------------------------------------------------------------------------------------------- JAX, all as one


def jax_vmap(task: Task) -> tuple[float, float]:
    """All trials as one by vmap of a scan over all steps, compiled; the compilation is part of the time."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", task["dtype"] == "float64")
    every = trials(task)
    starts = {seed: start(task, seed) for seed in task["seeds"]}
    params = [np.stack([starts[seed][0][k] for _, seed in every]) for k in range(2 * len(task["widths"]) - 2)]
    rows, batch = len(task["x"]), task["batch"]
    full = rows // batch * batch
    orders = np.stack([starts[seed][1] for _, seed in every])
    x, y = jnp.asarray(task["x"]), jnp.asarray(task["y"])

    def loss_of(p, xb, yb):
        for i in range(0, len(p), 2):
            xb = xb @ p[i] + p[i + 1]
            if task["loss"] == "mse" or i < len(p) - 2:
                xb = jax.nn.sigmoid(xb) if task["activation"] == "sigmoid" else jax.nn.relu(xb)
        if task["loss"] == "mse":
            return ((xb - yb) ** 2).mean()
        return -jnp.take_along_axis(jax.nn.log_softmax(xb), yb[:, None], 1).mean()

    def train(p, rate, order):
        def step(carry, rows_of):
            p, m, v, t = carry
            value, grads = jax.value_and_grad(loss_of)(p, x[rows_of], y[rows_of])
            t = t + 1
            if task["loss"] == "mse":
                p = [a - rate * g for a, g in zip(p, grads, strict=False)]
            else:
                m = [0.9 * a + 0.1 * g for a, g in zip(m, grads, strict=False)]
                v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads, strict=False)]
                p = [a - rate / (1 - 0.9**t) * b / (jnp.sqrt(c / (1 - 0.999**t)) + 1e-8) for a, b, c in zip(p, m, v, strict=False)]
            return (p, m, v, t), value * len(rows_of)

        def epoch(carry, order_of):
            carry, losses = jax.lax.scan(step, carry, order_of[:full].reshape(-1, batch))
            total = losses.sum()
            if full < rows:
                carry, last = step(carry, order_of[full:])
                total = total + last
            return carry, total / rows

        zeros = [jnp.zeros_like(a) for a in p]
        (p, *_), losses = jax.lax.scan(epoch, (p, zeros, zeros, jnp.zeros((), x.dtype)), order)
        return losses[-1]

    begin = time.perf_counter()
    losses = jax.jit(jax.vmap(train))(params, jnp.asarray([rate for rate, _ in every], x.dtype), orders)
    losses = np.asarray(losses)
    return time.perf_counter() - begin, float(losses.mean())
