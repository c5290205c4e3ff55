"""The training loop: what it logs, how runs end, what callbacks see, and what it refuses."""

import copy
import gc
import tracemalloc
import warnings
from hashlib import sha256

import numpy as np
import pytest

import nnframe as nn

ROWS = 10


def data(rows=ROWS, outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 3)), rng.normal(size=(rows, outputs))


def classes(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 3)), rng.integers(2, size=rows)


def network(seed=0, dtype="float64", outputs=2):
    return nn.Sequential(nn.Dense(4), nn.Tanh(), nn.Dense(outputs)).build(3, seed=seed, dtype=dtype)


def fit(model, data, optimizer=None, **options):
    """Three epochs of batches of 4, 4 and 2."""
    return nn.fit(model, nn.MSE(), optimizer or nn.SGD(0.1), data, **{"epochs": 3, "batch_size": 4} | options)


def orders(seed, epochs, rows=ROWS):
    table = np.tile(np.arange(rows), (64, 1))
    return nn.generator(seed, "order").permuted(table, axis=1)[:epochs]


class Each(nn.Callback):
    """Calls a function after every epoch."""

    def __init__(self, call):
        self.call = call

    def on_epoch(self, state):
        self.call(state)


class Recorder(nn.Layer):
    """Passes its inputs on, and keeps copies of those it was trained on."""

    def __init__(self):
        self.seen = []

    def forward(self, x, *, training=False):
        if training:
            self.seen.append(x.copy())
        return x

    def backward(self, dy, *, need_dx=True):
        return dy


# ------------------------------------------------------------------------------------------ what is logged


@pytest.mark.parametrize("weight", [None, np.arange(ROWS) * 0.5])
def test_the_loss_of_an_epoch_is_over_its_samples_as_they_were_trained_on(weight):
    x, y = data()
    history = fit(network(), (x, y) if weight is None else (x, y, weight))
    model, expected = network(), []
    for order in orders(0, 3):
        losses, weights = 0, 0
        for batch in (order[:4], order[4:8], order[8:]):
            w = np.ones(len(batch)) if weight is None else weight[batch]
            error = model.forward(x[batch], training=True) - y[batch]
            losses, weights = losses + (w * (error**2).mean(-1)).sum(), weights + w.sum()
            model.backward(2 * error * w[:, None] / (2 * w.sum()))
            model.params -= 0.1 * model.grads
        expected.append(losses / weights)
    assert history["loss"] == pytest.approx(np.array(expected), rel=1e-12, abs=0)


def test_evaluate_train_logs_the_loss_after_the_epoch():
    x, y = data()
    model, after = network(), []
    each = Each(lambda state: after.append(((state.model.predict(x) - y) ** 2).mean()))
    history = fit(model, (x, y), evaluate_train=True, callbacks=[each])
    assert history["loss"] == pytest.approx(np.array(after), rel=1e-12, abs=0)
    plain = network()
    assert (fit(plain, (x, y))["loss"] != history["loss"]).all()
    assert plain.params.tobytes() == model.params.tobytes()


def test_validation_does_not_change_training():
    x, y = data()
    held_x, held_y = data(7, seed=1)
    model, with_validation, expected = network(), network(), []
    history = fit(model, (x, y))
    each = Each(lambda state: expected.append(((state.model.predict(held_x) - held_y) ** 2).mean()))
    validated = fit(with_validation, (x, y), validation=(held_x, held_y), callbacks=[each])
    assert validated["val_loss"] == pytest.approx(np.array(expected), rel=1e-12, abs=0)
    assert validated["loss"].tobytes() == history["loss"].tobytes()
    assert with_validation.params.tobytes() == model.params.tobytes()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", [0, [0, 1, 2]])
def test_evaluate_gives_what_was_logged(seed, weighted):
    weight = (np.arange(ROWS) + 1.0,) if weighted else ()
    train, held = (*classes(), *weight), (*classes(seed=1), *weight)
    model, metrics = network(seed), [nn.Accuracy()]
    loss = nn.CrossEntropy()
    history = nn.fit(
        model, loss, nn.Adam(), train, epochs=2, batch_size=4, validation=held, metrics=metrics, evaluate_train=True, eval_batch_size=3
    )
    for prefix, rows in (("", train), ("val_", held)):
        found = nn.evaluate(model, loss, rows, metrics=metrics, batch_size=3)
        assert list(found) == ["loss", "accuracy"]
        for name, value in found.items():
            assert value.shape == model.runs
            assert value.tobytes() == history[prefix + name][-1].tobytes()


def test_columns_come_in_the_order_of_the_log():
    model, loss, metrics = network(), nn.CrossEntropy(), [nn.Accuracy()]
    history = nn.fit(model, loss, nn.Adam(), classes(), epochs=1, batch_size=4, validation=classes(), metrics=metrics)
    assert list(history) == ["loss", "val_loss", "accuracy", "val_accuracy", "lr"]
    history = fit(network(), data(), metrics=[nn.R2(), nn.MAE()])
    assert list(history) == ["loss", "r2", "mae", "lr"]


