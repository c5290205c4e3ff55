"""What holds for every component of a slot, old and new: the tests walk the table of tests/cases.py."""

import math

import numpy as np
import pytest
from cases import INITIALIZERS, RUNS, away_from_0, distributions, every, every_layer, every_loss, every_optimizer

import nnframe as nn


def test_numpy_is_strict_in_tests():
    with pytest.raises(FloatingPointError):
        np.exp(np.float32(1000))


# ------------------------------------------------------------------------------------------------ layers


@every_layer
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("runs", ["alone", "shared input", "own input"])
def test_gradients(case, training, runs, rng):
    for shape in case.shapes:
        layer = case.of() if runs == "alone" else case.of(range(RUNS))
        layer.build(shape, seed=0 if runs == "alone" else range(RUNS), dtype="float64")
        x = case.inputs(rng, (RUNS, 5) if runs == "own input" else (5,), shape)
        if layer.state.size:
            layer.forward(x, training=True)  # so that the state is not the one that it starts with
        errors = nn.check_gradients(layer, x, training=training, tolerance=1e-7)
        assert ("x" in errors) == (x.dtype.kind == "f")
        assert errors.keys() - {"x"} or layer.params.size == 0


@pytest.mark.parametrize("layer", [nn.Identity(), nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.Dropout()], ids=repr)
def test_elementwise_layers_take_single_numbers(layer, rng):
    nn.check_gradients(layer.build((), dtype="float64"), away_from_0(rng, (5,), ()))


@every_layer
@pytest.mark.parametrize("seed", [0, range(3)], ids=["alone", "stack"])
def test_a_batch_gives_what_its_rows_give(case, seed, rng):
    for shape in case.shapes:
        layer = case.of(seed or None).build(shape, seed=seed, dtype="float64")
        x = case.inputs(rng, (6,), shape)
        layer.forward(x, training=True)
        y = layer.forward(x).copy()
        rows = [layer.forward(x[i : i + 1]).copy() for i in range(6)]
        batch = -1 - len(layer.output_shape)
        np.testing.assert_allclose(y, np.concatenate(rows, axis=batch), rtol=1e-12, atol=1e-14)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [True, False])
def test_extreme_inputs_give_finite_numbers(case, dtype, training, rng):
    tiny, shape = np.finfo(dtype).smallest_subnormal, case.shapes[0]
    layer = case.of().build(shape, dtype=dtype)
    extremes = np.array([1e4, -1e4, 0, tiny], dtype)
    rows = [np.array([np.roll(extremes, i) for i in range(4)]), np.tile(extremes, (3, 1)), extremes[None], np.full((2, 4), tiny)]
    batches = [np.stack([np.resize(row, shape) for row in batch]) for batch in rows]
    for x in batches if case.inputs is away_from_0 else [case.inputs(rng, (3,), shape)]:
        for scale in (1, tiny):
            y = layer.forward(x, training=training)
            assert y.dtype == dtype
            assert np.isfinite(y).all()
            dx = layer.backward((rng.normal(size=y.shape) * scale).astype(dtype))
            assert dx.dtype == dtype
            assert np.isfinite(dx).all()
            assert np.isfinite(layer.grads).all()


@every_layer
@pytest.mark.parametrize("training", [True, False])
def test_the_input_is_never_written_into(case, training, rng):
    for shape in case.shapes:
        layer = case.of([0, 1]).build(shape, seed=range(2))
        x = layer.cast(case.inputs(rng, (2, 5), shape))
        before = x.tobytes()
        dy = np.ones_like(layer.forward(x, training=training))
        layer.backward(dy)
        assert x.tobytes() == before


def test_dropout_keeps_the_mean():
    layer = nn.Dropout([0, 0.2, 0.75]).build(100, seed=[5, 6, 6], dtype="float64")
    y = layer.forward(np.ones((200, 100)), training=True)
    assert [set(np.unique(run)) for run in y] == [{1.0}, {0.0, 1.25}, {0.0, 4.0}]
    np.testing.assert_allclose(y.mean((1, 2)), 1, atol=0.05)  # 20,000 draws: a standard deviation is at most 0.012
    np.testing.assert_array_equal(layer.forward(y), y)


