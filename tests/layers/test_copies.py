"""Copies of models and optimizers: views stay views, streams go on, and weights survive a file or stay as they were."""

import copy
import io
import os
import pickle
import tracemalloc
import zipfile
from hashlib import sha256

import numpy as np
import pytest
from cases import every_optimizer

import nnframe as nn
from nnframe.layers import layout

RUNS = 4


def stack(seed=range(RUNS), p=(0.1, 0.2, 0.3, 0.4), dtype="float64"):
    """A model with parameters, state, streams, per-run numbers and containers in containers."""
    inner = nn.Residual(nn.Dense(3), nn.Sequential(nn.BatchNorm(), nn.Tanh()))
    return nn.Sequential(nn.Dense(3), inner, nn.Dropout(p), nn.Dense(2)).build(2, seed=seed, dtype=dtype)


def alone(run=0):
    return stack(run, (0.1, 0.2, 0.3, 0.4)[run])


def data(rows=10):
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, 2)), rng.normal(size=(rows, 2))


def train(model, optimizer, steps=6, start=0):
    """The bare loop, one row of its own data a run and step."""
    x, y = data()
    loss = nn.MSE()
    for i in range(start, start + steps):
        rows = [i % 10, (i + 3) % 10]
        loss.forward(model.forward(x[rows], training=True), y[rows])
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()


def numbers(model, optimizer=None):
    """Shapes and bytes of all that a model holds, and of its optimizer's state."""
    return {name: digest(array) for name, array in (arrays(model) | (optimizer.state if optimizer else {})).items()}


def arrays(model):
    return {"params": model.params, "grads": model.grads, "state": model.state}


def digest(array):
    return array.shape, sha256(array.tobytes()).hexdigest()


COPIES = {
    "deepcopy": (copy.deepcopy, ...),
    "pickle": (lambda model: pickle.loads(pickle.dumps(model)), ...),
    "take an index": (lambda model: model.take(2), 2),
    "take a list": (lambda model: model.take([3, 1]), [3, 1]),
    "take a slice": (lambda model: model.take(slice(1, 3)), slice(1, 3)),
    "take a mask": (lambda model: model.take(np.array([True, False, True, True])), [0, 2, 3]),
    "take one twice": (lambda model: model.take([1, 1]), [1, 1]),
}


@pytest.fixture(params=COPIES)
def copied(request):
    """(original, copy, the rows that it has)"""
    make, rows = COPIES[request.param]
    model = stack()
    train(model, nn.SGD().attach(model), 3)
    return model, make(model), rows


# ------------------------------------------------------------------------------------------ copies of models


def test_a_copy_has_the_numbers_of_its_runs(copied):
    model, other, rows = copied
    assert other.runs == model.params[rows].shape[:-1]
    assert numbers(other) == {name: digest(array[rows]) for name, array in arrays(model).items()}
    assert other.predict(data()[0]).tobytes() == model.predict(data()[0])[rows].tobytes()


def test_writing_into_the_arrays_of_a_copy_shows_in_its_layers_and_not_in_the_original(copied):
    model, other, _ = copied
    before = numbers(model)
    other.params[...], other.grads[...], other.state[...] = 1, 2, 3
    first, residual, _, last = other.layers
    norm = residual.layers[1].layers[0]
    assert all((array == 1).all() for array in (first.W, last.b, residual.layers[0].W, norm.gamma, norm.params, residual.params))
    assert all((array == 2).all() for array in (first.dW, last.db, residual.layers[0].dW, norm.dgamma, norm.grads, residual.grads))
    assert all((array == 3).all() for array in (norm.mean, norm.var, residual.state, residual.layers[1].state))
    assert numbers(model) == before


def test_writing_into_the_layers_of_a_copy_shows_in_its_arrays(copied):
    model, other, _ = copied
    for _, _, layer in layout.walk(other):
        for name in layer._specs:
            getattr(layer, name)[...] = 5
    assert (other.params == 5).all() and (other.state == 5).all()
    assert not (model.params == 5).any()


