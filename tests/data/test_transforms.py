"""Transforms: against scikit-learn (sklearn_reference.py made the numbers), names and messages, and that nothing leaks out of rows that
are not trained on."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cases import TRANSFORMS, every

import nnframe as nn
from nnframe import run
from nnframe.components.options import options
from nnframe.components.registry import REGISTRY
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.data.mapped import Mapped

SKLEARN = json.loads(Path(__file__).with_name("sklearn_transforms.json").read_text())
NAMES = ("a", "b", "c", "d")

WITNESSED = {
    "Standardize": nn.Standardize(),
    "Standardize missing": nn.Standardize(),
    "Standardize constant": nn.Standardize(),
    "MinMax": nn.MinMax(),
    "MinMax -1 to 3": nn.MinMax(-1, 3),
    "MinMax missing": nn.MinMax(),
    "MinMax constant": nn.MinMax(),
    "Robust": nn.Robust(),
    "Robust missing": nn.Robust(),
    "Robust constant": nn.Robust(),
    "Quantiles": nn.Quantiles(),
    "Quantiles 7": nn.Quantiles(7),
    "Quantiles missing": nn.Quantiles(7),
    "Quantiles normal": nn.Quantiles(7, to="normal"),
    "OneHot": nn.OneHot(),
    "OneHot unknown": nn.OneHot(unknown="zeros"),
    "OneHot numbers": nn.OneHot(unknown="zeros", columns=["a"]),
    "Ordinal": nn.Ordinal(),
    "Ordinal order": nn.Ordinal({"a": ["small", "medium", "large"], "b": ["small", "medium", "large"]}),
    "Ordinal unknown": nn.Ordinal(unknown=-1),
    "Impute mean": nn.Impute(),
    "Impute median": nn.Impute("median"),
    "Impute most_frequent": nn.Impute("most_frequent"),
    "Impute constant": nn.Impute("constant", value=-2.0),
    "Impute indicator": nn.Impute(indicator=True),
}


def table(rows, categories=None):
    """Rows of a table as a data set: a column of texts by their numbers among `categories`, or else among its own."""
    columns, texts = [], dict(categories or {})
    for name, column in zip(NAMES, zip(*rows, strict=True), strict=False):
        if any(isinstance(value, str) for value in column):
            texts.setdefault(name, tuple(dict.fromkeys(value for value in column if value is not None)))
            column = [None if value is None else texts[name].index(value) for value in column]
        columns.append([np.nan if value is None else value for value in column])
    x = np.array(columns, float).T
    return nn.Dataset(x, np.zeros((len(x), 1)), inputs=NAMES[: x.shape[1]], categories=texts)


def fitted(transform, data):
    """The transform, fitted to data, and what it makes of them."""
    found = copy.deepcopy(transform)
    found.fit_to(data)
    return found, found.on(data)


def test_every_stored_case_is_compared():
    assert WITNESSED.keys() == SKLEARN.keys()


@pytest.mark.parametrize("name", SKLEARN)
def test_scikit_learn_makes_the_same_of_it(name):
    case = SKLEARN[name]
    transform, training = fitted(WITNESSED[name], table(case["training"]))
    compared = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(training.x, np.array(case["training becomes"], float), **compared)
    np.testing.assert_allclose(transform.on(table(case["other"])).x, np.array(case["other becomes"], float), **compared)
    if "numbers" in case:
        expected = np.array(case["go back to"], float)
        np.testing.assert_allclose(transform.undone(np.array(case["numbers"])), expected, rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------------------------------ names, order, types

ROWS = [["red", 1, 2.0, "low"], ["blue", 1, 3.0, None], ["red", 2, 5.0, "high"]]


@pytest.mark.parametrize(
    "transform, names, first",
    [
        (nn.OneHot(unknown="zeros"), "b c a=blue a=red d=high d=low", [1, 2, 0, 1, 0, 1]),
        (nn.OneHot(columns=["b"]), "a c d b=1 b=2", [0, 2, 0, 1, 0]),
        (nn.OneHot(columns=["b", "a"]), "c d b=1 b=2 a=blue a=red", [2, 0, 1, 0, 0, 1]),
        (nn.Ordinal(), "a b c d", [1, 1, 2, 1]),
        (nn.Ordinal({"d": ["low", "medium", "high"]}, columns=["d"]), "a b c d", [0, 1, 2, 0]),
        (nn.Standardize(columns=["c"]), "a b c d", [0, 1, (2 - 10 / 3) / np.std([2, 3, 5]), 0]),
        (nn.MinMax(), "a b c d", [0, 0, 0, 0]),
        (nn.Impute("most_frequent", columns=["d", "c"]), "a b c d", [0, 1, 2, 0]),
        (nn.Impute("most_frequent", columns=["d", "c"], indicator=True), "a b c d d missing", [0, 1, 2, 0, 0]),
        (nn.Impute("constant", value="none", columns=["d"]), "a b c d", [0, 1, 2, 0]),
        (nn.Features(squares=["c"], products=[["b", "c"], ["c", "c"]], sines=["b"]), "a b c d c^2 b*c c*c sin(b)", [0, 1, 2, 0, 4, 2, 4, np.sin(1)]),
    ],
)  # fmt: skip
def test_columns_keep_their_places_and_new_ones_stand_behind(transform, names, first):
    _, found = fitted(transform, table(ROWS))
    assert found.inputs == tuple(name.replace("_", " ") for name in names.replace("d missing", "d_missing").split())
    np.testing.assert_allclose(found.x[0], first)


def test_texts_that_are_filled_in_are_encoded():
    _, data = fitted(nn.Impute("constant", value="none", columns=["d"]), table(ROWS))
    assert data.categories["d"] == ("low", "high", "none")
    _, found = fitted(nn.OneHot(columns=["d"]), data)
    assert found.inputs[-3:] == ("d=high", "d=low", "d=none") and found.x[:, -3:].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert found.categories == {"a": ("red", "blue")}


def test_what_is_missing_stays_missing_until_it_is_imputed():
    rows = [[1, None, 2, 3], [2, 4, None, 3], [3, 7, 9, 3]]
    for transform in (nn.Standardize(), nn.MinMax(), nn.Robust(), nn.Quantiles(), nn.Quantiles(to="normal"), nn.Log(), nn.Clip(0, 5)):
        _, found = fitted(transform, table(rows))
        assert np.argwhere(np.isnan(found.x)).tolist() == [[0, 1], [1, 2]]
    _, found = fitted(nn.Ordinal(columns=["d"]), table(ROWS))
    assert np.isnan(found.x[:, 3]).tolist() == [False, True, False]
    transform, found = fitted(nn.Impute(indicator=True), table(rows))
    assert found.x.tolist() == [[1, 5.5, 2, 3, 1, 0], [2, 4, 5.5, 3, 0, 1], [3, 7, 9, 3, 0, 0]]
    other = transform.on(table([[None, None, 1, 1]]))  # that `a` may be missing too was nothing to be learnt
    assert other.x.tolist() == [[2, 5.5, 1, 1, 1, 0]] and other.inputs[4:] == ("b missing", "c missing")


@every(*TRANSFORMS)
def test_floating_numbers_stay_as_wide_as_they_are(case, rng):
    x = case.inputs(rng, (7,), (4,)).astype(np.float32)
    _, found = fitted(case.component, nn.Dataset(x, x, inputs=NAMES, categories=case.categories))
    assert found.x.dtype == np.float32


@pytest.mark.parametrize(
    "case", [case for case in TRANSFORMS if not case.categories and not isinstance(case.component, nn.Features)], ids=str
)
def test_inputs_without_names_may_have_any_shape(case, rng):
    if case.component.columns or isinstance(getattr(case.component, "by", None), tuple):
        with pytest.raises(nn.DataError):
            fitted(case.component, nn.Dataset(np.ones((6, 2, 3, 1)), np.ones((6, 1))))
        return
    x = case.inputs(rng, (6,), (2, 3, 1))
    _, found = fitted(case.component, nn.Dataset(x, np.ones((6, 1))))
    _, flat = fitted(case.component, nn.Dataset(x.reshape(6, 6), np.ones((6, 1))))
    assert found.x.shape == x.shape and found.x.tobytes() == flat.x.tobytes() and found.inputs == ()


def test_marks_need_names():
    with pytest.raises(nn.DataError, match=r"^indicator: only columns with names can be marked$"):
        fitted(nn.Impute(indicator=True), nn.Dataset(np.ones((6, 2)), np.ones((6, 1))))


def test_constants_are_never_divided_by():
    rows = [[5, 0, -3, 1e300]] * 3
    for transform, expected in (
        (nn.Standardize(), [0] * 4),
        (nn.MinMax(2, 3), [2] * 4),
        (nn.Robust(), [0] * 4),
        (nn.Quantiles(), [0.5] * 4),
        (nn.Quantiles(to="normal"), [0] * 4),
    ):
        made, found = fitted(transform, table(rows))
        assert found.x.tolist() == [expected] * 3
        np.testing.assert_array_equal(made.undone(found.x), table(rows).x)


# ------------------------------------------------------------------------------------------ what is refused, word for word


@pytest.mark.parametrize(
    "transform, rows, told",
    [
        (nn.OneHot(columns=["d"]), ROWS, "column 'd': a value is missing; write {type: Impute, strategy: most_frequent, columns: [d]} before it, or unknown: zeros"),
        (nn.Ordinal({"a": ["red", "green"]}), ROWS, "order.a: the training part has 'blue' too. Expected all of blue, red"),
        (nn.Ordinal({"e": ["red"]}), ROWS, "order.e: there is no such input here. Inputs: a, d."),
        (nn.Ordinal({"b": ["1", "2"]}, columns=["b"]), ROWS, "order.b: the column holds numbers, which have an order"),
        (nn.Ordinal({"a": ["red", "blue", "red"]}), ROWS, "order.a: expected texts, each once, got red, blue, red"),
        (nn.Robust(), [["red"], ["blue"]], "columns: there is no input of numbers; leave it out, or write it behind what makes some"),
        (nn.Robust(columns=[]), [[1, 2]], "columns: expected at least one column, each once, got none"),
        (nn.Robust(columns=["a", "a"]), [[1, 2]], "columns: expected at least one column, each once, got a, a"),
        (nn.OneHot(), [[1, 2]], "columns: there is no input of texts; say which columns it is for"),
        (nn.Impute(columns=["d"]), ROWS, "strategy: column 'd': texts have no mean; write most_frequent"),
        (nn.Impute("constant", value="x"), ROWS, "value: column 'b': the column holds numbers, but 'x' is none of them"),
        (nn.Impute("constant", columns=["d"]), ROWS, "value: column 'd': the column holds texts, but 0.0 is none of them"),
        (nn.Impute(), [[1, None], [2, None]], "column 'b': all values of the training part are missing; leave it out"),
        (nn.Standardize(), [[1, None], [2, None]], "column 'b': all values of the training part are missing; leave it out"),
        (nn.MinMax(), [[1, None], [2, None]], "column 'b': all values of the training part are missing; leave it out"),
        (nn.Quantiles(), [[None, 1], [None, 1]], "column 'a': all values of the training part are missing; leave it out"),
        (nn.Log(), [[1, 2], [1, 0], [-1, 1]], "column 'b': expected numbers above 0, as a logarithm needs them, got 0; write a larger shift"),
        (nn.Log(3), [[1, 2], [-3, 0]], "column 'a': expected numbers above -3, as a logarithm needs them, got -3; write a larger shift"),
        (nn.Scale([1, 2]), [[1, 2, 3]], "by: expected one number, or one for each of the 3 inputs, got 2"),
        (nn.Features(squares=["bb"]), [[1, 2]], "squares: there is no input of numbers 'bb'. Did you mean 'b'? Inputs: a, b."),
        (nn.Features(products=[["b", "a"]]), ROWS, "products: there is no input of numbers 'a'. Inputs: b, c."),
        (nn.Features(sines=["a", "a"]), [[1, 2]], "there would be two columns 'sin(a)'; rename one"),
        (nn.Standardize(columns=["a"]), ROWS, "columns: the column 'a' holds texts; write OneHot or Ordinal before it, or leave it out"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_told(transform, rows, told):
    with pytest.raises(nn.DataError) as error:
        fitted(transform, table(rows))
    assert str(error.value) == told


@pytest.mark.parametrize(
    "transform, told",
    [
        (nn.OneHot(), "column 'a': 'reds' is not in the training part, which has blue, red. Did you mean 'red'? Write unknown: zeros to take others too."),
        (nn.Ordinal(), "column 'a': 'reds' is not in the training part, which has blue, red. Did you mean 'red'? Write unknown: -1 to take others too."),
        (nn.OneHot(columns=["b"]), "column 'b': 2.5 is not in the training part, which has 1, 2. Write unknown: zeros to take others too."),
        (nn.Log(), "column 'c': expected numbers above 0, as a logarithm needs them, got -4; write a larger shift"),
    ],
)  # fmt: skip
def test_what_was_not_in_the_training_part_is_told(transform, told):
    rows = [row[:3] for row in ROWS]
    found, data = fitted(transform, table(rows))
    with pytest.raises(nn.DataError) as error:
        found.on(table([*rows, ["reds", 2.5, -4.0]]))
    assert str(error.value) == told


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: nn.MinMax(1, 1), "MinMax.high: expected a number greater than low, 1, got 1"),
        (lambda: nn.Scale(0), "Scale.by: expected numbers other than 0"),
        (lambda: nn.Scale([1, 0]), "Scale.by: expected numbers other than 0"),
        (lambda: nn.Clip(), "Clip: expected low, or high, or both, or else quantiles"),
        (lambda: nn.Clip(1, quantiles=[0, 1]), "Clip: expected low, or high, or both, or else quantiles"),
        (lambda: nn.Clip(2, 1), "Clip.high: expected the smaller bound first, got 2 and 1"),
        (lambda: nn.Clip(quantiles=[0.9, 0.1]), "Clip.quantiles: expected the smaller bound first, got 0.9 and 0.1"),
        (lambda: nn.Features(), "Features: expected columns for squares, products or sines"),
        (lambda: nn.Impute("median", value=1), "Impute.value: is for strategy: constant; leave it out"),
        (lambda: nn.Quantiles(1), "Quantiles.count: expected an integer of at least 2, got 1"),
    ],
)
def test_options_that_do_not_go_together_are_told(make, told):
    with pytest.raises(nn.OptionError) as error:
        make()
    assert str(error.value) == told


@pytest.mark.parametrize("theirs, ours", [("StandardScaler", "Standardize"), ("MinMaxScaler", "MinMax"), ("get_dummies", "OneHot"), ("LabelEncoder", "Ordinal"), ("SimpleImputer", "Impute"), ("PolynomialFeatures", "Features"), ("RobustScaler", "Robust"), ("QuantileTransformer", "Quantiles")])  # fmt: skip
def test_other_libraries_names_are_answered_with_ours(place, capsys, theirs, ours):
    assert run.main(["gender.yaml", f"data.transforms=[{theirs}]"]) == 2
    assert f"Did you mean {ours!r}?" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------ rows that stay in their file


def mapped(x, folder):
    np.save(folder / "x.npy", x)
    array = np.load(folder / "x.npy", mmap_mode="r")
    return nn.Dataset(Mapped.of(array, folder / "x.npy"), np.zeros((len(x), 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("transform", [nn.Standardize(), nn.MinMax(-1, 2)], ids=repr)
def test_chunks_teach_what_all_rows_at_once_do(transform, scale, dtype, tmp_path, monkeypatch, rng):
    x = (rng.normal(size=(57, 4)) * [1, 5, 0.1, 1] + [0, 1e4, 3, 0]) * scale
    x[:, 3] = 0.1 * scale
    x[:20, 0], x[3:8, 1] = 0, np.nan  # chunks of zeros alone, and with gaps
    x = x.astype(dtype)
    monkeypatch.setattr("nnframe.data.mapped.CHUNK", 10 * x[0].nbytes)
    there, expected = fitted(transform, nn.Dataset(x.astype(float), np.zeros((57, 1))))
    here, found = fitted(transform, mapped(x, tmp_path))
    whole = found.x[:]
    exact = dtype is np.float64
    assert whole.dtype == dtype and set(whole[:, 3].tolist()) == {getattr(transform, "low", 0)}
    np.testing.assert_allclose(whole, expected.x, rtol=1e-10 if exact else 3e-3, atol=1e-11 if exact else 3e-3)
    for name in transform.fitted[:2]:
        np.testing.assert_allclose(getattr(here, name), getattr(there, name), rtol=1e-13 if exact else 1e-6)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_chunks_of_numbers_whose_squares_are_none(scale, tmp_path, monkeypatch, rng):
    x = rng.normal(size=(30, 2)) * scale
    monkeypatch.setattr("nnframe.data.mapped.CHUNK", 10 * x[0].nbytes)
    _, found = fitted(nn.Standardize(), mapped(x, tmp_path))
    np.testing.assert_allclose(found.x[:], fitted(nn.Standardize(), nn.Dataset(x, x))[1].x, rtol=1e-12)


@pytest.mark.parametrize("transform", [nn.Shift(1), nn.Scale(2), nn.Log(2), nn.Clip(0.2, 0.5), nn.Clip(high=0.5)], ids=repr)
def test_what_learns_nothing_reads_no_rows_at_once(transform, tmp_path, monkeypatch, rng):
    x = rng.uniform(size=(30, 2))
    monkeypatch.setattr("nnframe.data.mapped.CHUNK", 10 * x[0].nbytes)
    assert fitted(transform, mapped(x, tmp_path))[1].x[:].tobytes() == fitted(transform, nn.Dataset(x, x))[1].x.tobytes()


def test_what_needs_all_rows_says_so(tmp_path, rng):
    told = "needs all rows at once, and these stay in their file, as they are too many"
    for transform in (nn.Robust(), nn.Quantiles(), nn.Clip(quantiles=[0, 0.5]), nn.Impute()):
        with pytest.raises(nn.DataError, match=f"^{type(transform).__name__} {told}$"):
            fitted(transform, mapped(rng.uniform(size=(30, 2)), tmp_path))


# ------------------------------------------------------------------------------------------ nothing leaks


class Rows(nn.Source):
    """Rows of which some are poisoned: huge numbers, and a text that no other row has and that sorts before all others."""

    def read(self):
        case, poisoned = self.given
        x, texts = case.inputs(np.random.default_rng(3), (40,), (4,)), case.categories
        if poisoned is not None:
            texts = {name: ("_poison", *known) for name, known in texts.items()}
            for place, name in enumerate(NAMES):
                if name in texts:
                    x[:, place] = np.where(np.isin(np.arange(40), poisoned), 0, x[:, place] + 1)
                else:
                    x[poisoned, place] = 1e9 + poisoned
        return nn.Dataset(x, np.arange(40.0)[:, None], inputs=NAMES, targets=("y",), categories=texts)


def lenient(case):
    """The transform as it takes what the training rows have not."""
    known = options(type(case.component))
    return case.of(unknown="zeros" if isinstance(case.component, nn.OneHot) else -1) if "unknown" in known else case.of()


PARTS = {"fractions": {"validation": 0.25, "test": 0.25}, "a fold": {"cv": nn.CV(folds=4, only=1), "test": 0.1}}


@every(*TRANSFORMS)
@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_rows_that_are_not_trained_on_change_not_a_byte(case, parts):
    def prepared(poisoned=None):
        # what texts a transform does not take is encoded behind it, so that the data can be trained on
        transforms = [lenient(case)] + [nn.OneHot(unknown="zeros")] * bool(case.categories and not hasattr(case.component, "unknown"))
        source = Rows(transforms=transforms, **parts)
        source.given = case, poisoned
        return source.prepare(5, test=True)

    clean = prepared()
    poisoned = np.setdiff1d(np.arange(40), clean.training.y[:, 0].astype(int))
    assert len(poisoned) > 10
    other = prepared(poisoned)
    assert other.training.x.tobytes() == clean.training.x.tobytes() and other.training.inputs == clean.training.inputs
    assert [t.record() for t in other.transforms] == [t.record() for t in clean.transforms]
    assert other.validation.x.tobytes() != clean.validation.x.tobytes() or not case.component.fitted


def test_the_search_for_leaks_finds_one(monkeypatch):
    """A transform that learns from all rows: what it remembers from the first part is that of the whole."""

    class Leaks(nn.Shift):
        def on(self, data):
            return replace(data, x=data.x - self.largest)

        def fit_to(self, data):
            self.largest = Leaks.seen

    read = Rows.read

    def noted(self):
        data = read(self)
        Leaks.seen = data.x.max()
        return data

    monkeypatch.setattr(Rows, "read", noted)
    case = replace(TRANSFORMS[0], component=Leaks(1.0))
    with pytest.raises(AssertionError):
        test_rows_that_are_not_trained_on_change_not_a_byte(case, PARTS["a fold"])


# ------------------------------------------------------------------------------------------ what is written down


def rebuilt(record, data):
    """A transform from what a run's record has of it."""
    return REGISTRY["transform"][record["type"]].recalled(json.loads(json.dumps(record)), data)