class Doubles(nn.Layer):
    """y = 2 x, with a backward that overwrites dy, as it may."""

    def forward(self, x, *, training=False):
        return 2 * x

    def backward(self, dy, *, need_dx=True):
        dy *= 2
        return dy


@pytest.mark.parametrize("seed", [0, range(2)], ids=["alone", "stack"])
def test_a_container_that_needs_dy_twice_copies_it(seed):
    layer = nn.Residual(Doubles(), nn.Residual(Doubles())).build(4, seed=seed, dtype="float64")
    x = np.arange(20.0).reshape(5, 4) + np.zeros((*layer.runs, 1, 1))
    np.testing.assert_array_equal(layer.forward(x), 7 * x)
    np.testing.assert_array_equal(layer.backward(np.ones_like(x)), np.full_like(x, 7))


# ------------------------------------------------------------------------------------------------ losses


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("runs", ["alone", "shared", "own"])
def test_gradients_of_a_loss(case, weighted, runs, rng):
    for outputs in case.shapes:
        features = (*outputs[:-1], 3)
        model = nn.Dense(outputs[-1]).build(features, seed=0 if runs == "alone" else range(RUNS), dtype="float64")
        rows = (RUNS, 5) if runs == "own" else (5,)
        x, target = away_from_0(rng, rows, features), case.targets(rng, rows, outputs)
        weight = rng.uniform(0.5, 2, size=rows) if weighted else None
        loss = (case.of() if runs == "alone" else case.of(range(RUNS))).build(outputs, target)
        nn.check_gradients(model, x, loss=loss, target=target, weight=weight, tolerance=1e-7)


@every_loss
def test_a_weight_counts_rows(case, rng):
    loss, pred, target = case.of(), rng.normal(size=(3, 4)), case.targets(rng, (3,), (4,))
    value = loss.forward(pred, target, np.array([2.0, 0.0, 1.0]))
    gradient = loss.backward().copy()

    drawn = [0, 0, 2]
    np.testing.assert_allclose(value, loss.forward(pred[drawn], target[drawn]), rtol=1e-14)
    twice, again, once = loss.backward()
    np.testing.assert_allclose(gradient, [twice + again, 0 * once, once], rtol=1e-14)


