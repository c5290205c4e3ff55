"""Data that are drawn: which seed draws what, and what they look like."""

import json
from math import pi
from pathlib import Path

import numpy as np
import pytest
from cases import SOURCES, every

import nnframe as nn
from nnframe.sweeps.sources import Changed, Sources

REFERENCE = json.loads(Path(__file__).with_name("generators_reference.json").read_text())
DRAWN = [case for case in SOURCES if isinstance(case.component, nn.Generator)]
NOISY = [case for case in DRAWN if isinstance(case.component, nn.Noisy)]
PLACED = (nn.XOR, nn.Spirals, nn.Moons, nn.Circles)  # no seed moves these but by noise


def same(a, b):
    return a.x.tobytes() == b.x.tobytes() and a.y.tobytes() == b.y.tobytes()


def changed(source, **options):
    return type(source)(**source._options | options)


def without_noise(source):
    return changed(source, **{"std" if isinstance(source, nn.Blobs) else "noise": 0.0})


# ------------------------------------------------------------------------------------------ seeds


@every(*DRAWN)
def test_rows_are_the_same_for_every_run_unless_vary_says_otherwise(case):
    source = case.of(vary=None, validation=None, test=None)
    assert source.of_seed(3) is source and not source.varies
    assert same(source.prepare(3).training, source.prepare(4).training) and same(source.prepare(3).training, source.read())


@every(*DRAWN)
def test_each_run_has_rows_of_its_own(case):
    source = case.of(vary="all", **({"noise": 0.1} if "noise" in case.component._options else {}))
    runs = [source.of_seed(seed).read() for seed in (3, 3, 4)] + [case.of(vary=None).read()]
    assert source.varies and same(runs[0], runs[1]) and not same(runs[0], runs[2]) and not same(runs[0], runs[3])
    if isinstance(source, nn.Noisy) and not isinstance(source, PLACED):
        assert not same(without_noise(source.of_seed(3)).read(), without_noise(source.of_seed(4)).read())
    other = case.of(vary="all", seed=8)
    assert other.of_seed(3).seed not in (source.of_seed(3).seed, source.of_seed(8).seed, 3, 8)


@every(*NOISY)
def test_each_run_has_the_same_rows_with_noise_of_its_own(case):
    noise = {} if isinstance(case.component, nn.Blobs) else {"noise": 0.1}
    source = case.of(vary="noise", **noise)
    one, other, fixed = source.of_seed(3), source.of_seed(4), case.of(vary=None, **noise)
    assert source.varies and same(one.read(), source.of_seed(3).read())
    assert not same(one.read(), other.read()) and not same(one.read(), fixed.read())
    assert same(without_noise(one).read(), without_noise(other).read()) and same(without_noise(one).read(), without_noise(fixed).read())


@every(*NOISY)
def test_noise_has_the_standard_deviation_that_is_said(case):
    name, of = ("std" if isinstance(case.component, nn.Blobs) else "noise"), {"rows": 4000, "vary": None}
    plain, half, one = (changed(case.component, **of, **{name: std}).read() for std in (0.0, 0.5, 1.0))
    added = "x" if plain.classes else "y"
    numbers = getattr(half, added) - getattr(plain, added)
    assert abs(numbers.std() - 0.5) < 0.03 and abs(numbers.mean()) < 0.03
    np.testing.assert_allclose(getattr(one, added) - getattr(plain, added), 2 * numbers, atol=1e-9)
    other = "y" if plain.classes else "x"
    assert getattr(half, other).tobytes() == getattr(plain, other).tobytes()


def test_the_noise_follows_the_seed_unless_it_has_its_own():
    def noise(**options):
        return nn.Plane(noise=1, **options).read().y - nn.Plane(**options).read().y

    np.testing.assert_allclose(noise(seed=1), noise(seed=1, noise_seed=1))
    np.testing.assert_allclose(noise(seed=1), noise(seed=2, noise_seed=1))
    assert np.abs(noise(seed=1) - noise(seed=2)).max() > 1


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("vary", [None, "all"])
def test_a_part_that_draws_the_rows_that_are_trained_on_is_refused(part, vary):
    words = rf"^Moons\.{part}\.seed: draws the same as what is trained on; give it another seed than 5"
    with pytest.raises(nn.OptionError, match=words):
        nn.Moons(seed=5, vary=vary, **{part: nn.Moons(50, seed=5, vary=vary)})
    source = nn.Blobs(seed=5, vary=vary, **{part: nn.Blobs(seed=6, vary=vary)})
    prepared = source.prepare(0, test=True)
    assert not same(prepared.training, getattr(prepared, part))
    prepared = nn.Blobs(seed=5, std=0, **{part: nn.Blobs(seed=5, std=0, noise_seed=6)}).prepare(0, test=True)
    assert same(prepared.training, getattr(prepared, part))  # other rows about the same centers
    nn.Moons(**{part: nn.Circles()})  # other points


