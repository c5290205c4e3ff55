"""CSV files as people have them: how they are written is found, texts and missing cells are told, and mistakes name file, line and column."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import nnframe as nn
from nnframe.data.sources import csv as reader
from nnframe.data.sources import form

ROWS = 20


def write(path, text):
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    return path


def csv(tmp_path, text, *, name="t.csv", target="y", **options):
    return nn.CSV(write(tmp_path / name, text), target=target, **options)


# ------------------------------------------------------------------------------------------ what is found

FOUND = {
    "commas": ("a,b,y\n1,2.5,3\n4,5,6\n", ()),
    "semicolons": ("a;b;y\n1;2.5;3\n4;5;6\n", ("t.csv: columns are separated by ';'",)),
    "tabs": ("a\tb\ty\n1\t2.5\t3\n4\t5\t6\n", ("t.csv: columns are separated by a tab",)),
    "bars": ("a|b|y\n1|2.5|3\n4|5|6\n", ("t.csv: columns are separated by '|'",)),
    "decimal commas": ("a;b;y\n1;2,5;3\n4;5;6\n", ("t.csv: columns are separated by ';', decimals are written with ','",)),
    "commas in the header": ("a;b;y\n1;2.5;3\n4;5;6\n", ("t.csv: columns are separated by ';'",)),
    "a mark in quotes": ('a,"b",y\n"1",2.5,3\n4,5,6\n', ()),
    "a byte-order mark": ("\ufeffa,b,y\n1,2.5,3\n4,5,6\n", ()),
    "spaces": (" a , b,y \n 1, 2.5 ,3\n4,5,6  \n", ()),
    "lines of Windows": (b"a,b,y\r\n1,2.5,3\r\n\r\n4,5,6\r\n", ()),
    "lines of an old Macintosh": (b"a,b,y\r1,2.5,3\r4,5,6\r", ()),
    "no end of the last line": ("a,b,y\n1,2.5,3\n4,5,6", ()),
}


@pytest.mark.parametrize("case", FOUND)
def test_how_a_file_is_written_is_found_and_said(tmp_path, case):
    text, notes = FOUND[case]
    data = csv(tmp_path, text).load()
    assert data.inputs == ("a", "b") and data.x.tolist() == [[1, 2.5], [4, 5]] and data.y.tolist() == [[3], [6]]
    assert data.notes == notes


def test_what_is_given_is_obeyed_and_not_said(tmp_path):
    data = csv(tmp_path, "a;b;y\n1;2,5;3\n4;5;6\n", delimiter=";", decimal=",", header=True).load()
    assert data.x.tolist() == [[1, 2.5], [4, 5]] and data.notes == ()
    data = csv(tmp_path, "0;2,5;3\n4;5;6\n", target="2", delimiter=";", decimal=",", header=False).load()
    assert data.x.tolist() == [[0, 2.5], [4, 5]] and data.inputs == ("0", "1") and data.notes == ()
    with pytest.raises(nn.DataError, match=r"has no column 'y'. Columns: a;b;y. Write delimiter: ';', if that separates them."):
        csv(tmp_path, "a;b;y\n1;2;3\n", delimiter=",").load()


NO_HEADER = {
    "numbers": ("5.1,3.5,0\n4.9,3,1\n", "2", True),
    "numbers and a class, columns by their numbers": ("5.1,3.5,setosa\n4.9,3,virginica\n", "2", True),
    "names": ("a,b,y\n4.9,3,1\n5,4,2\n", "y", False),
    "years as names": ("2019,2020,y\n4.9,3,1\n5,4,2\n", "y", False),
    "years as names alone": ("2019,2020\n4.9,3\n5,4\n", "2020", False),
    "as pandas numbers columns": ("0,1,2\n4.9,3,1\n5,4,2\n", "2", False),
}


@pytest.mark.parametrize("case", NO_HEADER)
def test_a_file_without_a_header_has_columns_by_number(tmp_path, case):
    text, target, headless = NO_HEADER[case]
    data = csv(tmp_path, text, target=target).load()
    assert len(data.x) == 2 and ("t.csv has no header: columns are named 0, 1, ..." in data.notes) == headless
    assert data.origin.lines.tolist() == ([1, 2] if headless else [2, 3])
    assert ("the first line, 0, 1, ..., is taken as the header" in "".join(data.notes)) == (case == "as pandas numbers columns")


def test_a_column_that_is_not_there_asks_for_the_header(tmp_path):
    with pytest.raises(
        nn.DataError,
        match=r"no column 'y'. Columns: 0, 1. The first line looks like data \(1, 2\), so columns are named by their places, 0, 1, ..., in quotes: name",
    ):
        csv(tmp_path, "1,2\n3,4\n").load()
    with pytest.raises(
        nn.DataError, match=r"no column 'species'. Columns: 5.1, setosa. The first line, taken as the header, looks like data: "
    ):
        csv(tmp_path, "5.1,setosa\n4.9,virginica\n", target="species").load()


def test_what_cannot_be_found_is_asked_for(tmp_path):
    with pytest.raises(nn.DataError, match=r"^path: .*t.csv: its lines may be separated by ',' and by '\|'; say which with `delimiter`"):
        csv(tmp_path, "a,b|y\nu,v|w\n").load()
    with pytest.raises(nn.DataError, match=r"^path: .*'1,234' may be 1.234 or 1234; write decimal: ',' if it is 1.234, or else"):
        csv(tmp_path, "a;y\n1,234;2\n5,678;3\n").load()
    assert csv(tmp_path, "a;y\n1,234;2\n5,678;3\n", decimal=",").load().x.tolist() == [[1.234], [5.678]]
    assert csv(tmp_path, "a;y\n1,234;2\n0,678;3\n").load().x.tolist() == [[1.234], [0.678]]


def test_numbers_decide_between_two_marks(tmp_path):
    data = csv(tmp_path, "height, cm;weight, kg;y\n1,5;2,5;3,5\n1,5;2,5;3,5\n").load()
    assert data.inputs == ("height, cm", "weight, kg") and data.x.tolist() == [[1.5, 2.5]] * 2


# ------------------------------------------------------------------------------------------ texts, truths, dates


def test_a_column_of_texts_is_categories(tmp_path):
    data = csv(tmp_path, "town,b,y\n New York ,1,0\nOslo,2,1\n?,3,0\nOslo,4,1\n").load()
    assert data.categories == {"town": ("New York", "Oslo")}
    np.testing.assert_array_equal(data.x, [[0, 1], [1, 2], [np.nan, 3], [1, 4]])
    with pytest.raises(nn.DataError, match=r"the column 'town' holds texts \(New York, Oslo\); write transforms: \[OneHot\]"):
        csv(tmp_path, "town,b,y\nNew York,1,0\nOslo,2,1\n").prepare(0)


def test_true_and_false_are_1_and_0_and_classes_of_a_target(tmp_path):
    data = csv(tmp_path, "a,y\nTrue,False\nfalse,True\n,True\n").load()
    np.testing.assert_array_equal(data.x, [[1], [0], [np.nan]])
    assert data.categories == {} and data.classes == ("False", "True") and data.y.tolist() == [0, 1, 1]


def test_labels_with_spaces(tmp_path):
    data = csv(tmp_path, "a,y\n1, Iris setosa \n2,Iris virginica\n3,Iris setosa\n").load()
    assert data.classes == ("Iris setosa", "Iris virginica") and data.y.tolist() == [0, 1, 0]


def test_classes_from_1_written_as_integers_are_numbers_unless_classes_say_so(tmp_path):
    text = "a,y\n1,1\n2,2\n3,3\n"
    assert csv(tmp_path, text).load().y.tolist() == [[1], [2], [3]]
    data = csv(tmp_path, text, target=nn.Target("y", classes=(1, 2, 3))).load()
    assert data.y.tolist() == [0, 1, 2] and data.classes == ("1", "2", "3")


def test_dates_are_days(tmp_path):
    text = "day,y\n1970-01-02,1\n1970-01-01 12:00,2\n2020-02-29T00:00:00,3\nNA,4\n"
    data = csv(tmp_path, text, dates=("day",)).load()
    np.testing.assert_array_equal(data.x, [[1], [0.5], [18321], [np.nan]])
    days = csv(tmp_path, "day,y\n2.1.1970,1\n01.01.1970 12:00,2\n29.02.2020,3\nNA,4\n", dates=("day",)).load()
    np.testing.assert_array_equal(days.x, data.x)
    for text in ("31/1/2020", "31.1.20", "1.13.2020", "31.1.20200"):
        with pytest.raises(
            nn.DataError, match=rf"^dates: .*t.csv:3: column 'day': expected a date such as 2020-01-31, .* or 31.1.2020, got '{text}'"
        ):
            csv(tmp_path, f"day,y\n1970-01-02,1\n{text},2\n", dates=("day",)).load()
    text = "day,y\n1970-01-02,1\n1970-01-01 12:00,2\n"
    with pytest.raises(nn.DataError, match=r"^dates: .*has no column 'dya'. Did you mean 'day'\?"):
        csv(tmp_path, text, dates=("dya",)).load()
    with pytest.raises(nn.DataError, match=r"^dates: .*t.csv:3: .*got '1970-01-02T00:00:00\+01:00'"):
        csv(tmp_path, "day,y\n1970-01-02,1\n1970-01-02T00:00:00+01:00,2\n", dates=("day",)).load()


def test_dates_among_the_inputs_are_told(tmp_path):
    text = "day,b,y\n2020-01-02,1,1\n2020-01-03,2,2\n"
    with pytest.raises(
        nn.DataError,
        match=r"^inputs: .*'day', which holds dates such as '2020-01-02'; write dates: \[day\] .*, or else write inputs: \[b\]",
    ):
        csv(tmp_path, text).load()
    assert csv(tmp_path, text, inputs=("day", "b")).load().categories == {"day": ("2020-01-02", "2020-01-03")}


def test_an_identifier_is_told_and_taken_if_it_is_named(tmp_path):
    text = "name,b,y\n" + "".join(f"person {i},{i % 7},{i % 2}\n" for i in range(60))
    with pytest.raises(
        nn.DataError, match=r"^inputs: .*'name', which looks like an identifier or free text; write inputs: \[b\] to leave it out"
    ):
        csv(tmp_path, text).load()
    assert len(csv(tmp_path, text, inputs=("name", "b")).load().categories["name"]) == 60
    text = "name,b,y\n" + "".join(f"person {i % 50},{i % 7},{i % 2}\n" for i in range(60))
    assert len(csv(tmp_path, text).load().categories["name"]) == 50


def test_columns_that_rows_are_split_by_are_no_inputs(tmp_path):
    text = "site,day,n,b,y\n" + "".join(f"s{i % 3},2020-01-0{1 + i},{i % 4},{i * i % 5},{i % 2}\n" for i in range(8))
    data = csv(tmp_path, text, split=nn.Split(groups="site"), inputs=("b",)).read()
    assert data.columns["site"].tolist() == ["s0", "s1", "s2", "s0", "s1", "s2", "s0", "s1"] and data.inputs == ("b",)
    data = csv(tmp_path, text, split=nn.Split(time="day"), inputs=("b",)).read()
    assert data.columns["day"].tolist() == [18262 + i for i in range(8)]
    data = csv(tmp_path, text, split=nn.Split(groups="n"), inputs=("n", "b")).read()
    assert data.columns["n"].tolist() == [0, 1, 2, 3] * 2 and data.inputs == ("n", "b")
    data = csv(tmp_path, text, split=nn.Split(time="day"), dates=("day",)).read()
    assert data.inputs == ("site", "n", "b")
    with pytest.raises(nn.DataError, match=r"^split.groups: .*has no column 'sight'"):
        csv(tmp_path, text, split=nn.Split(groups="sight")).read()
    with pytest.raises(nn.DataError, match=r"^split.groups: .*t.csv:3: column 'site': expected a value, got an empty cell"):
        csv(tmp_path, "site,b,y\ns,1,2\n,2,3\n", split=nn.Split(groups="site")).read()


# ------------------------------------------------------------------------------------------ missing values


@pytest.mark.parametrize("cell", ["", " ", "NA", "N/A", "NaN", "nan", "null", "None", "?", " ? "])
def test_a_missing_input_is_nan_and_refused_unless_a_transform_fills_it(tmp_path, cell):
    source = csv(tmp_path, f"a,b,y\n1,2,3\n{cell},5,6\n7,8,9\n")
    assert np.isnan(source.load().x[1, 0])
    with pytest.raises(
        nn.DataError,
        match=r"^inputs: .*t.csv:3: column 'a': expected a finite number, got an empty cell or nan; write transforms: \[Impute\]",
    ):
        source.prepare(0)


def test_missing_says_which_texts_are(tmp_path):
    text = "a,b,y\n1,2,3\n-999,5,6\n7,8,9\n"
    assert csv(tmp_path, text).load().x[1, 0] == -999
    assert np.isnan(csv(tmp_path, text, missing=("-999",)).load().x[1, 0])
    with pytest.raises(nn.DataError, match=r"t.csv:3: column 'a': expected a finite number, got an empty cell"):
        csv(tmp_path, "a,b,y\n1,2,3\n,5,6\n7,8,9\n", missing=("-999",)).load()
    with pytest.raises(nn.DataError, match=r"t.csv:3: column 'a': expected a finite number, got 'nan'"):
        csv(tmp_path, "a,b,y\n1,2,3\nnan,5,6\n7,8,9\n", missing=("-999",)).load()


MISSING = {
    "target": ("a,y\n1,2\n2,\n3,4\n", {}, r"^target: .*t.csv:3: column 'y': expected a finite number, got an empty cell"),
    "class": ("a,y\n1,u\n2,None\n3,v\n", {}, r"^target: .*t.csv:3: column 'y': expected a class, got 'None', which stands for a missing value \(see `missing`\)"),
    "weight": ("a,w,y\n1,1,2\n2,NA,3\n", {"weight": "w"}, r"^weight: .*t.csv:3: column 'w': expected a finite number, got 'NA'"),
    "all": ("a,b,y\n,1,2\nNA,2,3\n", {}, r"^inputs: .*t.csv: the column 'a' is empty in all rows; write inputs: \[b\] to leave it out"),
    "all of the target": ("a,y\n1,\n2,\n", {}, r"^target: .*t.csv:2: column 'y': expected a finite number, got an empty cell"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_what_must_not_be_missing(tmp_path, case):
    text, options, words = MISSING[case]
    with pytest.raises(nn.DataError, match=words):
        csv(tmp_path, text, **options).load()


def test_a_class_that_is_named_is_not_missing(tmp_path):
    data = csv(tmp_path, "a,y\n1,Some\n2,None\n", target=nn.Target("y", ("None", "Some"))).load()
    assert data.y.tolist() == [1, 0]


# ------------------------------------------------------------------------------------------ bad data

BAD = {
    "a short row": ("a,b,y\n1,2,3\n4,5\n", {}, r"t.csv:3: expected 3 cells, as in the header, got 2"),
    "a long row": ("a,b,y\n1,2,3\n4,5,6,7\n", {}, r"t.csv:3: expected 3 cells, as in the header, got 4"),
    "a long row without a header": ("1,2,3\n4,5,6,7\n", {"target": "2"}, r"t.csv:2: expected 3 cells, as in the first line, got 4"),
    "a row of one cell among semicolons": ("a;y\n1;2\n3\n", {}, r"t.csv:3: expected 2 cells, as in the header, got 1"),
    "a wrong column": ("weight,y\n1,2\n", {"target": "wieght"}, r"^target: .*no column 'wieght'. Did you mean 'weight'\? Columns: weight, y\."),
    "a wrong input": ("a,y\n1,2\n", {"inputs": ("b",)}, r"^inputs: .*t.csv has no column 'b'"),
    "an infinity": ("a,y\n1,2\ninf,3\n4,5\n", {}, r"^inputs: .*t.csv:3: column 'a': expected a finite number, got 'inf'"),
    "infinities alone": ("a,y\ninf,2\n-inf,3\n", {}, r"t.csv:2: column 'a': expected a finite number, got 'inf'"),
    "an infinite target": ("a,y\n1,2\n2,1e999\n4,5\n", {}, r"^target: .*t.csv:3: column 'y': expected a finite number, got '1e999'"),
    "a header without rows": ("a,b,y\n", {}, r"t.csv has a header but no rows"),
    "two columns of one name": ("a,a,y\n1,2,3\n", {}, r"t.csv:1: the column 'a' stands twice in the header"),
    "nothing": ("", {}, r"^path: .*t.csv is empty; expected a header line and rows"),
    "empty lines": ("\n\n\n", {}, r"t.csv is empty; expected a header line and rows"),
    "a unit": ("a,y\n150.00,1\n151.00 USD,2\n152,3\n", {}, r"t.csv:3: column 'a': expected a finite number, got '151.00 USD'; write the number alone, 151$"),
    "decimal commas and decimal: .": ("a;y\n1,5;2\n2,5;3\n", {"decimal": "."}, r"t.csv:2: column 'a': expected a finite number, got '1,5', and 1 more such cell; write decimal: ',' if"),
    "decimal points and decimal: ,": ("a;y\n1.5;2\n2.5;3\n", {"decimal": ","}, r"t.csv:2: column 'a': expected a finite number, got '1.5', and 1 more such cell; write decimal: '.' if"),
    "both": ("a;b;y\n1,5;2.5;2\n2,5;3.5;3\n", {}, r"t.csv:2: column 'a': expected a finite number, got '1,5', and 1 more such cell; decimals are marked by one sign in all columns, and in 'b' that is '.'"),
    "an unknown class": ("a,y\n1,u\n2,w\n", {"target": nn.Target("y", ("u", "v"))}, r"^target: .*t.csv:3: column 'y': 'w' is not among the classes u, v"),
    "Latin-1": ("a,y\né,1\n".encode("latin-1"), {}, r"expected text in UTF-8, got byte 0xe9; it looks like cp1252 \(Windows\), 'é,1': write encoding: cp1252, or save the file as UTF-8"),
    "no encoding at all": (b"a,y\n\x81,1\n", {}, r"t.csv:2: expected text in UTF-8, got byte 0x81; save the file as UTF-8"),
    "another encoding": ("a,y\né,1\n", {"encoding": "ascii"}, r"expected text in ascii, got byte 0xc3; write the encoding that the file has"),
    "UTF-16 that is none": ("a,y\n1,1\n", {"encoding": "utf-16"}, r"expected text in utf-16: .*BOM; write the encoding"),
    "a text as weight": ("a,w,y\n1,u,2\n2,v,3\n", {"weight": "w"}, r"^weight: .*t.csv:2: column 'w': expected a finite number, got 'u'"),
    "no input": ("y\n1\n2\n", {}, r"^inputs: .*t.csv has no column beside the target"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_told_with_file_line_and_column(tmp_path, case):
    text, options, words = BAD[case]
    with pytest.raises(nn.DataError, match=words):
        csv(tmp_path, text, **options).load()


def test_options_that_do_not_go_together(tmp_path):
    with pytest.raises(nn.OptionError, match=r"CSV.decimal: a comma cannot separate columns and mark decimals"):
        nn.CSV("t.csv", target="y", delimiter=",", decimal=",")


def test_one_class_cannot_be_learnt(tmp_path):
    with pytest.raises(nn.DataError, match=r"^target: .*one class only, 'u'"):
        csv(tmp_path, "a,y\n1,u\n2,u\n").prepare(0)
    with pytest.raises(nn.DataError, match=r"^target: .*one class only, 'u'"):
        csv(tmp_path, "a,y\n1,u\n2,u\n", target=nn.Target("y", ("v", "u"))).prepare(0)


@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 30), lambda path: path.write_text("a,y\n" + "1,2\n" * 101)])
def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch, change):
    source = csv(tmp_path, "a,y\n" + "1,2\n" * 100)
    found = form.beginning

    def beginning(file, path):
        lines = found(file, path)
        change(path)
        return lines

    monkeypatch.setattr(form, "beginning", beginning)
    with pytest.raises(nn.FileError, match=r"^path: .*t.csv changed while it was read; try again when nothing writes to it"):
        source.load()


def test_a_hundred_thousand_rows_take_less_than_two_seconds(tmp_path, rng):
    path = tmp_path / "t.csv"
    np.savetxt(path, rng.normal(size=(100_000, 10)), "%.6f", delimiter=",", header=",".join("abcdefghiy"), comments="")
    script = "import sys, time, nnframe as nn; begun = time.process_time(); data = nn.CSV(sys.argv[1], target='y').load(); print(time.process_time() - begun, data.x.shape)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )  # where nothing else is in memory
    seconds, shape = done.stdout.split(maxsplit=1)
    assert float(seconds) < 2 and shape.strip() == "(100000, 9)"


# ------------------------------------------------------------------------------------------ large files

TWICE = {
    "numbers": ("a,b,y\n" + "".join(f"{i}.5,{i * i % 7},{i % 3}e-1\n" for i in range(ROWS)), {}),
    "semicolons": ("a;b;y\n" + "".join(f"{i}.5;{i * i % 7};{i % 3}\n" for i in range(ROWS)), {}),
    "decimal commas": ("a;b;y\n" + "".join(f"{i},5;{i * i % 7};{i % 3}\n" for i in range(ROWS)), {}),
    "no header": ("".join(f"{i}.5,{i * i % 7},{i % 3}\n" for i in range(ROWS)), {"target": "2"}),
    "missing": ("a,b,y\n" + "".join(f"{'' if i == 3 else i}.0,{i * i % 7},{i % 3}\n".replace("\n.0", "\n") for i in range(ROWS)).replace(".0,", ","), {}),
    "missing by names": ("a,b,y\n" + "".join(f"{'NA' if i == 3 else i},{'nan' if i > 6 else i},{i % 3}\n" for i in range(ROWS)), {}),
    "nan far down": ("a,b,y\n" + "".join(f"{'nan' if i == 900 else i + 5},{i % 7},{i % 3}\n" for i in range(1000)), {}),
    "na far down": ("a,b,y\n" + "".join(f"{'NA' if i == 900 else i + 5},{i % 7},{i % 3}\n" for i in range(1000)), {}),
    "texts": ("a,b,y\n" + "".join(f"{['u', 'v', 'w'][i % 3]},{i % 7},{['yes', 'no'][i % 2]}\n" for i in range(ROWS)), {}),
    "texts with spaces": ("a,b,y\n" + "".join(f" {['u', 'v', 'w'][i % 3]} ,{i % 7},{['yes', 'no'][i % 2]} \n" for i in range(ROWS)), {}),
    "texts and missing": ("a,b,y\n" + "".join(f"{['u', 'NA', '', ' '][i % 4]},{i % 7},{['yes', 'no'][i % 2]}\n" for i in range(ROWS)), {}),
    "quoted": ("a,b,y\n" + "".join(f'"{i}.5",{i * i % 7},{i % 3}\n' for i in range(ROWS)), {}),
    "a quoted text of two lines": ("a,b,y\n" + "".join(f'"u\nv",{i * i % 7},{i % 3}\n' for i in range(ROWS)), {}),
    "truths": ("a,b,y\n" + "".join(f"{i % 3 == 0},{i % 7},{i % 2 == 0}\n" for i in range(ROWS)), {}),
    "dates": ("a,b,y\n" + "".join(f"2020-01-{10 + i},{i % 7},{i % 3}\n" for i in range(ROWS)), {"dates": ("a",)}),
    "groups": ("a,b,y\n" + "".join(f"{'uvw'[i % 3]},{i % 7},{i % 3}\n" for i in range(ROWS)), {"split": nn.Split(groups="a")}),
    "numbers as classes": ("a,b,y\n" + "".join(f"{i % 3},{i % 7},{i % 2}\n" for i in range(ROWS)), {"target": nn.Target("y", (1, 0))}),
    "empty lines": ("a,b,y\n" + "".join(f"{i}.5,{i * i % 7},{i % 3}\n\n" for i in range(ROWS)), {}),
    "empty lines at the end": ("a,b,y\n" + "".join(f"{i}.5,{i * i % 7},{i % 3}\n" for i in range(ROWS)) + "\n\n", {}),
    "lines of Windows": ("a,b,y\r\n" + "".join(f"{i}.5,{i * i % 7},{i % 3}\r\n" for i in range(ROWS)), {}),
    "a byte-order mark": ("\ufeffa,b,y\n" + "".join(f"{i}.5,{i * i % 7},{i % 3}\n" for i in range(ROWS)), {}),
    "a byte-order mark and no header": ("\ufeff" + "".join(f"{i}.5,{i * i % 7},{i % 3}\n" for i in range(ROWS)), {"target": "2"}),
    "missing that are numbers": ("a,b,y\n" + "".join(f"{-999 if i == 3 else i},{i * i % 7},{i % 3}\n" for i in range(ROWS)), {"missing": ("-999",)}),
    "long digits": ("a,b,y\n" + "".join(f"{i}.12345678901234567890123,{2**70 + i},{i % 3}\n" for i in range(ROWS)), {}),
    "a weight and several targets": ("a,b,c,y\n" + "".join(f"{i}.5,{i * i % 7},{i % 3},1\n" for i in range(ROWS)), {"weight": "b", "target": ("c", "y")}),
    "points among decimal commas": ("a;b;y\n" + "".join(f"{i},5;{i * i % 7};{'1.5' if i == 900 else i % 3}\n" for i in range(1000)), {}),
}  # fmt: skip
polars_only = pytest.mark.skipif(importlib.util.find_spec("polars") is None, reason="needs polars")


def parts(data):
    arrays = {"x": data.x, "y": data.y, "weight": data.weight, "lines": data.origin.lines} | {
        f"columns.{k}": v for k, v in data.columns.items()
    }
    plain = {"inputs": data.inputs, "targets": data.targets, "classes": data.classes, "categories": data.categories, "notes": data.notes}
    layouts = {name: (a.dtype, a.shape, a.strides, a.tobytes()) for name, a in arrays.items() if a is not None}
    return layouts | plain | {"origin": data.origin.name}


def outcome(source):
    try:
        return parts(source.read())
    except nn.NNFrameError as error:
        return str(error)


@polars_only
@pytest.mark.parametrize("case", [*TWICE, *(f"bad: {case}" for case in BAD)])
def test_polars_reads_the_very_same(tmp_path, monkeypatch, case):
    text, options = TWICE[case] if case in TWICE else BAD[case.removeprefix("bad: ")][:2]
    source = csv(tmp_path, text, **options)
    expected = outcome(source)
    monkeypatch.setattr(reader, "LARGE", -1)
    assert outcome(source) == expected


@polars_only
@pytest.mark.parametrize("case", ["numbers", "semicolons", "decimal commas", "missing", "missing by names", "nan far down", "na far down", "texts", "truths", "dates"])  # fmt: skip
def test_polars_does_read_it(tmp_path, monkeypatch, case):
    text, options = TWICE[case]
    monkeypatch.setattr(reader, "LARGE", -1)
    monkeypatch.setattr(reader.Cells, "__init__", None)
    csv(tmp_path, text, **options).load()


def test_a_large_file_without_polars_is_read_and_advice_given(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "LARGE", -1)
    monkeypatch.setitem(sys.modules, "polars", None)
    data = csv(tmp_path, "a,y\n1,2\n2,3\n").load()
    assert data.x.tolist() == [[1], [2]] and data.notes == ("t.csv has 0 MiB: pip install 'nnframe[data]' reads it much faster",)


# ------------------------------------------------------------------------------------------ texts to predict by


class Encoded(nn.Transform):
    """A column for each text: stands for what encodes texts."""

    takes = "texts"

    def apply(self, x):
        return np.concatenate([x[:, [i]] == np.arange(len(texts)) for i, texts in enumerate(self.categories)], axis=1).astype(float)

    def names(self):
        return tuple(f"{name}={text}" for name, texts in zip(self.inputs, self.categories, strict=True) for text in texts)

    def kept_categories(self):
        return {}


def test_a_row_to_predict_by_has_texts(tmp_path):
    text = "town,size,b,y\nOslo,1 m,1,0\nNew York,2 m,2,1\nOslo,1 m,3,1\n"
    prepared = csv(tmp_path, text, transforms=[nn.OneHot()]).prepare(0)
    assert prepared.training.inputs == ("b", "town=New York", "town=Oslo", "size=1 m", "size=2 m")
    assert prepared.inputs_of({"town": "Oslo", "size": "2 m", "b": 5}).tolist() == [5, 0, 1, 0, 1]
    for row, words in [
        ({"town": "oslo", "size": "2 m", "b": 5}, r"^column 'town': 'oslo' is not in the training part, which has New York, Oslo"),
        ({"town": "Oslo", "size": "2 m", "b": "5 kg"}, r"^b: expected a number, got '5 kg'; write 5"),
        ({"town": 3, "size": "2 m", "b": 5}, r"^column 'town': '3' is not in the training part"),
        ({"town": "Oslo", "b": 5}, r"needs a value for the input 'size'"),
    ]:
        with pytest.raises(nn.DataError, match=words):
            prepared.inputs_of(row)


def test_texts_that_are_numbers_are_found_by_numbers_too(tmp_path):
    frame = {"code": ["1", "2", "1"], "b": [1, 2, 3], "y": [0.0, 1, 1]}
    prepared = nn.Frame(frame, target="y", transforms=[Encoded()]).prepare(0)
    assert prepared.inputs_of({"code": 2.0, "b": 1}).tolist() == prepared.inputs_of({"code": "2", "b": 1}).tolist() == [1, 0, 1]