@every_loss
def test_rows_without_any_weight_have_no_loss_and_no_gradient(case, rng):
    loss, pred, target = case.of(), rng.normal(size=(2, 3, 4)), case.targets(rng, (3,), (4,))
    value = loss.forward(pred, target, np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
    gradient = loss.backward()
    assert value[0] == 0
    assert not gradient[0].any()
    np.testing.assert_allclose(value[1], loss.forward(pred[1], target), rtol=1e-14)


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_predictions_give_finite_losses(case, dtype, rng):
    tiny = np.finfo(dtype).smallest_subnormal
    pred = np.array([[1e4, -1e4, 0, tiny], [-1e4, 1e4, 1e4, 1e4], [-1e4] * 4, [tiny] * 4], dtype)
    loss, target = case.of(), case.targets(rng, (4,), (4,))
    value = loss.forward(pred, target if target.dtype.kind == "i" else target.astype(dtype))
    assert value.dtype == dtype
    assert np.isfinite(value)
    assert np.isfinite(loss.backward()).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_that_span_more_than_a_dtype_holds(dtype):
    huge = np.finfo(dtype).max
    pred = np.array([[huge, -huge, 0, -huge], [-huge, huge, huge, 0]], dtype)
    classes, shared = np.array([0, 1]), np.array([[0.5, 0, 0.5, 0], [0, 1, 0, 0]], dtype)
    with np.errstate(over="ignore"):
        loss = nn.CrossEntropy()
        by_class, gradient = loss.forward(pred, classes), loss.backward().copy()
        one_hot = loss.forward(pred, np.eye(4, dtype=dtype)[classes])
        assert one_hot.tobytes() == by_class.tobytes() and np.isfinite(by_class)
        np.testing.assert_array_equal(loss.backward(), gradient)
        assert loss.forward(pred[:1], shared[:1]) == huge / 2
        assert loss.forward(pred[:1], np.array([[0, 1, 0, 0]], dtype)) == loss.forward(pred[:1], np.array([1])) == np.inf


def test_a_small_loss_is_not_rounded_to_0():
    sure = np.array([[40.0]])
    assert nn.BinaryCrossEntropy().forward(sure, np.array([[1.0]])) == pytest.approx(math.exp(-40), rel=1e-14, abs=0)
    assert nn.CrossEntropy().forward(np.array([[30.0, 0.0]]), np.array([[1.0, 0.0]])) == pytest.approx(
        math.log1p(math.exp(-30)), rel=1e-2, abs=0
    )


def test_probabilities_need_not_sum_to_exactly_1(rng):
    model, x = nn.Dense(4).build(3, dtype="float64"), rng.normal(size=(5, 3))
    target = distributions(rng, (5,), (4,)) * (1 + 5e-5)
    nn.check_gradients(model, x, loss=nn.CrossEntropy(), target=target)


@every_loss
def test_one_loss_serves_float32_and_float64_in_turn(case, rng):
    loss, pred, target = case.of(), rng.normal(size=(5, 4)), case.targets(rng, (5,), (4,))
    for dtype in ("float32", "float64", "float32"):
        assert loss.forward(pred.astype(dtype), target).dtype == dtype
        assert loss.backward().dtype == dtype


@every_loss
def test_backward_twice_gives_the_same(case, rng):
    loss = case.of()
    loss.forward(rng.normal(size=(5, 4)), case.targets(rng, (5,), (4,)))
    first = loss.backward().copy()
    assert loss.backward().tobytes() == first.tobytes()


SHAPE_MISTAKES = [  # loss, shape of the predictions, of the target, kind of target
    (nn.MSE, (4, 1), (4,), float, "MSE of outputs (1,) expected targets (batch, 1), got (4,); write y[:, None] to make it a column"),
    (nn.MSE, (4, 2), (4, 1), float, "MSE of outputs (2,) expected targets (batch, 2), got (4, 1)"),
    (nn.MSE, (4, 1), (3, 1), float, "MSE: predictions (4, 1) do not go with targets (3, 1)"),
    (nn.MSE, (4, 1), (1, 1), float, "MSE: predictions (4, 1) do not go with targets (1, 1)"),
    (nn.MSE, (2, 4, 1), (3, 4, 1), float, "MSE: predictions (2, 4, 1) do not go with targets (3, 4, 1)"),
    (nn.MSE, (4, 1), (2, 4, 1), float, "MSE: predictions (4, 1) do not go with targets (2, 4, 1)"),
    (nn.MSE, (4,), (4,), float, "MSE expected predictions (batch, outputs), got (4,)"),
    (
        nn.BinaryCrossEntropy,
        (4, 1),
        (4,),
        int,
        "BinaryCrossEntropy of outputs (1,) expected targets (batch, 1), got (4,); write y[:, None] to make it a column",
    ),
    (  # a column of classes, as data files give it
        nn.CrossEntropy,
        (4, 3),
        (4, 1),
        int,
        "CrossEntropy of outputs (3,) expected targets (batch, 3) or (batch,) of integers, got (4, 1) of integers",
    ),
    (nn.CrossEntropy, (4, 3), (3,), int, "CrossEntropy: predictions (4, 3) do not go with targets (3,)"),
]


@pytest.mark.parametrize(("loss", "pred", "target", "kind", "message"), SHAPE_MISTAKES)
def test_targets_that_do_not_fit(loss, pred, target, kind, message):
    with pytest.raises(nn.ShapeError) as error:
        loss().forward(np.zeros(pred), np.zeros(target, kind))
    assert str(error.value) == message


def test_classes_as_floating_numbers_are_named_as_such():
    with pytest.raises(nn.ShapeError) as error:
        nn.CrossEntropy().forward(np.zeros((4, 3)), np.zeros(4))
    assert str(error.value) == "CrossEntropy of outputs (3,) expected targets (batch, 3) or (batch,) of integers, got (4,) of float64"


@pytest.mark.parametrize("shape", [(1,), (3,), (4, 1), (2, 4), ()], ids=str)
@pytest.mark.parametrize("loss", [nn.MSE(), nn.CrossEntropy()], ids=repr)
def test_weights_that_do_not_fit(loss, shape):
    target = np.zeros((4, 3)) if isinstance(loss, nn.MSE) else np.zeros(4, int)
    with pytest.raises(nn.ShapeError, match=r"weight"):
        loss.forward(np.zeros((4, 3)), target, np.ones(shape))


VALUE_MISTAKES = [
    (nn.BinaryCrossEntropy(), [[2.0]], [[0.0]], "BinaryCrossEntropy expected targets between 0 and 1, got 2 to 2"),
    (nn.BinaryCrossEntropy(), [[math.nan]], [[0.0]], "BinaryCrossEntropy expected targets between 0 and 1, got nan to nan"),
    (nn.CrossEntropy(), [2, 3], [[0.0] * 3] * 2, "CrossEntropy of outputs (3,) expected classes from 0 to 2, got 3"),
    (nn.CrossEntropy(), [-1, 0], [[0.0] * 3] * 2, "CrossEntropy of outputs (3,) expected classes from 0 to 2, got -1"),
    (nn.CrossEntropy(), [[0.5, 0.6]], [[0.0] * 2], "CrossEntropy expected integer classes, or rows of probabilities that sum to 1"),
]


@pytest.mark.parametrize(("loss", "target", "pred", "message"), VALUE_MISTAKES)
def test_targets_out_of_range(loss, target, pred, message):
    for fails in (lambda: loss.forward(np.array(pred), np.array(target)), lambda: loss.build((len(pred[0]),), np.array(target))):
        with pytest.raises(nn.DataError) as error:
            fails()
        assert str(error.value) == message


# ------------------------------------------------------------------------------------------------ optimizers


def vector(p, *, dtype="float64"):
    """A model whose parameters are p, (*runs, P)."""
    p = np.asarray(p, dtype)
    model = nn.Dense(p.shape[-1], bias=False).build(1, seed=range(len(p)) if p.ndim == 2 else 0, dtype=dtype)
    model.params[...] = p
    return model


def steps(optimizer, start, gradients, *, dtype="float64"):
    """The parameters after one step for each of the gradients."""
    model = vector(start, dtype=dtype)
    optimizer.attach(model)
    for t, g in enumerate(gradients):
        model.grads[...] = g
        optimizer.schedule(t, len(gradients))
        optimizer.step()
    return model.params


@every_optimizer
def test_a_convex_problem_is_solved(case, rng):
    best, curvature = rng.normal(size=7), rng.uniform(0.5, 2, size=7)
    model = vector(np.zeros(7))
    optimizer = case.of().attach(model)
    for t in range(500):
        model.grads[...] = curvature * (model.params - best)
        optimizer.schedule(t, 500)
        optimizer.step()
    np.testing.assert_allclose(model.params, best, atol=0.05)


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_runs_of_a_stack_step_as_they_do_alone(case, dtype, rng):
    start, gradients = rng.normal(size=(RUNS, 9)), rng.normal(size=(8, RUNS, 9))
    tiny = np.finfo(dtype).smallest_subnormal
    start[:, :4], gradients[:, :, 1:3] = [0, -0.0, tiny, np.inf], [-0.0, tiny]
    with np.errstate(all="ignore"):  # g + 0 p is not g where p is infinite, nor where g is -0.0
        stack = steps(case.of(range(RUNS)), start, gradients, dtype=dtype)
        for run in range(RUNS):
            alone = steps(case.of(run), start[run], gradients[:, run], dtype=dtype)
            assert stack[run].tobytes() == alone.tobytes()


@every_optimizer
def test_a_run_that_overflows_leaves_its_neighbours_alone(case, rng):
    start, gradients = rng.normal(size=(RUNS, 5)), rng.normal(size=(8, RUNS, 5))
    gradients[3, 0] = np.inf
    with np.errstate(all="ignore"):
        stack = steps(case.of(range(RUNS)), start, gradients)
        for run in range(1, RUNS):
            assert stack[run].tobytes() == steps(case.of(run), start[run], gradients[:, run]).tobytes()


@every_optimizer
def test_large_models_are_updated_in_pieces_with_the_same_result(case, rng):
    size = 40_000  # more than is updated at a time, and with three runs in other pieces than alone
    start, gradients = rng.normal(size=(RUNS, size)), rng.normal(size=(2, RUNS, size))
    stack = steps(case.of(range(RUNS)), start, gradients).copy()
    assert stack[2].tobytes() == steps(case.of(2), start[2], gradients[:, 2]).tobytes()
    few = [0, 1, size // 2, size - 1]
    np.testing.assert_array_equal(stack[:, few], steps(case.of(range(RUNS)), start[:, few], gradients[..., few]))


class Scale(nn.Layer):
    """y = a x, where a is exempt from weight decay."""

    def setup(self, features):
        self.add_param("a", (1, *features), nn.Constant(1.0), decay=False)
        return features


@pytest.mark.parametrize("cls", [nn.SGD, nn.Adam, nn.AdamW])
@pytest.mark.parametrize("weight_decay", [0.1, [0, 0.1, 0.2], nn.Cosine(0.1, 0.05)], ids=["number", "per run", "schedule"])
def test_parameters_exempt_from_weight_decay_keep_their_values(cls, weight_decay):
    model = nn.Sequential(nn.Dense(2, init=nn.Constant(1)), Scale()).build(2, seed=range(3), dtype="float64")
    dense, scale = model.layers
    optimizer = cls(0.1, weight_decay=weight_decay).attach(model)
    for t in range(3):
        optimizer.schedule(t, 3)
        optimizer.step()  # all gradients are 0: nothing but decay moves a parameter
    assert (scale.a == 1).all()

    decays = [cosine(0.1, 0.05, t, 3) if isinstance(weight_decay, nn.Cosine) else np.array(weight_decay) for t in range(3)]
    shrunk = np.prod([1 - 0.1 * decay * np.ones(3) for decay in decays], axis=0)
    if cls is nn.Adam:  # where it decays at all it steps by lr, however small the gradient
        shrunk = np.where(shrunk < 1, 1 - 3 * 0.1, 1)
    np.testing.assert_allclose(dense.W[:, 0, 0], shrunk, rtol=1e-2 if cls is nn.Adam else 1e-14)


# ------------------------------------------------------------------------------------------------ schedules

VALUES = [  # schedule, epoch, of how many, value
    (nn.Cosine(0.1, 0.02), 0, 10, 0.1),
    (nn.Cosine(0.1, 0.02), 2.5, 10, 0.06 + 0.04 / math.sqrt(2)),
    (nn.Cosine(0.1, 0.02), 5, 10, 0.06),
    (nn.Cosine(0.1, 0.02), 10, 10, 0.02),
    (nn.Cosine(0, 1), 0, 4, 0),
    (nn.Cosine(0, 1), 2, 4, 0.5),
    (nn.Cosine(0, 1), 4, 4, 1),
    (nn.Step(1, every=2, factor=0.5), 0, 10, 1),
    (nn.Step(1, every=2, factor=0.5), 1.99, 10, 1),
    (nn.Step(1, every=2, factor=0.5), 2, 10, 1 / 2),
    (nn.Step(1, every=2, factor=0.5), 5, 10, 1 / 4),
    (nn.Step(1, every=2, factor=0.5), 10, 10, 1 / 32),
    (nn.Step(2, every=0.5), 1.4, 2, 0.02),
    (nn.Step(1, every=0.1, factor=0.5), 0.3, 1, 1 / 8),  # though 0.3 / 0.1 is less than 3
    (nn.Step(1, every=0.1, factor=0.5), 0.299999, 1, 1 / 4),
]


@pytest.mark.parametrize(("schedule", "t", "total", "value"), VALUES)
def test_schedules_by_hand(schedule, t, total, value):
    schedule.bind((), "float64")
    found = schedule.value(t, total)
    assert found.shape == (1,)
    assert found[0] == pytest.approx(value, rel=1e-14, abs=1e-16)


def test_schedules_with_one_number_a_run():
    schedule = nn.Step([1, 2], every=1, factor=[0.5, 3])
    schedule.bind((2,), "float64")
    np.testing.assert_array_equal(schedule.value(3, 4), [[1 / 8], [54]])


def cosine(start, stop, t, total):
    return stop + (start - stop) * (1 + math.cos(math.pi * t / total)) / 2


def fit_to_zero(optimizer):
    """Three epochs of two steps that each minimise p^2 from p = 1, at epochs 0, 0.5, ... 2.5; the last p and the log."""
    model = vector([1.0])
    data = np.ones((2, 1)), np.zeros((2, 1))
    history = nn.fit(model, nn.MSE(), optimizer, data, epochs=3, batch_size=1)
    return model.params[0], history


def test_a_schedule_of_the_learning_rate():
    rates = [cosine(0.4, 0.1, step / 2, 3) for step in range(6)]
    p, history = fit_to_zero(nn.SGD(nn.Cosine(0.4, 0.1)))
    assert p == pytest.approx(math.prod(1 - 2 * lr for lr in rates), rel=1e-13)
    np.testing.assert_allclose(history["lr"], rates[1::2], rtol=1e-14)


def test_a_schedule_of_the_momentum():
    p, v = 1.0, 0.0
    for step in range(6):
        v = cosine(0.9, 0.5, step / 2, 3) * v + 2 * p
        p -= 0.1 * v
    assert fit_to_zero(nn.SGD(0.1, momentum=nn.Cosine(0.9, 0.5)))[0] == pytest.approx(p, rel=1e-13)


def test_a_schedule_of_the_weight_decay():
    p = 1.0
    for step in range(6):
        p -= 0.1 * (2 * p + cosine(0, 0.5, step / 2, 3) * p)
    assert fit_to_zero(nn.SGD(0.1, weight_decay=nn.Cosine(0, 0.5)))[0] == pytest.approx(p, rel=1e-13)


class Watch(nn.Identity):
    """Remembers the share of zeros in what it sees in training."""

    def forward(self, x, *, training=False):
        if training:
            vars(self).setdefault("seen", []).append(float((x == 0).mean()))
        return x


def test_a_schedule_of_dropout():
    watch = Watch()
    model = nn.Sequential(nn.Dropout(nn.Step(0.8, every=1, factor=0.5)), watch, nn.Dense(1)).build(100)
    data = np.ones((200, 100)), np.zeros((200, 1))
    nn.fit(model, nn.MSE(), nn.SGD(1e-3), data, epochs=3, batch_size=200)
    np.testing.assert_allclose(watch.seen, [0.8, 0.4, 0.2], atol=0.02)  # 20,000 draws: a standard deviation is at most 0.0036


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize(
    "betas", [(nn.Cosine(0.95, 0.5), 0.99), (0.9, nn.Step(0.99, every=4, factor=0.8)), (nn.Cosine(0.5, 0.9), nn.Cosine(0.9, 0.999))]
)
def test_schedules_of_betas_against_adam_as_it_is_written(betas, amsgrad, rng):
    """Moments are debiased by 1 - b_1 b_2 ... b_t, which is what their weights sum to, whether or not the betas are equal."""
    start, gradients, T = rng.normal(size=5), rng.normal(size=(12, 5)), 12
    found = steps(nn.Adam(0.1, betas=betas, eps=0.01, amsgrad=amsgrad), start, gradients)

    def beta(option, t):
        if isinstance(option, nn.Cosine):
            return cosine(option.start, option.stop, t, T)
        return option if isinstance(option, float) else option.start * option.factor ** (t // option.every)

    p, m, v, largest, rest1, rest2 = start, 0, 0, 0, 1, 1
    for t, g in enumerate(gradients):
        b1, b2 = beta(betas[0], t), beta(betas[1], t)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        rest1, rest2, largest = rest1 * b1, rest2 * b2, np.maximum(largest, v)
        p = p - 0.1 * m / (1 - rest1) / (np.sqrt((largest if amsgrad else v) / (1 - rest2)) + 0.01)
    np.testing.assert_allclose(found, p, rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda model: nn.Sequential(nn.Dropout(1 - 1e-9)).build(2),
        lambda model: nn.SGD(1e-60).attach(model),
        lambda model: nn.Adam(eps=1e-60).attach(model),
        lambda model: nn.Adam(betas=(0.9, 1 - 1e-9)).attach(model),
    ],
    ids=["p", "lr", "eps", "beta2"],
)
def test_a_number_that_float32_rounds_out_of_its_range_is_refused(make):
    with pytest.raises(nn.OptionError, match="float32"):
        make(nn.Dense(1).build(2, dtype="float32"))


# ------------------------------------------------------------------------------------------------ initializers

N_IN, N_OUT = 300, 400
UNIFORM, NORMAL = 1 / math.sqrt(3), math.erf(1 / math.sqrt(2))  # the share of draws within one standard deviation

SPREADS = [  # initializer, mean, standard deviation, kind
    (nn.FanInUniform(), 0, 1 / math.sqrt(3 * N_IN), UNIFORM),
    (nn.GlorotUniform(), 0, math.sqrt(2 / (N_IN + N_OUT)), UNIFORM),
    (nn.GlorotUniform(2), 0, 2 * math.sqrt(2 / (N_IN + N_OUT)), UNIFORM),
    (nn.GlorotNormal(), 0, math.sqrt(2 / (N_IN + N_OUT)), NORMAL),
    (nn.GlorotNormal(2), 0, 2 * math.sqrt(2 / (N_IN + N_OUT)), NORMAL),
    (nn.HeUniform(), 0, math.sqrt(2 / N_IN), UNIFORM),
    (nn.HeNormal(), 0, math.sqrt(2 / N_IN), NORMAL),
    (nn.LecunNormal(), 0, math.sqrt(1 / N_IN), NORMAL),
    (nn.Normal(), 0, 1, NORMAL),
    (nn.Normal(0.1, mean=3), 3, 0.1, NORMAL),
    (nn.Uniform(), 0, 1 / math.sqrt(3), UNIFORM),
    (nn.Uniform(2, 5), 3.5, 3 / math.sqrt(12), UNIFORM),
]


@pytest.mark.parametrize(("init", "mean", "std", "within"), SPREADS, ids=[repr(case[0]) for case in SPREADS])
def test_initializers_draw_what_they_say(init, mean, std, within):
    W = nn.Dense(N_OUT, init=init).build(N_IN, dtype="float64").W
    assert W.mean() == pytest.approx(mean, abs=5 * std / math.sqrt(W.size))
    assert W.std() == pytest.approx(std, rel=0.01)
    assert (abs(W - mean) < std).mean() == pytest.approx(within, abs=0.01)
    if within == UNIFORM:
        bound = math.sqrt(3) * std
        assert 0.999 * bound < abs(W - mean).max() <= bound * (1 + 1e-15)


def test_a_bias_starts_like_the_weights_of_its_layer():
    """PyTorch's Linear: both from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), where fan_in is the layer's."""
    b = nn.Dense(10_000).build(4, dtype="float64").b
    assert 0.499 < abs(b).max() <= 0.5
    assert b.std() == pytest.approx(0.5 / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4), (2, 3, 9)], ids=str)
