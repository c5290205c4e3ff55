"""`product_of` picks dot where it gives the bytes of np.matmul, alone and in a stack."""

from itertools import product

import numpy as np
import pytest

import nnframe as nn
from nnframe.components.buffers import dot, product_of
from nnframe.layers import base
from nnframe.system import blas

SIZES = (1, 2, 3, 8, 17, 64)
RUNS = 3


def drawn(rng, *shape, dtype):
    """Numbers with zeros of both signs among them."""
    numbers = rng.normal(size=shape)
    return np.where(rng.random(shape) < 0.3, np.copysign(0.0, numbers), numbers).astype(dtype)


def as_fortran(a):
    """The same numbers with the last two axes in the other order in memory."""
    return np.swapaxes(np.ascontiguousarray(np.swapaxes(a, -1, -2)), -1, -2)


def roles(x, W, dy):
    """The products of a layer that maps rows x to rows y: with its weights, for their gradient and x's, and sums over rows. Dense copies
    where there is one row; a layer that keeps the shape need not."""
    (rows, n), units = x.shape[-2:], dy.shape[-1]
    found = {"x W": (x, W), "x^T dy": (x.mT, dy), "dy W^T": (dy, W.mT)}
    return found | ({"ones dy": (np.ones((1, rows), x.dtype), dy)} if rows > 1 or n == units else {})


@pytest.mark.parametrize("threads", [1, "all"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_dot_is_chosen_it_has_the_bytes_of_matmul(dtype, order, threads, rng):
    chosen = 0
    with blas.threads(blas.cores() if threads == "all" else threads):
        for rows, n, units in product(SIZES, SIZES, SIZES):
            shapes = ((rows, n), (n, units), (rows, units))
            xs, Ws, dys = (drawn(rng, RUNS, *shape, dtype=dtype) for shape in shapes)
            xs = xs if order == "C" else as_fortran(xs)
            for run in range(RUNS):
                x, W, dy = xs[run], Ws[run], dys[run]
                multiply = product_of(x, np.empty((rows, units), dtype))
                chosen += multiply is dot
                shared = roles(x, Ws, dys)
                for role, (a, b) in roles(x, W, dy).items():
                    out = np.empty((a.shape[0], b.shape[1]), dtype)
                    alone = multiply(a, b, out).tobytes()
                    assert alone == np.matmul(a, b).tobytes(), (role, rows, n, units)
                    own = np.matmul(*roles(xs, Ws, dys)[role])[run]
                    assert alone == own.tobytes(), (role, rows, n, units)
                    assert alone == np.matmul(*shared[role])[run].tobytes(), (role, rows, n, units)
    assert chosen > 0.95 * RUNS * len(SIZES) ** 3


MATMUL = [  # x, and what is wrong with it for dot
    (np.ones((2, 4), "float32"), "another dtype"),
    (np.ones((2, 8))[:, ::2], "in pieces"),
    (np.ones((4, 4))[::2], "in pieces"),
    (np.ones((3, 2, 4)), "a stack"),
    (np.ones((1, 1)), "single numbers"),
]


@pytest.mark.parametrize("x", [x for x, _ in MATMUL], ids=[why for _, why in MATMUL])
def test_where_matmul_is_chosen(x):
    y = np.empty((*x.shape[:-1], 1 if x.size == 1 else 5))
    assert product_of(x, y) is np.matmul
    assert product_of(np.ones((2, 4)), np.empty((2, 5))) is dot


LAYERS = [nn.Dense(5), nn.Dense(1), nn.Dense(1, bias=False), nn.BatchNorm(), nn.LayerNorm()]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("shape", [(1,), (6,), (2, 3)], ids=str)
@pytest.mark.parametrize("rows", [1, 5])
def test_layers_compute_the_same_with_either(layer, shape, rows, rng, monkeypatch):
    x, used = drawn(rng, rows, *shape, dtype="float32"), []

    def computed():
        layer.build(shape)
        y = layer.forward(x, training=True).copy()
        dx = layer.backward(drawn(np.random.default_rng(1), *y.shape, dtype="float32"))
        used.append(layer._w.product)
        return [a.tobytes() for a in (y, dx, layer.grads, layer.state, layer.forward(x))]

    found = computed()
    monkeypatch.setattr(base, "product_of", lambda x, y: np.matmul)
    assert computed() == found
    assert used[1] is np.matmul and (used[0] is dot or x.size == 1)
