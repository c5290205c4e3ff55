"""SciPy's minimizers: witnesses for where they end, and the promises of every training."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
from cases import RUNS, WHOLE, every

import nnframe as nn
from nnframe.optimizers.objective import Objective
from nnframe.runs.folder import read_record

ROOT = Path(__file__).parents[2]
METHODS = ["L-BFGS-B", "Newton-CG", "trust-ncg", "least_squares"]
LOGISTIC = json.loads((ROOT / "tests" / "data" / "sklearn_logistic.json").read_text())
every_method = pytest.mark.parametrize("method", METHODS)


def net(seed=0, inputs=2, dtype="float64"):
    return nn.Sequential(nn.Dense(3), nn.Tanh(), nn.Dense(1)).build(inputs, seed=seed, dtype=dtype)


def bytes_of(model, history, run=...):
    """Weights and log of one run, as far as it was trained."""
    epochs = int(history.epochs[run])
    return (
        model.params[run].tobytes(),
        model.grads[run].tobytes(),
        epochs,
        {k: v[(slice(epochs), run)].tobytes() for k, v in history.items()},
    )


# ------------------------------------------------------------------------------------------------ witnesses


@every_method
@pytest.mark.parametrize("pieces", [None, 7])
def test_linear_least_squares_is_solved(method, pieces, rng):
    x, weight = rng.normal(size=(40, 3)), rng.uniform(0.5, 2, 40)
    y = x @ rng.normal(size=(3, 2)) + 0.1 * rng.normal(size=(40, 2)) + 0.3
    root = np.sqrt(weight)[:, None]
    expected = np.linalg.lstsq(np.c_[x, np.ones(40)] * root, y * root, rcond=None)[0]
    model = nn.Sequential(nn.Dense(2)).build(3, dtype="float64")
    optimizer = nn.SciPy(method, tolerance=2e-9)
    history = nn.fit(model, nn.MSE(), optimizer, (x, y, weight), epochs=100, batch_size=40, eval_batch_size=pieces)
    found = np.r_[model.layers[0].W, model.layers[0].b]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
    assert history.reasons[0].startswith(method) and 1 <= history.epochs < 20 and not history.diverged and "lr" not in history


@pytest.mark.parametrize("method", METHODS[:3])
def test_logistic_regression_is_that_of_scikit_learn(method):
    x, y, weight = (np.array(LOGISTIC[name], float) for name in ("x", "y", "weight"))
    model = nn.Sequential(nn.Dense(1)).build(3, dtype="float64")
    nn.fit(model, nn.BinaryCrossEntropy(), nn.SciPy(method, tolerance=1e-8), (x, y[:, None], weight), epochs=100, batch_size=60)
    np.testing.assert_allclose(model.params, [*LOGISTIC["W"], LOGISTIC["b"]], rtol=0, atol=1e-5)


@every_method
def test_xor_is_learnt(method):
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([[0], [1], [1], [0]], float)
    model = nn.Sequential(nn.Dense(2), nn.Tanh(), nn.Dense(1)).build(2, seed=1, dtype="float64")
    history = nn.fit(model, nn.MSE(), nn.SciPy(method), (x, y), epochs=300, batch_size=4)
    assert np.abs(model.predict(x) - y).max() < 1e-3
    assert history["loss"][history.epochs - 1] == pytest.approx(np.mean((model.predict(x) - y) ** 2), rel=1e-9)


def test_the_path_is_that_of_scipy_called_by_hand(rng):
    x, y = rng.normal(size=(12, 2)), rng.normal(size=(12, 1))
    model, seen = net(), []

    def by_hand(p):
        W, b, V, c = p[:6].reshape(2, 3), p[6:9], p[9:12].reshape(3, 1), p[12:]
        h = np.tanh(x @ W + b)
        e = h @ V + c - y
        dh = 2 / 12 * e @ V.T * (1 - h * h)
        return np.mean(e * e), np.concatenate([(x.T @ dh).ravel(), dh.sum(0), (h.T @ e * 2 / 12).ravel(), e.sum(0) * 2 / 12])

    options = {"ftol": 0, "gtol": 0, "maxcor": 4}
    start = model.params.copy()
    scipy.optimize.minimize(
        by_hand, start, jac=True, method="L-BFGS-B", callback=lambda x: seen.append(x.copy()), options=options | {"maxiter": 12}
    )
    path = []

    class Keep(nn.Callback):
        def on_epoch(self, state):
            path.append(state.model.params.copy())
            np.testing.assert_allclose(state.model.grads, by_hand(state.model.params)[1], rtol=0, atol=1e-14)

    history = nn.fit(model, nn.MSE(), nn.SciPy(memory=4), (x, y), epochs=12, batch_size=12, callbacks=[Keep()])
    np.testing.assert_allclose(path, seen, rtol=0, atol=1e-10)
    np.testing.assert_allclose(history["loss"], [by_hand(p)[0] for p in path], rtol=1e-13)
    assert history.reasons == {} and history.epochs == 12


@pytest.mark.parametrize("seed", [0, [0]])
def test_jacobian_gradient_and_hessian_are_those_of_differences(seed, rng):
    model, loss = net(seed), nn.MSE()
    x, y, weight = rng.normal(size=(5, 2)), rng.normal(size=(5, 1)), rng.uniform(1, 2, 5)
    batches = [(x[:3], y[:3], weight[:3], np.float64(3)), (x[3:], y[3:], weight[3:], np.float64(2))]
    objective = Objective(model, loss.build((1,)), model, lambda: batches)
    p, v = objective.start, rng.normal(size=13)
    value, gradient = objective(p)
    r, J = objective.residuals(p), objective.jacobian(p)
    assert value == pytest.approx(0.5 * (r @ r), rel=1e-14)
    np.testing.assert_allclose(gradient, J.T @ r, rtol=0, atol=1e-14)
    np.testing.assert_allclose(J @ v, (objective.residuals(p + 1e-6 * v) - objective.residuals(p - 1e-6 * v)) / 2e-6, rtol=0, atol=1e-8)
    columns = np.array([objective.times_hessian(p, e) for e in np.eye(13)])
    np.testing.assert_allclose(columns, columns.T, rtol=0, atol=1e-8)
    assert v @ columns @ v == pytest.approx((objective(p + 1e-4 * v)[0] - 2 * value + objective(p - 1e-4 * v)[0]) / 1e-8, rel=1e-5)


# ------------------------------------------------------------------------------------------------ the promises


def trained(case, rows, **options):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 2)), rng.normal(size=(10, 1))
    model = net(rows)
    given = {
        "epochs": 40,
        "batch_size": 10,
        "validation": (x[:4], y[:4]),
        "metrics": [nn.MAE()],
        "callbacks": [nn.EarlyStopping(patience=5)],
    }
    history = nn.fit(model, nn.MSE(), case.of(rows), (x, y), **given | options)
    return model, history


@every(*WHOLE)
def test_a_stack_does_what_its_runs_do_alone(case):
    model, history = trained(case, range(RUNS))
    assert list(history) == ["loss", "val_loss", "mae", "val_mae"]
    for run in range(RUNS):
        alone, log = trained(case, run)
        assert bytes_of(model, history, run) == bytes_of(alone, log)
        assert history.kept[run] == log.kept and history.reasons.get(run) == log.reasons.get(0)
        assert np.isnan(history["loss"][history.epochs[run] :, run]).all()


@every(*WHOLE)
@pytest.mark.parametrize("rows", [1, range(RUNS)], ids=["alone", "stack"])
def test_what_was_broken_off_begins_anew_to_the_same_bytes(case, rows, tmp_path, monkeypatch):
    expected = trained(case, rows)
    original, calls = Objective._evaluated, []

    def ring(self, x):
        calls.append(x)
        if len(calls) == 9:
            signal.raise_signal(signal.SIGTERM)
        return original(self, x)

    monkeypatch.setattr(Objective, "_evaluated", ring)
    with pytest.raises(nn.Interrupted):
        trained(case, rows, checkpoint=tmp_path)
    assert len(calls) == 9
    found = trained(case, rows, checkpoint=tmp_path)
    for run in [...] if rows == 1 else range(RUNS):
        assert bytes_of(*found, run) == bytes_of(*expected, run)
    before = len(calls)
    again = trained(case, rows, checkpoint=tmp_path)  # of the end
    assert again[0].params.tobytes() == expected[0].params.tobytes() and len(calls) == before


def test_a_training_that_has_ended_is_not_gone_on_with(tmp_path, rng):
    def train(epochs):
        data = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
        return nn.fit(net(), nn.MSE(), nn.SciPy(), data, epochs=epochs, batch_size=6, checkpoint=tmp_path)

    state = rng.bit_generator.state
    train(3)
    rng.bit_generator.state = state
    with pytest.raises(nn.OptionError, match="train: SciPy cannot go on from epoch 3, where this training ended; train it anew"):
        train(5)


def test_a_fold_trains_on_every_row_of_its_own():
    source = nn.Diabetes(cv=nn.CV(folds=5, only=2), split_seed=0, transforms=[nn.Standardize()], target_transforms=[nn.Standardize()])
    data = source.prepare(0)
    x, y = data.training.x, data.training.y.reshape(-1, 1)
    expected = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0].ravel()
    model = nn.Sequential(nn.Dense(1)).build(10, dtype="float64")
    nn.fit(model, nn.MSE(), nn.SciPy("least_squares"), data.training, epochs=20, batch_size=500)
    assert len(x) > data.training.visited
    np.testing.assert_allclose(model.params, expected, rtol=0, atol=1e-6)


def test_callbacks_see_every_iteration_and_can_stop_it(rng):
    class Stop(nn.Callback):
        def on_epoch(self, state):
            state.stop(state.logs["loss"] < 0.7, "good enough")

    model, data = net([0, 1]), (rng.normal(size=(8, 2)), rng.normal(size=(8, 1)))
    best = nn.BestWeights("loss")
    history = nn.fit(model, nn.MSE(), nn.SciPy(), data, epochs=50, batch_size=8, callbacks=[Stop(), best])
    last = history["loss"][history.epochs - 1, [0, 1]]
    assert (last < 0.7).all() and history.reasons == {0: "good enough", 1: "good enough"} and (best.epoch == history.epochs).all()
    assert nn.evaluate(model, nn.MSE(), data)["loss"].tolist() == last.tolist()


def test_a_callback_that_changes_weights_is_refused(rng):
    class Clip(nn.Callback):
        def on_epoch(self, state):
            state.model.params[...] *= 0.5

    with pytest.raises(nn.UsageError, match="a callback has changed weights, which SciPy would not see"):
        nn.fit(net(), nn.MSE(), nn.SciPy(), (rng.normal(size=(8, 2)), rng.normal(size=(8, 1))), epochs=5, batch_size=8, callbacks=[Clip()])


@every_method
def test_numbers_that_are_too_large_end_it(method, rng):
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    model = net()
    model.params[...] = 1e200
    with pytest.warns(nn.DivergenceWarning, match="the loss is inf at the end of epoch 1.*; training ends here.$"):
        history = nn.fit(model, nn.MSE(), nn.SciPy(method), (x, y), epochs=9, batch_size=8)
    assert history.diverged and history.epochs == 1 and (model.params == 1e200).all()


def test_a_start_that_is_flat_is_one_epoch():
    model = nn.Sequential(nn.Dense(1, init="Zeros", bias_init="Zeros")).build(1, dtype="float64")
    history = nn.fit(model, nn.MSE(), nn.SciPy(), (np.ones((2, 1)), np.zeros((2, 1))), epochs=9, batch_size=2)
    assert history.epochs == 1 and history["loss"][0] == 0
    assert history.reasons == {0: "L-BFGS-B converged: no component of the gradient exceeds 1e-06"}


# ------------------------------------------------------------------------------------------------ mistakes

MISTAKES = [
    ({"dtype": "float32"}, "dtype: SciPy's line searches and differences need float64, got float32; write dtype: float64"),
    ({"train.batch_size": "3"}, "train.batch_size: SciPy takes all 4 rows at once; write batch_size: 4, got 3"),
    ({"model.1": "Dropout"}, "model.1: SciPy minimizes one function, but Dropout draws random numbers in training; leave it out"),
    ({"model.1": "BatchNorm"}, "model.1: SciPy minimizes one function, but BatchNorm changes what it remembers in training; leave it out"),
    ({"data.augment": "[Noise]"}, "data.augment.0: SciPy minimizes one function, and Noise changes it from call to call"),
    ({"model.1": "{type: LeakyReLU, slope: {type: Cosine, start: 0.1}}"}, "a number of LeakyReLU follows a schedule"),
    ({"optimizer.method": "trust-krylov"}, "optimizer.method: expected one of .* Did you mean 'trust-ncg'?"),
    ({"optimizer.method": "lbfgs"}, "optimizer.method: expected one of .* Did you mean 'L-BFGS-B'?"),
    ({"optimizer.lr": "0.1"}, "optimizer.lr: SciPy has no option 'lr'"),
    ({"optimizer.tol": "0.1"}, "optimizer.tol: SciPy has no option 'tol'. Did you mean 'tolerance'?"),
    ({"optimizer": "{type: SciPy, method: Newton-CG, memory: 3}"}, "optimizer.memory: is for L-BFGS-B, and Newton-CG has none"),
    (
        {"optimizer": "{type: SciPy, method: least_squares}", "loss": "MAE"},
        "optimizer.method: least_squares is for the loss MSE.*MAE is none",
    ),
    ({"optimizer": "LBFGS"}, "unknown optimizer 'LBFGS'. Did you mean 'SciPy'?"),
]
OF_GENDER = ["optimizer=SciPy", "train.batch_size=4"]


def command(place, *arguments, **options):
    given = {"cwd": place, "capture_output": True, "text": True, "env": os.environ | {"PYTHONPATH": str(ROOT)}} | options
    return subprocess.run([sys.executable, "-m", "nnframe.run", *map(str, arguments)], **given)


@pytest.mark.parametrize(("changes", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_config_that_it_cannot_train_is_told_before(changes, told, place, capsys):
    from nnframe.command.main import main

    assert main(["run", "gender.yaml", *OF_GENDER, *(f"{key}={value}" for key, value in changes.items())]) == 2
    assert re.search(told, capsys.readouterr().err)
    assert not (place / "experiments").exists()


def test_it_takes_no_steps():
    with pytest.raises(nn.UsageError, match=r"SciPy trains a whole network and takes no single steps; call nn\.fit"):
        nn.SciPy().attach(net()).step()


# ------------------------------------------------------------------------------------------------ the command

SLOW = """
import os, signal, nnframe as nn
@nn.register
class Slow(nn.Callback):
    def on_epoch(self, state):
        if state.epoch == 5 and "WHEN" in os.environ:
            os.kill(os.getpid(), int(os.environ["WHEN"]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_run_that_was_killed_begins_anew_to_the_same_bytes(number, place):
    (place / "slow.py").write_text(SLOW)
    given = ["gender.yaml", *OF_GENDER, "callbacks=[Slow]", "train.evaluate_train=false", "--plugin", "slow.py"]
    whole = command(place, *given, "--out", "a")
    assert whole.returncode == 0, whole.stderr
    assert "ended early: L-BFGS-B converged: no component of the gradient exceeds 1e-06\nstopped at epoch 19" in whole.stdout
    dead = command(place, *given, "--out", "b", env=os.environ | {"PYTHONPATH": str(ROOT), "WHEN": str(int(number))})
    (expected,), (folder,) = place.glob("a/gender/*"), place.glob("b/gender/*")
    if number == signal.SIGTERM:
        assert dead.returncode == 128 + number
        assert "interrupted by SIGTERM in epoch 6, step 0 of 1; begin anew with\n" in dead.stderr
    again = command(place, "--resume", folder, "--plugin", "slow.py")
    assert again.returncode == 0, again.stderr
    for name in ("losses.csv", "weights.npz"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes()
    assert read_record(folder)["status"] == "finished" and len((folder / "losses.csv").read_text().splitlines()) == 20
    assert (folder / "losses.csv").read_text().startswith("epoch,step,loss,val_loss,binary_accuracy,lr\n1,1,")
    assert "nothing is left to do" in command(place, "--resume", folder, "--plugin", "slow.py").stdout


def test_a_trial_of_a_sweep_is_the_run_alone(place):
    from nnframe.command.main import main

    sweep = ["sweep.seeds=3", "sweep.parameters={optimizer.tolerance: [1e-3, 1e-6], optimizer.method: [L-BFGS-B, least_squares]}"]
    assert main(["run", "gender.yaml", *OF_GENDER, *sweep, "--out", "sweep", "--quiet"]) == 0
    (folder,) = place.glob("sweep/gender/*")
    rows = (folder / "losses.csv").read_text().splitlines()
    trials = list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))
    (trial,) = (t["trial"] for t in trials if {"0.001", "least_squares"} <= {*t.values()} and t["seed"] == "2")
    assert len(trials) == 12
    alone = ["optimizer.tolerance=1e-3", "optimizer.method=least_squares", "seed=2"]
    assert main(["run", "gender.yaml", *OF_GENDER, *alone, "--out", "alone", "--quiet"]) == 0
    (alone_folder,) = place.glob("alone/gender/*")
    expected = (alone_folder / "losses.csv").read_text().splitlines()[1:]
    found = [line.partition(",")[2] for line in rows if line.startswith(f"{trial},")]
    assert [line.rstrip(",") for line in found] == [line.rstrip(",") for line in expected]
