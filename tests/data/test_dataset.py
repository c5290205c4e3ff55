"""What a person gives as data: wrong classes, and arrays that are none, are told in our words wherever they come from."""

import re

import numpy as np
import pytest

import nnframe as nn

X, Y = np.arange(8.0).reshape(4, 2), np.zeros((4, 3))
RAGGED = [[1.0, 2.0], [3.0]]
ONES = {"epochs": 1, "batch_size": 2}


@pytest.fixture
def model():
    return nn.Dense(3).build(2)


@pytest.mark.parametrize("wrong", [1.5, -1, np.nan, np.inf, 1e300])
def test_a_class_that_is_no_whole_number_is_found_in_any_row(wrong):
    y = np.zeros((5000, 1))
    y[4321] = wrong
    with pytest.raises(nn.DataError, match=rf"data\.y: .*whole numbers from 0 in the target, got {re.escape(f'{wrong:g}')} at \[4321\]"):
        nn.fit(nn.Dense(3).build(1), nn.CrossEntropy(), nn.SGD(), nn.Dataset(np.zeros((5000, 1)), y), **ONES)


@pytest.mark.parametrize("y", [[0, 1, 2, 1], [0.0, 1.0, 1.5, 1.0], [0, 1, -1, 1]])
@pytest.mark.parametrize("outputs", [1, 2])
def test_named_classes_are_numbered_within_their_count(y, outputs):
    wrong = next(v for v in y if v not in (0, 1))
    with pytest.raises(nn.DataError, match=rf"expected whole numbers from 0 to 1 .* got {wrong:g} at \[2\]"):
        nn.fit(nn.Dense(outputs).build(2), nn.MSE(), nn.SGD(), nn.Dataset(X, np.array(y), classes=("no", "yes")), **ONES)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8])
@pytest.mark.parametrize("seed", [0, range(3)], ids=["alone", "stack"])
def test_classes_of_any_integer_dtype_train_alike(dtype, seed):
    y, found = np.array([0, 1, 2, 1]), []
    for target in (y, y.astype(dtype), nn.Dataset(X, y.astype(dtype)).y):
        model = nn.Dense(3).build(2, seed=seed)
        history = nn.fit(model, nn.CrossEntropy(), nn.SGD(), (X, target), metrics=[nn.Accuracy()], **ONES)
        found.append(model.params.tobytes() + history["loss"].tobytes() + history["accuracy"].tobytes())
    assert len(set(found)) == 1
    losses = [nn.CrossEntropy().forward(X @ np.ones((2, 3)), target) for target in (y, y.astype(dtype))]
    assert losses[0] == losses[1]
    nn.check_gradients(nn.Dense(3).build(2), X, loss=nn.CrossEntropy(), target=y.astype(dtype))


@pytest.mark.parametrize("big", [2**63, 2**64 - 1])
def test_integers_too_large_are_refused(big, tmp_path, model):
    y = np.array([0, 1, 2, big], np.uint64)
    words = rf"expected integers less than 2\*\*63, got {big}"
    with pytest.raises(nn.DataError, match=rf"^y: {words}"):
        nn.Dataset(X, y)
    with pytest.raises(nn.DataError, match=rf"^data\.y: {words}"):
        nn.fit(model, nn.CrossEntropy(), nn.SGD(), (X, y), **ONES)
    with pytest.raises(nn.DataError, match=rf"^data\.x: {words}"):
        nn.fit(model, nn.MSE(), nn.SGD(), (np.full((4, 2), big, np.uint64), Y), **ONES)
    with pytest.raises(nn.DataError, match=words):
        nn.check_gradients(model, X, loss=nn.CrossEntropy(), target=y)
    np.savez(tmp_path / "d.npz", x=X, y=y)
    with pytest.raises(nn.DataError, match=rf"^y: .*d\.npz: {words}"):
        nn.Arrays(tmp_path / "d.npz").load()


NO_NUMBERS = {
    "ragged": (RAGGED, "expected rows of the same length"),
    "complex": (X * 1j, "expected numbers, got complex128"),
    "objects": (np.array([[None, 1.0]]), "expected numbers, got object"),
    "texts": ([["a", "b"]], "expected numbers, got <U1"),
    "huge": ([[10**30, 1]], "expected numbers, got object"),
    "dates": (np.array([["2020-01-01"]], "datetime64[D]"), r"expected numbers, got datetime64\[D\]"),
    "a set": ({1, 2}, "expected numbers, got object"),
    "an iterator": (iter([1]), "expected numbers, got object"),
}


@pytest.mark.parametrize("case", NO_NUMBERS)
def test_what_is_no_array_of_numbers(case, model):
    given, words = NO_NUMBERS[case]
    calls = {
        "predict.x": lambda: model.predict(given),
        "check_gradients.x": lambda: nn.check_gradients(model, given),
        "check_gradients.target": lambda: nn.check_gradients(model, X, loss=nn.MSE(), target=given),
        "check_gradients.weight": lambda: nn.check_gradients(model, X, loss=nn.MSE(), target=Y, weight=given),
    }
    for place, data in {"x": (given, Y), "y": (X, given), "weight": (X, Y, given)}.items():
        calls[f"data.{place}"] = lambda data=data: nn.fit(model, nn.MSE(), nn.SGD(), data, **ONES)
        calls[f"validation.{place}"] = lambda data=data: nn.fit(model, nn.MSE(), nn.SGD(), (X, Y), validation=data, **ONES)
        calls[place] = lambda data=data: nn.Dataset(*data)
    for place, call in calls.items():
        with pytest.raises(nn.DataError, match=f"^{place}: {words}"):
            call()


def test_a_dataset_takes_lists(model):
    history = nn.fit(model, nn.MSE(), nn.SGD(), nn.Dataset(X.tolist(), Y.tolist(), [1, 1, 1, 1]), **ONES)
    assert history["loss"].shape == (1,)
    with pytest.raises(nn.DataError, match=r"^y: expected an array, got nothing"):
        nn.Dataset(X, None)
