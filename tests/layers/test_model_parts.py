"""A part of a model is a model with the same numbers; the parts of flat vectors by name."""

import copy

import numpy as np
import pytest
from cases import every_optimizer, same

import nnframe as nn

X, Y = np.random.default_rng(1).normal(size=(2, 10, 2))
RUNS = 3


def built(seed=range(RUNS)):
    inner = nn.Residual(nn.Dense(3), nn.BatchNorm(), nn.Tanh())
    layers = [nn.Dense(3, name="first"), nn.LeakyReLU([0.1, 0.2, 0.3]), inner, nn.Dropout(0.3), nn.Dense(2)]
    return nn.Sequential(*layers).build(2, seed=seed, dtype="float64")


def fit(model, optimizer, **options):
    return nn.fit(model, nn.MSE(), optimizer, (X, Y), **{"epochs": 3, "batch_size": 4} | options)


# ------------------------------------------------------------------------------------------ a part of a model


def test_parts_behind_each_other_are_the_model():
    model = built()
    for i in range(1, 5):
        assert same([model[i:].predict(model[:i].predict(X))], [model.predict(X)])
    assert same([model[:].predict(X), model[-1].predict(model[:-1].predict(X))], [model.predict(X)] * 2)


def test_a_container_is_gone_through():
    model = built()
    assert len(model) == 5 and list(model) == list(model.layers) and model[2] is model.layers[2] and model[-1] is model.layers[4]
    assert list(reversed(model)) == list(model.layers[::-1]) and model.layers[1] in model
    assert type(model[2][:2]) is nn.Sequential and len(model[2]) == 3  # of what a residual adds to its input


def test_a_part_has_the_models_numbers_and_no_copies():
    model = built()
    part = model[1:3]
    assert part.runs == (RUNS,) and part.input_shape == part.output_shape == (3,)
    part.params[...], part.state[...] = 7, 8
    inner = model.layers[2].layers
    assert all((array == 7).all() for array in (inner[0].W, inner[1].gamma)) and (inner[1].var == 8).all()
    assert not (model.layers[0].params == 7).any() and not (model.layers[4].params == 7).any()
    model.params[...] = 5
    assert (part.params == 5).all() and part.params.shape == (RUNS, 18)
    assert str(part).startswith("Sequential: inputs (3,), 18 parameters, float64, 3 runs")


def test_going_back_through_parts_gives_the_models_gradients():
    model, other = built(), copy.deepcopy(built())
    first, last = model[:2], model[2:]
    y = last.forward(first.forward(X, training=True), training=True)
    dy = np.ones_like(y)
    dx = first.backward(last.backward(dy.copy()))
    assert same([y], [other.forward(X, training=True)])
    assert same([dx, model.grads], [other.backward(dy.copy()), other.grads])


def test_a_part_is_trained_alone():
    model = built()
    before = copy.deepcopy(model)
    fit(model, nn.Adam(0.1).attach(model[3:]))
    changed = {name for name, place in model.slices().items() if (model.params[:, place] != before.params[:, place]).any()}
    assert changed == {"4.W", "4.b"}
    part = before[:1]
    history = nn.fit(part, nn.MSE(), nn.SGD(0.1), (X, np.zeros((10, 3))), epochs=5, batch_size=10)
    assert (history["loss"][-1] < history["loss"][0]).all() and same([before.layers[0].W], [part.layers[0].W])


@every_optimizer
def test_runs_that_leave_leave_a_part_too(case):
    """As alone, byte for byte."""

    class Stop:
        def on_epoch(self, state):
            if state.epoch == 2 and len(state.model.params) == RUNS:
                state.stop(np.array([False, True, False]))

    model = built()
    optimizer = case.of(range(RUNS)).attach(model[2:])
    fit(model, optimizer, callbacks=[Stop()])
    assert optimizer.model.params.shape == (RUNS, 26)
    for run in (0, 2):
        alone = built().take(run)
        fit(alone, case.of(run).attach(alone[2:]))
        assert same([model.params[run], model.state[run]], [alone.params, alone.state])


def test_streams_outside_of_a_part_go_on_where_they_were_when_runs_leave_it():
    model = nn.Sequential(nn.Dropout(0.5), nn.Dense(2), nn.Dropout(0.5), nn.Dense(2)).build(2, seed=range(RUNS), dtype="float64")

    class Stop:
        def on_epoch(self, state):
            state.stop(np.arange(len(state.runs)) == 0)

    fit(model[2:], nn.SGD(0.1), callbacks=[Stop()])
    for layer in (model[0], model[2]):
        assert layer.dropout is model._store.streams[f"{layer._key}.dropout"]


def test_an_optimizer_of_a_part_wants_the_take_of_its_model():
    model = built()
    optimizer = nn.Adam().attach(model[1:3])
    for other in (model, built().take([0, 1, 2]), model[:2].take([0, 1])):
        with pytest.raises(nn.UsageError, match=r"^take: expected the model's take of the same rows, \(2,\) runs, got a model of "):
            optimizer.take([0, 1], other)
    taken = model.take([0, 1])
    assert np.shares_memory(optimizer.take([0, 1], taken).params, taken.params)


def test_a_copy_of_a_part_is_a_model_of_its_own(tmp_path):
    model = built()
    part = model[2:]
    for other in (copy.deepcopy(part), part.take([0, 1, 2]), part.astype("float64")):
        assert same([other.predict(Y[:, [0, 1, 1]])], [part.predict(Y[:, [0, 1, 1]])])
        other.params[...] = 0
        assert (other.layers[2].W == 0).all() and not (model.layers[4].W == 0).all()