def test_a_generator_of_ones_own_is_a_few_lines():
    class Steps(nn.Noisy):
        """y = 1 where x > 0."""

        def drawn(self, rng):
            x = rng.uniform(-1, 1, (self.rows, 1))
            return nn.Dataset(x, (x > 0).astype(float))

        def blurred(self, data, rng):
            return nn.Dataset(data.x, data.y + rng.normal(size=data.y.shape))

    found = Steps(10, vary="noise", validation=0.2)
    assert not np.array_equal(found.prepare(0).training.y, found.prepare(1).training.y) and len(found.prepare(0).training.y) == 8
    with pytest.raises(NotImplementedError):
        nn.Generator().read()
    with pytest.raises(NotImplementedError):
        nn.Noisy().read()


def test_more_rows_than_there_is_memory_for():
    with pytest.raises(nn.DataError, match=r"rows: 1,000,000,000,000 rows need more memory than there is"):
        nn.Plane(10**12).read()


def test_noise_that_overflows_is_refused():
    with pytest.raises(nn.DataError, match=r"row \d+: column 'x.': expected a finite number, got -?inf"):
        nn.Moons(noise=1e308).prepare(0)


@pytest.mark.parametrize("source", [nn.Adding, nn.Copying])
def test_what_has_no_noise_cannot_vary_it(source):
    with pytest.raises(nn.OptionError, match="vary: expected 'all', got 'noise'"):
        source(vary="noise")


# ------------------------------------------------------------------------------------------ classes


def test_xor_by_hand():
    data = nn.XOR(6).read()
    assert data.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [0, 1]] and data.y.tolist() == [0, 1, 1, 0, 0, 1]
    assert (data.inputs, data.targets, data.classes) == (("x1", "x2"), ("class",), ("0", "1"))


def test_spirals_by_hand():
    data = nn.Spirals(24, classes=3, turns=0.5).read()
    assert data.y.tolist() == [0] * 8 + [1] * 8 + [2] * 8 and data.classes == ("0", "1", "2")
    np.testing.assert_allclose(np.hypot(*data.x.T), np.tile(np.arange(1, 9) / 8, 3))
    np.testing.assert_allclose(data.x[7], [-1, 0], atol=1e-12)  # half a turn from where class 0 sets out
    np.testing.assert_allclose(data.x[3], [0, 0.5], atol=1e-12)  # a quarter, half the way out
    turned = data.x[:8] @ np.array([[-0.5, 3**0.5 / 2], [-(3**0.5) / 2, -0.5]])
    np.testing.assert_allclose(data.x[8:16], turned, atol=1e-12)  # by a third of a turn


def test_moons_by_hand():
    data = nn.Moons(7).read()
    outer, inner = data.x[data.y == 0], data.x[data.y == 1]
    np.testing.assert_allclose(outer, [[1, 0], [0, 1], [-1, 0]], atol=1e-12)
    np.testing.assert_allclose(inner, [[0, 0.5], [0.5, 0.5 - 0.75**0.5], [1.5, 0.5 - 0.75**0.5], [2, 0.5]], atol=1e-12)


def test_circles_by_hand():
    data = nn.Circles(8, factor=0.25).read()
    np.testing.assert_allclose(data.x, [[1, 0], [0, 1], [-1, 0], [0, -1], [0.25, 0], [0, 0.25], [-0.25, 0], [0, -0.25]], atol=1e-12)


@pytest.mark.parametrize("source", [nn.Moons(11), nn.Circles(11, factor=0.3)], ids=repr)
def test_moons_and_circles_are_those_of_scikit_learn(source):
    data, theirs = source.read(), REFERENCE[type(source).__name__]
    np.testing.assert_allclose(data.x, theirs["x"], atol=1e-12)
    assert data.y.tolist() == theirs["y"]


def test_blobs_stand_about_their_centers():
    data, centers = nn.Blobs(3001, centers=4, features=3, std=0.5).read(), nn.Blobs(3001, centers=4, features=3, std=0).read()
    assert np.bincount(data.y).tolist() == [750, 750, 750, 751] and data.inputs == ("x1", "x2", "x3")
    for label in range(4):
        (center,) = np.unique(centers.x[data.y == label], axis=0)
        assert np.abs(center).max() <= 10
        np.testing.assert_allclose(data.x[data.y == label].mean(0), center, atol=0.1)
        np.testing.assert_allclose(data.x[data.y == label].std(0), 0.5, atol=0.06)