def test_masks_go_on_in_a_copy_as_in_the_original(copied):
    model, other, rows = copied
    x = data()[0]
    for _ in range(3):
        y = model.forward(x, training=True)
        assert other.forward(x, training=True).tobytes() == y[rows].tobytes()


def test_a_copy_of_an_inner_layer_is_a_model_of_its_own():
    model = stack()
    inner = copy.deepcopy(model.layers[1])
    before, x = numbers(model), np.ones((RUNS, 5, 3))
    assert inner.predict(x).tobytes() == model.layers[1].predict(x).tobytes()
    inner.params[...] = 0
    assert (inner.layers[0].W == 0).all() and numbers(model) == before
    assert inner.take(1).predict(x[1]).shape == (5, 3)


def test_copies_of_one_network():
    model = alone(1)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other.params[...] = 7
        assert (other.layers[0].W == 7).all() and not (model.layers[0].W == 7).any()


def test_astype_is_a_copy_in_another_dtype():
    model = stack()
    other = model.astype("float32")
    assert {array.dtype for array in arrays(other).values()} == {np.dtype("float32")}
    other.params[...] = 1
    assert (other.layers[0].W == 1).all() and model.dtype == np.float64
    assert other.forward(np.ones((1, 2), np.float32), training=True).dtype == np.float32


# ------------------------------------------------------------------------------------------ optimizers


@pytest.mark.parametrize("rows", [[0, 2], [3], slice(1, 4), 2, [1, 0]])
@every_optimizer
def test_training_goes_on_after_take_as_without_the_dropped_runs(case, rows):
    x, y = data()
    model, optimizer = stack(), case.of(range(RUNS))
    nn.fit(model, nn.MSE(), optimizer, (x, y), epochs=3, batch_size=4)
    kept = model.take(rows)
    kept_optimizer = optimizer.take(rows, kept)
    train(kept, kept_optimizer)

    seeds, p = np.arange(RUNS)[rows].tolist(), np.array([0.1, 0.2, 0.3, 0.4])[rows].tolist()
    without, without_optimizer = stack(seeds, p), case.of(seeds)
    nn.fit(without, nn.MSE(), without_optimizer, (x, y), epochs=3, batch_size=4)
    train(without, without_optimizer)
    ours, theirs = numbers(kept, kept_optimizer), numbers(without, without_optimizer)
    assert {name: ours[name] for name in theirs} == theirs
    assert kept_optimizer.steps == without_optimizer.steps == 15


@pytest.mark.parametrize("rows", [[0, 2], slice(1, 4), 2])
@every_optimizer
def test_take_leaves_the_original_optimizer_as_it_was(case, rows):
    model, optimizer = stack(), case.of(range(RUNS))
    train(model, optimizer.attach(model))
    same_model, same_optimizer = copy.deepcopy((model, optimizer))
    kept = model.take(rows)
    kept_optimizer = optimizer.take(rows, kept)
    train(kept, kept_optimizer)
    kept_optimizer.bound.lr[...] = 9
    train(model, optimizer)
    train(same_model, same_optimizer)
    assert numbers(model, optimizer) == numbers(same_model, same_optimizer)


def test_take_leaves_the_schedules_of_the_original_optimizer_as_they_were():
    model, optimizer = stack(), nn.SGD(nn.Cosine([0.1, 0.2, 0.3, 0.4]), momentum=nn.Step([0.5, 0.6, 0.7, 0.8], every=1, factor=0.5))
    optimizer.attach(model)
    kept = optimizer.take([1, 2], model.take([1, 2]))
    kept.schedule(0.5, 1)
    assert kept.bound.lr[:, 0].tolist() == pytest.approx([0.1, 0.15])
    optimizer.schedule(0.5, 1)
    assert optimizer.bound.lr[:, 0].tolist() == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert optimizer.bound.momentum[:, 0].tolist() == pytest.approx([0.5, 0.6, 0.7, 0.8])