def test_metrics_of_an_epoch_are_exact_over_its_rows():
    x, y = data()
    model, seen = network(), []
    history = fit(
        model, (x, y), metrics=[nn.MAE(), nn.R2()], evaluate_train=True, callbacks=[Each(lambda s: seen.append(s.model.predict(x)))]
    )
    pred = np.stack(seen)
    square = ((pred - y) ** 2).sum(1) / ((y - y.mean(0)) ** 2).sum(0)
    assert history["mae"] == pytest.approx(np.abs(pred - y).mean((1, 2)), rel=1e-12, abs=0)
    assert history["r2"] == pytest.approx((1 - square).mean(-1), rel=1e-10, abs=0)


def test_an_optimizer_without_lr_has_no_such_column():
    class Sign(nn.Optimizer):
        def update(self, p, g, w):
            np.subtract(p, 0.01 * np.sign(g), p)

    assert list(fit(network(), data(), Sign())) == ["loss"]


@pytest.mark.parametrize("seed, runs", [(0, ()), ([0], (1,)), ([0, 1, 1], (3,))])
def test_shapes_of_a_history(seed, runs):
    history = fit(network(seed), data(), validation=data(5), metrics=[nn.MAE()])
    assert {column.shape for column in history.values()} == {(3, *runs)}
    assert {column.dtype for column in history.values()} == {np.dtype("float64")}
    assert history.epochs.shape == history.diverged.shape == runs
    assert (history.epochs == 3).all() and not history.diverged.any()


def test_schedules_are_logged_as_at_the_last_step_of_an_epoch():
    t = np.arange(3) + 2 / 3  # three steps an epoch
    history = fit(network([0, 1]), data(), nn.SGD(nn.Cosine([0.1, 0.2], 0.01)))
    expected = 0.01 + (np.array([0.1, 0.2]) - 0.01) * (1 + np.cos(np.pi * t[:, None] / 3)) / 2
    assert history["lr"] == pytest.approx(expected, rel=1e-14, abs=0)
    history = fit(network(), data(), nn.SGD(nn.Step(0.1, every=2, factor=0.5)), epochs=5)
    assert history["lr"] == pytest.approx(np.array([0.1, 0.1, 0.05, 0.05, 0.025]), rel=1e-14, abs=0)


def test_a_schedule_reaches_every_step():
    x, y = data()
    model = network()
    fit(model, (x, y), nn.SGD(nn.Cosine(0.1)), shuffle=False, epochs=2)
    by_hand, loss = network(), nn.MSE()
    for step in range(6):
        batch = slice(step % 3 * 4, step % 3 * 4 + 4)
        loss.forward(by_hand.forward(x[batch], training=True), y[batch])
        by_hand.backward(loss.backward())
        by_hand.params -= 0.05 * (1 + np.cos(np.pi * step / 6)) * by_hand.grads
    assert model.params == pytest.approx(by_hand.params, rel=1e-12)


# ------------------------------------------------------------------------------------------ rows and their order


@pytest.mark.parametrize("seed, shuffle_seed", [(3, None), (3, 8), ([3, 4, 4], None), ([3, 4, 4], 8), ([3, 4, 4], [1, 1, 2])])
def test_rows_come_in_the_order_of_the_seed(seed, shuffle_seed):
    x, y = data()
    recorder = Recorder()
    model = nn.Sequential(recorder, nn.Dense(2)).build(3, seed=seed, dtype="float64")
    fit(model, (x, y), seed=shuffle_seed)
    for run, own in enumerate(np.broadcast_to(seed if shuffle_seed is None else shuffle_seed, model.runs or (1,))):
        batches = [batch[run] if batch.ndim == 3 else batch for batch in recorder.seen]
        assert [len(batch) for batch in batches] == [4, 4, 2] * 3
        assert np.concatenate(batches).tobytes() == x[orders(int(own), 3)].tobytes()


def test_a_seed_for_fit_gives_every_run_the_same_order():
    stack = network([0, 1, 2])
    fit(stack, data(), seed=5)
    for run in range(3):
        alone = network(run)
        fit(alone, data(), seed=5)
        assert alone.params.tobytes() == stack.params[run].tobytes()


def test_rows_keep_their_order_without_shuffle():
    x, y = data()
    recorder = Recorder()
    fit(nn.Sequential(recorder, nn.Dense(2)).build(3, seed=[0, 1], dtype="float64"), (x, y), shuffle=False)
    assert np.concatenate(recorder.seen).tobytes() == np.tile(x, (3, 1)).tobytes()


def test_rows_of_its_own_for_each_run():
    xs, ys = zip(*(data(seed=seed) for seed in range(3)), strict=True)
    stack = network([0, 1, 1])
    history = fit(stack, (np.stack(xs), np.stack(ys)))
    for run, seed in enumerate([0, 1, 1]):
        alone = network(seed)
        assert fit(alone, (xs[run], ys[run]))["loss"].tobytes() == history["loss"][:, run].tobytes()
        assert alone.params.tobytes() == stack.params[run].tobytes()