@pytest.mark.parametrize("source", [nn.Moons(1), nn.Circles(1), nn.Spirals(4, classes=5), nn.Blobs(2)], ids=repr)
def test_too_few_rows_for_the_classes(source):
    with pytest.raises(nn.OptionError, match=r"rows: expected at least one row for each of \d classes, got \d"):
        source.read()


# ------------------------------------------------------------------------------------------ regression


@pytest.mark.parametrize(
    ("source", "x", "y"),
    [
        (nn.Plane(), [[6, -6], [5, 5], [-1, 3]], [0, 1, 0.2]),
        (
            nn.Gaussians(),
            [[-4, 2.5], [0, 2.5], [4, 1.5], [-4, -2.5], [1, -2.5], [4, -2.5], [0, 0], [2, 2.5]],
            [1, -1, 0.5, -1, 0.5, -1, 0, 0],
        ),
        (nn.Sinusoid(), [[0], [0.5], [-0.5], [1]], [0, 1, -1, 0]),
        (nn.Sinusoid(periods=2), [[0.25], [0.75]], [1, -1]),
        (nn.Friedman1(), [[0.5, 1, 0.5, 0, 0, 9, 9], [1, 1, 0, 1, 1, 0, 0], [0, 0, 1, 0.5, 0.2, 0, 0]], [10, 20, 11]),
        (nn.Friedman2(), [[3, 2, 2.25, 1], [0, 1, 3, 1]], [5, 2]),
        (nn.Friedman3(), [[4, 2, 2.25, 1], [0, 1, 3, 1], [1, 0.5, 2, 2]], [pi / 4, pi / 2, 0]),
    ],
    ids=lambda value: repr(value) if isinstance(value, nn.Source) else "",
)
def test_functions_by_hand(source, x, y):
    np.testing.assert_allclose(source.value(np.array(x, float)), y, atol=1e-12)


@pytest.mark.parametrize("source", [nn.Friedman1(features=7), nn.Friedman2(), nn.Friedman3()], ids=repr)
def test_friedmans_functions_are_those_of_scikit_learn(source):
    theirs = REFERENCE[type(source).__name__]
    x = np.array(theirs["x"])
    np.testing.assert_allclose(source.value(x), theirs["y"], rtol=1e-12)
    (low, high), drawn = zip(*source.box(), strict=True), source.read()
    assert ((np.array(low) <= x) & (x <= high)).all() and drawn.x.shape == (200, x.shape[1])


@pytest.mark.parametrize("source", [nn.Plane, nn.Gaussians, nn.Friedman1, nn.Friedman2, nn.Friedman3, nn.Sinusoid])
def test_inputs_are_uniform_in_their_box_and_targets_are_the_function(source):
    data = source(4000).read()
    low, high = np.array(source().box()).T
    assert (low <= data.x).all() and (data.x <= high).all()
    share = (data.x - low) / (high - low)
    np.testing.assert_allclose(share.mean(0), 0.5, atol=0.03)
    np.testing.assert_allclose(share.std(0), 1 / 12**0.5, atol=0.02)
    assert data.y.tobytes() == source().value(data.x)[:, None].tobytes() and data.targets == ("y",) and data.classes == ()


# ------------------------------------------------------------------------------------------ sequences


