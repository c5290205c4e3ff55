"""A schedule on any PerRun option shows in the very next step, as if the number had been there from the start."""

import numpy as np
import pytest
from cases import CASES, OWN, RUNS, VECTOR, same

import nnframe as nn
from nnframe.components.markers import per_run
from nnframe.components.options import options


class Jump(nn.Schedule):
    """`before` until epoch 1, then `after`."""

    before: nn.PerRun[float]
    after: nn.PerRun[float]

    def value(self, t, total):
        return self.bound.before if t < 1 else self.bound.after

    def extremes(self):
        return np.ravel([self.before, self.after]).tolist()


def scheduled(slot):
    """Each PerRun option of each case of a slot, as (case, option, which of a pair of them, its values)."""
    found = []
    for case in CASES[slot] + OWN.get(slot, []):
        known = options(type(case.component))
        for name, values in case.per_run.items():
            for i, part in enumerate(values) if isinstance(values, tuple) else [(None, values)]:
                if isinstance(part, list) and per_run(known[name].kind):
                    found.append(pytest.param(case, name, i, part, id=f"{case}: {name}{'' if i is None else f'.{i}'}"))
    return pytest.mark.parametrize(("case", "name", "i", "values"), found)


class Three:
    """A component whose number moves from one value to another, one where it is the latter from the start, and one where it stays."""

    def __init__(self, case, name, i, values, runs, *, plain):
        self.seed, self.runs = (range(RUNS), (RUNS,)) if runs else (0, ())
        before, after = (values, values[1:] + values[:1]) if runs else values[:2]
        numbers = (Jump(before, after), after if plain else Jump(after, after), before if plain else Jump(before, before))
        rows = range(RUNS) if runs else None
        given = case.of(rows)._options[name]
        pairs = [number if i is None else tuple(number if i == k else part for k, part in enumerate(given)) for number in numbers]
        self.moves, self.there, self.stays = (case.of(rows, **{name: pair}) for pair in pairs)

    def __iter__(self):
        return iter((self.moves, self.there, self.stays))


alone_and_stacked = pytest.mark.parametrize("runs", [False, True], ids=["alone", "stack"])


@scheduled("layer")
@alone_and_stacked
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_of_a_layer(case, name, i, values, runs, training, rng):
    three = Three(case, name, i, values, runs, plain=True)
    moves, there, stays = (layer.build(case.shapes[0], seed=three.seed, dtype="float64") for layer in three)
    x = case.inputs(rng, (*three.runs, 5), case.shapes[0])
    dy = rng.normal(size=(*three.runs, 5, *moves.output_shape))

    def step(layer, training):
        y = layer.forward(x, training=training).copy()
        return [y, np.array(layer.backward(dy.copy())), layer.grads.copy(), layer.state.copy()]

    for layer in (moves, there, stays):
        layer.schedule(0, 2)
        step(layer, True)
        layer.state[...] = moves.state
    moves.schedule(1, 2)
    found = [step(layer, training) for layer in (moves, there, stays)]
    assert same(found[0], found[1])
    assert not same(found[0], found[2]) or not training
    moves.schedule(0, 2)
    stays.state[...] = moves.state
    assert same(step(moves, training), step(stays, training))  # and back


@scheduled("loss")
@alone_and_stacked
def test_of_a_loss(case, name, i, values, runs, rng):
    three = Three(case, name, i, values, runs, plain=True)
    pred, target = rng.normal(size=(*three.runs, 5, *VECTOR)), case.targets(rng, (*three.runs, 5), VECTOR)

    def step(loss):
        return [np.array(loss.forward(pred, target)), loss.backward().copy()]

    for loss in three:
        loss.build(VECTOR)
        loss.bind(three.runs, "float64")
        step(loss)
    three.moves.schedule(1, 2)
    found = [step(loss) for loss in three]
    assert same(found[0], found[1])
    assert not any(same([a], [b]) for a, b in zip(found[0], found[2], strict=True))


@scheduled("metric")
@alone_and_stacked
def test_of_a_metric(case, name, i, values, runs, rng):
    three = Three(case, name, i, values, runs, plain=True)
    pred, target = rng.normal(size=(2, *three.runs, 40, *VECTOR))

    def value(metric):
        metric.reset()
        metric.update(pred, target)
        return [metric.value()]

    for metric in three:
        metric.build(VECTOR, VECTOR, False)
        metric.bind(three.runs, "float64")
        value(metric)
    three.moves.schedule(1, 2)
    found = [value(metric) for metric in three]
    assert same(found[0], found[1]) and not same(found[0], found[2])


class Exempt(nn.Layer):
    """y = a x, where a is exempt from weight decay."""

    def setup(self, features):
        self.add_param("a", (1, *features), nn.Constant(1.0), decay=False)
        return features

    def forward(self, x, *, training=False):
        self.arrays_for(x, training)
        return x * self.a

    def backward(self, dy, *, need_dx=True):
        np.sum(dy * self._w.x, -2, keepdims=True, out=self.da)
        return dy * self.a


def a_model(rows):
    return nn.Sequential(nn.Dense(3), Exempt()).build(VECTOR, seed=rows, dtype="float64")


@scheduled("optimizer")
@alone_and_stacked
def test_of_an_optimizer(case, name, i, values, runs, rng):
    three = Three(case, name, i, values, runs, plain=False)
    models = [a_model(three.seed) for _ in three]
    gradients = rng.normal(size=(3, *models[0].grads.shape))

    def step(optimizer, t):
        optimizer.model.grads[...] = gradients[t]
        optimizer.step()
        return [optimizer.params.copy(), *(array.copy() for array in optimizer.state.values())]

    for optimizer, model in zip(three, models, strict=True):
        optimizer.attach(model)
        optimizer.schedule(0, 2)
        step(optimizer, 0)
        step(optimizer, 1)
        model.params[...] = models[0].params
        optimizer.set_state({key: array.copy() for key, array in three.moves.get_state().items()})
        optimizer.schedule(1, 2)
    found = [step(optimizer, 2) for optimizer in three]
    assert not same(found[0][:1], found[2][:1])
    assert same(found[0], found[1])


@scheduled("optimizer")
@alone_and_stacked
def test_a_schedule_that_never_moves_is_the_number(case, name, i, values, runs, rng):
    three = Three(case, name, i, values, runs, plain=True)
    optimizers = three.moves, three.stays  # the former at `before` all the time
    for optimizer in optimizers:
        optimizer.attach(a_model(three.seed))
    for t, g in enumerate(rng.normal(size=(4, *optimizers[0].params.shape))):
        for optimizer in optimizers:
            optimizer.model.grads[...] = g
            optimizer.schedule(t / 4, 2)
            optimizer.step()
        assert same([optimizers[0].params], [optimizers[1].params])