def test_a_row_that_weighs_nothing_changes_nothing():
    x, y = data()
    first, second = network(), network()
    weight = np.ones(ROWS)
    weight[3] = 0
    metrics = [nn.MAE(), nn.R2()]
    history = fit(first, (x, y, weight), metrics=metrics)
    y[3] = 1e3
    changed = fit(second, (x, y, weight), metrics=metrics)
    assert first.params.tobytes() == second.params.tobytes()
    assert {name: column.tobytes() for name, column in history.items()} == {name: column.tobytes() for name, column in changed.items()}


def test_a_weight_of_two_is_a_row_twice():
    x, y = data(3)
    weighted, repeated = network(), network()
    one = fit(weighted, (x, y, np.array([1.0, 2.0, 1.0])))
    two = fit(repeated, (x[[0, 1, 1, 2]], y[[0, 1, 1, 2]]))
    assert weighted.params == pytest.approx(repeated.params, rel=1e-12)
    assert one["loss"] == pytest.approx(two["loss"], rel=1e-12)


@pytest.mark.parametrize(
    "given, seen",
    [("int64", "int64"), ("int8", "int8"), ("uint8", "uint8"), ("bool", "float32"), ("float64", "float32"), ("float16", "float32")],
)
def test_integer_inputs_are_not_cast_and_others_are(given, seen):
    recorder = Recorder()
    model = nn.Sequential(recorder, nn.Dense(2)).build(3)
    x = np.ones((ROWS, 3), given)
    fit(model, (x, data()[1]))
    assert {batch.dtype for batch in recorder.seen} == {np.dtype(seen)}
    assert model.dtype == np.float32


def test_inputs_are_never_written_to():
    given = (*data(), np.arange(ROWS) + 1.0)
    before = copy.deepcopy(given)
    for array in given:
        array.flags.writeable = False
    for seed in (0, [0, 0], [0, 1]):
        for shuffle in (True, False):
            layers = [nn.Residual(nn.Identity(), nn.Sigmoid()), nn.BatchNorm(), nn.Dropout(0.5), nn.ReLU(), nn.Dense(2)]
            model = nn.Sequential(*layers).build(3, seed=seed, dtype="float64")
            fit(model, given, validation=given, shuffle=shuffle, metrics=[nn.MAE(), nn.R2()])
            model.predict(given[0])
    assert all(a.tobytes() == b.tobytes() for a, b in zip(given, before, strict=True))


# ------------------------------------------------------------------------------------------ runs that diverge

HUGE = {"float32": 1e25, "float64": 1e200}


def deep(seed, dtype):
    layers = [nn.Dense(7), nn.BatchNorm(), nn.Tanh(), nn.Dense(7), nn.ReLU(), nn.Dropout(0.2), nn.Dense(2)]
    return nn.Sequential(*layers).build(3, seed=seed, dtype=dtype)


def left_by(model, optimizer, history, run=...):
    """All that a training leaves, of one run."""
    arrays = {"params": model.params, "state": model.state} | optimizer.state | {name: column.T for name, column in history.items()}
    return {name: sha256(array[run].tobytes()).hexdigest() for name, array in arrays.items()}


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize("dtype", HUGE)
def test_a_diverging_run_and_its_neighbours_are_what_they_are_alone(dtype, kind):
    rates, decays, seeds = [0.01, HUGE[dtype], 0.02, HUGE[dtype], 0.03], [0.0, 0.0, 0.1, 0.1, 0.0], [0, 1, 1, 2, 0]
    options = {"epochs": 4, "validation": data(6, seed=1), "metrics": [nn.MAE()]}
    model, optimizer = deep(seeds, dtype), getattr(nn, kind)(rates, weight_decay=decays)
    with pytest.warns(nn.DivergenceWarning, match=r"^runs? 1, 3: "):
        history = fit(model, data(), optimizer, **options)
    assert history.diverged.tolist() == [False, True, False, True, False]
    for run, (seed, lr, decay) in enumerate(zip(seeds, rates, decays, strict=True)):
        alone, alone_optimizer = deep(seed, dtype), getattr(nn, kind)(lr, weight_decay=decay)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", nn.DivergenceWarning)
            alone_history = fit(alone, data(), alone_optimizer, **options)
        expected = left_by(alone, alone_optimizer, alone_history)
        found = left_by(model, optimizer, history, run)
        assert [name for name in expected if found[name] != expected[name]] == [], f"run {run}"