def test_orthogonal(shape):
    drawn = nn.Orthogonal(2.0).draw(np.random.default_rng(0), shape, (1, 1))
    assert drawn.shape == shape
    matrix = drawn.reshape(-1, shape[-1])
    product = matrix @ matrix.T if len(matrix) < shape[-1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-14)


def test_orthogonal_is_as_often_one_matrix_as_its_negative():
    """LAPACK's QR alone would give first entries of one sign (Mezzadri 2007)."""
    first = [nn.Orthogonal().draw(np.random.default_rng(seed), (2, 2), (1, 1))[0, 0] > 0 for seed in range(100)]
    assert 30 < sum(first) < 70


def test_zeros_and_constant():
    layer = nn.Dense(2, init="Zeros", bias_init=nn.Constant(2.5)).build(3)
    assert not layer.W.any()
    assert (layer.b == 2.5).all()


@every(*INITIALIZERS)
@pytest.mark.parametrize("seeds", [[3, 3, 3], [3, 4, 3]], ids=["one seed", "two seeds"])
def test_runs_of_a_stack_start_as_they_do_alone(case, seeds):
    stack = nn.Dense(4, init=case.of(range(RUNS))).build(3, seed=seeds)
    for run, seed in enumerate(seeds):
        assert stack.params[run].tobytes() == nn.Dense(4, init=case.of(run)).build(3, seed=seed).params.tobytes()
