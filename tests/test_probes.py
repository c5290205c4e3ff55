"""Probes: PyTorch's numbers (data/torch_probes.py made them), a stack gives the bytes of each network alone, and no model is changed."""

import copy
import pickle
import tracemalloc
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from cases import RUNS, Case, Lookup, Pinball, every, every_layer, indices, same

import nnframe as nn
from nnframe.layers import layout
from nnframe.probes import copies, gradients, hessian

with np.load(Path(__file__).parent / "data" / "torch_probes.npz") as file:
    TORCH = {name: file[name] for name in file}


class Witness:
    """One of PyTorch's networks as a stack of its three sets of weights."""

    def __init__(self, case):
        self.numbers = {name.removeprefix(f"{case}/"): array for name, array in TORCH.items() if name.startswith(f"{case}/")}
        self.loss = nn.CrossEntropy() if case == "classes" else nn.MSE()
        layers = [nn.Dense(12), nn.LayerNorm(), nn.Tanh(), nn.Dense(4)] if case == "classes" else [nn.Dense(5), nn.Tanh(), nn.Dense(2)]
        self.data = tuple(self[name] for name in ("x", "y", "weight") if name in self.numbers)
        self.model = nn.Sequential(*layers).build(self["x"].shape[1], seed=range(3), dtype="float64")
        self.model.params[...] = self["params"]

    def __getitem__(self, name):
        return self.numbers[name]

    def holds(self, found, name, atol=1e-8):
        assert found.shape == self[name].shape
        np.testing.assert_allclose(found, self[name], rtol=0, atol=atol * abs(self[name]).max())


@pytest.fixture(params=["classes", "numbers"])
def torch(request):
    return Witness(request.param)


@pytest.fixture
def numbers():
    return Witness("numbers")


def digest(model, *others):
    """All that a model holds, to the last bit, and what its layers have as attributes."""
    arrays = [model.params, model.grads, model.state, *(stream.get_state() for stream in model._store.streams.values()), *others]
    attributes = [sorted(vars(layer)) for _, _, layer in layout.walk(model)]
    working = [id(layer._w) for _, _, layer in layout.walk(model)]
    return [sha256(array.tobytes()).hexdigest() for array in arrays], attributes, working


# ------------------------------------------------------------------------------------------ PyTorch's numbers


def test_activations_and_gradients(torch):
    for training in (True, False):
        with nn.probe(torch.model) as p:
            torch.loss.forward(torch.model.forward(torch["x"], training=training), *torch.data[1:])
            torch.model.backward(torch.loss.backward(), need_dx=False)
        assert list(p.activations) == list(p.names) == [str(i) for i in range(len(torch.model))]
        for name in p.names:
            torch.holds(p.activations[name], f"activation/{name}", 1e-12)
            torch.holds(p.gradients[name], f"gradient/{name}", 1e-12)


def test_per_sample_gradients(torch):
    found = nn.per_sample_gradients(torch.model, torch.loss, torch.data)
    torch.holds(found, "rows", 1e-12)


def test_hessian_vector_products(torch):
    torch.holds(nn.hessian_vector_product(torch.model, torch.loss, torch.data, torch["v"]), "hv")
    shared, own = (nn.hessian_vector_product(torch.model, torch.loss, torch.data, v) for v in (torch["v"], np.tile(torch["v"], (3, 1))))
    assert same([shared], [own])


def test_a_kink_within_the_step_is_stepped_around(monkeypatch):
    rng = np.random.default_rng(int(TORCH["kinks/seed"]))
    data = rng.normal(size=(1000, 8)), rng.normal(size=(1000, 2))
    model = nn.Sequential(nn.Dense(32), nn.ReLU(), nn.Dense(32), nn.ReLU(), nn.Dense(2)).build(8, seed=[0, 1], dtype="float64")
    model.params[0] = 0.3 * rng.normal(size=model.params.shape[-1])
    v, right = rng.normal(size=model.params.shape[-1]), TORCH["kinks/hv"]
    found = nn.hessian_vector_product(model, nn.MSE(), data, v)
    np.testing.assert_allclose(found[0], right, rtol=0, atol=1e-6 * abs(right).max())
    assert same([found[0]], [nn.hessian_vector_product(model.take(0), nn.MSE(), data, v)])
    monkeypatch.setattr(hessian, "SMALLER", ())
    assert abs(nn.hessian_vector_product(model, nn.MSE(), data, v)[0] - right).max() > 100 * abs(right).max()


@pytest.mark.parametrize("scale", [0.0, 1e-200, 1e200])
def test_a_product_is_linear_in_its_vector(numbers, scale):
    found = nn.hessian_vector_product(numbers.model, numbers.loss, numbers.data, scale * numbers["v"])
    np.testing.assert_allclose(found, scale * numbers["hv"], rtol=1e-6, atol=1e-8 * scale)


def test_the_hessian_row_by_row(numbers):
    P = numbers.model.params.shape[-1]
    rows = [nn.hessian_vector_product(numbers.model, numbers.loss, numbers.data, v) for v in np.eye(P)]
    numbers.holds(np.stack(rows, 1), "hessian")


