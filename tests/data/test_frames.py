"""Data frames and Parquet files have the same columns as a CSV file."""

import sys
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

import nnframe as nn

COLUMNS = {
    "a": [1.5, None, 3.0, 4.0],
    "town": ["Oslo", "New York", None, "Oslo"],
    "true": [True, False, True, True],
    "day": [date(1970, 1, 2), date(1970, 1, 1), date(2020, 2, 29), date(1970, 1, 3)],
    "n": [3, 1, 2, 2],
    "y": ["no", "yes", "no", "no"],
}


def as_mapping():
    return COLUMNS


def as_arrays():
    return COLUMNS | {"a": np.array([1.5, np.nan, 3, 4]), "n": np.array(COLUMNS["n"]), "day": np.array(COLUMNS["day"], "datetime64[D]"), "true": np.array(COLUMNS["true"])}  # fmt: skip


def as_polars():
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def as_polars_categorical():
    polars = pytest.importorskip("polars")
    return as_polars().with_columns(
        polars.col("town").cast(polars.Categorical), polars.col("a").cast(polars.Float32), polars.col("n").cast(polars.UInt8)
    )


def as_pandas():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(COLUMNS).assign(day=lambda frame: pandas.to_datetime(frame["day"]))


def as_pandas_nullable():
    return as_pandas().convert_dtypes().astype({"town": "category"}).set_index("n", drop=False)


def as_pandas_objects():
    return as_pandas().astype(object)


KINDS = [as_mapping, as_arrays, as_polars, as_polars_categorical, as_pandas, as_pandas_nullable, as_pandas_objects]


@pytest.mark.parametrize("make", KINDS)
def test_a_frame_is_rows(make):
    data = nn.Frame(make(), target="y").load()
    assert data.inputs == ("a", "town", "true", "day", "n") and data.classes == ("no", "yes") and data.y.tolist() == [0, 1, 0, 0]
    assert data.categories == {"town": ("New York", "Oslo")}
    np.testing.assert_array_equal(data.x, [[1.5, 1, 1, 1, 3], [np.nan, 0, 0, 0, 1], [3, np.nan, 1, 18321, 2], [4, 1, 1, 2, 2]])
    assert data.x.dtype == np.float64 and data.origin is None


@pytest.mark.parametrize("make", KINDS)
def test_targets_and_classes_of_a_frame(make):
    frame = make()
    assert nn.Frame(frame, target="n", inputs=["true"]).load().y.tolist() == [[3], [1], [2], [2]]
    data = nn.Frame(frame, target=nn.Target("n", (1, 2, 3)), inputs=["true"]).load()
    assert data.y.tolist() == [2, 0, 1, 1] and data.classes == ("1", "2", "3")
    assert nn.Frame(frame, target="true", inputs=["n"]).load().classes == ("False", "True")
    source = nn.Frame(frame, target="n", inputs=["true"], weight="day", split=nn.Split(groups="town"))
    with pytest.raises(nn.DataError, match=r"split.groups: row 2: column 'town': expected a value, got nothing"):
        source.read()
    assert nn.Frame(frame, target="y", inputs=["n"], split=nn.Split(time="day")).read().columns["day"].tolist() == [1, 0, 18321, 2]


@pytest.mark.parametrize("make", KINDS)
def test_the_repr_of_a_frame_is_short_and_makes_no_copy(make):
    frame = make()
    source = nn.Frame(frame, target="y", validation=0.25)
    assert source.frame is frame and source._options["frame"] is frame
    kind = "mapping: 6 columns" if isinstance(frame, dict) else f"{type(frame).__module__.split('.')[0]}: 4 rows, 6 columns"
    assert repr(source) == f"Frame(<{kind}>, target='y', validation=0.25)"


@pytest.mark.parametrize("make", KINDS)
def test_a_frame_is_prepared(make):
    frame = make()
    prepared = nn.Frame(frame, target="n", inputs=["true", "day"], validation=0.25, transforms=[nn.Standardize()]).prepare(seed=0)
    assert prepared.training.x.shape == (3, 2) and len(prepared.validation.x) == 1
    with pytest.raises(nn.DataError, match=r"^inputs: row 1: column 'a': expected a finite number, got an empty cell or nan"):
        nn.Frame(frame, target="n", inputs=["a"]).prepare(seed=0)


def test_neither_polars_nor_pandas_is_imported_for_a_mapping():
    script = "import sys, nnframe as nn; nn.Frame({'a': [1, 2], 'y': [3, 4]}, target='y').prepare(0); assert not {'pandas', 'polars'} & set(sys.modules)"
    import subprocess

    subprocess.run([sys.executable, "-c", script], check=True)


