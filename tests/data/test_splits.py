"""Which rows are whose: by class, by groups, by time, by a column, in folds and in bootstraps."""

from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import run
from nnframe.data.splits import CV, Split, fold_of, folds, held_out, with_class_weights, with_label_noise

SIZES = (50, 30, 7)


def of_classes(sizes=SIZES, **more):
    """Rows known by their x, of as many classes as there are sizes."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    return nn.Dataset(np.arange(float(len(y)))[:, None], y, classes=tuple("abcdefgh"[: len(sizes)]), **more)


def by(column, name="g", classes=False):
    column = np.asarray(column)
    y = np.zeros((len(column), 1)) if not classes else np.arange(len(column)) % 2
    return nn.Dataset(np.arange(float(len(column)))[:, None], y, classes=("a", "b") if classes else (), columns={name: column})


def rng(seed=0):
    return nn.generator(seed, "split")


# ------------------------------------------------------------------------------------------ a fraction


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5, 0.77])
def test_a_fraction_has_of_each_class_its_share_within_a_row(fraction):
    data = of_classes()
    kept, held = held_out(data, fraction, rng(), Split())
    assert sorted([*kept, *held]) == list(range(sum(SIZES))) and len(held) == round(sum(SIZES) * fraction)
    assert np.all(np.diff(kept) > 0) and np.all(np.diff(held) > 0)
    assert np.all(abs(np.bincount(data.y[held], minlength=3) - np.multiply(SIZES, fraction)) < 1)


def test_a_class_of_one_row_is_trained_on():
    data = of_classes((20, 1))
    for seed in range(20):
        assert 20 in held_out(data, 0.5, rng(seed), Split())[0]


def test_without_classes_by_class_is_a_mistake_and_without_strata_rows_are_drawn_one_by_one():
    counts = {
        np.bincount(of_classes().y[held_out(of_classes(), 0.2, rng(seed), Split(stratify=False))[1]], minlength=3)[2] for seed in range(40)
    }
    assert len(counts) > 3
    with pytest.raises(nn.DataError, match=r"split\.stratify: the target has no classes to draw by"):
        held_out(by(range(9)), 0.5, rng(), Split(stratify=True))


def test_groups_stay_together():
    groups = np.repeat([f"patient {i}" for i in range(20)], 5)[nn.generator(1, "x").permutation(100)]
    for seed in range(10):
        kept, held = held_out(by(groups), 0.3, rng(seed), Split(groups="g"))
        assert not set(groups[kept]) & set(groups[held]) and len(held) == 30
    assert len({tuple(held_out(by(groups), 0.3, rng(seed), Split(groups="g"))[1]) for seed in range(5)}) == 5
    with pytest.raises(nn.DataError, match=r"the column 'g' has one value in all rows"):
        held_out(by(["x"] * 9), 0.3, rng(), Split(groups="g"))


def test_the_last_rows_by_time_are_held_out_and_rows_of_one_time_stay_together():
    times = np.array([5.0, 1, 4, 2, 3, 3])
    kept, held = held_out(by(times), 0.5, rng(), Split(time="g"))
    assert held.tolist() == [0, 2, 4, 5] and kept.tolist() == [1, 3]
    with pytest.raises(nn.DataError, match=r"split\.time: the column 'g' holds texts such as 'May'; expected dates or numbers"):
        held_out(by(["May", "June"]), 0.5, rng(), Split(time="g"))


# ------------------------------------------------------------------------------------------ folds


@pytest.mark.parametrize("count", [2, 5, 7])
@pytest.mark.parametrize("split", [Split(), Split(stratify=False)], ids=["by class", "one by one"])
def test_every_row_validates_once(count, split):
    data = of_classes()
    parts = folds(data, CV(count), rng(), split)
    assert len(parts) == count and sorted(np.concatenate([held for _, held in parts])) == list(range(sum(SIZES)))
    for train, held in parts:
        assert sorted([*train, *held]) == list(range(sum(SIZES))) and abs(len(held) - sum(SIZES) / count) < 1
        if split.stratify is None:
            assert np.all(abs(np.bincount(data.y[held], minlength=3) - np.divide(SIZES, count)) < 1)


def test_folds_of_groups_share_none_and_have_about_as_many_rows():
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    parts = folds(by(groups), CV(4), rng(), Split(groups="g"))
    assert sorted(np.concatenate([held for _, held in parts])) == list(range(78))
    assert all(not set(groups[train]) & set(groups[held]) for train, held in parts)
    assert max(len(held) for _, held in parts) - min(len(held) for _, held in parts) <= 3
    with pytest.raises(nn.DataError, match="cv: the column 'g' has 12 values, too few for 13 folds"):
        folds(by(groups), CV(13), rng(), Split(groups="g"))


def test_folds_by_time_train_on_what_was_before():
    times = np.arange(23)[::-1]
    parts = folds(by(times), CV(4), rng(), Split(time="g"))
    assert [len(held) for _, held in parts] == [4] * 4 and [len(train) for train, _ in parts] == [7, 11, 15, 19]
    assert all(times[train].max() < times[held].min() for train, held in parts)


def test_bootstraps_draw_as_many_rows_and_validate_on_those_left_out():
    data = of_classes()
    parts = folds(data, CV(bootstraps=50), rng(), Split())
    for train, held in parts:
        assert np.bincount(data.y[train]).tolist() == list(SIZES)  # by class
        assert not set(train) & set(held) and len(set(train) | set(held)) == sum(SIZES)
    assert abs(np.mean([len(held) for _, held in parts]) / sum(SIZES) - 1 / np.e) < 0.02
    groups = np.repeat(np.arange(9), 3)
    for train, held in folds(by(groups), CV(bootstraps=5), rng(), Split(groups="g")):
        assert not set(groups[train]) & set(groups[held])


def test_a_class_that_cannot_be_in_all_folds_and_other_mistakes():
    with pytest.raises(
        nn.DataError,
        match=r"cv: the class 'c' has 7 rows, too few to be in each of 8 folds; take fewer folds, or write split: {stratify: false}",
    ):
        folds(of_classes(), CV(8), rng(), Split())
    with pytest.raises(nn.DataError, match="cv: 3 rows cannot make 4 folds"):
        folds(by(range(3)), CV(4), rng(), Split())
    for wrong, words in {
        "CV(1)": "at least 2", "CV()": "one of folds and bootstraps", "CV(3, bootstraps=2)": "one of folds and bootstraps", "CV(3, only=3)": "0 to 2, got 3",
    }.items():  # fmt: skip
        config = {"CV(1)": 1, "CV()": {}, "CV(3, bootstraps=2)": {"folds": 3, "bootstraps": 2}, "CV(3, only=3)": {"folds": 3, "only": 3}}[
            wrong
        ]
        with pytest.raises(nn.OptionError, match=words):
            nn.Digits(cv=config)
    with pytest.raises(nn.OptionError, match="validation: cv holds out rows by itself"):
        nn.Digits(cv=3, validation=0.2)
    with pytest.raises(nn.OptionError, match=r"split\.groups: expected one of column, groups and time, got column and groups"):
        nn.Digits(split={"column": "a", "groups": "b"})
    with pytest.raises(nn.UsageError, match="cv makes 3 sets of rows; say which one"):
        nn.Digits(cv=3).prepare(0)


def test_a_fold_visits_as_many_rows_as_the_smallest_and_validates_on_as_many_as_the_largest():
    data = of_classes((11, 12))
    parts = [fold_of(data, CV(5), fold, rng(), Split()) for fold in range(5)]
    assert sorted(len(train.x) for train, _ in parts) == [18, 18, 18, 19, 19] and {train.visited for train, _ in parts} == {18}
    for _, held in parts:
        assert len(held.x) == 5 and held.weight[:4].all() and set(held.weight[4:]) <= {0.0, 1.0}
    assert sum(held.weight.sum() for _, held in parts) == 23
    assert fold_of(of_classes((10, 10)), CV(5), 0, rng(), Split())[1].weight is None


# ------------------------------------------------------------------------------------------ a column that says so


def test_a_column_says_whose_a_row_is(tmp_path):
    lines = [f"{i},{i % 2},{part}" for i, part in enumerate(["train", "Train", "val", "test", "training", "dev", "holdout"])]
    (tmp_path / "t.csv").write_text("a,y,part\n" + "\n".join(lines))
    source = nn.CSV(tmp_path / "t.csv", target="y", inputs=["a"], split={"column": "part"})
    data = source.prepare(0, test=True)
    assert [part.x[:, 0].tolist() for part in (data.training, data.validation, data.test)] == [[0, 1, 4], [2, 5], [3, 6]]
    assert source.prepare(0).test is None and not source.split_varies
    with pytest.raises(nn.OptionError, match="validation: the column 'part' of split says which rows these are"):
        nn.CSV(tmp_path / "t.csv", target="y", split={"column": "part"}, validation=0.2)


# ------------------------------------------------------------------------------------------ labels and weights


def test_label_noise_changes_the_share_of_labels_to_another_class_in_the_training_part_alone():
    data = of_classes((4000, 4000, 4000))
    noisy = with_label_noise(data, 0.15, nn.generator(0, "label noise"))
    wrong = noisy.y != data.y
    assert abs(wrong.mean() - 0.15) < 0.01
    assert np.all(abs(np.bincount((noisy.y - data.y)[wrong] % 3)[1:] / wrong.sum() - 0.5) < 0.05)  # to each of the others alike
    prepared = nn.Digits(label_noise=0.3, validation=0.2, test=0.2).prepare(4, test=True)
    plain = nn.Digits(validation=0.2, test=0.2).prepare(4, test=True)
    assert prepared.validation.y.tolist() == plain.validation.y.tolist() and prepared.test.y.tolist() == plain.test.y.tolist()
    assert 0.25 < (prepared.training.y != plain.training.y).mean() < 0.35
    with pytest.raises(nn.DataError, match="label_noise: expected a target of at least two classes"):
        with_label_noise(by(range(4)), 0.1, rng())


def test_class_weights():
    data = of_classes((6, 3, 1), weight=np.arange(10.0))
    assert with_class_weights(of_classes((6, 3, 1)), "balanced").weight.tolist() == [10 / 18] * 6 + [10 / 9] * 3 + [10 / 3]  # n / (k n_c)
    assert with_class_weights(data, {"b": 2.0}).weight.tolist() == [0, 1, 2, 3, 4, 5, 12, 14, 16, 9]
    prepared = nn.Digits(class_weights="balanced", validation=0.2).prepare(0)
    sums = np.bincount(prepared.training.y, prepared.training.weight)
    np.testing.assert_allclose(sums, sums[0])
    assert prepared.validation.weight is None
    with pytest.raises(nn.DataError, match=r"class_weights: there is no class 'z'\. Classes: a, b, c\."):
        with_class_weights(data, {"z": 2})


def test_parts_are_told_at_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a,y,who\n" + "".join(f"{i},{'no' if i % 3 else 'yes'},{i // 4}\n" for i in range(40)))
    Path("c.yaml").write_text(
        "data: {type: CSV, path: t.csv, target: y, inputs: [a], SPLIT}\nmodel: [{type: Dense, units: 2}]\nloss: CrossEntropy\noptimizer: SGD\n"
        "train: {epochs: 2, batch_size: 5}\n"
    )
    text = Path("c.yaml").read_text()
    for split, words in {
        "split: {groups: who}, validation: 0.2": "32 rows and 8 to validate on",
        "split: {groups: whom}, validation: 0.2": "data.split: ",
        "split: {column: who}": "c.yaml:1:7: data.split.column: t.csv:2: column 'who': expected train, validation or test, got '0'",
    }.items():
        Path("c.yaml").write_text(text.replace("SPLIT", split))
        status = run.main(["c.yaml"])
        said = capsys.readouterr()
        assert (status == 0) == ("rows" in words)
        if "whom" not in split and "column" not in split:
            assert words in said.out