@pytest.mark.parametrize("dense", [0, hessian.DENSE])  # of the two networks one is below
def test_eigenvalues(torch, dense, monkeypatch):
    monkeypatch.setattr(hessian, "DENSE", dense)
    every_one = torch["eigenvalues"]
    wanted = {"largest": every_one[:, :4], "smallest": every_one[:, :-5:-1]}
    wanted["magnitude"] = np.stack([of_run[np.argsort(-abs(of_run))[:4]] for of_run in every_one])
    for which, right in wanted.items():
        values, vectors = nn.hessian_eigenvalues(torch.model, torch.loss, torch.data, 4, which=which)
        np.testing.assert_allclose(values, right, rtol=0, atol=1e-8)
        for i in range(4):  # H v = value v, and length 1
            v = vectors[:, i]
            hv = nn.hessian_vector_product(torch.model, torch.loss, torch.data, v)
            np.testing.assert_allclose(hv, values[:, i, None] * v, rtol=0, atol=1e-7)
            np.testing.assert_allclose((v * v).sum(-1), 1, rtol=1e-12)


def test_trace(torch):
    value, se = nn.hessian_trace(torch.model, torch.loss, torch.data, samples=500, seed=1)
    assert value.shape == se.shape == (3,)
    assert (abs(value - torch["trace"]) < 3 * se).all() and (se < 0.2 * abs(value) + 0.1).all()


def test_trace_is_the_mean_over_known_vectors(numbers):
    rng, H = nn.generator(5, "hutchinson"), numbers["hessian"]
    v = np.where(rng.random((30, H.shape[-1])) < 0.5, -1.0, 1.0)
    samples = np.array([[w @ of_run @ w for w in v] for of_run in H])
    value, se = nn.hessian_trace(numbers.model, numbers.loss, numbers.data, samples=30, seed=5)
    np.testing.assert_allclose(value, samples.mean(1), rtol=0, atol=1e-7)
    np.testing.assert_allclose(se, samples.std(1, ddof=1) / 30**0.5, rtol=1e-6)


def test_tangent_kernel(torch):
    torch.holds(nn.ntk(torch.model, torch["x"], torch["x2"]), "ntk", 1e-12)
    each = nn.ntk(torch.model, torch["x"], outputs="each")
    torch.holds(each, "ntk_each", 1e-12)
    kernel = nn.ntk(torch.model, torch["x"])
    np.testing.assert_allclose(kernel, each.sum(1), rtol=1e-12)
    assert same([kernel], [kernel.mT])


def test_alignment(torch):
    first, second = torch["activation/0"], torch["activation/1"]
    torch.holds(nn.cka(first, second), "cka", 1e-12)
    torch.holds(nn.cka_of_runs(second), "cka_of_runs", 1e-12)
    np.testing.assert_allclose(nn.cka(first[0], second), [nn.cka(first[0], of_run) for of_run in second], rtol=1e-14)


def test_losses_on_a_plane_and_a_path(torch):
    found = nn.loss_plane(torch.model.take(0), torch.loss, torch.data, torch["params"], points=4)
    torch.holds(found.x, "plane/x", 1e-12)
    torch.holds(found.y, "plane/y", 1e-12)
    torch.holds(found.loss, "plane/loss", 1e-12)
    path = nn.loss_path(torch.model, torch.loss, torch.data, 0, 2, points=5)
    torch.holds(path["loss"], "path", 1e-12)
    assert path["t"].tolist() == [0, 0.25, 0.5, 0.75, 1]


# ------------------------------------------------------------------------------------------ a stack, and each network alone


def found_by_probes(model, loss, data, x, run=...):
    """What the probes of one model give, or a run of a stack."""
    P = model.params.shape[-1]
    v = np.random.default_rng(1).normal(size=P)
    found = [nn.per_sample_gradients(model, loss, data), nn.hessian_vector_product(model, loss, data, v, batch_size=3)]
    found += [*nn.hessian_trace(model, loss, data, samples=5), *nn.hessian_eigenvalues(model, loss, data, 1)]
    found += [nn.ntk(model, x), nn.ntk(model, x, x[..., ::2, *(slice(None),) * len(model.input_shape)], outputs="each")]
    return [np.array(array[run]) for array in found]


@every_layer
def test_a_stack_has_the_bytes_of_each_network_alone_and_no_model_is_changed(case, rng):
    shape = case.shapes[-1]
    model = case.of(range(RUNS)).build(shape, seed=range(RUNS), dtype="float64")
    if not model.params.size:
        with pytest.raises(nn.UsageError, match=r"^ntk: the model has no parameters$"):
            nn.ntk(model, case.inputs(rng, (4,), shape))
        return
    for lead in ((), (RUNS,)):  # rows that all runs share, and rows of their own
        x, y = case.inputs(rng, (*lead, 5), shape), rng.normal(size=(*lead, 5, *model.output_shape))
        weight = rng.uniform(1, 2, size=(*lead, 5))
        before = digest(model, x, y, weight)
        found = [found_by_probes(model, nn.MSE(), (x, y, weight), x, run) for run in range(RUNS)]
        assert digest(model, x, y, weight) == before
        for run in range(RUNS):
            alone = case.of(run).build(shape, seed=run, dtype="float64")
            before = digest(alone)
            own = [a[run] if lead else a for a in (x, y, weight)]
            assert same(found_by_probes(alone, nn.MSE(), tuple(own), own[0]), found[run])
            assert digest(alone) == before