def test_weights_of_a_part_go_into_a_file_and_another_model(tmp_path):
    model, other = built(), built([7, 8, 9])
    nn.save_weights(model[2:], tmp_path / "part.npz")
    nn.load_weights(other[2:], tmp_path / "part.npz")
    assert same([other[2:].params, other[2:].state], [model[2:].params, model[2:].state])
    assert not same([other.layers[0].W], [model.layers[0].W])
    with pytest.raises(nn.FileError, match=r"lacks 'first\.W' of the model"):
        nn.load_weights(other, tmp_path / "part.npz")


def test_a_part_of_a_model_that_is_not_built_is_not_built():
    model = nn.Sequential(nn.Dense(3), nn.Tanh(), nn.Dense(1))
    assert repr(model[:2]) == "Sequential(Dense(3), Tanh())"
    with pytest.raises(nn.UsageError, match=r"^Sequential is not built; call build"):
        model[:2].predict(X)


def test_a_part_of_a_model_that_was_built_again_is_refused():
    model = built()
    part = model[:2]
    model.build(2, seed=range(RUNS))
    with pytest.raises(nn.UsageError, match=r"^layers\.0: is not part of this build"):
        part.predict(X)
    assert model[:2].predict(X).shape == (RUNS, 10, 3)


@pytest.mark.parametrize(
    "place, message",
    [
        (5, r"^expected a layer's number below 5 or a slice such as model\[:2\], got 5"),
        (-6, r"got -6"),
        ("first", r"got 'first'"),
        (None, r"got None"),
        (slice("a"), r"got slice\(None, 'a', None\)"),
        (slice(2, 2), r"^the slice has none of the 5 layers"),
        (slice(None, None, 2), r"^expected layers that follow each other, got a step of 2"),
        (slice(None, None, -1), r"^expected layers that follow each other, got a step of -1"),
    ],
)
def test_what_is_no_part_is_refused(place, message):
    with pytest.raises(nn.UsageError, match=message):
        built()[place]


# ------------------------------------------------------------------------------------------ flat vectors by name


def test_slices_name_all_of_a_flat_vector(tmp_path):
    model = built()
    slices = model.slices()
    assert list(slices) == ["first.W", "first.b", "2.0.W", "2.0.b", "2.1.gamma", "2.1.beta", "4.W", "4.b"]
    assert [slices["first.W"], slices["4.b"]] == [slice(0, 6), slice(33, 35)]
    nn.save_weights(model, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as file:
        for name, place in slices.items():
            assert same([model.params[:, place]], [file[name].reshape(RUNS, -1)])
    assert np.concatenate([np.arange(35)[place] for place in slices.values()]).tolist() == list(range(35))


def test_slices_of_a_part_and_of_one_layer():
    model = built()
    part = model[2:]
    assert part.slices() == {
        "0.0.W": slice(0, 9), "0.0.b": slice(9, 12), "0.1.gamma": slice(12, 15), "0.1.beta": slice(15, 18), "2.W": slice(18, 24), "2.b": slice(24, 26)
    }  # fmt: skip
    assert same([part.params[:, part.slices()["2.b"]]], [model.layers[4].b.reshape(RUNS, -1)])
    assert model.layers[4].slices() == {"W": slice(0, 6), "b": slice(6, 8)}
    assert model.layers[1].slices() == {}
    with pytest.raises(nn.UsageError, match=r"^Dense is not built"):
        nn.Dense(1).slices()


@pytest.mark.parametrize("seed", [0, range(RUNS)])
def test_a_view_is_what_an_optimizer_remembers_of_a_parameter(seed):
    model = nn.Sequential(nn.Dense(3), nn.Dense(1)).build(2, seed=seed)
    optimizer = nn.SGD(0.1, momentum=0.9).attach(model)
    model.grads[...] = np.arange(13)
    optimizer.step()  # the first one's velocity is the gradient
    assert same([optimizer.view("velocity", name) for name in ("0.W", "0.b", "1.W")], [model[0].dW, model[0].db, model[1].dW])
    optimizer.view("velocity", "1.W")[...] = -1
    assert np.array_equal(
        optimizer.state["velocity"] == -1, np.broadcast_to((np.arange(13) >= 9) & (np.arange(13) < 12), model.params.shape)
    )
    part = nn.SGD(0.1, momentum=0.9).attach(model[1:])
    assert part.view("velocity", "0.W").shape == model[1].W.shape


def test_a_view_of_what_is_not_there_is_refused():
    model = nn.Sequential(nn.Dense(3, name="head")).build(2, seed=range(RUNS))
    adam = nn.Adam()
    with pytest.raises(nn.UsageError, match=r"^Adam is not attached; call attach\(model\) first"):
        adam.view("m", "head.W")
    adam.attach(model)
    for given, message in [
        (("M2", "head.W"), r"^view: Adam remembers no 'M2' for each parameter\. Did you mean 'm'\? It remembers: m, v\."),
        (("power1", "head.W"), r"^view: Adam remembers no 'power1' for each parameter\. It remembers: m, v\."),
        ((["m"], "head.W"), r"^view: Adam remembers no \['m'\] for each"),
        (("m", ["head.W"]), r"^view: there is no parameter \['head\.W'\]\."),
        (("m", "haed.W"), r"^view: there is no parameter 'haed\.W'\. Did you mean 'head\.W'\? Parameters: head\.W, head\.b\."),
    ]:
        with pytest.raises(nn.UsageError, match=message):
            adam.view(*given)
    with pytest.raises(nn.UsageError, match=r"^view: SGD remembers no 'velocity' for each parameter\. It remembers none\."):
        nn.SGD().attach(model).view("velocity", "head.W")
