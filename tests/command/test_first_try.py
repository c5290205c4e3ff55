"""What a newcomer gets wrong: one look at the answer is enough, and what it says to write then works."""

import re

import pytest

from nnframe import __main__ as command

HEIGHTS = [(155.4, 83.9, 50.5), (171.25, 61.5, 21.75), (180.5, 72.5, 33.25), (166.5, 55.5, 48.5), (190.5, 88.5, 27.5), (160.5, 66.5, 31.5)]
REGRESSION = """
data: {type: CSV, path: rows.csv, target: price}
model: [{type: Dense, units: 2}, Tanh, {type: Dense, units: 1}]
loss: MSE
optimizer: {type: Adam, lr: 0.01}
train: {epochs: 2, batch_size: 4}
"""
CLASSES = REGRESSION.replace("price", "kind").replace("units: 1", "units: 3").replace("MSE", "CrossEntropy")


def rows(cell=str, head="h,w,price", mark=",", last=None):
    """The table as a file's text; `cell` writes a number, `last` those of the third column."""
    lines = [mark.join([cell(h), cell(w), (last or cell)(price)]) for h, w, price in HEIGHTS]
    return "\n".join([*([head.replace(",", mark)] if head else []), *lines]) + "\n"


def comma(number):
    return str(number).replace(".", ",")


def holes(first, second="72.5"):
    return rows().replace("61.5", first).replace("72.5", second)


KINDS = rows(head="h,w,kind", last=lambda price: "abc"[int(price) % 3])
ONES = rows(head="h,w,kind", last=lambda price: str(1 + int(price) % 3))