@every(Case(nn.BinaryCrossEntropy()), Case(nn.MAE()), Case(Pinball(), per_run={"q": [0.1, 0.5, 0.9], "scale": [1.0, 2.0, 0.5]}))
def test_a_stack_has_the_bytes_of_each_network_alone_with_every_number_of_a_loss(case, rng):
    model = nn.Sequential(nn.Dense(3), nn.Tanh(), nn.Dense(2)).build(4, seed=range(RUNS))
    x, y = rng.normal(size=(5, 4)), rng.uniform(size=(5, 2))
    found = (
        nn.per_sample_gradients(model, case.of(range(RUNS)), (x, y)),
        nn.loss_plane(model, case.of(range(RUNS)), (x, y), rng.normal(size=(3, *model.params.shape)), points=3).loss,
    )
    assert found[0].shape == (RUNS, 5, 23) and found[1].shape == (RUNS, 3, 3)
    for run in range(RUNS):
        alone = model.take(run)
        assert same([nn.per_sample_gradients(alone, case.of(run), (x, y))], [found[0][run]])


def test_each_networks_eigenvalues_are_those_that_it_has_alone(torch, monkeypatch):
    monkeypatch.setattr(hessian, "DENSE", 0)
    found = nn.hessian_eigenvalues(torch.model, torch.loss, torch.data, 3)
    for run in (2, 0):
        assert same([array[run] for array in found], nn.hessian_eigenvalues(torch.model.take(run), torch.loss, torch.data, 3))


def test_gradients_of_rows_take_little_more_memory_than_themselves(rng):
    model = nn.Sequential(nn.Dense(32), nn.Tanh(), nn.Dense(10)).build(32)
    data = rng.normal(size=(4000, 32)), rng.integers(0, 10, size=4000)
    tracemalloc.start()
    try:
        found = nn.per_sample_gradients(model, nn.CrossEntropy(), data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.shape == (4000, 1386) and peak < found.nbytes + 2**24


def small(seed=range(RUNS), dtype="float64"):
    """With parameters, state, streams, numbers of each run and containers in containers."""
    inner = nn.Residual(nn.Dense(3), nn.BatchNorm(), nn.Tanh())
    layers = [nn.Dense(3, name="first"), nn.LeakyReLU(0.1), inner, nn.Dropout(0.3), nn.Dense(2)]
    model = nn.Sequential(*layers).build(2, seed=seed, dtype=dtype)
    nn.fit(model, nn.MSE(), nn.SGD(0.01), DATA, epochs=1, batch_size=4)
    return model


DATA = tuple(np.random.default_rng(1).normal(size=(2, 10, 2)))
X, V = DATA[0], np.ones(35)  # as many as `small` has parameters


def test_a_rows_gradient_is_that_of_a_batch_of_this_row_to_the_last_bit():
    model, loss = small(dtype="float32"), nn.MSE().build((2,))
    found = nn.per_sample_gradients(model, loss, DATA)
    assert found.dtype == np.float32
    x, y = (a.astype("float32") for a in DATA)
    for row in range(10):
        loss.forward(model.forward(x[row : row + 1]), y[row : row + 1])
        model.backward(loss.backward(), need_dx=False)
        assert same([found[:, row]], [model.grads])


@pytest.mark.parametrize("room", [1, 500, 2**24])
def test_what_is_computed_at_a_time_changes_no_bit(room, monkeypatch, torch):
    monkeypatch.setattr(copies, "ROOM", 10_000)
    run, data = torch.model.take(1), torch.data
    plane = [run, torch.loss, data, torch["params"]]
    before = [*found_by_probes(run, torch.loss, data, torch["x"])[:3], nn.loss_plane(*plane, points=4).loss]
    monkeypatch.setattr(copies, "ROOM", room)
    assert same([*found_by_probes(run, torch.loss, data, torch["x"])[:3], nn.loss_plane(*plane, points=4).loss], before)


@pytest.mark.parametrize("room", [1, 300, 1000])
def test_blocks_of_the_tangent_kernel_make_one(room, monkeypatch, torch):
    monkeypatch.setattr(gradients, "BLOCK", room)
    test_tangent_kernel(torch)
    stack = nn.ntk(torch.model, torch["x"])
    assert same([stack[1]], [nn.ntk(torch.model.take(1), torch["x"])])


def test_a_point_of_a_plane_is_evaluated_as_the_network_is():
    model = small()
    before, alone = digest(model), model.take(1)
    found = nn.loss_plane(alone, nn.MSE(), DATA, model.params, points=5, margin=0.5)
    assert digest(model) == before and found.loss.shape == (5, 5)
    place = model.take(1)
    place.params[...] = found.origin + found.x[1] * found.u + found.y[3] * found.v
    assert same([found.loss[3, 1]], [nn.evaluate(place, nn.MSE(), DATA)["loss"]])
    for corner, weights in zip(found.corners, model.params, strict=True):
        np.testing.assert_allclose(found.origin + corner[0] * found.u + corner[1] * found.v, weights, rtol=0, atol=1e-14)


def test_planes_of_a_stack_are_those_of_its_networks():
    model, weights = small(), np.random.default_rng(2).normal(size=(3, RUNS, small().params.shape[-1]))
    found = nn.loss_plane(model, nn.MSE(), DATA, weights, points=3)
    for run in range(RUNS):
        alone = nn.loss_plane(model.take(run), nn.MSE(), DATA, weights[:, run], points=3)
        assert same([array[run] for array in found], list(alone))


def test_the_ends_of_a_path_are_the_two_networks():
    model = small()
    before = digest(model)
    found = nn.loss_path(model, nn.MSE(), DATA, 2, 0, points=3, metrics=[nn.R2(), nn.MAE()])
    assert digest(model) == before
    ends = nn.evaluate(model, nn.MSE(), DATA, metrics=[nn.R2(), nn.MAE()])
    assert list(found) == ["t", "loss", "r2", "mae"]
    assert same([found[name][[0, -1]] for name in ends], [ends[name][[2, 0]] for name in ends])
    middle = model.take(0)
    for whole, half in ((model.params, middle.params), (model.state, middle.state)):
        half[...] = 0.5 * whole[2] + 0.5 * whole[0]
    assert same([found["loss"][1]], [nn.evaluate(middle, nn.MSE(), DATA)["loss"]])


def test_alignment_of_runs_has_the_bytes_of_each_pair(rng):
    for n, m in ((3, 4), (30, 4)):  # products of features, and of rows
        a, b = rng.normal(size=(3, 9, n)), rng.normal(size=(2, 9, m))
        found = nn.cka_of_runs(a, b)
        assert found.shape == (3, 2)
        assert all(same([found[i, j]], [nn.cka(a[i], b[j])]) for i in range(3) for j in range(2))
        assert same([nn.cka(a[:2], b)], [found[[0, 1], [0, 1]]])


def test_alignment_forgets_scale_and_rotation(rng):
    a = rng.normal(size=(20, 4))
    turned = 3 * a @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + 5
    np.testing.assert_allclose(nn.cka(a, turned), 1, rtol=1e-12)
    assert np.isnan(nn.cka(a, np.ones((20, 3))))


# ------------------------------------------------------------------------------------------ dtypes, inputs, runs that diverged


def test_the_hessian_of_a_float32_model_is_that_of_its_numbers_in_float64():
    model, v = small(dtype="float32"), np.ones(small().params.shape[-1])
    found = nn.hessian_vector_product(model, nn.MSE(), DATA, v)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, nn.hessian_vector_product(model.astype("float64"), nn.MSE(), DATA, v), rtol=1e-6, atol=1e-8)


