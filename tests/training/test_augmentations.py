"""What is done to batches that are trained on: the draws of each augmentation, and that nothing else is touched by them.

tests/training/test_every_component.py has every augmentation in a stack, alone, where a run leaves, and after an interruption."""

import copy
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from cases import AUGMENTATIONS, RUNS, every, same
from interruption import Leave, broken_off

import nnframe as nn
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.run import main
from nnframe.streams import Seeds
from nnframe.training.evaluation import begun
from nnframe.training.loop import Train, Training

SEEDS = {"different seeds": [0, 1, 2], "equal seeds": [7, 7, 7], "some equal": [1, 0, 1]}
every_augmentation = every(*AUGMENTATIONS)


def started(component, seeds, features, dtype="float64"):
    """The augmentation as a fit begins it, for rows of two targets."""
    change = copy.deepcopy(component)
    change.begin(Seeds(seeds), f"augment/{type(change).__name__}", features, (2,))
    change.bind(np.shape(seeds), np.dtype(dtype))
    return change


def rows(rng, lead, features):
    """Inputs, and targets that are shares, in float64."""
    x, share = rng.normal(size=(*lead, *features)), rng.uniform(size=lead)
    return x, np.stack([share, 1 - share], -1)


def spread(array, lead):
    """With an axis of runs, where they shared the batch."""
    return np.broadcast_to(array, (RUNS, *array.shape)) if array.ndim == lead else array


