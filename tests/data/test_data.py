"""Data as people have it: CSV and npz files, classes, splits and transforms."""

import numpy as np
import pytest

import nnframe as nn
from nnframe.data.splits import Split, held_out

PEOPLE = "name,weight,height,gender\nAlice,133,65,F\nBob,160,72,M\n"


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def test_csv_columns_classes_and_names(people):
    data = nn.CSV(people, inputs=("height", "weight"), target=nn.Target("gender", classes=("M", "F"))).load()
    assert data.x.tolist() == [[65, 133], [72, 160]]
    assert data.y.tolist() == [1, 0]
    assert (data.inputs, data.targets, data.classes) == (("height", "weight"), ("gender",), ("M", "F"))


def test_texts_are_classes_sorted_and_numbers_are_numbers(people):
    assert nn.CSV(people, inputs=("weight",), target="gender").load().classes == ("F", "M")
    data = nn.CSV(people, inputs=("weight",), target="height").load()
    assert data.y.tolist() == [[65.0], [72.0]] and data.classes == ()


def test_several_targets_a_weight_another_delimiter_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa;b;c;w\r\n1;2;3;0.5\r\n\r\n4;5;6;1\r\n")
    data = nn.CSV(path, target=("b", "c"), weight="w", delimiter=";").load()
    assert data.x.tolist() == [[1], [4]] and data.y.tolist() == [[2, 3], [5, 6]] and data.weight.tolist() == [0.5, 1]


@pytest.mark.parametrize("text, digits", [("1_000", None), ("1e3", 1000), (" 7 ", 7), ("0x10", None), ("inf", None)])
def test_what_counts_as_a_number(tmp_path, text, digits):
    path = tmp_path / "t.csv"
    path.write_text(f"a,b\n1,2\n{text},3\n5,6\n")
    source = nn.CSV(path, target="b")
    if digits is None:
        with pytest.raises(nn.DataError, match=r"t.csv:3: column 'a': expected a finite number, got"):
            source.load()
    else:
        assert source.load().x[1, 0] == digits


def test_one_text_among_numbers_is_a_mistake_and_not_a_class(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,oops\n5,6\n")
    with pytest.raises(nn.DataError, match=r"t.csv:3: column 'b': expected a finite number, got 'oops'"):
        nn.CSV(path, target="b").load()


def test_classes_become_what_the_model_and_the_loss_need(people):
    data = nn.CSV(people, inputs=("weight",), target="gender").load()
    assert data.as_targets_for((1,), False).y.tolist() == [[0.0], [1.0]]
    assert data.as_targets_for((2,), False).y.tolist() == [[1, 0], [0, 1]]
    assert data.as_targets_for((2,), True).y.tolist() == [0, 1]
    with pytest.raises(nn.DataError, match=r"the target has 2 classes \(F, M\), but the model has outputs \(3,\)"):
        data.as_targets_for((3,), False)


def test_npz(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x=np.ones((3, 2)), y=np.array([0, 2, 1], np.uint8), z=np.arange(3.0), o=np.array([None]), n=np.full((3, 2), np.nan))
    data = nn.Arrays(path).load()
    assert data.y.tolist() == [0, 2, 1] and data.y.dtype == np.int64 and data.classes == ("0", "1", "2")
    assert nn.Arrays(path, y="z").load().y.shape == (3, 1)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"x": "X"}, r"x: .*d.npz has no array 'X'. Did you mean 'x'\? Arrays: x, y, n."),
        ({"x": "n"}, r"x: .*d.npz: expected finite numbers in 'n', got inf at \[0, 0\]"),
        ({"y": "n", "x": "y"}, "expected"),
    ],
)
def test_npz_mistakes(tmp_path, options, words):
    path = tmp_path / "d.npz"
    np.savez(path, x=np.ones((3, 2)), y=np.array([0, 2, 1]), n=np.full((3, 2), np.inf))
    with pytest.raises(nn.DataError, match=words):
        nn.Arrays(path, **options).load()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"a,b\n1,2\n"])