def test_numbers_that_follow_a_schedule_are_those_of_now():
    model = nn.Sequential(nn.Dense(3), nn.LeakyReLU(nn.Step(0.5, every=1, factor=0.1)), nn.Dense(2)).build(2)
    fixed = nn.Sequential(nn.Dense(3), nn.LeakyReLU(0.05), nn.Dense(2)).build(2)
    model.layers[1].schedule(1, 2)
    v = np.ones(17)
    found, wanted = (nn.hessian_vector_product(each, nn.MSE(), DATA, v) for each in (model, fixed))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_integer_inputs(rng):
    model = nn.Sequential(Lookup(3), nn.Tanh(), nn.Dense(2)).build((4,), seed=range(2), dtype="float64")
    x, y = indices(rng, (6,), (4,)), rng.normal(size=(6, 4, 2))
    found = nn.per_sample_gradients(model, nn.MSE(), (x, y))
    loss = nn.MSE().build((4, 2))
    loss.forward(model.forward(x), y)
    model.backward(loss.backward(), need_dx=False)
    np.testing.assert_allclose(found.mean(1), model.grads, rtol=1e-10, atol=1e-15)
    assert nn.ntk(model, x, x[:2]).shape == (2, 6, 2)


def test_rows_that_stay_in_their_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("y.npy", DATA[1])
    mapped, whole = (nn.NPY("x.npy", y="y.npy", mapped=mapped).load() for mapped in (True, False))
    found = [nn.per_sample_gradients(small(), nn.MSE(), data) for data in (mapped, whole)]
    assert same(*([a] for a in found))
    assert same(*([nn.hessian_vector_product(small(), nn.MSE(), data, V)] for data in (mapped, whole)))


def test_no_rows_have_an_empty_kernel():
    assert nn.ntk(small(), X[:0]).shape == (RUNS, 0, 0) and nn.ntk(small(0), X, X[:0]).shape == (10, 0)


def test_a_data_set_with_names_of_classes():
    data = nn.Iris().prepare(seed=0).training
    model = nn.Dense(3).build(4, seed=[0, 1])
    assert nn.per_sample_gradients(model, nn.CrossEntropy(), data).shape == (2, 150, 15)
    assert nn.hessian_trace(model, nn.CrossEntropy(), data, samples=2).value.shape == (2,)


