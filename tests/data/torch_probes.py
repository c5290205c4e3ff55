"""Numbers from PyTorch, an outside witness, in float64, for what nnframe's probes find: activations and their gradients, gradients by row, the
Hessian, the tangent kernel, alignment, and losses on a plane and a path, of two networks with three sets of weights each.
To remake torch_probes.npz beside this script: `pip install torch==2.13.0`, then `python torch_probes.py`.
Parameters are one vector: of each layer in turn W (inputs, outputs) and b, or gamma and beta. The loss is sum(w * l) / sum(w) over the rows' losses l."""

from pathlib import Path

import numpy as np
import torch
from torch.func import hessian, jacrev
from torch.nn import functional

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

GRID, MARGIN = 4, 0.2  # of the plane
KINKS = 11  # a seed with which one is within 1e-5
PATH = 5


def layer_norm(x):
    """In elementary operations: the second derivatives by torch.func of functional.layer_norm in PyTorch 2.13 are no symmetric matrix."""
    centered = x - x.mean(-1, keepdim=True)
    return centered / torch.sqrt((centered**2).mean(-1, keepdim=True) + 1e-5)


class Network:
    """A Dense of so many units, LayerNorm or not, tanh, and a Dense; with the mean of the rows' losses."""

    def __init__(self, inputs, units, outputs, norm, row_loss, target, weight=None):
        self.norm, self.row_loss, self.target = norm, row_loss, torch.tensor(target)
        self.weight = torch.ones(len(target)) if weight is None else torch.tensor(weight)
        self.shapes = [(inputs, units), (units,), *[(units,)] * (2 * norm), (units, outputs), (outputs,)]
        self.size = sum(int(np.prod(shape)) for shape in self.shapes)

    def layers(self, p, x):
        """The outputs of all layers for the rows x."""
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        arrays = [part.reshape(shape) for part, shape in zip(p.split(sizes), self.shapes, strict=True)]
        found = [x @ arrays[0] + arrays[1]]
        if self.norm:
            found.append(layer_norm(found[-1]) * arrays[2] + arrays[3])
        found.append(torch.tanh(found[-1]))
        return [*found, found[-1] @ arrays[-2] + arrays[-1]]

    def loss(self, p, x):
        return (self.weight * self.row_loss(self.layers(p, x)[-1], self.target)).sum() / self.weight.sum()


def numbers_of(net, p, x, x2, v):
    """Everything about one set of weights."""
    leaf = p.clone().requires_grad_()
    outputs = net.layers(leaf, x)
    loss = (net.weight * net.row_loss(outputs[-1], net.target)).sum() / net.weight.sum()
    gradients = torch.autograd.grad(loss, outputs)
    found = {"loss": loss}
    for i, (y, dy) in enumerate(zip(outputs, gradients, strict=True)):
        found |= {f"activation/{i}": y, f"gradient/{i}": dy}
    rows = jacrev(lambda p: net.row_loss(net.layers(p, x)[-1], net.target))(p)
    H = hessian(lambda p: net.loss(p, x))(p)
    assert (H - H.T).abs().max() < 1e-12
    J, J2 = (jacrev(lambda p, x=x: net.layers(p, x)[-1])(p) for x in (x, x2))
    found |= {"rows": rows, "hv": H @ v, "eigenvalues": torch.linalg.eigvalsh(H).flip(0), "trace": H.trace()}
    found |= {"ntk": torch.einsum("iop,jop->ij", J, J2), "ntk_each": torch.einsum("iop,jop->oij", J, J)}
    if net.size < 100:  # else it is most of the file
        found["hessian"] = H
    return {name: tensor.detach().numpy() for name, tensor in found.items()}


def hsic_cka(a, b):
    """By the Hilbert-Schmidt independence criterion: tr(K H L H) of linear kernels, where H centers."""
    rows = len(a)
    H = np.eye(rows) - np.ones((rows, rows)) / rows

    def hsic(a, b):
        return np.trace(a @ a.T @ H @ b @ b.T @ H)

    return hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b))