# what stands in rows.csv, what is written on the command line, what is answered, and what is written then
CASES = {
    "decimal commas in quotes": (rows(lambda n: f'"{comma(n)}"'), [], r"rows.csv:2: column 'h': .* got '155,4', and 5 more such cells; write decimal: ',' if that marks its decimals", ["data.decimal=','"]),
    "decimal commas in one column": (rows(mark=";").replace("155.4", "155,4"), [], r"rows.csv:2: column 'h': .* got '155,4'; decimals are marked by one sign in all columns, and in 'h' that is '.'", rows(mark=";")),
    "decimal commas without quotes": (rows(comma), [], r"rows.csv:2: expected 3 cells, as in the header, got 6; a comma inside a number or a text wants quotes around it, or columns separated by ';'", rows(comma, mark=";")),
    "marks of thousands": (rows(last=lambda n: f'"{1000 * n:,.0f}"'), [], r"got '50,500', and 5 more such cells; .*; if commas mark thousands here, write 50500", rows(last=lambda n: f"{1000 * n:.0f}")),
    "semicolons, and told otherwise": (rows(mark=";"), ["data.delimiter=','"], r"has no column 'price'\. .* Write delimiter: ';', if that separates them", ["data.delimiter=';'"]),
    "no header": (rows(head=None), [], r"rows.csv has no column 'price'. Columns: 0, 1, 2. The first line looks like data \(155.4, 83.9, 50.5\), so columns are named by their places, 0, 1, ..., in quotes: name one of these, or put a line of names above", ["data.target='2'"]),
    "no header, and a text": ("Rome,83.9,50.5\nOslo,61.5,21.75\nRome,72.5,33.25\n", [], r"The first line, taken as the header, looks like data: put a line of names above it, or write header: false", ["data.header=false", "data.target='2'", "data.transforms=[OneHot]"]),
    "no header, and texts alone": ("a,b,c\na,b,d\n", [], r"Columns: a, b, c. The first line, taken as the header, looks like data", rows()),
    "an empty cell": (holes(""), [], r"rows.csv:3: column 'w': expected a finite number, got an empty cell or nan; write transforms: \[Impute\], or leave out the row or the column", ["data.transforms=[Impute]"]),
    "a question mark and an empty cell": (holes("?", ""), [], r"rows.csv:3: column 'w': .* an empty cell or nan, and 1 more such cell in 'w'; write transforms: \[Impute\]", ["data.transforms=[Impute]"]),
    "an empty target": (rows().replace("21.75", "").replace("33.25", ""), [], r"data.target: .*rows.csv:3: column 'price': expected a finite number, got an empty cell, and 1 more such cell; leave out the rows", rows()),
    "a dash for what is missing": (holes("-", "-"), [], r"rows.csv:3: column 'w': .* got '-', and 1 more such cell; if it stands for a missing value, write missing: \['-'\]", ["data.missing=['-']", "data.transforms=[Impute]"]),
    "bad cells in two columns": (holes("abc", "x").replace("155.4", "tall"), [], r"rows.csv:2: column 'h': expected a finite number, got 'tall'[^\n]*\n\S* data.inputs: \S*rows.csv:3: column 'w': expected a finite number, got 'abc', and 1 more such cell\n2 mistakes", rows()),
    "a column of texts": (rows(head="h,w,price").replace("155.4", "Rome").replace("171.25", "Oslo").replace("180.5", "Rome").replace("166.5", "Oslo").replace("190.5", "Oslo").replace("160.5", "Rome"), [], r"the column 'h' holds texts \(Oslo, Rome\); write transforms: \[OneHot\] to encode it, or leave it out with inputs: \[w\]", ["data.inputs=[w]"]),
    "two columns of texts": ("town,sex,h,price\nRome,f,1,2\nOslo,m,2,3\nRome,m,4,4\n", [], r"the column 'town' holds texts \(Oslo, Rome\), and so does 'sex'; write transforms: \[OneHot\] to encode them, or leave them out with inputs: \[h\]", ["data.transforms=[OneHot]"]),
    "ISO dates": ("day,h,price\n2020-01-31,1,2\n2020-02-01,2,3\n2020-03-01,4,4\n", [], r"the column 'day', which holds dates such as '2020-01-31'; write dates: \[day\] to have them as numbers of days, or else write inputs: \[h\] to leave it out", ["data.dates=[day]"]),
    "other dates": ("day,h,price\n31/01/2020,1,2\n1/02/2020,2,3\n1/3/2020,4,4\n", [], r"the column 'day', with texts such as '1/02/2020'; dates are read where they are written 2020-01-31 or 31.1.2020, or else write inputs: \[h\] to leave it out", ["data.inputs=[h]"]),
    "dates with points": ("day,h,price\n31.01.2020,1,2\n1.02.2020,2,3\n1.3.2020,4,4\n", [], r"the column 'day', which holds dates such as '1.02.2020'; write dates: \[day\] to have them as numbers of days", ["data.dates=[day]"]),
    "dates that are no inputs": (rows(), ["data.inputs=[h]", "data.dates=[w]"], r"data.dates: 'w' is not among the inputs; name it there too, or leave it out here", ["data.dates=[]"]),
    "no such encoding": (rows(), ["data.encoding=windows"], r"data.encoding: expected the name of an encoding of texts, such as utf-8, cp1252 \(Windows\), latin-1 or utf-16, got 'windows'", ["data.encoding=cp1252"]),
    "classes from 1": (ONES, ["data.target=kind", "model.2.units=3", "loss=CrossEntropy"], r"the target 'kind' has classes from 1 to 3, and they are numbered from 0; write target: \{column: kind, classes: \[1, 2, 3\]\}", ["data.target={column: kind, classes: [1, 2, 3]}"]),
    "a target with a unit": (rows(last=lambda n: f"{n:.2f} USD"), [], r"data.target: the target has 6 classes \(21.75 USD, .*\), but the model has outputs \(1,\); without 'USD' in its cells they are numbers", rows()),
    "an input with a sign": (rows(lambda n: f"${n}", last=str), [], r"the column 'h' holds texts .*; without '\$' in its cells they are numbers", rows()),
    "a cell with a unit": (holes("151.00 USD"), [], r"rows.csv:3: column 'w': expected a finite number, got '151.00 USD'; write the number alone, 151\n", rows()),
    "ModelCheckpoint": (rows(), ["callbacks=[{type: ModelCheckpoint, monitor: val_loss, save_best_only: true}]"], r"callbacks.0.type: unknown callback 'ModelCheckpoint'. Write \{type: BestWeights, monitor: val_loss\}", ["data.validation=0.4", "callbacks=[{type: BestWeights, monitor: val_loss}]"]),
    "ReduceLROnPlateau": (rows(), ["callbacks=[ReduceLROnPlateau]"], r"callbacks.0: unknown callback 'ReduceLROnPlateau'. No callback lowers the learning rate; write a schedule in its place, such as optimizer.lr: \{type: Cosine, start: 0.01\}", ["callbacks=[]", "optimizer.lr={type: Cosine, start: 0.01}"]),
    "TensorBoard": (rows(), ["callbacks=[TensorBoard]"], r"unknown callback 'TensorBoard'. Leave it out: every epoch is in the run's losses.csv", ["callbacks=[]"]),
    "float16": (rows(), ["dtype=float16"], r"dtype: expected one of 'float32', 'float64', got 'float16'. Write float32: a CPU computes no faster in 16 bits", ["dtype=float32"]),
    "seeds": (rows(), ["seed=[1,2,3]"], r"seed: expected an integer .*, got a list of 3; for several write 'sweep.seeds=\[1,2,3\]'", ["seed=0", "sweep.seeds=[1,2,3]"]),
    "seeds as a text": (rows(), ["seed=1, 2, 3"], r"seed: .*; for several write 'sweep.seeds=\[1,2,3\]'", ["seed=0", "sweep.seeds=[1,2,3]"]),
    "--lr 0.1": (rows(), ["--lr", "0.1"], r"^nnframe run: unknown option --lr; write optimizer.lr=0.1\n$", ["optimizer.lr=0.1"]),
    "--lr=0.1": (rows(), ["--lr=0.1"], r"unknown option --lr; write optimizer.lr=0.1\n$", ["optimizer.lr=0.1"]),
    "-lr": (rows(), ["-lr", "0.1"], r"unknown option -lr; write optimizer.lr=0.1\n$", ["optimizer.lr=0.1"]),
    "--learning-rate": (rows(), ["--learning-rate", "1e-3"], r"unknown option --learning-rate; write optimizer.lr=1e-3\n$", ["optimizer.lr=1e-3"]),
    "--epochs and --batch-size": (rows(), ["--epochs", "3", "--batch-size", "2"], r"unknown option --epochs; write train.epochs=3\n.*unknown option --batch-size; write train.batch_size=2\n$", ["train.epochs=3", "train.batch_size=2"]),
    "--units": (rows(), ["--units", "3"], r"unknown option --units; write model.0.units=3 or model.2.units=3\n$", ["model.0.units=3"]),
    "--seeds": (rows(), ["--seeds", "2"], r"unknown option --seeds; write sweep.seeds=2\n$", ["sweep.seeds=2"]),
    "--optimizer.lr": (rows(), ["--optimizer.lr", "0.1"], r"unknown option --optimizer.lr; write optimizer.lr=0.1\n$", ["optimizer.lr=0.1"]),
    "--gpu": (rows(), ["--gpu"], r"unknown option --gpu. Leave it out: nnframe computes on the CPU.\n$", []),
    "--output": (rows(), ["--output", "x"], r"unknown option --output. Did you mean --out\?\n$", ["--out", "x"]),
    "a validation file without a column": (rows(), ["data.validation={type: CSV, path: less.csv, target: price}"], r"data.validation: expected inputs h, w, got h; less.csv lacks 'w'\n", ["data.validation={type: CSV, path: more.csv, target: price, inputs: [h, w]}"]),
    "a validation file with another column": (rows(), ["data.validation={type: CSV, path: more.csv, target: price}"], r"data.validation: expected inputs h, w, got h, w, note; 'note' is not trained on; write inputs: \[h, w\] there\n", ["data.validation={type: CSV, path: more.csv, target: price, inputs: [h, w]}"]),
    "a validation file without a class": (KINDS, ["data.target=kind", "model.2.units=3", "loss=CrossEntropy", "data.validation={type: CSV, path: two.csv, target: kind}"], r"data.validation: expected classes a, b, c, got a, b; name them in `classes`: write target: \{column: kind, classes: \[a, b, c\]\} there\n", ["data.validation={type: CSV, path: two.csv, target: {column: kind, classes: [a, b, c]}}"]),
    "a validation file with another class": (KINDS, ["data.target=kind", "model.2.units=3", "loss=CrossEntropy", "data.validation={type: CSV, path: four.csv, target: kind}"], r"data.validation: expected classes a, b, c, got a, b, c, d; d is not in the rows to train on; name them in `classes` of both, or leave those rows out\n", ["data.validation=0.4"]),
    "predict without two inputs": (rows(), ["predict={Ann: {}, Bob: {h: 3}}"], r"predict.Ann: needs a value for each of the inputs 'h', 'w'. Inputs: h, w.\n.*predict.Bob: needs a value for the input 'w'", ["predict={Ann: {h: 1, w: 2}, Bob: {h: 3, w: 4}}"]),
    "predict with texts": (rows(), ["predict={Ann: {h: tall, w: 83 kg}}"], r"predict.Ann.h: expected a number, got 'tall'; 'w': expected a number, got '83 kg'; write 83\n", ["predict={Ann: {h: 1, w: 83}}"]),
}  # fmt: skip


