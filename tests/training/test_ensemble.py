"""Several networks as one: averaged outputs and their spread, by hand and by SciPy; training with values of the ensemble."""

import signal

import numpy as np
import pytest
from cases import every_loss
from interruption import Leave, broken_off
from scipy.special import expit, log_softmax, softmax
from scipy.stats import entropy

import nnframe as nn
from nnframe.training.ensemble import spread, uncertainty
from nnframe.training.evaluation import Tally


@pytest.mark.parametrize("outputs", [(3,), (4, 3)])
def test_cross_entropy_averages_probabilities(outputs, rng):
    pred = rng.normal(0, 3, (5, 7, *outputs))
    loss = nn.CrossEntropy()
    np.testing.assert_allclose(softmax(loss.averaged(pred), -1), softmax(pred, -1).mean(0), rtol=1e-13)


def test_binary_cross_entropy_averages_probabilities(rng):
    pred = rng.normal(0, 3, (5, 7, 1))
    np.testing.assert_allclose(expit(nn.BinaryCrossEntropy().averaged(pred)), expit(pred).mean(0), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sure_network_weighs_no_more_than_its_share(dtype):
    """Logits of 1000: by hand, the mean of p = 1 and p = 1/2 is 3/4, and where all are sure the least sure counts."""
    binary = nn.BinaryCrossEntropy()
    pairs = {(1000, 0): np.log(3), (0, -1000): -np.log(3), (1000, -1000): 0, (1000, 1000): 1000, (-1000, -1000): -1000}
    pairs |= {(1000, 30): 30 + np.log(2), (-1000, -30): -30 - np.log(2)}
    for logits, expected in pairs.items():
        got = binary.averaged(np.array(logits, dtype)[:, None, None])
        assert got.dtype == dtype and got.shape == (1, 1)
        assert got[0, 0] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    classes = np.array([[[1000, 0, -1000]], [[1000, 0, 0]]], dtype)
    got = nn.CrossEntropy().averaged(classes)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, [[0, -1000, -1000 - np.log(2)]], rtol=1e-6)
    wide = np.array([[[3e38, -3e38]], [[3e38, -3e38]]], dtype)
    assert not np.isnan(nn.CrossEntropy().averaged(wide)).any()
    assert not np.isnan(binary.averaged(np.array([[[np.inf]], [[-np.inf]]], dtype))).any()


@every_loss
def test_what_is_read_from_the_averaged_outputs_is_the_mean_of_what_is_read(case, rng):
    loss, pred = case.of(), rng.normal(0, 3, (6, 4, *case.shapes[0]))
    before = pred.copy()
    np.testing.assert_allclose(loss.readout(loss.averaged(pred)), loss.readout(pred).mean(0), rtol=1e-12)
    np.testing.assert_array_equal(pred, before)
    np.testing.assert_allclose(loss.readout(loss.averaged(pred[:1])), loss.readout(pred[0]), rtol=1e-12)


@pytest.mark.parametrize("base", [nn.MSE, nn.CrossEntropy])
def test_a_loss_with_a_readout_of_its_own_says_that_it_must_average_too(base):
    class Cold(base):
        def readout(self, pred):
            return super().readout(2 * pred)

    pred = np.zeros((2, 3, 2))
    with pytest.raises(nn.UsageError, match=r"Cold writes its own `readout`, .*; write `averaged` in Cold too"):
        Cold().averaged(pred)

    class Warm(Cold):
        def averaged(self, pred):
            return base.averaged(self, 2 * pred) / 2

    np.testing.assert_allclose(Warm().averaged(pred)[:, 0], Warm().averaged(pred)[:, 1])
    assert nn.MSE().averaged(pred).shape == (3, 2)  # and its bases are as they were


