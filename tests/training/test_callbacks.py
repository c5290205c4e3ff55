"""Early stopping, best weights, and callbacks of one's own: alone, in a stack, and in YAML."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import run

NAN = float("nan")


class Given(nn.Metric):
    """A column of the log that a test has written: `columns` (epochs, *runs) or (epochs,)."""

    columns = np.zeros(0)

    def __init__(self, better: str = "min") -> None:
        type(self).better = better

    def reset(self):
        self.epoch = getattr(self, "epoch", -1) + 1

    def update(self, pred, target, weight=None):
        self.runs = pred.shape[:-2]

    def value(self):
        return np.broadcast_to(Given.columns[self.epoch - 1], self.runs)  # reset before training too

    def get_state(self):
        return {}


class Marked(nn.Optimizer):
    """After epoch e, of one step, every parameter is e."""

    def update(self, p, g, w):
        p += 1


def follow(columns, *callbacks, better="min", seed=0, epochs=None, **options):
    """Train a network whose metric `given` runs through these values, epoch by epoch, and whose weights number the epochs."""
    Given.columns = np.asarray(columns, float)
    model = nn.Sequential(nn.Dense(1), nn.BatchNorm()).build(2, seed=seed, dtype="float64")
    model.params[...] = 0
    data = (np.ones((3, 2)), np.ones((3, 1)))
    history = nn.fit(
        model,
        nn.MSE(),
        Marked(),
        data,
        epochs=epochs or len(Given.columns),
        batch_size=3,
        metrics=[Given(better)],
        callbacks=callbacks,
        **options,
    )
    return model, history


# ------------------------------------------------------------------------------------------ when it stops

# Keras: an epoch is an improvement if it beats the best by more than min_delta; after `patience` epochs in a row without one, training
# ends. Values of the column, options, the epoch after which training ends, the best epoch.
SEQUENCES = [
    ([5, 4, 3, 2, 1], {}, 5, 5),
    ([5, 4, 3, 2, 1], {"patience": 1}, 5, 5),
    ([5, 4, 4, 3, 2], {"patience": 1}, 3, 2),
    ([5, 4, 4, 3, 2], {"patience": 2}, 5, 5),
    ([5, 6, 7, 4, 8, 8, 8, 1], {"patience": 3}, 7, 4),
    ([5, 6, 7, 4, 8, 8, 8, 1], {"patience": 4}, 8, 8),
    ([5, 6, 7, 4, 8, 8, 8, 1], {"patience": 2}, 3, 1),
    ([5, 4.5, 4, 3.5, 3], {"patience": 2, "min_delta": 0.5}, 5, 5),  # 4 beats 5 by more than 0.5, 4.5 does not
    ([5, 4.5, 4, 3.5, 3], {"patience": 1, "min_delta": 0.5}, 2, 1),
    ([5, 4.75, 4.5, 4.25, 4], {"patience": 4, "min_delta": 1}, 5, 1),
    ([1, 2, 3, 2, 2], {"patience": 2, "mode": "max"}, 5, 3),
    ([1, 2, 2, 2, 3], {"patience": 2, "mode": "max"}, 4, 2),
    ([3, 2, 1], {"patience": 2, "mode": "max"}, 3, 1),
    ([-3, -2, -1], {"patience": 2, "mode": "max", "min_delta": 0.5}, 3, 3),
    ([NAN, NAN, NAN, 1], {"patience": 3}, 3, 0),
    ([NAN, 3, NAN, 2, NAN, NAN], {"patience": 2}, 6, 4),
    ([2, NAN, 1, 3], {"patience": 2}, 4, 3),
    ([np.inf, np.inf, 1, 2], {"patience": 3}, 4, 3),
    ([-np.inf, -np.inf], {"patience": 1, "mode": "max"}, 1, 0),
]


@pytest.mark.parametrize("values, options, end, best", SEQUENCES)
@pytest.mark.parametrize("seed", [0, [0], [0, 1]])
def test_it_stops_when_patience_has_run_out(values, options, end, best, seed):
    stopping = nn.EarlyStopping("given", **options)
    model, history = follow(values, stopping, seed=seed)
    early = end < len(values) or len(values) - best >= options.get("patience", 10)
    assert (history.epochs == end).all() and (stopping.epoch == best).all()
    assert np.array_equal(
        history["given"][:end],
        np.broadcast_to(np.array(values[:end], float).reshape(-1, *[1] * len(model.runs)), (end, *model.runs)),
        equal_nan=True,
    )
    assert np.isnan(history["given"][end:]).all()
    assert (model.params == (best or end)).all()  # the weights of the best epoch, if there was one
    assert not history.diverged.any()
    told = f"given has not improved for {options.get('patience', 10)} epochs"
    assert history.reasons == ({run: told for run in range(np.size(stopping.epoch))} if early else {})
    if best:
        assert (stopping.best == values[best - 1]).all()


def test_the_weights_stay_as_they_are_without_restore_best():
    stopping = nn.EarlyStopping("given", patience=2, restore_best=False)
    model, history = follow([3, 1, 2, 2, 2], stopping)
    assert (model.params == 4).all() and (stopping.epoch, history.epochs) == (2, 4)
    stopping.restore(model)
    assert (model.params == 2).all()


@pytest.mark.parametrize("end", [4, 5])
def test_the_best_weights_come_back_whatever_ends_training(end):
    model, history = follow([3, 1, 2, 2, 2], nn.EarlyStopping("given", patience=4), Ends(end))
    assert (model.params == 2).all() and history.epochs == end


class Ends(nn.Callback):
    """Ends runs after given epochs, and notes what it sees."""

    def __init__(self, *epochs):
        self.epochs = np.array(epochs)
        self.seen = []

    def on_begin(self, state):
        self.seen.append(("begin", state.epoch, state.step, list(state.logs)))

    def on_epoch(self, state):
        here = self.epochs if len(self.epochs) == 1 or state.runs is None else self.epochs[state.runs]
        if (state.epoch == here).any():
            state.stop(state.epoch == here if len(self.epochs) > 1 else True, f"told to end after epoch {state.epoch}")

    def on_end(self, state, which):
        runs = None if state.runs is None else state.runs[which].tolist()
        self.seen.append(("end", state.epoch, state.step, runs))


def test_a_second_training_begins_anew():
    stopping = nn.EarlyStopping("given", patience=1)
    for values, end, best in (([1, 2, 3], 2, 1), ([9, 8, 9], 3, 2)):
        _, history = follow(values, stopping)
        assert (history.epochs, stopping.epoch) == (end, best)


# ------------------------------------------------------------------------------------------ what is best


@pytest.mark.parametrize("better, end", [("min", 2), ("max", 4)])
def test_the_mode_follows_from_the_metric(better, end):
    assert follow([1, 2, 3, 2], nn.EarlyStopping("given", patience=1), better=better)[1].epochs == end


def test_the_mode_of_every_column():
    seen = []

    class Look(nn.Callback):
        def build(self, columns):
            seen.append(columns)

        def on_epoch(self, state):
            pass

    rows = (np.ones((4, 2)), np.array([0, 1, 0, 1]))
    model = nn.Dense(2).build(2)
    nn.fit(model, nn.CrossEntropy(), nn.SGD(), rows, epochs=1, batch_size=2, validation=rows, metrics=[nn.Accuracy()], callbacks=[Look()])
    assert seen == [{"loss": "min", "accuracy": "max", "val_loss": "min", "val_accuracy": "max", "lr": "min"}]
    seen.clear()
    follow([1], Look())
    assert seen == [{"loss": "min", "given": "min"}]  # Marked has no lr


WRONG = [
    ("val_los", True, r"the log has no column 'val_los'\. Did you mean 'val_loss'\? Columns: loss, given, val_loss, val_given\."),
    ("val_loss", False, r"the log has no column 'val_loss'; there is no validation data\.( Did you mean 'loss'\?)? Columns: loss, given\."),
    ("lr", True, r"the log has no column 'lr'\. Columns: loss, given, val_loss, val_given\."),
]


@pytest.mark.parametrize("kind", [nn.EarlyStopping, nn.BestWeights])
@pytest.mark.parametrize("monitor, validated, words", WRONG)
def test_a_monitor_that_is_no_column_is_told_before_training(kind, monitor, validated, words):
    validation = (np.ones((3, 2)), np.ones((3, 1))) if validated else None
    begun = Ends(1)
    with pytest.raises(nn.OptionError, match=rf"^callbacks\.1\.monitor: {words}$"):
        follow([1], begun, kind(monitor), validation=validation)
    assert begun.seen == []


@pytest.mark.parametrize(
    "options, words",
    [
        ({"patience": 0}, r"EarlyStopping\.patience: expected an integer of at least 1, got 0"),
        ({"min_delta": -1}, r"EarlyStopping\.min_delta: expected a number of at least 0, got -1"),
        ({"mode": "mni"}, r"EarlyStopping\.mode: expected .*'min'.*'max'.*, got 'mni'"),
        ({"patients": 3}, r"EarlyStopping.* has no option 'patients'. Did you mean 'patience'\?"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(nn.OptionError, match=words):
        nn.EarlyStopping(**options)


# ------------------------------------------------------------------------------------------ in a stack


def network(seed):
    layers = [nn.Dense(6), nn.BatchNorm(), nn.ReLU(), nn.Dropout(0.3), nn.Dense(3)]
    return nn.Sequential(*layers).build(4, seed=seed, dtype="float64")


def classes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4))
    return x, (x @ rng.normal(size=(4, 3)) + rng.normal(size=(40, 3))).argmax(-1)


def stopped(seed, lr, **options):
    x, y = classes()
    model, optimizer, stopping = network(seed), nn.Adam(lr), nn.EarlyStopping(**{"patience": 2} | options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nn.DivergenceWarning)
        history = nn.fit(
            model,
            nn.CrossEntropy(),
            optimizer,
            (x[:30], y[:30]),
            epochs=12,
            batch_size=8,
            validation=(x[30:], y[30:]),
            callbacks=[stopping],
        )
    return model, optimizer, history, stopping


def left_by(model, optimizer, history, stopping, run=...):
    arrays = {"params": model.params, "state": model.state, "best": stopping.best, "epoch": stopping.epoch, **optimizer.state}
    arrays |= {name: column.T for name, column in history.items()} | {"epochs": history.epochs, "diverged": history.diverged}
    return {name: np.array(array[run]).tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("options", [{}, {"restore_best": False}, {"monitor": "loss", "patience": 1, "min_delta": 0.05}])
def test_a_stopped_run_and_its_neighbours_are_what_they_are_alone(options):
    seeds, rates = [0, 0, 1, 1, 2, 3], [0.01, 0.3, 0.03, 1e300, 1.0, 0.1]
    stack = stopped(seeds, rates, **options)
    assert len(set(stack[2].epochs.tolist())) > 3 and stack[2].diverged.tolist() == [False, False, False, True, False, False]
    for number, (seed, lr) in enumerate(zip(seeds, rates, strict=True)):
        alone = stopped(seed, lr, **options)
        assert left_by(*alone) == left_by(*stack, number), number
        assert alone[2].reasons.get(0) == stack[2].reasons.get(number)


def test_a_diverged_run_ends_with_its_best_weights_and_says_that_it_diverged():
    class Blow(nn.Callback):
        """Lets run 1 diverge in epoch 4."""

        def on_epoch(self, state):
            if state.epoch == 3:
                state.model.params[state.runs == 1] = 1e300

    class Keep(nn.Callback):
        def on_epoch(self, state):
            kept[state.epoch] = dict(zip(state.runs.tolist(), state.model.params.copy(), strict=True))

    kept = {}
    x, y = classes()
    model, stopping = network([0, 1, 2]), nn.EarlyStopping("loss", patience=50)
    with pytest.warns(nn.DivergenceWarning, match=r"^run 1: the loss is (nan|inf) at the end of epoch 4 \(step 16\)"):
        history = nn.fit(model, nn.CrossEntropy(), nn.Adam(0.01), (x, y), epochs=6, batch_size=10, callbacks=[Keep(), stopping, Blow()])
    assert history.epochs.tolist() == [6, 4, 6] and history.diverged.tolist() == [False, True, False]
    assert re.fullmatch(r"the loss is (nan|inf) at the end of epoch 4 \(step 16\)", history.reasons.pop(1)) and not history.reasons
    assert stopping.epoch[1] == 3
    for number in range(3):
        assert model.params[number].tobytes() == kept[stopping.epoch[number]][number].tobytes()


def test_each_diverged_run_has_a_reason_of_its_own():
    class Spoil(nn.Callback):
        def on_epoch(self, state):
            state.model.params[:] = np.array([[1e300], [np.nan], [1.0]])

    model = nn.Dense(1).build(2, seed=[0, 1, 2], dtype="float64")
    with pytest.warns(nn.DivergenceWarning, match=r"^run 0, 1: the loss is (nan|inf) at the end of epoch 2 \(step 2\)"):
        history = nn.fit(model, nn.MSE(), nn.SGD(), (np.ones((2, 2)), np.ones((2, 1))), epochs=2, batch_size=2, callbacks=[Spoil()])
    assert history.reasons == {number: f"the loss is {loss} at the end of epoch 2 (step 2)" for number, loss in enumerate(("inf", "nan"))}


def test_a_run_that_diverges_at_once_keeps_its_weights():
    model, _, history, stopping = stopped(1, 1e300)
    assert history.epochs == 1 and history.diverged and stopping.epoch == 0
    assert not np.isfinite(model.params).all()


def test_a_stopped_run_costs_nothing_more():
    sizes, forward = [], nn.Dense.forward

    class Watched(nn.Dense):
        def forward(self, x, *, training=False):
            sizes.append(self.W.shape[0])
            return forward(self, x, training=training)

    model = nn.Sequential(Watched(1)).build(2, seed=[0, 1, 2], dtype="float64")
    data, ends = (np.ones((2, 2)), np.ones((2, 1))), Ends(1, 3, 2)
    history = nn.fit(model, nn.MSE(), nn.SGD(), data, epochs=5, batch_size=1, callbacks=[ends])
    assert sizes == [3, 3, 2, 2, 1, 1] and history.epochs.tolist() == [1, 3, 2]
    assert history.reasons == {0: "told to end after epoch 1", 2: "told to end after epoch 2", 1: "told to end after epoch 3"}
    assert ends.seen == [("begin", 0, 0, []), ("end", 1, 2, [0]), ("end", 2, 4, [2]), ("end", 3, 6, [1])]


# ------------------------------------------------------------------------------------------ callbacks of one's own


def test_on_begin_and_on_end_of_a_whole_training():
    alone, stack = Ends(99), Ends(99)
    follow([1, 2], alone)
    follow([1, 2], stack, seed=[0, 1])
    assert alone.seen == [("begin", 0, 0, []), ("end", 2, 2, None)]
    assert stack.seen == [("begin", 0, 0, []), ("end", 2, 2, [0, 1])]


def test_of_several_reasons_the_last_one_counts_that_was_meant():
    class Twice(nn.Callback):
        def on_epoch(self, state):
            state.stop(True, "first")
            state.stop(False, "nobody")

    assert follow([1, 2], Twice())[1].reasons == {0: "first"}
    assert follow([1, 2], Twice(), seed=[0, 1])[1].reasons == {0: "first", 1: "first"}
    assert follow([1, 2], Twice(), Ends(1))[1].reasons == {0: "told to end after epoch 1"}


def test_a_mask_of_another_shape_is_refused():
    class Wrong(nn.Callback):
        def on_epoch(self, state):
            state.stop([True, False])

    for seed, words in ((0, "one value"), ([0, 1, 2], r"one for each run that still trains, \(3,\)")):
        with pytest.raises(nn.OptionError, match=rf"^state\.stop: expected {words}, got \(2,\); index by state\.runs$"):
            follow([1], Wrong(), seed=seed)


def test_an_object_with_on_epoch_will_do():
    class Bare:
        def on_epoch(self, state):
            state.stop(state.epoch == 2)

    assert follow([1, 2, 3], Bare())[1].epochs == 2
    with pytest.raises(nn.OptionError, match=r"^fit\.callbacks\.0: expected an object with a method on_epoch, got 3$"):
        follow([1], 3)


def test_best_weights_of_each_run():
    best = nn.BestWeights("given")
    model, history = follow([[3, 1], [2, 4], [9, 5]], best, seed=[0, 1])
    assert best.epoch.tolist() == [2, 1] and best.best.tolist() == [2, 1]
    assert (history.epochs == 3).all() and (model.params == 3).all() and history.reasons == {}
    best.restore(model)
    assert (model.params == np.array([[2], [1]])).all()


# ------------------------------------------------------------------------------------------ in YAML


def trained(capsys, *arguments):
    status = run.main(["iris.yaml", "--out", "runs", *arguments])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err


def test_early_stopping_in_yaml(place, capsys):
    status, lines, _ = trained(capsys, "callbacks=[{type: EarlyStopping, patience: 3, min_delta: 0.05}]")
    folder = Path(lines[-1])
    rows = [row.split(",") for row in (folder / "losses.csv").read_text().splitlines()[1:]]
    held = [float(row[3]) for row in rows]
    best, at = np.inf, 0
    for epoch, value in enumerate(held, 1):
        if value < best - 0.05:
            best, at = value, epoch
    assert status == 0 and len(rows) == at + 3 < 100
    assert "ended early: val_loss has not improved for 3 epochs" in lines
    kept = f"loss {float(rows[at - 1][2]):.4g}  val_loss {held[at - 1]:.4g}  "
    assert any(line.startswith(f"stopped at epoch {len(rows)}; kept epoch {at}: {kept}") for line in lines)
    assert not (folder / "best.npz").exists()
    record = json.loads((folder / "run.json").read_text())
    results = record["results"]
    assert record["status"] == "finished" and (results["epochs"], results["kept_epoch"]) == (len(rows), at)
    assert results["val_loss"] == held[at - 1]  # what the weights in the folder give


def test_a_history_says_which_epochs_weights_a_run_has():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 1))
    model = nn.Sequential(nn.Dense(8), nn.Tanh(), nn.Dense(1)).build(3, seed=range(4))
    stop = nn.EarlyStopping(patience=2)
    options = {"epochs": 40, "batch_size": 5, "validation": (x[:9], y[:9] + 1)}
    history = nn.fit(model, nn.MSE(), nn.SGD([0.05, 0.1, 0.2, 1e-6]), (x, y), callbacks=[stop], **options)
    assert history.kept.tolist() == stop.epoch.tolist() and (history.kept < history.epochs).any()
    at = history["val_loss"][history.kept - 1, range(4)]
    assert nn.evaluate(model, nn.MSE(), options["validation"])["loss"] == pytest.approx(at, rel=1e-5)
    assert nn.fit(model, nn.MSE(), nn.SGD(), (x, y), epochs=3, batch_size=5).kept.tolist() == [3] * 4


@pytest.mark.parametrize(
    ("wrong", "meant"), [("on_epoch_end", "on_epoch"), ("on_train_begin", "on_begin"), ("on_epohc", "on_epoch"), ("on_train_end", "on_end")]
)
def test_a_method_that_nobody_calls_is_told(wrong, meant):
    for base in (nn.Callback, object):
        Mistaken = type("Mistaken", (base,), {wrong: lambda self, state: None, "on_epoch": lambda self, state: None})
        told = rf"callbacks\.0\.Mistaken: has a method '{wrong}', which is never called\. Did you mean '{meant}'\? Methods: on_begin, on_epoch, on_end\."
        model = nn.Sequential(nn.Dense(1)).build(1)
        with pytest.raises(nn.OptionError, match=told):
            nn.fit(model, nn.MSE(), nn.SGD(), (np.ones((4, 1)), np.ones((4, 1))), epochs=1, batch_size=2, callbacks=[Mistaken()])


def test_an_object_that_has_only_such_a_method_is_told_too():
    class Foreign:
        def on_epoch_end(self, epoch, logs):
            pass

    with pytest.raises(nn.OptionError, match=r"^fit\.callbacks\.0\.Foreign: has a method 'on_epoch_end', .* Did you mean 'on_epoch'\?"):
        follow([1], Foreign())


@pytest.mark.parametrize("name", ["on_batch_end", "on_train_batch_start", "on_step_end"])
def test_no_method_is_called_between_batches(name):
    with pytest.raises(nn.OptionError, match=rf"has a method '{name}', which is never called\. Methods: "):
        follow([1], type("Eager", (nn.Callback,), {name: lambda self: None})())


def test_a_diverged_run_tells_of_the_epoch_whose_weights_it_has(place, capsys):
    rate = "optimizer={type: SGD, lr: {type: Step, start: 0.1, every: 3, factor: 1e300}}"
    status, lines, told = trained(capsys, rate, "dtype=float64", "callbacks=[{type: EarlyStopping, patience: 50}]")
    folder = Path(lines[-1])
    rows = [row.split(",") for row in (folder / "losses.csv").read_text().splitlines()[1:]]
    record = json.loads((folder / "run.json").read_text())
    assert status == 1 and record["status"] == "diverged" and len(rows) == 4
    assert "; training ended there. " in told and "kept epoch 3: loss " in told
    assert (record["results"]["epochs"], record["results"]["kept_epoch"]) == (4, 3)
    assert [record["results"][name] for name in ("loss", "val_loss")] == [float(cell) for cell in rows[2][2:4]]
    with np.load(folder / "weights.npz") as weights:
        assert all(np.isfinite(array).all() for array in weights.values())


def test_best_weights_in_yaml(place, capsys):
    constant = "optimizer.lr=0.02"
    _, lines, _ = trained(capsys, "train.epochs=30", constant, "callbacks=[{type: BestWeights, monitor: val_accuracy}]")
    folder = Path(lines[-1])
    rows = [row.split(",") for row in (folder / "losses.csv").read_text().splitlines()[1:]]
    accuracies = [float(row[5]) for row in rows]
    epoch = accuracies.index(max(accuracies)) + 1
    assert epoch < 30 and f"best val_accuracy {max(accuracies):.4g} in epoch {epoch}, whose weights are in best.npz" in lines
    _, shorter, _ = trained(capsys, f"train.epochs={epoch}", constant)
    assert (folder / "best.npz").read_bytes() == Path(shorter[-1], "weights.npz").read_bytes()
    assert (folder / "best.npz").read_bytes() != (folder / "weights.npz").read_bytes()


def test_a_wrong_monitor_in_yaml_is_located(place, capsys):
    Path("stop.yaml").write_text("extends: iris.yaml\ncallbacks:\n  - BestWeights\n  - {type: EarlyStopping, monitor: val_acuracy}\n")
    assert run.main(["stop.yaml", "--out", "runs"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        "stop.yaml:4:27: callbacks.1.monitor: the log has no column 'val_acuracy'. Did you mean 'val_accuracy'? Columns: loss, "
    )
    Path("stop.yaml").write_text("extends: gender.yaml\ncallbacks: [EarlyStopping]\n")
    assert run.main(["stop.yaml", "--out", "runs"]) == 2
    assert capsys.readouterr().err.startswith(
        "stop.yaml:2:13: callbacks.0.monitor: the log has no column 'val_loss'; there is no validation data."
    )
    assert not Path("runs").exists()


def test_max_seconds_in_yaml(place, capsys):
    status, lines, _ = trained(capsys, "train.max_seconds=0.3", "train.epochs=1000000")
    assert status == 0 and "ended early: max_seconds: 0.3 seconds have gone by" in lines