@every(*TRANSFORMS)
@pytest.mark.parametrize("scale, dtype", [(1.0, np.float64), (1e200, np.float64), (1.0, np.float32)])
def test_the_record_has_all_that_it_takes_to_make_the_transform_again(case, scale, dtype, rng):
    x = (case.inputs(rng, (23,), (4,)) * (1 if case.categories else scale)).astype(dtype)
    data = nn.Dataset(x, x, inputs=NAMES, categories=case.categories)
    with np.errstate(over="ignore"):
        transform, found = fitted(case.component, data)
        again = rebuilt(transform.record(), data).on(data)
    assert again.x.tobytes() == found.x.tobytes() and again.inputs == found.inputs


def test_the_record_names_the_columns_of_one_that_was_told_to_take_all():
    data = table([[1, 2], [2, 2]])
    transform, found = fitted(nn.OneHot(columns=["a", "b"]), data)
    assert transform.record() == {"type": "OneHot", "unknown": "error", "columns": ["a", "b"], "values": [[1, 2], [2]]}
    assert rebuilt(transform.record(), data).on(data).x.tobytes() == found.x.tobytes()


CONFIG = """
data:
  type: CSV
  path: rows.csv
  target: y
  validation: 0.25
  transforms: [Standardize]
  target_transforms: [{type: Log, shift: 1}, Standardize]
model: [{type: Dense, units: 1}]
loss: MSE
optimizer: {type: SGD, lr: 0.05}
train: {epochs: 2, batch_size: 5}
metrics: [MAE, R2, MSE]
predict: {one: {x: 3}}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("x,y\n" + "".join(f"{i * 37 % 41},{100 + 10 * i}\n" for i in range(40)))
    Path("config.yaml").write_text(CONFIG)
    return tmp_path


def test_metrics_and_predictions_are_in_the_units_of_the_targets_and_the_loss_is_not(here, capsys):
    job = build(load(Path("config.yaml")))
    history = job.training.run()
    bare = nn.CSV(Path("rows.csv"), target="y", validation=0.25).prepare(0)
    logs = np.log(bare.training.y + 1)
    mean, std = logs.mean(), logs.std()
    out = job.model.predict(job.data.validation.x).astype(float)
    y, pred = bare.validation.y, np.exp(out * std + mean) - 1
    assert history["val_mae"][-1] == pytest.approx(abs(pred - y).mean(), rel=1e-6) and history["val_mae"][-1] > 1
    assert history["val_r2"][-1] == pytest.approx(1 - ((pred - y) ** 2).sum() / ((y - y.mean()) ** 2).sum(), rel=1e-5)
    loss = (((np.log(y + 1) - mean) / std - out) ** 2).mean()
    assert history["val_loss"][-1] == pytest.approx(loss, rel=1e-5)
    row = job.rows["one"]
    assert job.predict()["one"] == pytest.approx(np.exp(job.model.predict(row[None])[0].astype(float) * std + mean) - 1, rel=1e-6)
    assert run.main(["config.yaml", "--quiet"]) == 0
    record = json.loads((Path(capsys.readouterr().out.splitlines()[-1]) / "run.json").read_text())["data"]
    assert record["target_transforms"][0] == {"type": "Log", "shift": 1.0}
    assert record["target_transforms"][1] == {"type": "Standardize", "mean": [mean], "std": [std], "exponent": None}
    assert record["transforms"][0]["mean"] == [bare.training.x.mean()]


@pytest.mark.parametrize(
    "transform, told",
    [
        ("{type: Clip, low: 0}", "data.target_transforms.0: Clip cannot be undone, so it is none for targets"),
        ("Impute", "data.target_transforms.0: Impute cannot be undone, so it is none for targets"),
        ("{type: Features, squares: [y]}", "data.target_transforms.0: Features cannot be undone, so it is none for targets"),
        ("{type: Log, shift: -500}", "data.target_transforms.0: column 'y': expected numbers above 500, as a logarithm needs them, got "),
    ],
)
def test_what_cannot_be_done_to_targets_is_told(here, capsys, transform, told):
    assert run.main(["config.yaml", f"data.target_transforms=[{transform}]"]) == 2
    assert told in capsys.readouterr().err


def test_classes_are_no_numbers_to_transform(here, capsys):
    Path("rows.csv").write_text("x,y\n" + "".join(f"{i},{'yes' if i % 3 else 'no'}\n" for i in range(40)))
    assert run.main(["config.yaml", "loss=BinaryCrossEntropy", "metrics=[]"]) == 2
    assert "data.target_transforms.0: the target is no columns of numbers; only these can be transformed" in capsys.readouterr().err


def test_a_row_to_predict_may_have_a_text_that_the_file_has_not():
    class Colors(nn.Source):
        def read(self):
            return nn.Dataset(table(ROWS[:2]).x[:, :2], np.zeros((2, 1)), inputs=("a", "b"), categories={"a": ("red", "blue")})

    lenient = Colors(transforms=[nn.OneHot(unknown="zeros")]).prepare(0)
    assert lenient.inputs_of({"a": "pink", "b": 7}).tolist() == [7, 0, 0] and lenient.inputs_of({"a": "red", "b": 7}).tolist() == [7, 0, 1]
    told = r"^column 'a': 'pink' is not in the training part, which has blue, red\. Write unknown: zeros to take others too\.$"
    with pytest.raises(nn.DataError, match=told):
        Colors(transforms=[nn.OneHot()]).prepare(0).inputs_of({"a": "pink", "b": 7})