def test_the_spread_of_numbers_by_hand():
    read = np.array([1.0, 2, 3, 6])[:, None, None] * np.array([[1.0], [-1]])
    found = spread(read, nn.MSE())
    assert list(found) == ["mean", "sd", "q05", "q95"]
    assert found["mean"].ravel().tolist() == [3, -3]
    np.testing.assert_allclose(found["sd"], np.sqrt((4 + 1 + 0 + 9) / 3))
    np.testing.assert_allclose(found["q05"].ravel(), [1.15, -5.55])
    np.testing.assert_allclose(found["q95"].ravel(), [5.55, -1.15])
    assert np.isnan(spread(read[:1])["sd"]).all() and spread(read[:1])["mean"].tolist() == read[0].tolist()


def test_entropy_and_information_of_classes(rng):
    p = softmax(rng.normal(0, 2, (6, 5, 3)), -1)
    found = spread(p, nn.CrossEntropy())
    np.testing.assert_allclose(found["entropy"], entropy(p.mean(0), axis=-1), rtol=1e-13)
    np.testing.assert_allclose(found["mutual_information"], entropy(p.mean(0), axis=-1) - entropy(p, axis=-1).mean(0), rtol=1e-12)
    one = expit(rng.normal(0, 2, (6, 5, 1)))
    found, pair = spread(one, nn.BinaryCrossEntropy()), uncertainty(np.concatenate([1 - one, one], -1))
    for name in ("entropy", "mutual_information"):
        assert found[name].shape == (5,)
        np.testing.assert_array_equal(found[name], pair[name])
    several = spread(np.repeat(one, 2, -1), nn.BinaryCrossEntropy())
    np.testing.assert_array_equal(several["entropy"], np.repeat(pair["entropy"][:, None], 2, 1))


def test_members_that_disagree_for_sure_have_all_their_entropy_as_information():
    sure = np.array([[[1.0, 0]], [[0, 1.0]]])
    found = uncertainty(sure)
    assert found["entropy"] == pytest.approx(np.log(2)) and found["mutual_information"] == pytest.approx(np.log(2))


@pytest.mark.parametrize("members", [1, 2, 3, 10, 16])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_members_share_no_information(members, dtype, rng):
    p = np.exp(log_softmax(rng.normal(0, 3, (1, 200, 7)).astype(dtype), -1))
    equal = np.repeat(p, members, 0)
    assert not uncertainty(equal)["mutual_information"].any()
    near = uncertainty(equal * (1 + 1e-7 * rng.normal(size=equal.shape)))["mutual_information"]
    assert (near >= 0).all() and near.max() < 1e-6
    if members > 1:
        found = spread(equal, nn.CrossEntropy())
        assert not found["sd"].any()
        np.testing.assert_array_equal(found["mean"], p[0])


# ------------------------------------------------------------------------------------------------------------- training

EPOCHS = 8


def rows(rng, count, classes):
    x = rng.normal(size=(count, 5))
    y = np.digitize(x[:, 0] + x[:, 1] ** 2, [0.5, 1.5][: classes - 1])
    return x, y if classes > 2 else (y if classes else x[:, 0] * x[:, 1])[:, None].astype(float)


def network(outputs, seed, dtype="float64"):
    return nn.Sequential(nn.Dense(8), nn.Tanh(), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(outputs)).build(5, seed=seed, dtype=dtype)


def trained(seed=range(5), loss=None, callbacks=(), *, classes=3, epochs=EPOCHS, ensemble=True, weight=False, lr=0.05, **options):
    rng = np.random.default_rng(3)
    data, held = rows(rng, 60, classes), rows(rng, 37, classes)
    if weight:
        held = (*held, rng.uniform(0.5, 2, 37))
    model = network(3 if classes > 2 else 1, seed)
    given = {"epochs": epochs, "batch_size": 16, "validation": held, "callbacks": callbacks, "eval_batch_size": 16, **options}
    return model, nn.fit(model, loss or nn.CrossEntropy(), nn.Adam(lr=lr), data, ensemble=ensemble, **given), held