@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam])
@pytest.mark.parametrize("loss", [nn.BinaryCrossEntropy, nn.CrossEntropy])
def test_nan_in_the_log_has_the_same_bits_in_a_stack_and_alone(loss, optimizer):
    def trained(seed, lr):
        outputs = 1 if loss is nn.BinaryCrossEntropy else 5
        model = nn.Sequential(nn.Dense(2), nn.ReLU(), nn.Dense(outputs)).build(3, seed=seed)
        y = Y[:, :1] > 0 if outputs == 1 else np.arange(ROWS) % 5
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", nn.DivergenceWarning)
            return nn.fit(model, loss(), optimizer(lr), (X, y), epochs=3, batch_size=1, validation=(X, y))

    rates = [1e25, 0.01, 1e30]
    stack = trained([0, 1, 2], rates)
    assert stack.diverged.any()
    for run, lr in enumerate(rates):
        for name, column in trained(run, lr).items():
            assert column.tobytes() == stack[name][:, run].tobytes(), (name, run)


def test_neighbours_are_what_they_are_in_a_stack_without_the_diverging_run():
    with_it, without = deep([0, 1, 1], "float64"), deep([0, 1], "float64")
    with pytest.warns(nn.DivergenceWarning, match=r"^run 1: "):
        history = fit(with_it, data(), nn.SGD([0.01, 1e200, 0.02]))
    clean = fit(without, data(), nn.SGD([0.01, 0.02]))
    assert history["loss"][:, [0, 2]].tobytes() == clean["loss"].tobytes()
    assert with_it.params[[0, 2]].tobytes() == without.params.tobytes()
    assert with_it.state[[0, 2]].tobytes() == without.state.tobytes()


def test_a_diverging_run_ends_with_its_epoch():
    model = network([0, 1, 2])
    with pytest.warns(
        nn.DivergenceWarning, match=r"^run 1: the loss is (inf|nan) at the end of epoch 2 \(step 2\); training ends"
    ) as caught:
        history = fit(model, data(), nn.SGD([0.1, 1e200, 0.1]), batch_size=ROWS, epochs=4)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert history.epochs.tolist() == [4, 2, 4]
    assert history.diverged.tolist() == [False, True, False]
    assert np.isfinite(history["loss"][:, [0, 2]]).all() and np.isfinite(history["loss"][0]).all()
    assert not np.isfinite(history["loss"][1, 1])
    assert np.isnan(history["loss"][2:, 1]).all() and np.isnan(history["lr"][2:, 1]).all()
    assert history["lr"][1, 1] == 1e200


def test_one_network_that_diverges_is_named_without_a_run():
    with pytest.warns(nn.DivergenceWarning, match=r"^the loss is (inf|nan) at the end of epoch 1 \(step 3\)"):
        history = fit(network(), data(), nn.SGD(1e200))
    assert (history.epochs, history.diverged) == (1, True)
    assert history["loss"].shape == (3,) and np.isnan(history["loss"][1:]).all()


def test_training_ends_when_all_runs_have_diverged():
    epochs = []
    with pytest.warns(nn.DivergenceWarning, match=r"^runs? 0, 1: "):
        history = fit(network([0, 1]), data(), nn.SGD(1e200), callbacks=[Each(lambda state: epochs.append(state.epoch))])
    assert epochs == [1] and history.epochs.tolist() == [1, 1] and history.diverged.all()


def test_a_val_loss_that_is_not_finite_ends_nothing():
    x, y = data()
    history = fit(network(dtype="float32"), (x, y), validation=(x, y * 1e30), epochs=2)
    assert np.isinf(history["val_loss"]).all() and history.epochs == 2 and not history.diverged


# ------------------------------------------------------------------------------------------ callbacks


def test_what_a_callback_sees():
    states = []
    model, optimizer = network([4, 5]), nn.SGD(0.1)
    history = fit(model, data(), optimizer, validation=data(5), callbacks=[Each(states.append), Each(states.append)])
    assert [(s.epoch, s.epochs, s.step) for s in states[::2]] == [(1, 3, 3), (2, 3, 6), (3, 3, 9)]
    assert all(s.model is model and s.optimizer is optimizer and s.runs.tolist() == [0, 1] for s in states)
    assert states[0] is states[1]
    for state in states[::2]:
        assert list(state.logs) == ["loss", "val_loss", "lr"]
        assert all(state.logs[name].tobytes() == history[name][state.epoch - 1].tobytes() for name in history)
    alone = []
    fit(network(), data(), callbacks=[Each(alone.append)])
    assert [state.runs for state in alone] == [None] * 3 and alone[0].logs["loss"].shape == ()


@pytest.mark.parametrize("seed", [0, [0, 1]])
def test_stop_ends_all_runs(seed):
    model, shorter = network(seed), network(seed)
    history = fit(model, data(), callbacks=[Each(lambda state: state.stop() if state.epoch == 2 else None)])
    fit(shorter, data(), epochs=2)
    assert model.params.tobytes() == shorter.params.tobytes()
    assert (history.epochs == 2).all() and not history.diverged.any()
    assert np.isnan(history["loss"][2]).all() and np.isfinite(history["loss"][:2]).all()