@every_augmentation
@pytest.mark.parametrize("seeds", SEEDS.values(), ids=SEEDS)
@pytest.mark.parametrize("own", [False, True], ids=["one batch for all", "a batch each"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stack_is_changed_as_its_runs_are_alone_and_what_came_in_is_left(case, seeds, own, dtype, rng):
    features = case.shapes[0]
    stack = started(case.of(range(RUNS)), seeds, features, dtype)
    alone = [started(case.of(run), seeds[run], features, dtype) for run in range(RUNS)]
    for batch in (5, 5, 2):  # the last batch of an epoch is smaller
        x, y = (a.astype(dtype) for a in rows(rng, (RUNS, batch) if own else (batch,), features))
        before = [x.tobytes(), y.tobytes()]
        changed, targets = stack.change(x, y)
        changed, targets = spread(changed, 1 + len(features)), spread(targets, 2)
        for run in range(RUNS):
            expected = alone[run].change(*((x[run], y[run]) if own else (x, y)))
            assert same(expected, [changed[run], targets[run]])
        assert [x.tobytes(), y.tobytes()] == before


@every_augmentation
def test_what_is_taken_of_a_stack_has_arrays_and_a_stream_alone(case):
    """Anything else that `taken` names would be a passing object, whose place in memory another may have by then."""
    change = started(case.of(range(RUNS)), [3, 3, 5], case.shapes[0])
    held = {id(change.stream), *(id(number) for number in vars(change.bound).values())}
    assert set(change.taken([0])) == held
    x, y = rows(np.random.default_rng(0), (4,), case.shapes[0])
    for taken in ([0, 2], 1):  # some runs, and one, which then is no stack
        part = copy.deepcopy(change, change.taken(np.array(taken) if taken != 1 else taken))
        expected = copy.deepcopy(change).change(x, y)
        found = part.change(x, y)
        axes = (1 + x.ndim - 1, 2)
        for a, b, lead in zip(expected, found, axes, strict=True):
            whole = spread(a, lead)[taken]
            assert np.broadcast_to(b, whole.shape).tobytes() == whole.tobytes()


@every_augmentation
@pytest.mark.parametrize("ends", ["stops", "diverges"])
@pytest.mark.parametrize("seeds", SEEDS.values(), ids=SEEDS)
@pytest.mark.filterwarnings("ignore::nnframe.DivergenceWarning")
def test_a_run_that_ends_changes_nothing_for_its_neighbours(case, ends, seeds, rng):
    features = case.shapes[0]
    x, y = rows(rng, (7,), features)
    y = np.broadcast_to(y.reshape(7, *(1,) * (len(features) - 1), 2), (7, *features[:-1], 2))

    def trained(callbacks):
        model = nn.Sequential(nn.Dense(3), nn.Tanh(), nn.Dense(2)).build(features, seed=seeds)
        options = {"epochs": 4, "batch_size": 3, "metrics": [nn.MAE()], "callbacks": callbacks, "augment": [case.of(range(RUNS))]}
        return model, nn.fit(model, nn.MSE(), nn.Adam(0.01), (x, y), **options)

    model, history = trained([])
    other, with_end = trained([Leave(range(RUNS), 2, ends == "diverges")])
    assert with_end.epochs[1] < 4 and same(model.params[[0, 2]], other.params[[0, 2]])
    assert same([history["mae"][:, [0, 2]]], [with_end["mae"][:, [0, 2]]])


def fitted(augment, seed=0, loss=None, data=None, **options):
    rng = np.random.default_rng(1)
    data = data or (rng.normal(size=(9, 4)), rng.normal(size=(9, 3)))
    model = nn.Sequential(nn.Dense(4), nn.Tanh(), nn.Dropout(0.3), nn.Dense(3)).build(4, seed=seed, dtype="float64")
    given = {"epochs": 3, "batch_size": 4, "augment": augment} | options
    history = nn.fit(model, loss or nn.MSE(), nn.SGD(0.1, momentum=0.9), data, **given)
    return [model.params, *history.values()]


@pytest.mark.parametrize("seed", [0, [0, 1, 1]])
def test_several_that_were_broken_off_go_on_to_the_same_bytes_though_runs_have_left(seed, tmp_path):
    augment = [nn.Noise(nn.Cosine(0.5)), nn.Mixup(1.0), nn.Noise(0.1)]
    options = {"callbacks": [Leave([0, 1, 2], 1)] if seed else []}
    expected = fitted(augment, seed, **options)
    assert not same(expected, fitted(augment[:2], seed, **options))
    for step in (2, 4, 5, 8):
        broken_off(lambda step=step: fitted(augment, seed, checkpoint=tmp_path / str(step), **options), step)
        assert same(fitted(augment, seed, checkpoint=tmp_path / str(step), **options), expected)


def test_the_same_objects_in_two_fits_do_the_same_in_both():
    augment = [nn.Noise(0.3), nn.Mixup()]
    assert same(fitted(augment), fitted(augment))
    assert vars(augment[0]).keys() == vars(nn.Noise(0.3)).keys()


def test_a_copy_of_a_training_goes_on_as_the_training_does():
    rng = np.random.default_rng(1)
    model, optimizer = nn.Dense(2).build(4, seed=[0, 1], dtype="float64"), nn.SGD(0.1)
    data, augment = (rng.normal(size=(9, 4)), rng.normal(size=(9, 2))), [nn.Noise(0.3), nn.Mixup()]
    training = Training(model, nn.MSE(), optimizer, data, None, [], [], None, Train(4, 4), augment)
    other = copy.deepcopy(training)
    training.run()
    assert not same([model.params], [other.model.params])
    other.run()
    assert same([model.params], [other.model.params])


def test_another_kind_changes_no_draw():
    model = nn.Dense(1).build(4, seed=3)

    def draws(augment, number):
        return begun(augment, model, model._store.seeds)[number].stream.random(np.empty((1, 3))).tolist()

    assert draws([nn.Noise(), nn.Mixup(), nn.Noise()], 0) == draws([nn.Noise()], 0)
    assert draws([nn.Mixup(), nn.Noise(), nn.Noise()], 2) == draws([nn.Noise(), nn.Noise()], 1) != draws([nn.Noise()], 0)
    x, y = np.zeros((9, 4)), np.ones((9, 3))  # and none of rows' order, starting numbers and dropout
    assert same(fitted([nn.Noise(0.0), nn.Mixup(0.0)], data=(x, y)), fitted([], data=(x, y)))


@every_augmentation
def test_evaluation_is_of_rows_as_they_are(case, rng):
    features = case.shapes[0]
    model, (x, y) = nn.Dense(2).build(features, dtype="float64"), rows(rng, (7,), features)
    y = np.broadcast_to(y.reshape(7, *(1,) * (len(features) - 1), 2), (7, *features[:-1], 2))
    options = {
        "epochs": 2,
        "batch_size": 7,
        "validation": (x, y),
        "evaluate_train": True,
        "augment": [case.component],
        "metrics": [nn.MAE()],
    }
    history = nn.fit(model, nn.MSE(), nn.SGD(0.1), (x, y), **options)
    found = nn.evaluate(model, nn.MSE(), (x, y), metrics=[nn.MAE()])
    for name, value in found.items():
        assert history[name][-1] == history[f"val_{name}"][-1] == value


# ------------------------------------------------------------------------------------------ draws, by hand


def test_noise_has_the_mean_and_variance_that_it_says():
    change, x = started(nn.Noise(0.5), 0, (4,)), np.full((50_000, 4), 3.0)
    noise = change.change(x, x)[0] - x
    assert abs(noise.mean()) < 5 * 0.5 / np.sqrt(noise.size) and abs(noise.var() - 0.25) < 5 * 0.25 * np.sqrt(2 / noise.size)
    assert abs(np.corrcoef(noise.T) - np.eye(4)).max() < 5 / np.sqrt(50_000)


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 8.0])
def test_mixup_draws_shares_from_a_beta_distribution_and_every_row_is_a_partner_once(alpha):
    change, shares = started(nn.Mixup(alpha), 0, (3,)), []
    x = np.eye(3)
    for _ in range(4000):
        mixed, _ = change.change(x, x[:, :2])
        np.testing.assert_allclose([mixed.sum(0), mixed.sum(1)], 1)  # l times one permutation, 1 - l times another
        off = mixed[~np.eye(3, dtype=bool)].max()
        shares.append(1 - off if off > 0 else np.nan)
    moved = np.array(shares)[~np.isnan(shares)]  # one permutation in six leaves all rows where they are
    assert abs(len(moved) / 4000 - 5 / 6) < 0.03
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(moved.mean() - 0.5) < 5 * np.sqrt(variance / len(moved)) and abs(moved.var() / variance - 1) < 0.12