def test_a_run_that_diverged_is_nan_and_changes_no_other(numbers):
    model = numbers.model.take([0, 1, 2])
    model.params[1] = np.nan
    found = nn.hessian_eigenvalues(model, numbers.loss, numbers.data, 2)
    right = nn.hessian_eigenvalues(numbers.model, numbers.loss, numbers.data, 2)
    assert np.isnan(found.values[1]).all() and np.isnan(found.vectors[1]).all()
    assert same([array[[0, 2]] for array in found], [array[[0, 2]] for array in right])
    assert np.isnan(nn.hessian_trace(model, numbers.loss, numbers.data, samples=2).value[1])


def test_the_way_to_a_run_that_diverged_is_nan():
    model = small()
    model.params[1] = np.inf
    losses = nn.loss_path(model, nn.MSE(), DATA, 0, 1, points=3)["loss"]
    assert np.isfinite(losses).tolist() == [True, False, False]


def test_a_network_that_computes_nothing_has_a_hessian_of_0(monkeypatch):
    """All its ReLUs are off."""
    model = nn.Sequential(nn.Dense(20), nn.ReLU(), nn.Dense(2, bias=False)).build(2, dtype="float64")
    model.layers[0].b[...] = -1000
    assert (nn.hessian_eigenvalues(model, nn.MSE(), DATA, 3).values == 0).all()


def test_weight_of_a_row_counts_in_the_hessian_and_not_in_its_gradient(numbers):
    x, y, weight = numbers.data
    repeated = np.repeat(np.arange(9), np.arange(1, 10))
    v = numbers["v"]
    found = nn.hessian_vector_product(numbers.model, numbers.loss, (x, y, np.arange(1.0, 10)), v)
    np.testing.assert_allclose(found, nn.hessian_vector_product(numbers.model, numbers.loss, (x[repeated], y[repeated]), v), atol=1e-8)
    assert same(*([nn.per_sample_gradients(numbers.model, numbers.loss, data)] for data in ((x, y), (x, y, weight))))


# ------------------------------------------------------------------------------------------ a probe of a training


def step(model, training=True):
    """A forward and a backward; the output and its gradient."""
    loss = nn.MSE().build(model.output_shape)
    y = model.forward(X, training=training)
    loss.forward(y, DATA[1])
    dy = loss.backward().copy()
    model.backward(dy.copy(), need_dx=False)
    return np.array(y), dy


def test_layers_are_named_as_in_a_file_of_weights(tmp_path):
    model = small()
    nn.save_weights(model, tmp_path / "weights.npz")
    with nn.probe(model, "first", "2.0", "") as p:
        y, dy = step(model)
    assert p.names == ("first", "2.0", "") and "2.0.W" in np.load(tmp_path / "weights.npz")
    assert p.activations["first"].shape == p.gradients["2.0"].shape == (RUNS, 10, 3)
    assert same([p.activations[""], p.gradients[""]], [y, dy])


def test_unless_some_are_named_all_layers_are_probed():
    assert nn.probe(small()).names == ("first", "1", "2", "2.0", "2.1", "2.2", "3", "4")
    assert nn.probe(nn.Dense(1).build(2)).names == ("",)


def test_a_probed_step_has_the_bytes_of_another():
    model, other = small(), small()
    with nn.probe(model), nn.probe(model, "2"):
        found = step(model)
    assert same([*found, model.grads, model.state], [*step(other), other.grads, other.state])


def test_arrays_are_copies():
    model = small()
    with nn.probe(model, "4") as p:
        y, _ = step(model)
        first, gradient = p.activations["4"], p.gradients["4"]
        model.params[...] += 1
        other, _ = step(model)
        assert same([first, p.activations["4"]], [y, other]) and gradient is not p.gradients["4"]
        assert not any(np.shares_memory(first, array) for array in (model.params, model.layers[4]._w.y))
    step(model)
    assert same([p.activations["4"]], [other])  # which remains


def test_a_layer_that_computes_alike_for_all_runs_has_a_runs_axis_too():
    model = nn.Sequential(nn.Dropout(), nn.Dense(1)).build(2, seed=range(2))
    with nn.probe(model) as p:
        model.predict(X)
    assert p.activations["0"].shape == (2, 10, 2) and p.activations["0"].flags.c_contiguous
    assert same([p.activations["0"][1]], [X.astype("float32")])


def attributes(model):
    return [dict(vars(layer)) for _, _, layer in layout.walk(model)]


def test_after_the_block_nothing_is_left():
    model = small()
    before = attributes(model)
    with nn.probe(model):
        pass
    assert attributes(model) == before
    with pytest.raises(ZeroDivisionError), nn.probe(model):
        model.predict(X)
        raise ZeroDivisionError
    assert [list(found) for found in attributes(model)] == [list(found) for found in before]