def test_one_schedule_may_serve_two_options_or_layers():
    shared = nn.Cosine([0.1, 0.2, 0.3, 0.4])
    model = nn.Sequential(nn.Dropout(shared), nn.Dense(1), nn.Dropout(shared)).build(2, seed=range(RUNS), dtype="float64")
    optimizer = nn.SGD(shared, weight_decay=shared).attach(model)
    kept = model.take([1, 2])
    kept_optimizer = optimizer.take([1, 2], kept)
    for component in (*kept.layers[::2], kept_optimizer):
        component.schedule(0.5, 1)
    bound = [kept.layers[0].bound.p, kept.layers[2].bound.p, kept_optimizer.bound.lr, kept_optimizer.bound.weight_decay]
    assert [array[:, 0].tolist() for array in bound] == [pytest.approx([0.1, 0.15])] * 4


@pytest.mark.parametrize("both", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@every_optimizer
def test_a_copy_of_a_model_and_its_optimizer_trains_on_alike(case, both):
    model, optimizer = stack(), case.of(range(RUNS))
    train(model, optimizer.attach(model), 3)
    other, other_optimizer = both((model, optimizer))
    assert other_optimizer.model is other and other_optimizer.params is other.params
    train(model, optimizer, 3, start=3)
    assert numbers(other) != numbers(model)
    train(other, other_optimizer, 3, start=3)
    assert numbers(other, other_optimizer) == numbers(model, optimizer)


def test_an_optimizer_is_taken_for_the_same_runs_as_its_model():
    model = stack()
    optimizer = nn.SGD().attach(model)
    with pytest.raises(nn.UsageError, match=r"take"):
        optimizer.take([0], model.take([0, 1]))


def test_an_optimizer_that_was_not_attached_says_so():
    model = stack()
    for call in (nn.SGD().step, lambda: nn.SGD().take([0], model.take([0]))):
        with pytest.raises(nn.UsageError, match=r"attach"):
            call()


# ------------------------------------------------------------------------------------------ what is refused


EVERY_USE = {
    "predict": lambda model: model.predict(np.ones((1, 2))),
    "take": lambda model: model.take([0]),
    "fit": lambda model: nn.fit(model, nn.MSE(), nn.SGD(), data(), epochs=1, batch_size=5),
    "evaluate": lambda model: nn.evaluate(model, nn.MSE(), data()),
    "attach": lambda model: nn.SGD().attach(model),
    "save": lambda model: nn.save_weights(model, os.devnull),
    "load": lambda model: nn.load_weights(model, os.devnull),
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
}


@pytest.mark.parametrize("use", EVERY_USE)
def test_a_rebound_array_is_refused(use):
    model = stack()
    model.layers[0].W = np.ones((RUNS, 2, 3))
    with pytest.raises(nn.UsageError, match=r"^layers\.0\.W: was bound to another array.*write `layer\.W\[\.\.\.\] = value` instead"):
        EVERY_USE[use](model)


@pytest.mark.parametrize("name", ["params", "grads", "state"])
def test_rebound_flat_arrays_are_refused(name):
    model = stack()
    setattr(model, name, getattr(model, name) * 1)
    with pytest.raises(nn.UsageError, match=rf"^Sequential\.{name}: was bound to another array"):
        model.predict(np.ones((1, 2)))


def test_changes_in_place_are_fine():
    model = stack()
    before = model.params.copy()
    model.layers[0].W += 1
    model.params *= 2
    assert (model.predict(np.ones((1, 2))) != 0).all()
    assert model.layers[0].W.ravel().tolist() == (2 * (before[:, :6] + 1)).ravel().tolist()


def test_one_layer_object_at_two_places_is_refused():
    layer = nn.Dense(2)
    with pytest.raises(nn.UsageError, match=r"the same layer object stands at layers\.0 and at layers\.1\.layers\.0; use one for each"):
        nn.Sequential(layer, nn.Residual(layer)).build(2)


def test_one_name_at_two_places_is_refused():
    with pytest.raises(nn.UsageError, match=r"the same name 'a' stands at layers\.0 and at layers\.1\.layers\.1; use one for each"):
        nn.Sequential(nn.Dense(2, name="a"), nn.Sequential(nn.Tanh(), nn.Dense(2, name="a"))).build(2)


def test_a_layer_built_again_in_another_model_is_refused():
    layer = nn.Dense(2)
    model = nn.Sequential(nn.Tanh(), layer).build(2)
    nn.Sequential(layer).build(2)
    with pytest.raises(nn.UsageError, match=r"^layers\.1: is not part of this build: .* built again in another model; build this model"):
        model.predict(np.ones((1, 2)))


def test_a_layer_added_after_build_is_refused():
    model = nn.Sequential(nn.Tanh()).build(2)
    model.layers = (*model.layers, nn.Dense(2))
    with pytest.raises(nn.UsageError, match=r"^layers\.1: is not part of this build: it was added later"):
        model.predict(np.ones((1, 2)))


def test_take_on_one_network_is_refused():
    with pytest.raises(nn.UsageError, match=r"take: this is one network; only a stack has runs to take"):
        alone().take([0])


@pytest.mark.parametrize("rows", [[], slice(4, 9), np.zeros(RUNS, bool)])
def test_take_of_no_runs_is_refused(rows):
    with pytest.raises(nn.UsageError, match=r"^take: .*none of the 4 runs"):
        stack().take(rows)


@pytest.mark.parametrize(
    "rows", [[[0], [1, 2]], 2**63, [2**63], 10**400, None, True, [[0, 1], [1, 2]], "a", 1.5, slice(0.5, 2), {}, [True]]
)
def test_what_takes_no_runs_is_refused(rows):
    with pytest.raises(nn.UsageError, match=r"^take: "):
        stack().take(rows)


def test_sizes_may_be_numpy_integers():
    model = nn.Sequential(nn.Dense(3), nn.BatchNorm()).build(np.uint8(200), seed=[0, 1])
    assert model.layers[0].W.shape == (2, 200, 3)
    assert type(model.input_shape[0]) is int


def test_take_before_build_is_refused():
    with pytest.raises(nn.UsageError, match=r"Sequential is not built; call build\(input_shape\) first"):
        nn.Sequential(nn.Dense(1)).take([0])


# ------------------------------------------------------------------------------------------ weights in a file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.npz"


@pytest.mark.parametrize("make", [stack, alone])
def test_weights_come_back_from_a_file(make, path):
    model = make()
    train(model, nn.SGD().attach(model))
    nn.save_weights(model, path)
    other = make()
    assert numbers(other)["params"] != numbers(model)["params"] and numbers(other)["state"] != numbers(model)["state"]
    nn.load_weights(other, str(path))
    assert (numbers(other)["params"], numbers(other)["state"]) == (numbers(model)["params"], numbers(model)["state"])
    assert other.predict(data()[0]).tobytes() == model.predict(data()[0]).tobytes()
    assert sorted(np.load(path)) == ["0.W", "0.b", "1.0.W", "1.0.b", "1.1.0.beta", "1.1.0.gamma", "1.1.0.mean", "1.1.0.var", "3.W", "3.b"]


def test_names_in_a_file_are_the_layers_own(path):
    nn.save_weights(nn.Sequential(nn.Dense(1, name="head")).build(2), path)
    assert sorted(np.load(path)) == ["head.W", "head.b"]


def refused(path, match, model=None):
    """Loading is refused with these words, and the model is as it was."""
    model = model or stack()
    before = numbers(model)
    with pytest.raises(nn.FileError, match=match):
        nn.load_weights(model, path)
    assert numbers(model) == before


def saved(model):
    """What `save_weights` writes."""
    file = io.BytesIO()
    np.savez(file, **{f"{key}.{name}": getattr(layer, name) for _, key, layer in layout.walk(model) for name in layer._specs})
    file.seek(0)
    return dict(np.load(file))


def test_a_missing_file_is_refused(path):
    refused(path, r"^there is no file .*weights\.npz")


def test_other_names_are_refused_and_the_nearest_offered(path):
    first = nn.Sequential(nn.Dense(2, name="encoder"), nn.Dense(1)).build(3)
    nn.save_weights(first, path)
    other = nn.Sequential(nn.Dense(2, name="encodr"), nn.Dense(1)).build(3)
    refused(path, r"weights\.npz lacks 'encodr\.W' of the model\. Did you mean 'encoder\.W'\?", other)
    np.savez(path, **saved(stack()) | {"0.Wx": np.ones(3)})
    refused(path, r"weights\.npz has '0\.Wx', which the model has not\. Did you mean '0\.W'\?")


@pytest.mark.parametrize(
    "array, match",
    [
        (np.zeros((RUNS, 2, 4)), r"'0\.W': expected float64 \(4, 2, 3\), as in the model, got float64 \(4, 2, 4\)"),
        (np.zeros((2, 3)), r"'0\.W': expected float64 \(4, 2, 3\), as in the model, got float64 \(2, 3\)"),
        (np.zeros((RUNS, 2, 3), "float32"), r"'0\.W': expected float64 \(4, 2, 3\), as in the model, got float32 \(4, 2, 3\)"),
        (np.zeros((RUNS, 2, 3), ">f8"), r"'0\.W': expected float64 \(4, 2, 3\), as in the model, got >f8 \(4, 2, 3\)"),
    ],
)
def test_another_shape_or_dtype_is_refused(array, match, path):
    np.savez(path, **saved(stack()) | {"0.W": array})
    refused(path, match)


def test_pickled_objects_are_refused_and_not_run(path, tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    np.savez(path, **saved(stack()) | {"0.W": np.full((RUNS, 2, 3), Trap())})
    refused(path, r"weights\.npz: '0\.W': expected float64 \(4, 2, 3\), as in the model, got object \(4, 2, 3\)")
    path.write_bytes(pickle.dumps(Trap()))
    refused(path, r"is not an npz file of plain arrays")
    assert not (tmp_path / "sprung").exists()


def test_a_small_file_that_claims_64_gib_is_refused_without_taking_memory(path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**33,)})
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("0.W.npy", header.getvalue() + bytes(100))
        tracemalloc.start()
        try:
            refused(path, r"0\.W\.npy claims 687194768\d\d bytes and has 228")
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_truncated_file_is_refused(save, path):
    save(path, **saved(stack()))
    raw = path.read_bytes()
    for length in [*range(0, len(raw), 97), len(raw) - 1]:
        path.write_bytes(raw[:length])
        refused(path, r"weights\.npz is (not an npz file of plain arrays|damaged)")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_flipped_byte_is_refused_or_harmless(save, path):
    """Some bytes of a zip file, such as its dates, mean nothing to us; no flip may give other numbers."""
    model, other = (nn.Sequential(nn.Dense(1), nn.BatchNorm()).build(1, seed=seed) for seed in ([0, 1], [2, 3]))
    right, before = numbers(model), copy.deepcopy(other)
    save(path, **saved(model))
    raw, bits, refusals = path.read_bytes(), np.random.default_rng(0), 0
    for place in range(len(raw)):
        flipped = bytearray(raw)
        flipped[place] ^= 1 << bits.integers(8)
        path.write_bytes(flipped)
        other.params[...], other.state[...] = before.params, before.state
        try:
            nn.load_weights(other, path)
        except nn.FileError:
            refusals += 1
            assert numbers(other) == numbers(before), place
        else:
            assert numbers(other) == right, place
    assert refusals > len(raw) / 2


def test_an_existing_file_survives_a_failed_write(path, monkeypatch):
    model = stack()
    nn.save_weights(model, path)
    before = path.read_bytes()
    model.params[...] = 0

    calls = []

    def full(descriptor, data, write=os.write):
        calls.append(data)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:100])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(nn.FileError, match=r"cannot write the [\d,]+ bytes of .*weights\.npz: No space left on device"):
            nn.save_weights(model, path)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
    nn.save_weights(model, path)
    assert path.read_bytes() != before


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for place in ("missing/weights.npz", "file/weights.npz", "folder"):
        with pytest.raises(nn.FileError, match=rf"cannot write .*{place}: "):
            nn.save_weights(stack(), tmp_path / place)
