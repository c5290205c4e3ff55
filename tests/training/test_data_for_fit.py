"""What `fit` is given as data: sources, what they prepare, and a fraction to validate on."""

import numpy as np
import pytest

import nnframe as nn

X = np.random.default_rng(0).normal(size=(50, 4))
Y = X @ [1.0, -2.0, 3.0, 0.5]


def network(seed, outputs=3):
    return nn.Sequential(nn.Dense(5), nn.Tanh(), nn.Dense(outputs)).build(4, seed=seed)


def train(model, data, loss=None, **options):
    options = {"epochs": 3, "batch_size": 8} | options
    return nn.fit(model, loss or nn.CrossEntropy(), nn.Adam(0.01), data, **options)


def same(stack, histories, alone):
    """Is each run of a stack, byte for byte, the run alone? `alone(seed)` trains one."""
    for run, seed in enumerate(stack._store.seeds.values.tolist()):
        model, history = alone(seed)
        assert model.params.tobytes() == stack.params[run].tobytes()
        for name, column in history.items():
            assert column.tobytes() == histories[name][:, run].tobytes(), name


@pytest.mark.parametrize("options", [{}, {"split_seed": 3}, {"label_noise": 0.2}, {"class_weights": "balanced"}])
def test_a_source_is_split_and_transformed_by_each_runs_seed(options):
    source = nn.Iris(validation=0.2, transforms=[nn.Standardize()], **options)

    def go(seed):
        model = network(seed)
        return model, train(model, source, metrics=[nn.Accuracy()])

    stack, history = go([4, 0, 4])
    assert history["val_accuracy"].shape == (3, 3)
    same(stack, history, go)


def test_what_a_source_has_prepared_is_trained_on_as_the_source_itself():
    source = nn.Iris(validation=0.2, transforms=[nn.Standardize()])
    one, other, third = network(7), network(7), network(7)
    train(one, source)
    train(other, source.prepare(7))
    data = source.prepare(7)
    train(third, data.training, validation=data.validation)
    assert one.params.tobytes() == other.params.tobytes() == third.params.tobytes()


def test_a_sources_augmentations_are_used_and_cannot_be_given_twice():
    plain, noisy = network(1), network(1)
    train(plain, nn.Iris())
    train(noisy, nn.Iris(augment=[nn.Noise(0.5)]))
    assert plain.params.tobytes() != noisy.params.tobytes()
    with pytest.raises(nn.OptionError, match=r"^fit\.augment: the data source has its own; leave one of them out"):
        train(plain, nn.Iris(augment=[nn.Noise(0.5)]), augment=[nn.Noise(0.1)])


def test_a_fraction_to_validate_on_is_drawn_by_each_runs_seed():
    def go(seed):
        model = network(seed, 1)
        return model, train(model, (X, Y), nn.MSE(), validation=0.2)

    stack, history = go([3, 1, 3, 0])
    assert len(set(history["val_loss"][-1])) == 3
    same(stack, history, go)


def test_a_fraction_is_that_of_a_source_with_the_same_rows_and_takes_of_each_class_its_share():
    data = nn.Iris().read()
    as_arrays, as_source = network(2), network(2)
    found = train(as_arrays, (data.x, data.y), validation=0.2, metrics=[nn.Accuracy()])
    assert train(as_source, nn.Iris(validation=0.2), metrics=[nn.Accuracy()])["val_loss"].tobytes() == found["val_loss"].tobytes()
    assert as_arrays.params.tobytes() == as_source.params.tobytes()
    assert np.allclose(found["val_accuracy"] * 30 % 1, 0)


def test_weights_go_with_their_rows():
    weight = np.where(np.arange(50) % 2, 1.0, 0.0)
    spoilt = np.where(weight, Y, 1e6)
    model = network(0, 1)
    history = train(model, (X, spoilt, weight), nn.MSE(), validation=0.3)
    assert history["val_loss"].max() < 100


@pytest.mark.parametrize(
    "data, validation, message",
    [
        ((X, Y), 1, r"^fit\.validation: expected data, or a fraction such as 0\.2, got 1$"),
        ((X, Y), True, r"^fit\.validation: expected data, or a fraction such as 0\.2, got true$"),
        ((X, Y), 1.5, r"^fit\.validation: expected a fraction greater than 0 and less than 1, got 1\.5"),
        ((X, Y), 1e-9, r"^fit\.validation: a validation part of 1e-09 of 50 rows leaves 50 to train on and 0 to validate on"),
        (nn.Iris(), 0.2, r"^fit\.validation: the data come from a source, which has transforms for both; write validation there"),
        ((X, Y), nn.Iris(), r"^fit\.validation: expected \(x, y\), \(x, y, weight\), a Dataset or a fraction"),
        (nn.Iris(cv=5), None, r"^fit\.data: cv makes several sets of rows; say which one with cv: \{only: \.\.\.\}"),
        (
            (X[None].repeat(2, 0), Y),
            0.2,
            r"^fit\.validation: a fraction is drawn of rows that all runs share, \(rows, 4\), with a target each",
        ),
        (X, 0.2, r"^data: expected \(x, y\), \(x, y, weight\) or a Dataset, got ndarray"),
    ],
)
def test_mistakes(data, validation, message):
    model = network([0, 1], 1 if not isinstance(data, nn.Source) else 3)
    with pytest.raises(nn.NNFrameError, match=message):
        train(model, data, nn.CrossEntropy() if isinstance(data, nn.Source) else nn.MSE(), validation=validation)
