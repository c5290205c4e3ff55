"""A source's rows: `prepare` does all that its options say, and `load` never leaves them out in silence."""

import numpy as np
import pytest

import nnframe as nn


@pytest.fixture
def table(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,0\n3,5,1\n7,4,0\n6,6,1\n")
    return tmp_path / "t.csv"


@pytest.mark.parametrize("options", [{"transforms": [nn.Standardize()]}, {"validation": 0.25}, {"validation": nn.Digits()}])
@pytest.mark.parametrize(
    "make", [lambda path, **options: nn.CSV(path, target="y", **options), lambda path, **options: nn.Digits(**options)]
)
def test_load_refuses_what_it_would_leave_out(table, make, options):
    words = rf"^(CSV|Digits): load\(\) gives the rows as they are, without {next(iter(options))}; call prepare\(seed\)"
    with pytest.raises(nn.UsageError, match=words):
        make(table, **options).load()


def test_load_gives_the_rows_of_a_source_without_options(table):
    assert nn.CSV(table, target="y").load().x.tolist() == [[1, 2], [3, 5], [7, 4], [6, 6]]


class Written(nn.Source):
    """Three rows."""

    def read(self):
        return nn.Dataset(np.array([[1.0], [2.0], [6.0]]), np.zeros((3, 1)))


class Older(nn.Source):
    """Three rows, by the method that a source wrote before there was `read`."""

    def load(self):
        return Written().read()


class Grown(nn.CSV):
    """A CSV file, and more."""

    def load(self):
        data = super().load()
        return nn.Dataset(data.x + 10, data.y, None, data.inputs, data.targets)


@pytest.mark.parametrize("source", [Written, Older])
def test_a_source_of_ones_own_takes_the_options_of_all(source):
    options = {"transforms": [nn.Shift(1)], "validation": source()}
    prepared = source(**options).prepare(0)
    assert prepared.training.x.tolist() == prepared.validation.x.tolist() == [[2], [3], [7]]
    assert source().load().x.tolist() == [[1], [2], [6]]


def test_a_source_that_adds_to_another_by_load_is_asked(table):
    prepared = Grown(table, target="y", transforms=[nn.Shift(1)], validation=0.25).prepare(0)
    x = np.concatenate([prepared.training.x, prepared.validation.x])
    assert sorted(x[:, 0].tolist()) == [12, 14, 17, 18]


def test_a_source_that_writes_neither_says_so():
    class Nothing(nn.Source):
        """Nothing."""

    with pytest.raises(NotImplementedError):
        Nothing().prepare(0)
    with pytest.raises(NotImplementedError):
        Nothing().load()


def test_a_sweep_asks_the_same(table, tmp_path):
    found = nn.sweep(
        {
            "data": {"type": "CSV", "path": str(table), "target": "y"},
            "model": [{"type": "Dense", "units": 1}],
            "loss": "MSE",
            "optimizer": "SGD",
            "train": {"epochs": 1, "batch_size": 4},
            "sweep": {"seeds": 2, "parameters": {"data.transforms": [[{"type": "Shift", "by": 1}], []]}},
        },
        out=tmp_path / "out",
    )
    assert list(found["status"]) == ["finished"] * 4