def test_probes_may_be_nested_and_end_in_any_order():
    model = small()
    before = attributes(model)
    outer, inner = nn.probe(model, "4", "first"), nn.probe(model, "4")
    outer.__enter__()
    with inner:
        step(model)
        with nn.probe(model, "2") as innermost:
            step(model)
    last, first = inner.activations["4"], outer.activations["4"]
    assert same([last], [first]) and last is not first and list(innermost.activations) == ["2"]
    inner.__enter__()
    outer.__exit__(None, None, None)
    y, _ = step(model)
    assert same([inner.activations["4"]], [y]) and outer.activations["4"] is first
    inner.__exit__(None, None, None)
    assert [list(found) for found in attributes(model)] == [list(found) for found in before]


def test_a_layers_own_forward_comes_back():
    """Which somebody had put in place of its class's."""
    model, calls = small(), []
    layer = model.layers[1]
    layer.forward = lambda x, training=False: calls.append(1) or type(layer).forward(layer, x, training=training)
    own = layer.forward
    with nn.probe(model, "1") as p:
        model.predict(X)
    assert layer.forward is own and calls and "1" in p.activations


def test_in_fit_callbacks_see_each_epochs_last_batch():
    model, seen = small(), []

    class Watch:
        def on_epoch(self, state):
            seen.append((p.activations["2"], p.gradients["2"]))

    with nn.probe(model, "2") as p:
        nn.fit(model, nn.MSE(), nn.SGD(0.01), DATA, epochs=3, batch_size=4, callbacks=[Watch()])
    assert [(a.shape, g.shape) for a, g in seen] == 3 * [((RUNS, 2, 3), (RUNS, 2, 3))]
    other = small()
    nn.fit(other, nn.MSE(), nn.SGD(0.01), DATA, epochs=3, batch_size=4)
    assert same([model.params, model.state], [other.params, other.state])


def test_a_probe_follows_fit_when_runs_end():
    model, seen = small(), []
    before = attributes(model)

    class Watch:
        def on_epoch(self, state):
            seen.append((p.activations["4"].shape[0], len(state.runs)))
            if state.epoch < 3:
                state.stop(np.arange(len(state.runs)) == 0, "enough")

    with nn.probe(model, "4") as p:
        nn.fit(model, nn.MSE(), nn.SGD(0.01), DATA, epochs=4, batch_size=10, callbacks=[Watch()])
    assert seen == [(3, 3), (2, 2), (1, 1), (1, 1)]
    assert [list(found) for found in attributes(model)] == [list(found) for found in before]


def test_copies_of_a_probed_model_are_not_probed_but_what_take_makes():
    model = small()
    with nn.probe(model, "4") as p:
        copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.astype("float32"), copy.deepcopy(model.layers[4])]
        taken = model.take([1, 2])
        for other in copies:
            other.forward(np.ones((1, *other.input_shape), other.dtype))
            assert not p.activations and "forward" not in vars(other)
        y = taken.predict(X)
        assert same([p.activations["4"]], [y])
        taken.take(0).predict(X)
        assert p.activations["4"].shape == (10, 2)
    assert not any({"forward", "take", "_probed"} & vars(layer).keys() for _, _, layer in layout.walk(taken))


def test_other_probes_within_a_probe_leave_it_alone():
    model = small()
    with nn.probe(model, "4") as p:
        y = model.predict(X)
        found_by_probes(model, nn.MSE(), DATA, X)
        nn.loss_path(model, nn.MSE(), DATA, 0, 1)
        nn.check_gradients(model, X, tolerance=1)
        assert same([p.activations["4"]], [y]) and not p.gradients


def test_a_probed_training_goes_on_from_its_checkpoint(tmp_path):
    model, other = small(), small()
    options = {"epochs": 4, "batch_size": 4}
    with nn.probe(model):
        nn.fit(model, nn.MSE(), nn.SGD(0.01), DATA, **options | {"epochs": 2}, checkpoint=tmp_path)
        model = small()
    with nn.probe(model):
        nn.fit(model, nn.MSE(), nn.SGD(0.01), DATA, **options, checkpoint=tmp_path)
    nn.fit(other, nn.MSE(), nn.SGD(0.01), DATA, **options)
    assert same([model.params], [other.params])


def test_a_part_of_a_model_is_probed_by_its_own_names():
    model = small()
    part = model[2:]
    with nn.probe(part, "0.1") as p, nn.probe(model, "2.1") as q:
        model.predict(X)
    assert same([p.activations["0.1"]], [q.activations["2.1"]])


# ------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    "names, message",
    [
        (["frist"], r"^probe: there is no layer 'frist'\. Did you mean 'first'\? Layers: '' \(the model itself\), first, 1, 2, 2\.0, "),
        (["0"], r"there is no layer '0'\."),
        ([2], r"there is no layer 2\. Write '2'\. Layers"),
        ([["2", "4"]], r"there is no layer a list of 2\. Write probe\(model, '2', '4'\): names one by one\."),
        (["2.W"], r"there is no layer '2\.W'\."),
    ],
)
def test_an_unknown_layer_is_refused(names, message):
    with pytest.raises(nn.OptionError, match=message):
        nn.probe(small(), *names)


