"""The table of cases is complete; and what holds for every component of every slot."""

import copy
import json
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from cases import CASES, RUNS, SAMPLERS, SOURCES, TRANSFORMS, every, of_nnframe

import nnframe as nn
from nnframe.components.component import config_of
from nnframe.components.markers import per_run
from nnframe.components.options import options, slot_base
from nnframe.components.registry import REGISTRY
from nnframe.components.walk import Problems, validate
from nnframe.config.reading import dump, parse
from nnframe.config.sections import Between, Choice

ALL = [case for cases in CASES.values() for case in cases]


def by_class(slot):
    """The cases of each class."""
    found = {}
    for case in CASES[slot]:
        found.setdefault(type(case.component), []).append(case)
    return found


# ------------------------------------------------------------------------------------------------ the table


def test_the_table_has_every_slot():
    assert CASES.keys() == REGISTRY.keys()


@pytest.mark.parametrize("slot", CASES)
def test_the_table_covers_the_registry(slot):
    assert {cls.__name__ for cls in by_class(slot)} == of_nnframe(slot)
    assert all(REGISTRY[slot][cls.__name__] is cls for cls in by_class(slot))


@pytest.mark.parametrize("slot", CASES)
def test_the_table_tries_every_option(slot):
    for cls, cases in by_class(slot).items():
        for option in options(cls).values():
            some = cases if option.name not in options(slot_base(cls)) else CASES[slot]  # what all of a slot have is tried with one of them
            tried = any(repr(case.component._options[option.name]) != repr(option.value()) for case in some if not option.required)
            assert tried or option.required or option.name in ("name", *cases[0].per_run), f"no case of {cls.__name__} sets {option.name}"


def differ(value):
    """Are all numbers of a PerRun option, RUNS of them, not the same?"""
    return all(map(differ, value)) if isinstance(value, tuple) else isinstance(value, list) and 1 < len(set(value)) <= len(value) == RUNS


@pytest.mark.parametrize("slot", CASES)
def test_the_table_has_values_that_differ_per_run_for_every_option_that_may(slot):
    for cls, cases in by_class(slot).items():
        for option in options(cls).values():
            if per_run(option.kind):
                tried = any(differ(case.per_run.get(option.name)) for case in cases)
                assert tried, f"no case of {cls.__name__} has a {option.name} that differs from run to run"


@every(*(case for case in ALL if case.per_run))
def test_a_case_of_some_runs_has_their_values(case):
    stack = case.of(range(RUNS))
    assert all(repr(stack.of_run(run)) == repr(case.of(run)) for run in range(RUNS))
    assert repr(case.of([2, 0]).of_run(1)) == repr(case.of(0))
    assert len({repr(case.of(run)) for run in range(RUNS)}) > 1


# ------------------------------------------------------------------------------------------------ descriptions and copies


@pytest.mark.parametrize("component", [case.component for case in ALL] + [case.of(range(RUNS)) for case in ALL if case.per_run], ids=repr)
def test_repr_and_config_make_the_component_again(component):
    plain = config_of(component)
    assert list(plain) == ["type", *options(type(component))]
    assert repr(eval(repr(component), vars(nn) | {type(Path()).__name__: Path})) == repr(component)
    assert json.loads(json.dumps(plain)) == plain == parse(dump(plain), "x.yaml", "", {})

    problems = Problems()
    again = validate(slot_base(type(component)), parse(dump(plain), "x.yaml", "", {}), "", problems)
    assert not problems
    assert type(again) is type(component)
    assert repr(again) == repr(component)
    assert config_of(again) == plain
    assert dump(config_of(again)) == dump(plain)


@every(*ALL)
@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda component: pickle.loads(pickle.dumps(component))])
def test_a_copy_is_the_same_again(case, copied):
    other = copied(case.component)
    assert type(other) is type(case.component) and other is not case.component
    assert repr(other) == repr(case.component) and config_of(other) == config_of(case.component)


# ------------------------------------------------------------------------------------------------ what needs no training

PARAMETERS = {"a": Between(0, 1, count=4), "b": Choice(("x", "y", "z"), (1, 2, 3)), "c": Between(1e-4, 1, "log", count=2)}


@every(*SAMPLERS)
@pytest.mark.parametrize("count", [1, 7, 24])
def test_a_sampler_gives_as_many_settings_of_the_space_as_asked_for(case, count):
    if isinstance(case.component, nn.Grid):
        count = 24
    found = case.component.settings(PARAMETERS, count)
    assert list(found) == list(PARAMETERS) and {len(column) for column in found.values()} == {count}
    assert all(0 <= a <= 1 and b in (0, 1, 2) and 1e-4 <= c <= 1 for a, b, c in zip(*found.values(), strict=True))
    assert found == copy.deepcopy(case.component).settings(PARAMETERS, count)