def test_stop_ends_the_runs_of_a_mask():
    ends, seen = np.array([2, 4, 1, 3]), []

    def call(state):
        seen.append((state.runs.tolist(), state.model.runs, state.optimizer.params.shape[0], state.logs["loss"].shape))
        state.stop(ends[state.runs] == state.epoch)

    seeds, rates = [7, 7, 8, 9], [0.1, 0.2, 0.3, 0.4]
    model, optimizer = deep(seeds, "float64"), nn.Adam(rates)
    history = fit(model, data(), optimizer, epochs=4, callbacks=[Each(call)], validation=data(5), evaluate_train=True)
    assert [runs for runs, *_ in seen] == [[0, 1, 2, 3], [0, 1, 3], [1, 3], [1]]
    assert [shapes for _, *shapes in seen] == [[(n,), n, (n,)] for n in (4, 3, 2, 1)]
    assert history.epochs.tolist() == ends.tolist()
    for run, (seed, lr) in enumerate(zip(seeds, rates, strict=True)):
        alone, alone_optimizer = deep(seed, "float64"), nn.Adam(lr)
        stop = Each(lambda state, end=ends[run]: state.stop(state.epoch == end))
        alone_history = fit(alone, data(), alone_optimizer, epochs=4, callbacks=[stop], validation=data(5), evaluate_train=True)
        assert left_by(model, optimizer, history, run) == left_by(alone, alone_optimizer, alone_history), f"run {run}"


def test_stop_takes_a_list_and_adds_up():
    def call(state):
        state.stop([False, True, False])
        state.stop(np.array([True, False, False]))

    history = fit(network([0, 1, 2]), data(), callbacks=[Each(lambda state: call(state) if state.epoch == 1 else None)])
    assert history.epochs.tolist() == [1, 1, 3]


@pytest.mark.parametrize("seeds", [[7, 8, 9], [7, 7, 8]], ids=["own seeds", "a shared seed"])
@pytest.mark.parametrize("rates", [[0.1, 0.2, 0.3], {"type": "Cosine", "start": [0.1, 0.2, 0.3]}], ids=["numbers", "a schedule"])
def test_runs_that_ended_early_go_on_in_a_second_fit_as_alone(seeds, rates):
    """Runs that share a seed share a stream of masks, yet one may have ended earlier than the other."""
    ends = np.array([1, 3, 2])
    model, optimizer = deep(seeds, "float64"), nn.SGD(rates, momentum=0.5)
    fit(model, data(), optimizer, callbacks=[Each(lambda state: state.stop(ends[state.runs] == state.epoch))])
    history = fit(model, data(), optimizer)
    for run, seed in enumerate(seeds):
        rate = rates[run] if isinstance(rates, list) else rates | {"start": rates["start"][run]}
        alone, alone_optimizer = deep(seed, "float64"), nn.SGD(rate, momentum=0.5)
        fit(alone, data(), alone_optimizer, callbacks=[Each(lambda state, end=ends[run]: state.stop(state.epoch == end))])
        alone_history = fit(alone, data(), alone_optimizer)
        assert left_by(model, optimizer, history, run) == left_by(alone, alone_optimizer, alone_history), f"run {run}"


# ------------------------------------------------------------------------------------------ again


@pytest.mark.parametrize("seed", [0, [0, 1]])
def test_an_optimizer_goes_on_from_its_state_and_a_new_one_does_not(seed):
    once, twice, afresh = network(seed), network(seed), network(seed)
    options = {"shuffle": False, "epochs": 2}
    fit(once, data(), nn.Adam(), shuffle=False, epochs=4)
    optimizer = nn.Adam()
    fit(twice, data(), optimizer, **options)
    fit(twice, data(), optimizer, **options)
    assert twice.params.tobytes() == once.params.tobytes() and optimizer.steps == 12
    fit(afresh, data(), nn.Adam(), **options)
    fit(afresh, data(), nn.Adam(), **options)
    assert afresh.params.tobytes() != once.params.tobytes()


@pytest.mark.parametrize("optimizer", [nn.SGD(weight_decay=0.1), nn.Adam(weight_decay=0.1), nn.AdamW()])
@pytest.mark.parametrize("seed", [0, [0, 1]])
def test_an_optimizer_of_one_layer_leaves_the_others_alone(optimizer, seed):
    model, loss, (x, y) = deep(seed, "float64"), nn.MSE(), data()
    optimizer = copy.deepcopy(optimizer).attach(model.layers[-1])
    before = model.params.copy()
    fit(model, (x, y), optimizer)
    assert optimizer.model is model.layers[-1] and optimizer.steps > 0
    for _ in range(3):
        loss.forward(model.forward(x, training=True), y)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
    left_out = before.shape[-1] - model.layers[-1].params.shape[-1]
    assert model.params[..., :left_out].tobytes() == before[..., :left_out].tobytes()
    assert (model.layers[-1].params != before[..., left_out:]).all()