def test_mixup_mixes_inputs_and_targets_alike_and_not_at_all_with_alpha_0(rng):
    x = rng.normal(size=(6, 2))
    x[0, 0] = -0.0
    y = x[:, :1] * 2 + 1
    assert same(started(nn.Mixup(0), 0, (2,)).change(x, y[:, :1]), [x, y])

    mixed, targets = started(nn.Mixup(1.0), 0, (2,)).change(x, x)
    assert same([mixed], [targets]) and not np.allclose(mixed, x)


@pytest.mark.parametrize("axis, mirrored", [("width", np.s_[:, :, ::-1]), ("height", np.s_[:, ::-1])])
def test_flip_mirrors_the_share_of_rows_that_it_says(axis, mirrored, rng):
    x = rng.normal(size=(20_000, 2, 3, 1))
    found, _ = started(nn.Flip(0.3, axis=axis), 0, (2, 3, 1)).change(x, x)
    flipped = (found == x[mirrored]).all((1, 2, 3))
    assert ((found == x).all((1, 2, 3)) | flipped).all() and abs(flipped.mean() - 0.3) < 5 * np.sqrt(0.21 / 20_000)
    assert same(started(nn.Flip(0.0), 0, (2, 3, 1)).change(x, x), [x, x])


def test_crop_moves_each_image_by_an_offset_of_its_own_all_of_them_as_often(rng):
    x = np.zeros((50_000, 5, 5, 1))
    x[:, 2, 2] = 1
    found, _ = started(nn.Crop(2), 0, (5, 5, 1)).change(x, x)
    _, down, along, _ = np.nonzero(found)
    assert len(down) == 50_000
    counts = np.bincount(down * 5 + along, minlength=25)
    assert ((counts - 2000) ** 2 / 2000).sum() < 60  # chi squared with 24 degrees of freedom; 60 in one of 10,000
    whole = rng.normal(size=(1, 2, 2, 1))
    corner = {tuple(started(nn.Crop(1), seed, (2, 2, 1)).change(whole, whole)[0].ravel()) for seed in range(100)}
    a, b, c, d = whole.ravel()
    assert corner == {
        (0, 0, 0, a),
        (0, 0, a, b),
        (0, 0, b, 0),
        (0, a, 0, c),
        (a, b, c, d),
        (b, 0, d, 0),
        (0, c, 0, 0),
        (c, d, 0, 0),
        (d, 0, 0, 0),
    }