def test_what_has_not_been_computed_is_told():
    model = nn.Sequential(nn.Tanh(), nn.Dense(2)).build(2)
    with nn.probe(model, "0", "1") as p:
        with pytest.raises(nn.UsageError, match=r"^probe: layer '0' has no activation yet: call the model's forward, or fit or predict$"):
            p.activations["0"]
        step(model)
        with pytest.raises(nn.UsageError, match=r"layer '0' has no gradient yet: it has one after a backward that goes through it"):
            p.gradients["0"]  # no layer before it has parameters
        with pytest.raises(nn.UsageError, match=r"layer '10' is not probed\. Did you mean '1'\? Probed: 0, 1\."):
            p.activations["10"]
        with pytest.raises(nn.UsageError, match=r"^probe: this one is in use; make another one$"), p:
            pass
    assert p.gradients["1"].shape == (10, 2)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda m: nn.probe(nn.MSE()), nn.OptionError, r"^probe\.model: expected a layer, got MSE\(\)"),
        (lambda m: nn.probe(nn.Dense(1)), nn.UsageError, r"^Dense is not built; call build"),
        (lambda m: nn.per_sample_gradients(nn.Dense(1), nn.MSE(), DATA), nn.UsageError, r"^Dense is not built"),
        (lambda m: nn.per_sample_gradients(m, m, DATA), nn.OptionError, r"^per_sample_gradients\.loss: expected a loss, got "),
        (
            lambda m: nn.per_sample_gradients(m, nn.MSE(), DATA[0]),
            nn.ShapeError,
            r"^per_sample_gradients\.data: expected \(x, y\), \(x, y, weight\) or",
        ),
        (
            lambda m: nn.per_sample_gradients(m, nn.MSE(), (X[:, :1], X)),
            nn.ShapeError,
            r"^per_sample_gradients\.data\.x: expected \(rows, 2\), got \(10, 1\)",
        ),
        (lambda m: nn.per_sample_gradients(m, nn.MSE(), (X[None], X)), nn.ShapeError, r"data\.x: expected \(rows, 2\), got \(1, 10, 2\)"),
        (
            lambda m: nn.per_sample_gradients(m, nn.CrossEntropy(), (X, np.full(10, 2))),
            nn.DataError,
            r"data\.y: CrossEntropy of outputs \(2,\) expected classes from 0 to 1, got 2",
        ),
        (
            lambda m: nn.hessian_vector_product(m, nn.MSE(), DATA, V[1:]),
            nn.ShapeError,
            r"^hessian_vector_product\.v: expected \(35,\), got \(34,\)",
        ),
        (
            lambda m: nn.hessian_vector_product(m, nn.MSE(), DATA, V * np.nan),
            nn.DataError,
            r"^hessian_vector_product\.v: expected finite numbers",
        ),
        (
            lambda m: nn.hessian_vector_product(m, nn.MSE(), DATA, V, batch_size=0),
            nn.OptionError,
            r"^hessian_vector_product\.batch_size: expected an integer of at least 1, got 0",
        ),
        (
            lambda m: nn.hessian_eigenvalues(m, nn.MSE(), DATA, 36),
            nn.OptionError,
            r"^hessian_eigenvalues\.k: expected at most 35, the number of parameters, got 36",
        ),
        (
            lambda m: nn.hessian_eigenvalues(m, nn.MSE(), DATA, 0),
            nn.OptionError,
            r"^hessian_eigenvalues\.k: expected an integer of at least 1, got 0",
        ),
        (
            lambda m: nn.hessian_eigenvalues(m, nn.MSE(), DATA, which="LA"),
            nn.OptionError,
            r"^hessian_eigenvalues\.which: expected one of 'largest', 'smallest', 'magnitude', got 'LA'",
        ),
        (
            lambda m: nn.hessian_trace(m, nn.MSE(), DATA, samples=1),
            nn.OptionError,
            r"^hessian_trace\.samples: expected an integer of at least 2 .*, got 1",
        ),
        (lambda m: nn.hessian_trace(m, nn.MSE(), DATA, seed=-1), nn.OptionError, r"^hessian_trace\.seed: expected an integer .*, got -1"),
        (lambda m: nn.ntk(m, X[0]), nn.ShapeError, r"Sequential was built for inputs \(batch, 2\), got \(2,\)"),
        (lambda m: nn.ntk(m, X[None]), nn.ShapeError, r"Sequential was built for inputs \(batch, 2\), got \(1, 10, 2\)"),
        (lambda m: nn.ntk(m, X, X[:, :1]), nn.ShapeError, r"Sequential was built for inputs"),
        (lambda m: nn.ntk(m, X, outputs="all"), nn.OptionError, r"^ntk\.outputs: expected one of 'sum', 'each', got 'all'"),
        (lambda m: nn.ntk(m, np.full(X.shape, "a")), nn.DataError, r"^ntk\.x: expected numbers"),
        (lambda m: nn.cka(X, X[:5]), nn.ShapeError, r"^cka: expected activations of the same rows and runs, got \(10, 2\) and \(5, 2\)"),
        (lambda m: nn.cka(np.ones((2, 10, 2)), np.ones((3, 10, 2))), nn.ShapeError, r"the same rows and runs"),
        (
            lambda m: nn.cka(np.ones((2, 10, 2, 3)), X),
            nn.ShapeError,
            r"^cka\.a: expected \(rows, n\) or \(R, rows, n\), got .*; fold further axes",
        ),
        (lambda m: nn.cka(X, X * np.inf), nn.DataError, r"^cka\.b: expected finite numbers"),
        (lambda m: nn.cka_of_runs(X), nn.ShapeError, r"^cka_of_runs: expected activations \(R, rows, n\) of the same rows, got \(10, 2\)"),
        (lambda m: nn.loss_plane(m, nn.MSE(), DATA, [V, V]), nn.ShapeError, r"^loss_plane\.weights: expected three arrays \(35,\)"),
        (
            lambda m: nn.loss_plane(small(), nn.MSE(), DATA, small().params),
            nn.ShapeError,
            r"^loss_plane\.weights\.0: expected an array like model\.params \(3, 35\), got \(35,\); for a plane through three runs write model\.take\(0\)",
        ),
        (
            lambda m: nn.loss_path(small(), nn.MSE(), DATA, 0, 1, metrics=nn.R2()),
            nn.OptionError,
            r"^loss_path\.metrics: expected a list, got R2\(\); write \[R2\(\)\]",
        ),
        (lambda m: nn.loss_plane(m, nn.MSE(), DATA, 3), nn.ShapeError, r"^loss_plane\.weights: expected three arrays \(35,\)"),
        (
            lambda m: nn.loss_plane(m, nn.MSE(), DATA, [V, 2 * V, V[:3]]),
            nn.ShapeError,
            r"^loss_plane\.weights\.2: expected an array like model\.params \(35,\), got \(3,\)",
        ),
        (
            lambda m: nn.loss_plane(m, nn.MSE(), DATA, [V, 2 * V, V * np.nan]),
            nn.DataError,
            r"^loss_plane\.weights\.2: expected finite numbers",
        ),
        (
            lambda m: nn.loss_plane(m, nn.MSE(), DATA, [V, 2 * V, 3 * V]),
            nn.UsageError,
            r"^loss_plane\.weights: the three sets of weights stand on one line",
        ),
        (
            lambda m: nn.loss_plane(m, nn.MSE(), DATA, [V, V, m.params]),
            nn.UsageError,
            r"^loss_plane\.weights: the three sets of weights stand on one line",
        ),
        (
            lambda m: nn.loss_plane(m, nn.MSE(), DATA, [V, 2 * V, m.params], points=1),
            nn.OptionError,
            r"^loss_plane\.points: expected an integer of at least 2 and at most 10000, got 1",
        ),
        (
            lambda m: nn.loss_path(m, nn.MSE(), DATA, 0, 1),
            nn.UsageError,
            r"^loss_path: this is one network; the path goes from one run of a stack to another",
        ),
        (
            lambda m: nn.loss_path(small(), nn.MSE(), DATA, 0, 3),
            nn.OptionError,
            r"^loss_path\.stop: expected an integer of at least 0 and at most 2, got 3",
        ),
        (
            lambda m: nn.loss_path(small(), nn.MSE(), ([X] * 3, [X] * 3), 0, 1),
            nn.ShapeError,
            r"^loss_path\.data\.x: expected \(rows, 2\), got \(3, 10, 2\)",
        ),
        (
            lambda m: nn.loss_path(nn.LayerNorm(eps=[0.1, 0.2]).build(2, seed=[0, 1]), nn.MSE(), DATA, 0, 1),
            nn.UsageError,
            r"^loss_path: runs 0 and 1 differ in LayerNorm\.eps, so that no network stands between them",
        ),
        (lambda m: nn.ntk(nn.Tanh().build(2), X), nn.UsageError, r"^ntk: the model has no parameters"),
    ],
)
def test_a_mistake_is_told(call, error, message):
    model = small(0)
    before = digest(model)
    with pytest.raises(error, match=message):
        call(model)
    assert digest(model) == before


def test_eigenvalues_that_are_not_found_are_told(numbers, monkeypatch):
    from scipy.sparse import linalg

    monkeypatch.setattr(hessian, "DENSE", 0)
    monkeypatch.setattr(linalg, "eigsh", lambda *given, eigsh=linalg.eigsh, **options: eigsh(*given, **options, maxiter=1, ncv=5))
    with pytest.raises(nn.UsageError, match=r"^hessian_eigenvalues: run 0: eigsh did not find 4 eigenvalues \(.*\); ask for fewer$"):
        nn.hessian_eigenvalues(numbers.model, numbers.loss, numbers.data, 4)


def test_a_result_that_does_not_fit_into_memory_is_refused(monkeypatch):
    monkeypatch.setattr(copies.npz, "memory", lambda: 1000)
    told = r"^per_sample_gradients: the result \(1, 10, 35\) needs 0\.0 GiB, and this machine has 0\.0 GiB of memory; give fewer rows"
    with pytest.raises(nn.UsageError, match=told):
        nn.per_sample_gradients(small(0), nn.MSE(), DATA)