def test_an_optimizer_of_another_model_is_attached_afresh():
    optimizer = nn.Adam()
    fit(network(1), data(), optimizer)
    first, second = network(), network()
    fit(first, data(), optimizer)
    fit(second, data(), nn.Adam())
    assert first.params.tobytes() == second.params.tobytes() and optimizer.steps == 9


def test_a_loss_and_metrics_may_serve_several_trainings():
    loss, metrics = nn.MSE(), [nn.MAE()]
    for outputs, seed in ((2, 0), (1, [0, 1])):
        nn.fit(network(seed, outputs=outputs), loss, nn.SGD(), data(outputs=outputs), epochs=1, batch_size=4, metrics=metrics)


# ------------------------------------------------------------------------------------------ what is refused

X, Y = data()
BAD_X = np.where(np.arange(ROWS)[:, None] == 4, np.nan, X)

REFUSED = {
    "inputs too wide": ((np.ones((ROWS, 5)), Y), nn.ShapeError, r"^data\.x: expected \(rows, 3\), got \(10, 5\)"),
    "one row": ((X[0], Y), nn.ShapeError, r"^data\.x: expected \(rows, 3\), got \(3,\)"),
    "fewer targets": ((X, Y[:9]), nn.ShapeError, r"^data\.y: 10 rows of inputs do not go with targets \(9, 2\)"),
    "targets too wide": ((X, np.ones((ROWS, 3))), nn.ShapeError, r"^data\.y: MSE of outputs \(2,\) expected targets \(batch, 2\), got \(10, 3\)"),
    "NaN": ((BAD_X, Y), nn.DataError, r"^data\.x: expected finite numbers, got nan at \[4, 0\]"),
    "infinity": ((X, np.where(Y[2, 1] == Y, np.inf, Y)), nn.DataError, r"^data\.y: expected finite numbers, got inf at \[2, 1\]"),
    "text": ((X.astype(str), Y), nn.DataError, r"^data\.x: expected numbers, got <U32"),
    "objects": ((X.astype(object), Y), nn.DataError, r"^data\.x: expected numbers, got object"),
    "complex": ((X + 1j, Y), nn.DataError, r"^data\.x: expected numbers, got complex128"),
    "ragged": (([[1, 2, 3], [1, 2]], Y[:2]), nn.NNFrameError, r"^data\.x: "),
    "empty": ((X[:0], Y[:0]), nn.DataError, r"^data: has no rows"),
    "inputs alone": (X, nn.ShapeError, r"^data: expected \(x, y\), \(x, y, weight\) or a Dataset, got ndarray"),
    "four arrays": ((X, Y, Y, Y), nn.ShapeError, r"^data: expected \(x, y\), \(x, y, weight\) or a Dataset, got .*"),
    "negative weight": ((X, Y, np.arange(ROWS) - 1.0), nn.DataError, r"^data\.weight: expected weights of at least 0, and some above it"),
    "no weight": ((X, Y, np.zeros(ROWS)), nn.DataError, r"^data\.weight: expected weights of at least 0, and some above it"),
    "NaN in weights": ((X, Y, BAD_X[:, 0]), nn.DataError, r"^data\.weight: expected finite numbers, got nan at \[4\]"),
    "weights in a column": ((X, Y, np.ones((ROWS, 1))), nn.ShapeError, r"^data\.weight: expected \(10,\), got \(10, 1\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("use", ["fit", "validation", "evaluate"])
def test_wrong_data_is_refused(case, use):
    given, error, match = REFUSED[case]
    model = network()
    before = model.params.copy()
    with pytest.raises(error, match=match.replace("^data", "^validation") if use == "validation" else match):
        if use == "fit":
            fit(model, given)
        elif use == "validation":
            fit(model, data(), validation=given)
        else:
            nn.evaluate(model, nn.MSE(), given)
    assert model.params.tobytes() == before.tobytes()


def test_a_row_of_targets_for_one_output_is_a_column_of_them():
    column, row = network(outputs=1), network(outputs=1)
    fit(column, (X, Y[:, :1]))
    fit(row, (X, Y[:, 0]), validation=(X, Y[:, 0]))
    assert column.params.tobytes() == row.params.tobytes()
    assert nn.evaluate(row, nn.MSE(), (X, Y[:, 0])) == nn.evaluate(row, nn.MSE(), (X, Y[:, :1]))


def test_a_row_of_targets_for_several_outputs_and_in_a_loss_by_itself_is_refused():
    with pytest.raises(nn.ShapeError, match=r"MSE of outputs \(2,\) expected targets \(batch, 2\), got \(10,\)"):
        fit(network(), (X, Y[:, 0]))
    with pytest.raises(nn.ShapeError, match=r"MSE of outputs \(1,\) expected targets \(batch, 1\), got \(10,\); write y\[:, None\]"):
        nn.MSE().forward(Y[:, :1], Y[:, 0])


@pytest.mark.parametrize("wrong, got", [(2, "2"), (-1, "-1")])
def test_a_class_out_of_range_is_refused(wrong, got):
    x, y = classes()
    y[5] = wrong
    with pytest.raises(nn.DataError, match=rf"^data\.y: CrossEntropy of outputs \(2,\) expected classes from 0 to 1, got {got}"):
        nn.fit(network(), nn.CrossEntropy(), nn.SGD(), (x, y), epochs=1, batch_size=4)


def test_data_for_another_number_of_runs_is_refused():
    stack = network([0, 1])
    with pytest.raises(nn.ShapeError, match=r"^data\.x: expected \(rows, 3\) or \(2, rows, 3\), got \(3, 10, 3\)"):
        fit(stack, (np.stack([X] * 3), Y))
    with pytest.raises(nn.ShapeError, match=r"^data\.y: 10 rows of inputs do not go with targets \(3, 10, 2\)"):
        fit(stack, (X, np.stack([Y] * 3)))
    with pytest.raises(nn.ShapeError, match=r"^data\.weight: expected \(10,\) or \(2, 10\), got \(3, 10\)"):
        fit(stack, (X, Y, np.ones((3, ROWS))))
    with pytest.raises(nn.ShapeError, match=r"^data\.x: expected \(rows, 3\), got \(2, 10, 3\)"):
        fit(network(), (np.stack([X] * 2), Y))


def test_a_run_whose_rows_all_weigh_nothing_is_refused():
    weight = np.ones((2, ROWS))
    weight[1] = 0
    with pytest.raises(nn.DataError, match=r"^data\.weight: expected weights of at least 0, and some above it.*run 1"):
        fit(network([0, 1]), (X, Y, weight))


OPTIONS = {
    "epochs": [(0, r"fit: epochs: expected an integer of at least 1, got 0"), (2.0, r"epochs: expected an integer.*got 2\.0; write 2")],
    "batch_size": [
        (1.5, r"fit: batch_size: expected an integer of at least 1, got 1\.5"),
        (True, r"batch_size: expected an integer of at least 1, got true"),
        ("4", r"batch_size: expected an integer of at least 1, got '4' \(a text\); write the number without quotes"),
    ],
    "eval_batch_size": [(0, r"fit: eval_batch_size: expected an integer of at least 1.*, got 0")],
    "shuffle": [("no", r"fit: shuffle: expected true or false, got 'no'; write false")],
    "blas_threads": [
        ("many", r"fit: blas_threads: expected 'auto' or an integer of at least 1.*, got 'many'"),
        ("atuo", r"got 'atuo'\. Did you mean 'auto'\?"),
        (0, r"fit: blas_threads: expected .*integer of at least 1.*, got 0"),
    ],
    "seed": [
        (-1, r"seed: expected an integer of at least 0, or a list of one per run, got -1"),
        ("a", r"seed: expected an integer of at least 0, or a list of one per run, got 'a'"),
        ([1, 2], r"fit\.seed: has 2 values, but there is one network"),
    ],
}


@pytest.mark.parametrize("name, value, match", [(name, *case) for name, cases in OPTIONS.items() for case in cases])
def test_wrong_options_are_refused(name, value, match):
    with pytest.raises(nn.OptionError, match=match):
        fit(network(), data(), **{name: value})


def test_all_wrong_options_are_named_at_once():
    with pytest.raises(nn.OptionError, match=r"epochs: .*; batch_size: .*; shuffle: "):
        fit(network(), data(), epochs=0, batch_size=0, shuffle=1)


def test_wrong_options_of_evaluate_and_predict_are_refused():
    model = network()
    for call in (lambda **options: nn.evaluate(model, nn.MSE(), data(), **options), lambda **options: model.predict(X, **options)):
        for name, value in (("batch_size", -1), ("batch_size", 1.5), ("blas_threads", "many")):
            with pytest.raises(nn.OptionError, match=rf"{name}: expected .*integer of at least 1.*, got {value!r}"):
                call(**{name: value})


def test_two_metrics_of_one_name_are_refused():
    """One column of the log would hide the other."""
    with pytest.raises(nn.NNFrameError, match=r"metrics.*binary_accuracy"):
        fit(network(), (X, (Y > 0) * 1.0), metrics=[nn.BinaryAccuracy(0.3), nn.BinaryAccuracy(0.5)])


def test_a_model_that_is_not_built_is_refused():
    with pytest.raises(nn.UsageError, match=r"Sequential is not built; call build\(input_shape\) first"):
        fit(nn.Sequential(nn.Dense(1)), data())


def test_numbers_per_run_must_be_as_many_as_runs():
    with pytest.raises(nn.OptionError, match=r"SGD\.lr: has 3 values, but there are 2 runs"):
        fit(network([0, 1]), data(), nn.SGD([0.1, 0.2, 0.3]))
    with pytest.raises(nn.OptionError, match=r"SGD\.lr: has 3 values, but there is one network"):
        fit(network(), data(), nn.SGD([0.1, 0.2, 0.3]))


# ------------------------------------------------------------------------------------------ memory


@pytest.mark.parametrize("seed", [0, [0, 0]])
def test_a_step_takes_no_memory_for_its_batch(seed):
    """After the first steps all that is as large as a batch is there already."""
    x, y = np.ones((1024, 64), np.float32), np.ones((1024, 64), np.float32)
    layers = [nn.Dense(64), nn.BatchNorm(), nn.Sigmoid(), nn.Residual(nn.Dense(64), nn.ReLU()), nn.Dropout(0.5), nn.Tanh()]
    model = nn.Sequential(*layers).build(64, seed=seed)
    loss, optimizer = nn.MSE(), nn.Adam().attach(model)

    def step():
        loss.forward(model.forward(x, training=True), y)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()

    step()
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(3):
            step()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < x.nbytes / 2
    assert after - before < 1000


@pytest.mark.parametrize("seed", [0, [0, 1, 1]])
def test_memory_does_not_grow_with_epochs(seed):
    used = {}

    def note(state):
        if state.epoch in (100, 300):
            gc.collect()  # empties Python's lists of spare objects, which grow to a bound of their own
            used[state.epoch] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        fit(network(seed), data(), nn.Adam(), epochs=300, validation=data(5), metrics=[nn.MAE()], callbacks=[Each(note)])
    finally:
        tracemalloc.stop()
    assert used[300] - used[100] < 1500


@pytest.mark.parametrize(
    "options, words",
    [
        ({"loss": nn.SGD()}, r"fit\.loss: expected a loss, got SGD\(\)"),
        ({"optimizer": nn.MSE()}, r"fit\.optimizer: expected an optimizer, got MSE\(\)"),
        ({"metrics": [nn.MAE]}, r"metrics\.0: expected a metric or a loss, such as Accuracy\(\) or MAE\(\), got <class"),
        ({"callbacks": [print]}, r"fit\.callbacks\.0: expected an object with a method on_epoch, got <built-in function print>"),
        ({"metrics": nn.MAE()}, r"fit\.metrics: expected a list, got MAE\(\); write \[MAE\(\)\]"),
        ({"metrics": None}, r"fit\.metrics: expected a list, got nothing"),
        ({"metrics": 5}, r"fit\.metrics: expected a list, got 5"),
        ({"callbacks": nn.BestWeights()}, r"fit\.callbacks: expected a list, got BestWeights\(\); write \[BestWeights\(\)\]"),
        ({"callbacks": np.array(1)}, r"fit\.callbacks: expected a list, got array\(1\)"),
        ({"shuffle": np.array([True, False])}, r"fit: shuffle: expected true or false, got array\(\[ True, False\]\)"),
        ({"evaluate_train": np.array([])}, r"fit: evaluate_train: expected true or false, got array\(\[\]"),
        ({"epochs": np.array([1, 2])}, r"fit: epochs: expected an integer of at least 1, got array\(\[1, 2\]\)"),
        ({"checkpoint": 5}, r"fit: checkpoint: expected a path, got 5"),
        ({"checkpoint": np.array(["a"])}, r"fit: checkpoint: expected a path, got array"),
    ],
)
def test_arguments_of_the_wrong_kind(options, words):
    arguments = {"loss": nn.MSE(), "optimizer": nn.SGD()} | options
    with pytest.raises(nn.OptionError, match=words):
        nn.fit(network(0), arguments.pop("loss"), arguments.pop("optimizer"), data(), **{"epochs": 1, "batch_size": 4} | arguments)


def test_metrics_and_callbacks_may_be_anything_that_can_be_gone_through():
    seen = []
    history = fit(network(0), data(), metrics=(metric for metric in [nn.MAE()]), callbacks=(Each(seen.append) for _ in range(2)))
    assert len(seen) == 2 * len(history["loss"]) == 2 * len(history["mae"])
    evaluated = nn.evaluate(network(0), nn.MSE(), data(), metrics={nn.MAE()})
    assert set(evaluated) == {"loss", "mae"}
    with pytest.raises(nn.OptionError, match=r"^evaluate\.metrics: expected a list, got MAE\(\); write \[MAE\(\)\]"):
        nn.evaluate(network(0), nn.MSE(), data(), metrics=nn.MAE())


def test_a_mask_for_stop_is_as_long_as_the_runs_that_still_train():
    with pytest.raises(nn.OptionError, match=r"state\.stop: expected one for each run that still trains, \(2,\), got \(3,\)"):
        fit(network([0, 1]), data(), callbacks=[Each(lambda state: state.stop([True, False, True]))])


def test_a_callback_that_rebinds_a_weight_is_found_out():
    def rebind(state):
        state.model.layers[0].W = state.model.layers[0].W.copy()

    with pytest.raises(nn.UsageError, match=r"layers\.0\.W: was bound to another array"):
        fit(network(0), data(), callbacks=[Each(rebind)])


def test_no_weights_may_be_said_as_none():
    once, twice = network(0), network(0)
    fit(once, data())
    fit(twice, (*data(), None))
    assert once.params.tobytes() == twice.params.tobytes()