BAD = {
    "no frame": (lambda: nn.Frame([1, 2], target="y"), nn.OptionError, r"Frame.frame: expected a data frame of polars or pandas, or a mapping of names to columns, got builtins.list"),
    "a path": (lambda: nn.Frame("data.csv", target="y"), nn.OptionError, r"got 'data.csv'"),
    "a mapping of nothing": (lambda: nn.Frame({}, target="y"), nn.OptionError, r"got an empty mapping"),
    "several lengths": (lambda: nn.Frame({"a": [1], "y": [1, 2]}, target="y").load(), nn.DataError, r"^frame: expected as many rows in all columns, got a 1, y 2"),
    "a matrix": (lambda: nn.Frame({"a": np.ones((2, 2)), "y": [1, 2]}, target="y").load(), nn.DataError, r"^frame: column 'a': expected \(rows,\), got \(2, 2\)"),
    "no rows": (lambda: nn.Frame({"a": [], "y": []}, target="y").load(), nn.DataError, r"^frame: the frame has no rows"),
    "no such column": (lambda: nn.Frame({"a": [1, 2], "y": [1, 2]}, target="z").load(), nn.DataError, r"^target: the frame has no column 'z'"),
    "an infinity": (lambda: nn.Frame({"a": [1, np.inf], "y": [1, 2]}, target="y").load(), nn.DataError, r"^inputs: row 1: column 'a': expected a finite number, got inf"),
    "texts among numbers": (lambda: nn.Frame({"a": [1, "2 USD", 3], "y": [1, 2, 3]}, target="y").load(), nn.DataError, r"row 1: column 'a': expected a finite number, got '2 USD'"),
    "numbers among texts": (lambda: nn.Frame({"a": ["u", 2, "v"], "y": [1, 2, 3]}, target="y").load(), nn.DataError, r"row 1: column 'a': expected a text, got 2"),
    "something else": (lambda: nn.Frame({"a": [{}, {}], "y": [1, 2]}, target="y").load(), nn.DataError, r"row 0: column 'a': expected a number, a text, a truth or a date, got dict {}"),
    "a missing target": (lambda: nn.Frame({"a": [1, 2], "y": [1, None]}, target="y").load(), nn.DataError, r"^target: row 1: column 'y': expected a finite number, got nothing"),
    "an empty column": (lambda: nn.Frame({"a": [1, 2], "b": [None, None], "y": [1, 2]}, target="y").load(), nn.DataError, r"the column 'b' is empty in all rows; write inputs: \[a\]"),
    "dates as texts": (lambda: nn.Frame({"a": ["2020-01-02", "2020-01-03"], "b": [1, 2], "y": [1, 2]}, target="y").load(), nn.DataError, r"make it a column of dates to have them as numbers of days"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_frame_is_told_with_row_and_column(case):
    call, error, words = BAD[case]
    with pytest.raises(error, match=words):
        call()


def test_decimals_and_moments_are_numbers():
    data = nn.Frame({"a": [Decimal("1.5"), Decimal(2)], "t": [datetime(1970, 1, 1, 12), None], "y": [1, 2]}, target="y").load()
    np.testing.assert_array_equal(data.x, [[1.5, 0.5], [2, np.nan]])


def test_two_columns_of_one_name_and_a_lazy_frame():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(nn.DataError, match=r"the frame has two columns of the name 'a'"):
        nn.Frame(pandas.DataFrame(np.ones((2, 3)), columns=["a", "a", "y"]), target="y").load()
    with pytest.raises(nn.OptionError, match=r"got polars.LazyFrame; call collect\(\) first"):
        nn.Frame(pytest.importorskip("polars").LazyFrame(COLUMNS), target="y")
    assert nn.Frame(pandas.DataFrame(np.eye(3)), target="2").load().inputs == ("0", "1")


# ------------------------------------------------------------------------------------------ Parquet


@pytest.fixture
def parquet(tmp_path):
    as_polars().write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_a_parquet_file_is_the_frame_that_was_written(parquet):
    data, frame = nn.Parquet(parquet, target="y").load(), nn.Frame(as_polars(), target="y").load()
    assert data.x.tobytes() == frame.x.tobytes() and data.y.tobytes() == frame.y.tobytes()
    assert (data.inputs, data.categories, data.classes) == (frame.inputs, frame.categories, frame.classes)
    assert nn.Parquet(parquet, target="y", inputs=["n"]).load().x.tolist() == [[3], [1], [2], [2]]


def test_mistakes_in_a_parquet_file_have_its_name_and_the_row(parquet, tmp_path):
    with pytest.raises(nn.DataError, match=r"^inputs: .*t.parquet, row 1: column 'a': expected a finite number, got an empty cell or nan"):
        nn.Parquet(parquet, target="y", inputs=["n", "a"]).prepare(0)
    with pytest.raises(nn.DataError, match=r"^target: .*t.parquet, row 1: column 'a': expected a finite number, got nothing"):
        nn.Parquet(parquet, target="a").load()
    with pytest.raises(nn.DataError, match=r"^inputs: .*t.parquet has no column 'N'. Did you mean 'n'\?"):
        nn.Parquet(parquet, target="y", inputs=["N"]).load()
    with pytest.raises(nn.FileError, match=r"^path: there is no file .*u.parquet. Did you mean 't.parquet'"):
        nn.Parquet(tmp_path / "u.parquet", target="y").load()
    for content in (b"", b"PAR1 no", b"a,b\n1,2\n", parquet.read_bytes()[:-20]):
        (tmp_path / "bad.parquet").write_bytes(content)
        with pytest.raises(nn.FileError, match=r"^path: .*bad.parquet is no Parquet file that can be read"):
            nn.Parquet(tmp_path / "bad.parquet", target="y").load()


def test_without_polars_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(nn.FileError, match=r"^path: .*t.parquet is read by polars, which is not installed: pip install 'nnframe\[data\]'"):
        nn.Parquet(tmp_path / "t.parquet", target="y").load()