@pytest.mark.parametrize("length", [2, 7])
def test_adding_marks_one_number_in_each_half(length):
    data = nn.Adding(500, length=length).read()
    value, mark = data.x[..., 0], data.x[..., 1]
    assert data.x.shape == (500, length, 2) and set(np.unique(mark)) <= {0, 1} and value.min() >= 0 and value.max() < 1
    assert (mark[:, : length // 2].sum(1) == 1).all() and (mark[:, length // 2 :].sum(1) == 1).all()
    assert (mark.sum(0) > 0).all()  # at every step
    np.testing.assert_allclose(data.y[:, 0], (value * mark).sum(1))


def test_copying_by_hand():
    source = nn.Copying(50, symbols=3, length=2, delay=4, one_hot=False)
    data = source.read()
    x, y = data.x, data.y
    assert x.shape == y.shape == (50, 8) and x.dtype.kind == y.dtype.kind == "i"
    assert (x[:, 2:5] == 3).all() and (x[:, 5] == 4).all() and (x[:, 6:] == 3).all()  # blanks, the signal, blanks while it is said
    assert (y[:, :6] == 3).all() and np.array_equal(y[:, 6:], x[:, :2]) and set(np.unique(x[:, :2])) == {0, 1, 2}
    wide = nn.Copying(50, symbols=3, length=2, delay=4).read()
    assert wide.x.shape == (50, 8, 5) and np.array_equal(wide.x.argmax(-1), x) and (wide.x.sum(-1) == 1).all()


def test_copying_trains_with_a_class_at_each_step(tmp_path):
    config = {
        "data": {"type": "Copying", "rows": 60, "symbols": 3, "length": 2, "delay": 4, "validation": 0.5},
        "model": [{"type": "Dense", "units": 4}],
        "loss": "CrossEntropy",
        "optimizer": {"type": "Adam", "lr": 0.1},
        "metrics": ["Accuracy"],
        "train": {"epochs": 20, "batch_size": 10},
        "sweep": {"seeds": 2},
    }
    found = nn.sweep(config, out=tmp_path)
    # All but the two last steps are blanks; what is to be said there cannot be known from a step alone.
    assert list(found["status"]) == ["finished"] * 2 and min(found["val_accuracy"]) >= 0.75


def test_modular_addition_has_all_pairs():
    data, numbers = nn.ModularAddition(5).read(), nn.ModularAddition(5, one_hot=False).read()
    assert numbers.x.tolist() == [[a, b] for a in range(5) for b in range(5)]
    assert data.y.tolist() == numbers.y.tolist() == [(a + b) % 5 for a in range(5) for b in range(5)]
    assert data.x.shape == (25, 10) and data.x[7].tolist() == [0, 1, 0, 0, 0, 0, 0, 1, 0, 0]  # 1 and 2
    assert data.inputs[4:6] == ("a4", "b0") and data.classes == tuple("01234")
    assert nn.ModularAddition().read().x.shape == (97 * 97, 2 * 97)


# ------------------------------------------------------------------------------------------ sweeps


def config_of(vary, **data):
    return {
        "data": {"type": "Moons", "rows": 40, "noise": 0.2, "vary": vary, "validation": 0.25, "split_seed": 1} | data,
        "model": [{"type": "Dense", "units": 3}, "Tanh", {"type": "Dense", "units": 2}],
        "loss": "CrossEntropy",
        "optimizer": {"type": "SGD", "lr": 0.1},
        "train": {"epochs": 3, "batch_size": 8},
    }


@pytest.mark.parametrize(
    "data", [{}, {"validation": {"type": "Moons", "noise": 0.2, "seed": 1, "vary": "noise"}}, {"split_seed": None}], ids=repr
)
@pytest.mark.parametrize("vary", ["noise", "all", None])
def test_each_trial_of_a_sweep_is_the_run_alone(tmp_path, vary, data):
    config = config_of(vary, **data) | {"sweep": {"seeds": 3, "parameters": {"optimizer.lr": [0.1, 0.5]}}}
    found = nn.sweep(config, out=tmp_path)
    assert list(found["status"]) == ["finished"] * 6 and len(set(found["val_loss"])) == 6
    for trial in range(6):
        seed, lr = int(found["seed"][trial]), float(found["optimizer.lr"][trial])
        prepared = nn.Moons(**parts(config["data"])).prepare(seed)
        model = nn.Sequential(nn.Dense(3), nn.Tanh(), nn.Dense(2)).build(2, seed=seed)
        history = nn.fit(model, nn.CrossEntropy(), nn.SGD(lr), prepared.training, validation=prepared.validation, epochs=3, batch_size=8)
        assert history["loss"][-1] == found["loss"][trial] and history["val_loss"][-1] == found["val_loss"][trial]


def parts(data):
    given = {name: value for name, value in data.items() if name != "type"}
    if isinstance(given.get("validation"), dict):
        given["validation"] = nn.Moons(**parts(given["validation"]))
    return given


def test_a_sweep_hashes_what_its_config_names_and_keeps_no_rows_of_single_runs(tmp_path):
    nn.sweep(config_of("all") | {"sweep": {"seeds": 5}}, out=tmp_path)
    (record,) = tmp_path.glob("*/*/run.json")
    (name,) = json.loads(record.read_text())["identity"]["the data's hash"]
    assert json.loads(name) == {"type": "Moons", "rows": 40, "seed": 0, "vary": "all", "noise": 0.2}
    sources = Sources()
    for seed in range(5):
        sources.load(nn.Moons(noise=0.2, vary="all").of_seed(seed))
    assert not sources.loaded and not sources.hashes
    sources.load(nn.Moons(noise=0.2))
    assert not sources.loaded and len(sources.hashes) == 1
    with pytest.raises(Changed, match="the data has changed since the sweep began"):
        Sources(dict.fromkeys(sources.hashes, "of another NumPy")).load(nn.Moons(noise=0.2))
