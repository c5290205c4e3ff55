"""What a sweep's table shows at a prompt and in a notebook."""

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe.sweeps.runner import Columns

XOR = Path(__file__).parents[2] / "configs" / "xor.yaml"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    changes = ["train.epochs=2", "sweep={parameters: {optimizer.lr: [0.01, 0.1]}, seeds: 5}"]
    return nn.sweep(XOR, changes, out=tmp_path_factory.mktemp("runs"))


def test_print_is_a_short_table_with_the_verdict(table):
    title, head, *rows = repr(table).splitlines()
    assert repr(table) == str(table) and len(rows) < 15
    assert title == f"10 trials in {table.folder}"
    assert head.split()[:5] == ["trial", "setting", "optimizer.lr", "seed", "status"]
    assert [row.split()[0] for row in rows[:8]] == ["0", "1", "2", "3", "...", "7", "8", "9"]
    assert rows[7].split()[:5] == ["9", "1", "0.1", "4", "finished"]
    assert all(f"{value:.4g}" == row.split()[6] for value, row in zip(table["loss"][:4], rows[:4], strict=True))
    named = re.fullmatch(r"  and (.*)", rows[8])[1].split(", ")
    assert head.split() + named == list(table)
    assert " ".join(rows[9:]) == table.verdict != ""
    assert max(map(len, [head, *rows])) <= 80


def test_html_has_all_columns(table):
    text = table._repr_html_()
    assert re.findall(r"<th>(.*?)</th>", text) == list(table)
    assert text.count("<tr>") == 9 and table["weights"][0] in text
    assert "color" not in text and "background" not in text


def test_it_is_a_dict_of_arrays_as_ever(table):
    assert isinstance(table, dict) and table["loss"].shape == (10,) and table == table
    for copied in (pickle.loads(pickle.dumps(table)), copy.deepcopy(table)):
        assert type(copied) is Columns and repr(copied) == repr(table) and copied.folder == table.folder
        assert all(np.array_equal(copied[name], table[name]) for name in table if table[name].dtype.kind != "f")


def test_odd_ones():
    assert repr(Columns()) == "0 trials"
    one = Columns({"<b>": np.array(["a\nb" + "c" * 99]), "x": np.array([np.nan])})
    assert repr(one) == "1 trial\n  <b>                                       x\n  a\\nb" + "c" * 33 + "..."
    assert "<th>&lt;b&gt;</th>" in one._repr_html_() and "<td></td>" in one._repr_html_()
    one.verdict = "a < b"
    assert "<p>a &lt; b</p>" in one._repr_html_()