@every(*TRANSFORMS)
def test_a_transform_treats_rows_one_by_one_and_leaves_them_as_they_were(case, rng):
    x = case.inputs(rng, (7,), (4,))
    x[:, 3] = 5  # an input that is constant
    data = nn.Dataset(x, np.zeros((7, 1)), inputs=("a", "b", "c", "d"), categories=case.categories)
    before, transform = x.tobytes(), copy.deepcopy(case.component)
    transform.fit_to(data)
    found = transform.on(data)
    assert found.x is not x and x.tobytes() == before and np.isfinite(found.x).all() and len(found.x) == len(x)
    assert len(found.inputs) == found.x.shape[1] and set(found.categories) <= set(found.inputs)
    for other in (transform, pickle.loads(pickle.dumps(transform))):
        assert np.concatenate([other.on(data.rows(slice(i, i + 1))).x for i in range(7)]).tobytes() == found.x.tobytes()
    json.dumps(transform.record())
    for scale in (1e-300, 1e150) if not case.categories else ():
        scaled = nn.Dataset(x * scale, data.y, inputs=data.inputs)
        transform.fit_to(scaled)
        assert np.isfinite(transform.on(scaled).x).all()


@every(*(case for case in TRANSFORMS if type(case.component).invert is not nn.Transform.invert))
def test_a_transform_of_targets_is_undone(case, rng):
    y = case.inputs(rng, (50,), (4,))
    targets = nn.Dataset(y, y, inputs=("a", "b", "c", "d"))
    transform = copy.deepcopy(case.component)
    transform.fit_to(targets)
    np.testing.assert_allclose(transform.undone(transform.on(targets).x), y, rtol=1e-9, atol=1e-9)


@pytest.fixture
def files(tmp_path, monkeypatch, rng):
    """What the data sources of the table read."""
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", a=rng.normal(size=(8, 4)), b=rng.normal(size=(8, 2)), c=np.arange(1.0, 9))
    for name, array in {"a": rng.normal(size=(8, 4)), "c": np.arange(1.0, 9), "k": np.arange(8) % 2}.items():
        np.save(f"{name}.npy", array)
    images, labels = rng.integers(0, 256, (8, 3, 2), np.uint8), np.arange(8, dtype=np.uint8) % 2
    (tmp_path / "images-ubyte").write_bytes(b"\0\0\x08\x03\0\0\0\x08\0\0\0\x03\0\0\0\x02" + images.tobytes())
    (tmp_path / "labels-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x08" + labels.tobytes())
    columns = {"a": range(8), "b": range(8, 0, -1), "c": range(1, 9), "k": ["no" if c % 3 else "yes" for c in range(1, 9)]}
    columns["d"] = [f"2020-01-0{1 + i}" for i in range(8)]
    rows = [";".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    (tmp_path / "data.csv").write_text("\n".join([";".join(columns), *rows]))
    if find_spec("polars"):
        import polars

        polars.DataFrame(columns).with_columns(polars.col("d").str.to_date()).write_parquet("data.parquet")


@every(*SOURCES)
def test_a_data_source_gives_the_same_rows_again_and_holds_some_of_them_out(case, files):
    if isinstance(case.component, nn.Parquet):
        pytest.importorskip("polars")

    def arrays(source):
        prepared = source.prepare(0, test=True)
        parts = [part for part in (prepared.training, prepared.validation, prepared.test) if part is not None]
        return [array for part in parts for array in (part.x[:], part.y, part.weight) if array is not None]

    found, again = arrays(case.component), arrays(copy.deepcopy(case.component))
    assert all(np.isfinite(array).all() for array in found)
    assert [array.tobytes() for array in found] == [array.tobytes() for array in again]
    prepared, rows = case.component.prepare(0, test=True), len(case.component.read().x)
    if isinstance(case.component.validation, nn.Source):
        assert len(prepared.training.x) == len(prepared.validation.x) == rows
    else:
        tested = round(rows * case.component.test)
        sizes = [len(part.x) for part in (prepared.test, prepared.validation, prepared.training)]
        held = -(-(rows - tested) // 4) if case.component.cv else round((rows - tested) * 0.25)  # folds are filled up to the largest
        assert sizes[:2] == [tested, held] and sum(sizes) - rows == (0 if case.component.cv is None else 1)