# ------------------------------------------------------------------------------------------ classes, refusals, configs


def class_data(rng, kind):
    x, y = rng.normal(size=(12, 4)), rng.integers(0, 3, size=12)
    y[:3] = range(3)
    if kind == "numbers":
        return x, y
    return nn.Dataset(x, y, classes=("a", "b", "c")) if kind == "names" else (x, np.eye(3)[y])


@pytest.mark.parametrize("evaluate_train", [False, True])
def test_classes_are_mixed_as_rows_of_shares_whatever_form_they_come_in(evaluate_train):
    def trained(kind, **options):
        data = class_data(np.random.default_rng(0), kind)
        options |= {"validation": data, "evaluate_train": evaluate_train, "metrics": [nn.Accuracy(), nn.F1(), nn.CrossEntropy()]}
        return fitted([nn.Mixup(1.0)], [0, 1], nn.CrossEntropy(), data, **options)

    assert same(trained("numbers"), trained("names")) and same(trained("numbers"), trained("shares"))
    assert not same(trained("numbers"), fitted([], [0, 1], nn.CrossEntropy(), class_data(np.random.default_rng(0), "shares")))


def test_metrics_of_what_is_trained_on_see_shares():
    x = np.eye(2)
    y = np.array([0, 1])
    model = nn.Dense(2, init=nn.Constant(0), bias=False).build(2, dtype="float64")
    history = nn.fit(model, nn.CrossEntropy(), nn.SGD(1e-12), (x, y), epochs=60, batch_size=2, metrics=[nn.MSE()], augment=[nn.Mixup(1.0)])
    squares = history["mse"]  # outputs are 0, targets (l, 1 - l) or, with the row itself for a partner, (1, 0)
    np.testing.assert_allclose(squares.max(), 0.5)
    mixed = squares[squares < 0.4999]
    assert 15 < len(mixed) < 45 and (mixed >= 0.25).all() and mixed.min() < 0.3


def test_two_classes_and_one_output():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 4)), np.arange(8) % 2
    found = []
    for data in (nn.Dataset(x, y, classes=("no", "yes")), (x, y[:, None]), (x, y[:, None].astype(float))):
        model = nn.Dense(1).build(4, dtype="float64")
        options = {"epochs": 3, "batch_size": 3, "augment": [nn.Mixup(0.5)], "metrics": [nn.BinaryAccuracy()], "validation": data}
        found.append([*nn.fit(model, nn.BinaryCrossEntropy(), nn.SGD(0.1), data, **options).values(), model.params])
    assert same(found[0], found[1]) and same(found[1], found[2])