def test_what_is_no_npz_file(tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(nn.FileError, match=r"path: .*d.npz is not an npz file of plain arrays"):
        nn.Arrays(tmp_path / "d.npz").load()


def test_an_object_array_is_never_unpickled(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.array([print], object), y=np.ones(1), allow_pickle=True)
    with pytest.raises(nn.FileError, match="'x' holds Python objects, which are never unpickled"):
        nn.Arrays(tmp_path / "d.npz").load()


def test_a_split_is_a_partition_that_depends_on_the_seed_alone():
    data = nn.Dataset(np.zeros((10, 1)), np.zeros((10, 1)))
    kept, held = held_out(data, 0.3, nn.generator(7, "split"), Split())
    assert len(held) == 3 and sorted([*kept, *held]) == list(range(10))
    again = held_out(data, 0.3, nn.generator(7, "split"), Split())
    assert np.array_equal(kept, again[0]) and not np.array_equal(held, held_out(data, 0.3, nn.generator(8, "split"), Split())[1])
    with pytest.raises(nn.DataError, match=r"0.01 of 10 rows leaves 10 to train on and 0 to validate on"):
        held_out(data, 0.01, nn.generator(0, "split"), Split())


def test_standardize_learns_from_the_training_part_alone(tmp_path):
    path = tmp_path / "t.csv"
    values = nn.generator(0, "test").normal(5, 3, 50)
    path.write_text("a,constant,y\n" + "".join(f"{float(v)!r},4,0\n" for v in values))
    prepared = nn.CSV(path, target="y", transforms=(nn.Standardize(),), validation=0.2).prepare(seed=3)
    x = prepared.training.x
    assert len(x) == 40 and abs(x[:, 0].mean()) < 1e-12 and abs(x[:, 0].std() - 1) < 1e-12
    assert np.all(x[:, 1] == 0)
    data = nn.Dataset(values[:, None], np.zeros((50, 1)))
    kept, held = held_out(data, 0.2, nn.generator(3, "split"), Split())
    np.testing.assert_allclose(prepared.validation.x[:, 0], (values[held] - values[kept].mean()) / values[kept].std(), rtol=1e-12)
    np.testing.assert_allclose(prepared.inputs_of({"a": values[kept[0]], "constant": 4}), x[0], rtol=1e-12)


def test_transforms_follow_each_other_and_a_validation_source_goes_through_them(people, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("weight,height,gender\n140,70,M\n130,60,F\n")
    source = nn.CSV(
        people,
        inputs=("weight", "height"),
        target="gender",
        transforms=(nn.Shift((-135, -66)), nn.Shift(1)),
        validation=nn.CSV(other, target="gender"),
    )
    prepared = source.prepare(0)
    assert prepared.training.x.tolist() == [[-1, 0], [26, 7]]
    assert prepared.validation.x.tolist() == [[6, 5], [-4, -5]]


def test_a_validation_source_must_have_the_same_inputs_and_classes(people, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("weight,gender\n140,M\n")
    with pytest.raises(nn.DataError, match="validation: expected classes F, M, got M; name them in `classes`"):
        nn.CSV(people, inputs=("weight",), target="gender", validation=nn.CSV(other, target="gender")).prepare(0)
    with pytest.raises(nn.DataError, match="validation: expected inputs height, got weight"):
        nn.CSV(people, inputs=("height",), target="gender", validation=nn.CSV(other, target="gender")).prepare(0)


# ------------------------------------------------------------------------------------------ a column that only counts the rows

NO_NAME = "which has no name, like an index that pandas wrote"
COUNTING = {
    "without a name": (",a,y\n", "x,{a},{y}\n", NO_NAME),
    "named by pandas": ("Unnamed: 0,a,y\n", "7,{a},{y}\n", NO_NAME),
    "from 0": ("id,a,y\n", "{i},{a},{y}\n", "which only counts the rows"),
    "from 1": ("a,row,y\n", "{a},{j},{y}\n", "which only counts the rows"),
    "from 0 as floats": ("n,a,y\n", "{i}.0,{a},{y}\n", "which only counts the rows"),
}


def counting(path, header, line, rows=20):
    path.write_text(header + "".join(line.format(i=i, j=i + 1, a=i * i % 7, y="no" if i < rows // 2 else "yes") for i in range(rows)))


@pytest.mark.parametrize("case", COUNTING)
def test_a_column_that_only_counts_the_rows_is_no_input_by_default(tmp_path, case):
    path, (header, line, words) = tmp_path / "t.csv", COUNTING[case]
    name = next(name for name in header.strip().split(",") if name not in ("a", "y"))
    counting(path, header, line)
    with pytest.raises(nn.DataError, match=rf"^inputs: .*t\.csv has the column {name!r}, {words}; write inputs: \[a\] to leave it out, or"):
        nn.CSV(path, target="y").load()
    assert nn.CSV(path, target="y", inputs=("a",)).load().inputs == ("a",)
    if line[0] != "x":
        assert nn.CSV(path, target="y", inputs=("a", name)).load().x.shape == (20, 2)


def test_a_validation_source_is_asked_too(tmp_path):
    counting(tmp_path / "v.csv", *COUNTING["without a name"][:2])
    (tmp_path / "t.csv").write_text("a,y\n1,no\n2,yes\n")
    source = nn.CSV(tmp_path / "t.csv", target="y", validation=nn.CSV(tmp_path / "v.csv", target="y"))
    with pytest.raises(nn.DataError, match=r"^validation\.inputs: .*v\.csv has the column '', which has no name"):
        source.prepare(0)
    (tmp_path / "t.csv").write_text(",y\n1,no\n2,yes\n")
    with pytest.raises(nn.DataError, match=r"has no name, like an index that pandas wrote; name it in inputs if it is meant"):
        nn.CSV(tmp_path / "t.csv", target="y").load()


def test_a_count_by_chance_or_of_what_is_measured_is_an_input(tmp_path):
    path = tmp_path / "t.csv"
    counting(path, *COUNTING["from 0"][:2], rows=9)  # so few rows may count by chance
    assert nn.CSV(path, target="y").load().inputs == ("id", "a")
    path.write_text("t,y\n" + "".join(f"{i},{i * 0.5}\n" for i in range(20)))  # alone, it is what there is to learn from
    assert nn.CSV(path, target="y").load().inputs == ("t",)
    path.write_text("t,a,y\n" + "".join(f"{i + (i == 7)},{i % 3},{i * 0.5}\n" for i in range(20)))
    assert nn.CSV(path, target="y").load().inputs == ("t", "a")


# ------------------------------------------------------------------------------------------ Standardize


def standardized(x):
    transform = nn.Standardize()
    with np.errstate(all="ignore"):
        transform.fit(x)
        return transform, transform.apply(x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1000, 1), (50, 7), (20, 3, 4), (20_000, 2)])
def test_ordinary_columns_keep_the_bytes_of_mean_and_std(shape, dtype, rng):
    x = (rng.normal(size=shape) * 10.0 ** rng.integers(-8, 9, size=shape[1:]) + rng.normal(size=shape[1:])).astype(dtype)
    transform, found = standardized(x)
    assert transform.mean.tobytes() == x.mean(0).tobytes() and transform.std.tobytes() == x.std(0).tobytes()
    assert found.tobytes() == ((x - x.mean(0)) / x.std(0)).tobytes() and found.dtype == dtype


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_other_dtypes_keep_their_bytes_too(dtype, rng):
    x = rng.integers(0, 2 if dtype is bool else 200, size=(300, 5)).astype(dtype)
    transform, found = standardized(x)
    assert transform.mean.tobytes() == x.mean(0).tobytes() and transform.std.tobytes() == x.std(0).tobytes()
    assert found.tobytes() == ((x - x.mean(0)) / x.std(0)).tobytes()


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(np.float64, s) for s in (1.5e308, 1e300, 1e160, 1e-160, 1e-200, 1e-300)] + [(np.float32, s) for s in (3e38, 1e25, 1e-25, 1e-35)],
)
def test_very_large_and_very_small_columns_are_standardized(dtype, scale, rng):
    plain = rng.uniform(-1, 1, size=(200, 2))
    x = (plain * [scale, 1]).astype(dtype)
    validation = standardized(x)[0].apply(x[:5])
    transform, found = standardized(x)
    expected = (plain - plain.mean(0)) / plain.std(0)
    np.testing.assert_allclose(found, expected, rtol=1e-4 if dtype is np.float32 else 1e-12, atol=1e-5 if dtype is np.float32 else 1e-12)
    assert found[:, 1].tobytes() == standardized(plain.astype(dtype))[1][:, 1].tobytes()  # its neighbour is as ever
    assert validation.tobytes() == found[:5].tobytes()
    assert np.isfinite(transform.record()["std"]).all()


@pytest.mark.parametrize("value", [0.1, 1e300, 1e-300, 3.0, 0.0, 123456.789])
def test_a_constant_input_is_only_shifted(value):
    x = np.full((1000, 1), value)
    transform, found = standardized(x)
    assert not found.any() and transform.std == 0
    assert transform.apply(np.array([[value + 1]])) == value + 1 - value