class Keeps(nn.Callback):
    """Keeps what the whole stack predicts after each epoch; runs that have left have kept their weights of then."""

    def __init__(self, x):
        self.x, self.seen = x, []

    def on_epoch(self, state):
        found = self.seen[-1].copy() if self.seen else np.empty((len(state.runs), len(self.x), *state.model.output_shape))
        found[state.runs] = state.model.predict(self.x)
        self.seen.append(found)


def held_rows(classes=3):
    rng = np.random.default_rng(3)
    rows(rng, 60, classes)
    return rows(rng, 37, classes)


@pytest.mark.parametrize("weight", [False, True], ids=["plain", "weighted"])
def test_the_log_has_the_averaged_prediction_of_classes(weight):
    x, y = held_rows()
    keeps = Keeps(x)
    _, history, held = trained(callbacks=[keeps], weight=weight, metrics=[nn.Accuracy(), nn.F1()])
    names = ["loss", "val_loss", "accuracy", "val_accuracy", "f1", "val_f1"]
    assert list(history) == [*names, "ensemble_val_loss", "ensemble_val_accuracy", "ensemble_val_f1", "lr"]
    w = held[2] if weight else np.ones(37)
    for epoch, pred in enumerate(keeps.seen):
        p = softmax(pred, -1).mean(0)
        assert history["ensemble_val_loss"][epoch] == pytest.approx(np.average(-np.log(p[np.arange(37), y]), weights=w), rel=1e-12)
        assert history["ensemble_val_accuracy"][epoch] == pytest.approx(np.average(p.argmax(-1) == y, weights=w), rel=1e-12)
    assert (history["ensemble_val_loss"][-1] < history["val_loss"][-1].mean()).all()  # Jensen


def test_the_log_has_the_averaged_prediction_of_yes_and_no():
    x, y = held_rows(2)
    keeps = Keeps(x)
    _, history, _ = trained(loss=nn.BinaryCrossEntropy(), classes=2, callbacks=[keeps], metrics=[nn.BinaryAccuracy()])
    p = expit(keeps.seen[-1]).mean(0)
    expected = -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean()
    assert history["ensemble_val_loss"][-1] == pytest.approx(expected, rel=1e-12)
    assert history["ensemble_val_binary_accuracy"][-1] == pytest.approx(((p > 0.5) == y).mean(), rel=1e-12)


def test_the_log_has_the_averaged_prediction_of_numbers():
    x, y = held_rows(0)
    keeps = Keeps(x)
    _, history, _ = trained(loss=nn.MSE(), classes=0, callbacks=[keeps], metrics=[nn.R2(), nn.MAE()])
    mean = keeps.seen[-1].mean(0)
    assert history["ensemble_val_loss"][-1] == pytest.approx(np.square(mean - y).mean(), rel=1e-12)
    assert history["ensemble_val_mae"][-1] == pytest.approx(np.abs(mean - y).mean(), rel=1e-12)
    r2 = 1 - np.square(mean - y).sum() / np.square(y - y.mean()).sum()
    assert history["ensemble_val_r2"][-1] == pytest.approx(r2, rel=1e-12)


@pytest.mark.parametrize("evaluate_train", [False, True])
@pytest.mark.parametrize("stopping", [False, True])
def test_members_that_nothing_couples_are_runs_alone_byte_for_byte(stopping, evaluate_train):
    def callbacks():
        return [nn.EarlyStopping(patience=2)] if stopping else []

    model, history, _ = trained(callbacks=callbacks(), evaluate_train=evaluate_train, lr=0.2)
    assert not stopping or len(set(history.epochs)) > 1
    for member in range(5):
        alone, log, _ = trained(member, callbacks=callbacks(), ensemble=False, evaluate_train=evaluate_train, lr=0.2)
        assert alone.params.tobytes() == model.params[member].tobytes()
        assert alone.state.tobytes() == model.state[member].tobytes()
        assert (history.epochs[member], history.kept[member]) == (log.epochs, log.kept)
        for name, column in log.items():
            assert column[: log.epochs].tobytes() == history[name][: log.epochs, member].tobytes()