def plane(net, a, b, c, x):
    """Losses on the plane through three sets of weights, by Garipov et al.: u = b - a, v = (c - a) - <c - a, u> u / |u|^2."""
    u = b - a
    v = (c - a) - ((c - a) @ u) / (u @ u) * u
    width, along, height = u.norm(), (c - a) @ u / u.norm(), v.norm()
    u, v = u / u.norm(), v / v.norm()
    sides = []
    for corners in ([0.0, width.item(), along.item()], [0.0, 0.0, height.item()]):
        low, high = min(corners), max(corners)
        sides.append(np.linspace(low - MARGIN * (high - low), high + MARGIN * (high - low), GRID))
    xs, ys = sides
    losses = [[net.loss(a + s * u + t * v, x).item() for s in xs] for t in ys]
    return {"plane/x": xs, "plane/y": ys, "plane/loss": np.array(losses)}


def kinks():
    """H v of a network with ReLUs whose kinks are as near as 64,000 make them; all but v and H v comes from the seed."""
    rng = np.random.default_rng(KINKS)
    x, y = torch.tensor(rng.normal(size=(1000, 8))), torch.tensor(rng.normal(size=(1000, 2)))
    shapes = [(8, 32), (32,), (32, 32), (32,), (32, 2), (2,)]
    p = torch.tensor(0.3 * rng.normal(size=sum(int(np.prod(shape)) for shape in shapes)))
    v = torch.tensor(rng.normal(size=len(p)))

    def loss(p):
        W0, b0, W1, b1, W2, b2 = (
            part.reshape(shape) for part, shape in zip(p.split([int(np.prod(shape)) for shape in shapes]), shapes, strict=True)
        )
        return functional.mse_loss(torch.relu(torch.relu(x @ W0 + b0) @ W1 + b1) @ W2 + b2, y)

    return {"kinks/seed": np.array(KINKS), "kinks/hv": torch.autograd.functional.hvp(loss, p, v)[1].numpy()}


def main():
    rng = np.random.default_rng(7)
    cross_entropy = lambda pred, target: functional.cross_entropy(pred, target, reduction="none")  # noqa: E731
    mse = lambda pred, target: functional.mse_loss(pred, target, reduction="none").mean(1)  # noqa: E731
    classes, values, weight = rng.integers(0, 4, size=20), rng.normal(size=(9, 2)), rng.uniform(0.2, 3, size=9)
    cases = {
        "classes": (Network(6, 12, 4, True, cross_entropy, classes), rng.normal(size=(20, 6)), rng.normal(size=(5, 6)), classes, None),
        "numbers": (Network(3, 5, 2, False, mse, values, weight), rng.normal(size=(9, 3)), rng.normal(size=(4, 3)), values, weight),
    }
    numbers = {}
    for case, (net, x, x2, y, w) in cases.items():
        params, v = 0.6 * rng.normal(size=(3, net.size)), rng.normal(size=net.size)
        tensors = [torch.tensor(p) for p in params]
        each = [numbers_of(net, p, torch.tensor(x), torch.tensor(x2), torch.tensor(v)) for p in tensors]
        found = {"x": x, "x2": x2, "y": y, "params": params, "v": v} | ({} if w is None else {"weight": w})
        found |= {name: np.stack([of_run[name] for of_run in each]) for name in each[0]}
        found["cka"] = np.array([hsic_cka(found["activation/0"][run], found["activation/1"][run]) for run in range(3)])
        found["cka_of_runs"] = np.array([[hsic_cka(a, b) for b in found["activation/1"]] for a in found["activation/1"]])
        found |= plane(net, *tensors, torch.tensor(x))
        way = [(1 - t) * tensors[0] + t * tensors[2] for t in np.linspace(0, 1, PATH)]
        found["path"] = np.array([net.loss(p, torch.tensor(x)).item() for p in way])
        numbers |= {f"{case}/{name}": array for name, array in found.items()}
    numbers |= kinks()
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **numbers)


if __name__ == "__main__":
    main()
