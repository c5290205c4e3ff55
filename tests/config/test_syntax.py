"""Texts that are not YAML: each is answered at the place to mend, in words that ask for no knowledge of YAML."""

from pathlib import Path

import pytest

import nnframe as nn
from nnframe.config.reading import parse

GENDER = (Path(__file__).parents[2] / "configs/gender.yaml").read_text()

# what is written in gender.yaml, what stands there instead, the answer
MISTAKES = [
    ("name: gender", "name: 'gender", "4:7: the quote ' is not closed"),
    ("name: gender", 'name: "gender', '4:7: the quote " is not closed'),
    ("name: gender", "name gender", "4:1: expected 'key: value', got 'name gender'; write 'name: gender'"),
    ("name: gender", "name:gender", "4:1: put a space after the colon: 'name: gender'"),
    ("name: gender", "name = gender", "4:1: expected 'key: value', got 'name = gender'; write 'name: gender'"),
    ("name: gender", "name: @gender", "4:7: a text cannot begin with @; put it in quotes"),
    ("name: gender", "name: `gender`", "4:7: a text cannot begin with `; put it in quotes"),
    ("name: gender", "name: %gender", "4:7: a text cannot begin with %; put it in quotes"),
    ("name: gender", "name: *gender", "4:7: '*' refers to what an '&' has named, and there is none of that name; put a text that begins with '*' in quotes"),
    ("name: gender", "name: & gender", "4:7: a text cannot begin with &; put it in quotes"),
    ("name: gender", "name: it's: me", "4:11: a second ':' in one line; put {...} around a mapping, or quotes around a text"),
    ("name: gender", "name: 'it's'", "4:11: the text in quotes ends before 's''; write '' for a ' inside '...'"),
    ("name: gender", "/* my first config */\nname: gender", "4:1: a comment begins with '#'"),
    ("name: gender", " name: gender", "5:1: indented by 0 spaces, but the lines above by 1; indent alike what belongs together"),
    ("seed: 0", " seed: 0", "5:2: indented further than line 4, which has its value already; indent them alike"),
    ("seed: 0", "\tseed: 0", "5:1: a tab; indent with spaces"),
    ("data:\n", "data\n", "7:1: expected 'key: value', got 'data'; write 'data:'"),
    ("  type: CSV", "\ttype: CSV", "8:1: a tab; indent with spaces"),
    ("  type: CSV", " type: CSV", "9:3: indented further than line 8, which has its value already; indent them alike"),
    ("  type: CSV", "   type: CSV", "9:3: indented by 2 spaces, but the lines above by 0 or 3; indent alike what belongs together"),
    ("  type: CSV", "type: CSV", "9:3: indented further than line 8, which has its value already; indent them alike"),
    ("  path: data", "   path: data", "9:4: indented further than line 8, which has its value already; indent them alike"),
    ("  path: data", " path: data", "9:2: indented by 1 space, but the lines above by 0 or 2; indent alike what belongs together"),
    ("  path: data", "\tpath: data", "9:1: a tab; indent with spaces"),
    ("  path: data", "  \tpath: data", "9:3: a tab; indent with spaces"),
    ("path: data/gender.csv ", 'path: "data\\gender.csv" ', r"9:14: a \ in double quotes means something else; use single quotes, or / in a path"),
    ("path: data/gender.csv ", 'path: "C:\\Users\\gender.csv" ', r"9:12: a \ in double quotes means something else; use single quotes, or / in a path"),
    ("inputs: [weight, height]", "inputs: [weight, height", "10:11: the '[' is not closed: expected ',' or ']' before line 11"),
    ("inputs: [weight, height]", "inputs: [weight, height}", "10:26: expected ']' to close the '[' of line 10, column 11, got '}'"),
    ("inputs: [weight, height]", "inputs: [weight,, height]", "10:19: nothing stands before this ','; remove it"),
    ("inputs: [weight, height]", "inputs: ['weight' 'height']", "10:21: expected ',' or ']' before 'height']"),
    ("inputs: [weight, height]", "inputs: ['weight, height]", "10:12: the quote ' is not closed"),
    ("inputs: [weight, height]", "inputs: ['weight, height]\n  # it's two", "10:12: the quote ' is not closed in its line"),
    ("inputs: [weight, height]", "inputs: [weight\n    height]", "10:12: a text of several lines; is the next one's indentation right? If it is meant so, put it in quotes"),
    ("target: {column: gender,", "target: column: gender,", "11:17: a second ':' in one line; put {...} around a mapping, or quotes around a text"),
    ("[M, F]}", "[M, F]", "11:11: the '{' is not closed: expected ',' or '}' before line 12"),
    ("[M, F]}", "M, F]}", "11:41: expected '}' to close the '{' of line 11, column 11, got ']'"),
    ("[M, F]}", "[M, F]}}", "11:44: '}' closes nothing that is open"),
    ("by: [-135, -66]}]", "by: [-135, -66]}", "12:15: the '[' is not closed: expected ',' or ']' before line 13"),
    ("transforms: [{", "transforms: {", "12:45: ']' closes nothing that is open"),
    ("[{type: Shift, by: [-135, -66]}]", "\n  - type: Shift\n   by: [1, 2]", "14:4: indented by 3 spaces, but the lines above by 0 or 2; indent alike what belongs together"),
    ("model:\n", "model\n", "13:1: expected 'key: value', got 'model'; write 'model:'"),
    ("model:\n", "model: [\n", "14:3: inside [...] items are separated by ',' and have no '-'"),
    ("model:\n", "model: ]\n", "13:8: ']' closes nothing that is open; put a text that begins with it in quotes"),
    ("  - {type: Dense, units: 2", "  {type: Dense, units: 2", "15:3: expected a key, got an item of a list; check the indentation of this line"),
    ("  - {type: Dense, units: 2", "  -{type: Dense, units: 2", "14:3: put a space after '-': '- {type: Dense, units: 2, init: Normal, bias_init: Normal}'"),
    ("  - {type: Dense, units: 2", "- {type: Dense, units: 2", "15:3: indented by 2 spaces, but the lines above by 0; indent alike what belongs together"),
    ("  - {type: Dense, units: 2", "\t- {type: Dense, units: 2", "14:1: a tab; indent with spaces"),
    ("  - {type: Dense, units: 2", "  - type: Dense, units: 2", "14:23: a second ':' in one line; put {...} around a mapping, or quotes around a text"),
    ("  - Sigmoid   ", "  -Sigmoid   ", "15:3: put a space after '-': '- Sigmoid'"),
    ("  - Sigmoid   ", "  Sigmoid   ", "15:3: expected an item of the list, got 'Sigmoid'; write '- Sigmoid'"),
    ("  - Sigmoid   ", "   - Sigmoid   ", "15:4: indented by 3 spaces, but the lines above by 0 or 2; indent alike what belongs together"),
    ("  - Sigmoid   ", "  * Sigmoid   ", "15:3: an item of a list begins with '-', not with '*'"),
    ("loss: MSE", "loss MSE", "18:1: expected 'key: value', got 'loss MSE'; write 'loss: MSE'"),
    ("loss: MSE", "loss:MSE", "18:1: put a space after the colon: 'loss: MSE'"),
    ("loss: MSE", "  loss: MSE", "18:3: expected an item of the list, that begins with '- '; check the indentation of this line"),
    ("loss: MSE", "- loss: MSE", "18:1: expected a key, got an item of a list; check the indentation of this line"),
    ("loss: MSE", ": MSE", "18:1: expected a key before ':'"),
    ("loss: MSE", "loss: [MSE", "18:7: the '[' is not closed: expected ',' or ']' before line 19"),
    ("loss: MSE", "loss: | MSE", "18:7: '|' begins a text in the next lines; put a text that begins with it in quotes"),
    ("loss: MSE", "loss: - MSE", "18:7: a list in one line is written [a, b]; items with '-' begin in the next line"),
    ("loss: MSE", "loss: ? MSE", "18:7: put a text that begins with '?' in quotes"),
    ("loss: MSE", "loss: MSE\n\x07", "19:1: the character U+0007 cannot stand in YAML; remove it"),
    ("optimizer: {type: SGD, lr: 0.1}", "optimizer: type: SGD, lr: 0.1", "19:16: a second ':' in one line; put {...} around a mapping, or quotes around a text"),
    ("optimizer: {type: SGD, lr: 0.1}", "optimizer: SGD\n  lr: 0.1", "20:3: indented further than line 19, which has its value already; indent them alike"),
    ("optimizer: {type: SGD, lr: 0.1}", "optimizer:\n   type: SGD\n  lr: 0.1", "21:3: indented by 2 spaces, but the lines above by 0 or 3; indent alike what belongs together"),
    ("train: {epochs: 1000, ", "train: {epochs: 1000 ", "20:22: expected ',' between '1000' and 'batch_size'"),
    ("train: {epochs: 1000, ", "train: {epochs: 1000, , ", "20:23: nothing stands before this ','; remove it"),
    ("train: {epochs: 1000, ", "train: [epochs: 1000, ", "20:58: expected ']' to close the '[' of line 20, column 8, got '}'"),
    ("train: {epochs: 1000, ", "train {epochs: 1000, ", "20:1: expected 'key: value', got 'train {epochs: 1000, batch_size: 1, evaluate_train: true}'; write 'train: {epochs: 1000, batch_size: 1, evaluate_train: true}'"),
    ("train: {epochs: 1000, ", 'train: {"epochs: 1000, ', '20:9: the quote " is not closed'),
    ("metrics: [BinaryAccuracy]", "metrics:\n- BinaryAccuracy\n  - MAE", "22:3: a text of several lines; is the next one's indentation right? If it is meant so, put it in quotes"),
    ("Emily: {weight: 128, height: 63},", "Emily {weight: 128, height: 63},", "22:17: expected ',' or '}' before {weight:"),
    ("log: {every: 100}", "log: {every: 100", "23:6: the '{' is not closed: expected ',' or '}' before the end"),
    ("log: {every: 100} ", "log: {", "23:6: the '{' is not closed"),
    ("log: {every: 100} ", "log: {every: 100} // c", "23:19: a comment begins with '#'"),
    ("log: {every: 100} ", "log: {every: 100} c", "23:19: expected the end of the line, got 'c'"),
    ("log: {every: 100}", "log: {every: 100}\n---\na: 1", "24:1: expected one document; remove the --- line"),
    ("log: {every: 100}", "log: {every: 100}\nEOF", "24:1: expected 'key: value', got 'EOF'; write 'EOF:'"),
]  # fmt: skip


@pytest.mark.parametrize("written, instead, answer", MISTAKES, ids=[m[1][:60] for m in MISTAKES])
def test_what_is_not_yaml_is_answered_in_plain_words(written, instead, answer):
    assert written in GENDER
    text = GENDER.replace(written, instead, 1)
    if instead == "log: {":
        text = text[: text.index(instead) + len(instead)]
    with pytest.raises(nn.ConfigError) as error:
        parse(text, "x.yaml", "", {})
    assert str(error.value) == f"x.yaml:{answer}"


@pytest.mark.parametrize("character", list("'\"[]{},:-\t\n&*#|@%!? "))
def test_a_character_anywhere_never_ends_in_a_traceback(character):
    for column in range(0, len(GENDER), 11):
        try:
            parse(GENDER[:column] + character + GENDER[column:], "x.yaml", "", {})
        except nn.ConfigError as error:
            assert str(error).startswith("x.yaml:")