def test_monitoring_the_ensemble_couples_its_members():
    stop = nn.EarlyStopping("ensemble_val_loss", patience=2)
    model, history, held = trained(callbacks=[stop], epochs=60, lr=0.2, metrics=[nn.Accuracy()])
    (epochs,), (kept,) = set(history.epochs), set(history.kept)
    assert kept == epochs - 2 < 58 and np.nanargmin(history["ensemble_val_loss"][:, 0]) == kept - 1
    assert set(history.reasons.values()) == {"ensemble_val_loss has not improved for 2 epochs"}
    found = nn.evaluate(model, nn.CrossEntropy(), held, metrics=[nn.Accuracy()], batch_size=16, ensemble=True)
    assert {name: value.shape for name, value in found.items()} == {"loss": (), "accuracy": ()}
    for name, value in found.items():
        assert (history[f"ensemble_val_{name}"][kept - 1] == value).all()
    again, log, _ = trained(callbacks=[nn.EarlyStopping("ensemble_val_loss", patience=2)], epochs=60, lr=0.2, metrics=[nn.Accuracy()])
    assert again.params.tobytes() == model.params.tobytes() and all(log[name].tobytes() == history[name].tobytes() for name in history)


def test_a_member_that_has_stopped_stays_with_the_weights_it_keeps():
    model, history, (x, y) = trained(callbacks=[nn.EarlyStopping(patience=2)], epochs=40, lr=0.2)
    last = history.epochs.max() - 1
    going = history.epochs == last + 1
    assert 0 < going.sum() < 5
    assert np.isnan(history["ensemble_val_loss"][last, ~going]).all()
    (value,) = set(history["ensemble_val_loss"][last, going])
    stopped = model.params.copy()
    later, log, _ = trained(callbacks=[nn.EarlyStopping(patience=2, restore_best=False)], epochs=40, lr=0.2)
    stopped[going] = later.params[going]  # as they were in the last epoch, before they were put back
    model.params[...], model.state[going] = stopped, later.state[going]
    p = softmax(model.predict(x), -1).mean(0)
    assert value == pytest.approx(-np.log(p[np.arange(37), y]).mean(), rel=1e-12)


def test_a_member_that_has_diverged_is_left_out():
    keeps = Keeps(held_rows()[0])
    with pytest.warns(nn.DivergenceWarning):
        _, history, (x, y) = trained(callbacks=[Leave([0, 1, 0, 0, 0], 3, diverging=True), keeps])
    assert history.diverged.tolist() == [False, True, False, False, False] and history.epochs.tolist() == [8, 4, 8, 8, 8]
    others = [0, 2, 3, 4]
    for epoch in (3, 7):  # in 3 its loss is NaN, and from then on it is gone
        p = softmax(keeps.seen[epoch][others], -1).mean(0)
        expected = -np.log(p[np.arange(37), y]).mean()
        np.testing.assert_allclose(history["ensemble_val_loss"][epoch, others], expected, rtol=1e-12)
    assert np.isfinite(history["ensemble_val_loss"][:3]).all() and np.isnan(history["ensemble_val_loss"][4:, 1]).all()


def test_an_ensemble_all_of_which_diverges_has_no_values():
    with pytest.warns(nn.DivergenceWarning):
        _, history, _ = trained(loss=nn.MSE(), classes=0, lr=1e200)
    assert history.diverged.all() and np.isnan(history["ensemble_val_loss"]).all()


@pytest.mark.parametrize("monitor", ["val_loss", "ensemble_val_loss"])
def test_an_interrupted_ensemble_goes_on_to_the_same_bytes(monitor, tmp_path):
    def whole(**options):
        stop = nn.EarlyStopping(monitor, patience=3)
        return trained(callbacks=[stop], metrics=[nn.Accuracy()], epochs=30, lr=0.2, **options)

    model, history, _ = whole()
    broken_off(lambda: whole(checkpoint=tmp_path), step=4 * min(history.epochs.min() + 1, history.epochs.max()) - 2)
    again, log, _ = whole(checkpoint=tmp_path)
    assert again.params.tobytes() == model.params.tobytes()
    assert list(log) == list(history) and all(log[name].tobytes() == history[name].tobytes() for name in history)
    with pytest.raises(nn.OptionError, match="ensemble: true before, nothing now"):
        trained(callbacks=[nn.EarlyStopping(patience=3)], metrics=[nn.Accuracy()], epochs=30, lr=0.2, checkpoint=tmp_path, ensemble=False)


