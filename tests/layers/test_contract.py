"""The contract of a layer, for every layer of the table: forward and backward in turns, stacks, copies."""

import copy
import pickle

import numpy as np
import pytest
from cases import RUNS, every_layer, same

import nnframe as nn
from nnframe.components.buffers import IDLE
from nnframe.layers import layout

in_both_modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def built(case, rows, shape=None, dtype="float32"):
    """The layer as some runs have it, each with a seed of its own."""
    return case.of(rows).build(shape or case.shapes[0], seed=rows, dtype=dtype)


def gradients(layer, dy):
    """What backward gives for dy, which it may overwrite."""
    dx = layer.backward(dy.copy())
    return [np.array(dx), layer.grads.copy()]


@every_layer
@in_both_modes
@pytest.mark.parametrize("rows", [0, range(RUNS)], ids=["alone", "stack"])
def test_backward_may_be_called_again_after_one_forward(case, training, rows, rng):
    for shape in case.shapes:
        layer, fresh = built(case, rows, shape), built(case, rows, shape)
        x = layer.cast(case.inputs(rng, (*layer.runs, 5), shape))
        y = layer.forward(x, training=training)
        fresh.forward(x, training=training)
        dy, another = rng.normal(size=(2, *y.shape)).astype(y.dtype)
        first = gradients(layer, dy)
        assert same(gradients(layer, dy), first)
        assert same(gradients(layer, another), gradients(fresh, another))
        layer.backward(dy.copy(), need_dx=False)
        assert same([layer.grads], first[1:])


@every_layer
def test_the_last_forward_is_the_one_to_go_back_from(case, rng):
    """Whatever was evaluated between it and the one before."""
    layer, fresh = built(case, 0), built(case, 0)
    x, other = (layer.cast(case.inputs(rng, (5,), case.shapes[0])) for _ in range(2))
    layer.forward(x, training=True)
    layer.forward(other)
    layer.forward(x[:2])
    y = layer.forward(x, training=True)
    fresh.forward(x, training=True)
    assert same([y], [fresh.forward(x, training=True)])
    dy = rng.normal(size=y.shape).astype(y.dtype)
    assert same(gradients(layer, dy), gradients(fresh, dy))


def noting(inner, given):
    """The layer's forward, which notes its input in `given`."""
    forward = inner.forward

    def noted(x, **options):
        y = forward(x, **options)
        given[inner._path] = x
        return y

    return noted


@every_layer
@in_both_modes
def test_the_working_arrays_have_the_input_in_both_modes(case, training, rng):
    for shape in case.shapes:
        layer, given = built(case, [0, 1], shape), {}
        tree = [inner for _, _, inner in layout.walk(layer)]
        for inner in tree:
            inner.forward = noting(inner, given)
        for rows in ((5,), (2, 5), (2,)):
            x = layer.cast(case.inputs(rng, rows, shape))
            for _ in range(2):  # the second time it is the very array of the first
                layer.forward(x, training=training)
                assert given[layer._path] is x
                assert all(inner._w is IDLE or inner._w.x is given[inner._path] for inner in tree)


# ------------------------------------------------------------------------------------------------ stacks


def stepped(layer, optimizer, batches):
    """All that some steps of training compute and leave, in turn."""
    loss, found = nn.MSE().build(layer.output_shape), []
    for x, target in batches:
        y = layer.forward(x, training=True)
        value = loss.forward(y, target)
        found += [y.copy(), np.array(value), *gradients(layer, loss.backward())]
        optimizer.step()
        found += [layer.params.copy(), layer.state.copy()]
    return [*found, layer.predict(batches[0][0])]


def batches_for(case, layer, rng, runs=()):
    """Batches of 5, 5 and 3 rows, the second of which is the very array of the first."""
    x, last = (layer.cast(case.inputs(rng, (*runs, rows), case.shapes[0])) for rows in (5, 3))
    targets = [rng.normal(size=(*runs, rows, *layer.output_shape)).astype(layer.dtype) for rows in (5, 3)]
    return [(x, targets[0]), (x, targets[0]), (last, targets[1])]


def optimizer(rows):
    return nn.SGD(np.array([0.1, 0.2, 0.05])[rows].tolist(), momentum=0.5)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own", [True, False], ids=["own input", "shared input"])
def test_a_stack_gives_the_bytes_of_its_runs_alone(case, dtype, own, rng):
    rows = list(range(RUNS))
    stack = built(case, rows, dtype=dtype)
    batches = batches_for(case, stack, rng, (RUNS,) if own else ())
    found = stepped(stack, optimizer(rows).attach(stack), batches)
    for run in rows:
        layer = built(case, run, dtype=dtype)
        own_batches = [tuple(a[run] for a in batch) for batch in batches] if own else batches
        alone = stepped(layer, optimizer(run).attach(layer), own_batches)
        assert same([a if a.ndim == b.ndim else a[run] for a, b in zip(found, alone, strict=True)], alone)


COPIES = {
    "deepcopy": (copy.deepcopy, [0, 1, 2]),
    "pickle": (lambda pair: pickle.loads(pickle.dumps(pair)), [0, 1, 2]),
    "take a list": (lambda pair: taken(*pair, [2, 0]), [2, 0]),
    "take one": (lambda pair: taken(*pair, 1), 1),
}


def taken(layer, optimizer, rows):
    kept = layer.take(rows)
    return kept, optimizer.take(rows, kept)


@every_layer
@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_trains_on_as_the_original_does(case, copied, rng):
    make, rows = COPIES[copied]
    layer = built(case, list(range(RUNS)), dtype="float64")
    batches = batches_for(case, layer, rng, (RUNS,))
    given = optimizer(list(range(RUNS))).attach(layer)
    stepped(layer, given, batches)
    other, its = make((layer, given))
    found = stepped(other, its, [(x[rows], target[rows]) for x, target in batches])
    assert same(found, [a[rows] for a in stepped(layer, given, batches)])