@pytest.mark.parametrize(
    "augment, data, told",
    [
        ([nn.Flip()], None, r"^augment\.0: Flip needs images \(height, width, channels\), got \(4,\)$"),
        ([nn.Noise(), nn.Crop()], None, r"^augment\.1: Crop needs images \(height, width, channels\), got \(4,\)$"),
        (
            [nn.Noise()],
            (np.ones((5, 4), int), np.ones((5, 3))),
            r"^augment\.0: Noise is for floating numbers, but the inputs are integers$",
        ),
        ([nn.Mixup()], (np.ones((5, 4)), np.full(5, 7)), r"^data\.y: CrossEntropy of outputs \(3,\) expected classes from 0 to 2, got 7$"),
        ([nn.MSE()], None, r"^augment\.0: expected an augmentation, such as Noise\(0\.1\), got MSE\(\)$"),
        ([nn.Noise([0.1, 0.2])], None, r"^Noise\.std: has 2 values, but there is one network$"),
    ],
)
def test_what_cannot_be_is_told_before_training(augment, data, told):
    with pytest.raises(nn.NNFrameError, match=told):
        fitted(augment, 0, nn.CrossEntropy() if data and data[1].ndim == 1 else None, data)


@pytest.mark.parametrize(
    "augment, told",
    [
        ("[{type: Noise, std: -1}]", r"data\.augment\.0\.std: expected a number of at least 0, got -1$"),
        ("[Noise, Flip]", r"data\.augment\.1: Flip needs images \(height, width, channels\), got \(64,\)$"),
        ("[RandomCrop]", r"data\.augment\.0: .*Did you mean 'Crop'\?"),
        (
            "[{type: Noise, std: [0.1, 0.2]}]",
            r"data\.augment\.0\.std: expected a number of at least 0, got a list of 2; one network takes one",
        ),
    ],
)
def test_a_config_names_the_place_of_what_cannot_be(tmp_path, capsys, augment, told):
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert main([str(tmp_path / "config.yaml"), f"data.augment={augment}"]) == 2
    assert re.search(f"^command line: {told}", capsys.readouterr().err, re.M)


def test_a_sweep_over_an_augmentation_trains_what_its_trials_do_alone(tmp_path):
    config = yaml.safe_load(CONFIG) | {"sweep": {"seeds": 2, "parameters": {"data.augment.1.std": [0.0, 0.5]}}}
    found = nn.sweep(config, out=tmp_path)
    for trial in range(4):
        seed, std = int(found["seed"][trial]), float(found["data.augment.1.std"][trial])
        data, model = nn.Digits(validation=0.2).prepare(seed), nn.Sequential(nn.Dense(10)).build(64, seed=seed)
        options = {"epochs": 2, "batch_size": 64, "validation": data.validation, "augment": [nn.Mixup(0.4), nn.Noise(std)]}
        history = nn.fit(model, nn.CrossEntropy(), nn.SGD(0.01), data.training, **options)
        assert found["val_loss"][trial] == history["val_loss"][-1] and found["loss"][trial] == history["loss"][-1]


CONFIG = """
data: {type: Digits, validation: 0.2, augment: [{type: Mixup, alpha: 0.4}, {type: Noise, std: 0.1}]}
model: [{type: Dense, units: 10}]
loss: CrossEntropy
optimizer: {type: SGD, lr: 0.01}
train: {epochs: 2, batch_size: 64}
metrics: [Accuracy]
"""


def test_a_config_trains_as_python_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG)
    job = build(load(Path("config.yaml")))
    found = job.training.run()
    model = nn.Sequential(nn.Dense(10)).build(job.model.input_shape)
    data = nn.Digits(validation=0.2).prepare(0)
    options = {
        "epochs": 2,
        "batch_size": 64,
        "validation": data.validation,
        "metrics": [nn.Accuracy()],
        "augment": [nn.Mixup(0.4), nn.Noise(0.1)],
    }
    history = nn.fit(model, nn.CrossEntropy(), nn.SGD(0.01), data.training, **options)
    assert same(found.values(), history.values()) and same([job.model.params], [model.params])
    assert job.resolved["data"]["augment"] == [{"type": "Mixup", "alpha": 0.4}, {"type": "Noise", "std": 0.1}]