def do(capsys, *arguments):
    try:
        status = command.main(["run", "c.yaml", *arguments])
    except SystemExit as end:  # argparse
        status = end.code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


@pytest.mark.parametrize("case", CASES)
def test_one_look_at_the_answer_is_enough(tmp_path, monkeypatch, capsys, case):
    text, arguments, words, then = CASES[case]
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "c.yaml": REGRESSION,
        "rows.csv": text,
        "less.csv": "h,price\n1,2\n3,4\n",
        "more.csv": "h,w,price,note\n1,2,3,4\n3,4,5,6\n",
        "two.csv": "h,w,kind\n1,2,a\n3,4,b\n",
        "four.csv": "h,w,kind\n1,2,a\n3,4,b\n5,6,c\n7,8,d\n",
    }.items():
        (tmp_path / name).write_text(content)
    status, out, err = do(capsys, *arguments)
    assert (status, out) == (2, "") and re.search(words, err, re.S if "\\n." in words else 0), err
    if isinstance(then, str):
        (tmp_path / "rows.csv").write_text(then)
        then = []
    kept = [argument for argument in arguments if argument[0] != "-" and "=" in argument and argument.partition("=")[0] not in str(then)]
    assert do(capsys, *kept, *then)[0] == 0


@pytest.mark.parametrize(
    "encoding, words",
    {"cp1252": r":3: .* got byte 0xf6; it looks like cp1252 \(Windows\), 'Köln,2,3'", "utf-16": r": .*; it looks like UTF-16"}.items(),
)
def test_a_file_in_another_encoding(tmp_path, monkeypatch, capsys, encoding, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("town,h,price\nRom,1,2\nKöln,2,3\nRom,3,4\n", encoding=encoding)
    (tmp_path / "c.yaml").write_text(REGRESSION)
    status, _, err = do(capsys, "data.transforms=[OneHot]")
    assert status == 2 and re.search(rf"data.path: \S*rows.csv{words}: write encoding: {encoding}, or save the file as UTF-8\n$", err)
    status, out, _ = do(capsys, "data.transforms=[OneHot]", f"data.encoding={encoding}", "--out", "runs")
    assert status == 0
    for verb in (["predict"], ["evaluate"]):  # which read a file as training did
        assert command.main([*verb, out.splitlines()[-1], "rows.csv"]) == 0


HEATING = ["gas", "oil", "", "wood"]


def houses(skip=""):
    """A file as an office exports it: semicolons, decimal commas, gaps, an identifier, texts, dates and notes."""
    lines = ["id;area;rooms;built;heating;sold;notes;price"]
    for i in range(60):
        area, built = f"{50 + 37 * i % 90},5", "" if i % 7 == 3 else 1950 + 11 * i % 70
        lines.append(
            f"{10_000 + 7 * i};{area};{2 + i % 5};{built};{HEATING[i % 4]};{i % 28 + 1:02}.03.2021;note {i}, as told;{100 + 3 * i},25"
        )
    rows = [[cell for cell, name in zip(line.split(";"), lines[0].split(";"), strict=True) if name not in skip.split()] for line in lines]
    return "\n".join(map(";".join, rows)) + "\n"


@pytest.mark.parametrize(
    "skip, given, told, write",
    [
        (
            "",
            "[Standardize]",
            [
                "rows.csv has the column 'sold', which holds dates such as '01.03.2021'; write dates: [sold] to have them as numbers of days",
                "rows.csv has the column 'notes', which looks like an identifier or free text",
                "id holds whole numbers, all different and rising: an identifier?",
                "cells are empty in 'built'",
                "cells are empty in the texts of 'heating'",
                "there are texts in 'heating'",
            ],
            "inputs: [area, rooms, built, heating], transforms: [Impute, {type: Impute, strategy: most_frequent, columns: [heating]}, OneHot, Standardize]",
        ),
        (
            "id sold notes",
            "[Standardize]",
            ["cells are empty in 'built'", "cells are empty in the texts of 'heating'", "there are texts in 'heating'"],
            "transforms: [Impute, {type: Impute, strategy: most_frequent, columns: [heating]}, OneHot, Standardize]",
        ),
        (
            "id sold notes built",
            "[OneHot, Standardize]",
            ["data.transforms.0: column 'heating': a value is missing; write {type: Impute, strategy: most_frequent, columns: [heating]} before it, or unknown: zeros"],
            None,
        ),
        (
            "id built heating",
            "[{type: Impute, strategy: median}, MinMax]",
            ["the column 'sold', which holds dates", "the column 'notes', which looks like"],
            "inputs: [area, rooms]",
        ),
        (
            "id sold",
            "[{type: Impute, strategy: median}, MinMax]",
            ["the column 'notes'", "cells are empty in the texts of 'heating'", "there are texts in 'heating'"],
            "inputs: [area, rooms, built, heating], "
            "transforms: [{type: Impute, strategy: median}, {type: Impute, strategy: most_frequent, columns: [heating]}, OneHot, MinMax]",
        ),
    ],
)  # fmt: skip
def test_all_mistakes_of_columns_are_told_at_once_with_a_line_to_write(tmp_path, monkeypatch, capsys, skip, given, told, write):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(houses(skip))
    (tmp_path / "c.yaml").write_text(REGRESSION.replace("target: price", f"target: price, transforms: {given}"))
    status, out, err = do(capsys)
    *problems, last = err.splitlines()
    if write is None:
        write, problems, last = (
            "transforms: [{type: Impute, strategy: most_frequent, columns: [heating]}, OneHot, Standardize]",
            [last],
            None,
        )
    assert (status, out) == (2, "") and len(problems) == len(told)
    for line, words in zip(problems, told, strict=True):
        assert (line.startswith("c.yaml:2:") and line.removesuffix("\n").endswith(words)) or words in line
    assert last in (None, f"{len(told)} mistakes; nothing was trained. Write {write}")
    given = f", transforms: {given}" if "transforms" not in write else ""
    (tmp_path / "c.yaml").write_text(REGRESSION.replace("target: price", f"target: price, {write}{given}"))
    assert do(capsys)[0] == 0


def test_cells_to_mend_come_before_the_line_to_write(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(houses().replace(";4;", ";four;", 1).replace(";100,25", ";", 1))
    (tmp_path / "c.yaml").write_text(REGRESSION)
    err = do(capsys)[2]
    assert re.search(r"data.inputs: \S*:4: column 'rooms': expected a finite number, got 'four'", err)
    assert re.search(r"data.target: \S*:2: column 'price': expected a finite number, got an empty cell", err)
    assert err.endswith("8 mistakes; nothing was trained. Mend the cells, and write inputs: [area, rooms, built, heating], transforms: [Impute, {type: Impute, strategy: most_frequent, columns: [heating]}, OneHot]\n")  # fmt: skip


@pytest.mark.parametrize("words", [["check"], ["run"], []])
def test_data_is_no_config(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(rows())
    assert command.main([*words, "rows.csv"]) == 2
    assert capsys.readouterr().err == (
        "rows.csv is data, not a config; a config names it: data: {type: CSV, path: rows.csv, target: ...}; nnframe list config shows one\n"
    )


@pytest.mark.parametrize("text", [houses(), houses("sold notes"), rows(), KINDS])
def test_a_file_of_rows_gets_a_config_to_begin_with(tmp_path, monkeypatch, capsys, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(text)
    assert command.main(["data", "rows.csv"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^# (input|heating) +(kind|texts) ", told, re.M)
    (tmp_path / "c.yaml").write_text(told)
    assert do(capsys)[0] == 0


def test_what_may_be_an_identifier_is_noted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(REGRESSION)
    (tmp_path / "rows.csv").write_text(houses("built heating sold notes"))
    status, out, _ = do(capsys)
    assert (
        status == 0
        and "note: id holds whole numbers, all different and rising: an identifier? inputs: [area, rooms] leaves it out\n" in out
    )
    assert "identifier" not in do(capsys, "data.inputs=[id, area]")[1]  # it is meant
    (tmp_path / "rows.csv").write_text("".join(houses("built heating sold notes").splitlines(True)[:9]))
    assert "identifier" not in do(capsys)[1]  # by chance
    (tmp_path / "rows.csv").write_text("day,h,price\n" + "".join(f"2020-01-{i:02},{i % 7},{i}\n" for i in range(1, 32)))
    assert "identifier" not in do(capsys, "data.dates=[day]")[1]


def test_a_list_of_seeds_in_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(rows())
    (tmp_path / "c.yaml").write_text(f"{REGRESSION}seed: [1, 2, 3]\n")
    assert do(capsys)[2] == (
        "c.yaml:7:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got a list of 3; "
        "for several write sweep: {seeds: [1, 2, 3]} in its place\n"
    )
    (tmp_path / "c.yaml").write_text(f"{REGRESSION}sweep: {{seeds: [1, 2, 3]}}\n")
    assert do(capsys)[0] == 0


def test_truths_are_said_to_be_numbers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("smokes,h,price\nTrue,1,2\nFalse,2,3\nTrue,3,4\n")
    (tmp_path / "c.yaml").write_text(REGRESSION)
    status, out, _ = do(capsys)
    assert status == 0 and "note: rows.csv: False is 0 and True is 1 in smokes\n" in out


def test_an_option_of_a_config_that_is_not_there_is_still_told_of(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert do(capsys, "--momentum", "0.9")[::2] == (2, "nnframe run: unknown option --momentum; write optimizer.momentum=0.9\n")
    assert do(capsys, "--nonsense")[2].endswith("--help tells all; a value of the config is changed by key=value\n")


@pytest.mark.parametrize(
    "given, write",
    [
        ("lr=0.1", "optimizer.lr=0.1"),
        ("learning_rate=0.1", "optimizer.lr=0.1"),
        ("epochs=5", "train.epochs=5"),
        ("units=3", "model.0.units=3 or model.2.units=3"),
        ("seeds=3", "sweep.seeds=3"),
    ],
)
def test_a_value_without_its_place_is_told_where_it_stands(place, capsys, given, write):
    assert command.main(["run", "iris.yaml", given]) == 2
    assert f"unknown key {given.partition('=')[0]!r}. Write {write}. Keys: " in capsys.readouterr().err