def test_an_interruption_within_the_validation_of_those_that_are_left(tmp_path, monkeypatch):
    def whole(**options):
        return trained(callbacks=[nn.EarlyStopping(patience=2)], epochs=40, lr=0.2, **options)

    model, history, _ = whole()
    calls = iter(range(10**6))
    ring = 6 * int(history.epochs.min()) + 2  # of two Tallies with three batches each: in the epoch after the first member left
    add = Tally.add

    def interrupted(self, *batch):
        add(self, *batch)
        if next(calls) == ring:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch, pytest.raises(nn.Interrupted):
        patch.setattr(Tally, "add", interrupted)
        whole(checkpoint=tmp_path)
    again, log, _ = whole(checkpoint=tmp_path)
    assert next(calls) == ring + 2 and again.params.tobytes() == model.params.tobytes()
    assert all(log[name].tobytes() == history[name].tobytes() for name in history)


def test_validation_goes_through_the_network_once(monkeypatch):
    seen = []

    class Counts(nn.Identity):
        def forward(self, x, *, training=False):
            seen.append((training, x.shape))
            return super().forward(x, training=training)

    x, y = held_rows()
    model = nn.Sequential(nn.Dense(3), Counts()).build(5, seed=range(4), dtype="float64")
    nn.fit(model, nn.CrossEntropy(), nn.SGD(0.1), (x, y), epochs=2, batch_size=37, validation=(x, y), ensemble=True)
    assert seen == [(True, (4, 37, 3)), (False, (4, 37, 3))] * 2


def test_without_validation_data_there_are_no_columns_of_the_ensemble():
    _, history, _ = trained(validation=None)
    assert list(history) == ["loss", "lr"]


class Steep(nn.MSE):
    """A loss with a number."""

    by: nn.PerRun[nn.Positive] = 1.0


class Own(nn.CrossEntropy):
    def readout(self, pred):
        return pred


def own_rows(rng):
    x, y = held_rows()
    return np.stack([x] * 5), y


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 0}, "ensemble: one network is no ensemble; build a stack, such as seed=range(16)"),
        ({"ensemble": 16}, "fit.ensemble: expected True or False, got 16"),
        ({"validation": own_rows(None)}, "ensemble: each run has evaluation rows of its own"),
        ({"loss": Steep(by=[1, 2, 3, 4, 5]), "classes": 0}, "ensemble: Steep: by differs from run to run"),
        ({"metrics": [Steep(by=[1, 2, 3, 4, 5])], "loss": nn.MSE(), "classes": 0}, "by differs from run to run"),
        ({"loss": Own()}, "loss: Own writes its own `readout`"),
        ({"validation": None, "callbacks": [nn.EarlyStopping("ensemble_val_loss")]}, "'ensemble_val_loss'; there is no validation data"),
        ({"callbacks": [nn.EarlyStopping("ensemble_loss")]}, "Did you mean 'ensemble_val_loss'?"),
        ({"ensemble": False, "callbacks": [nn.EarlyStopping("ensemble_val_loss")]}, "ensembles have it: ensemble: 16 at the top"),
    ],
)
def test_mistakes(options, told):
    with pytest.raises((nn.OptionError, nn.UsageError)) as error:
        trained(**options)
    assert told in str(error.value)


def test_evaluate_refuses_one_network_too():
    x, y = held_rows()
    with pytest.raises(nn.OptionError, match=r"evaluate\.ensemble: one network is no ensemble"):
        nn.evaluate(network(3, 0), nn.CrossEntropy(), (x, y), ensemble=True)
