"""The beginner's article from which the project grows: each of its numbers, through the framework's own parts."""

import numpy as np

import nnframe as nn

ALICE, BOB, CHARLIE, DIANA = (-2, -1), (25, 6), (17, 4), (-15, -6)
PEOPLE = np.array([ALICE, BOB, CHARLIE, DIANA], float)
FEMALE = np.array([[1], [0], [0], [1]], float)
EMILY, FRANK = (-7, -3), (20, 2)


def neurons(*units):
    return nn.Sequential(*(layer for n in units for layer in (nn.Dense(n), nn.Sigmoid()))).build(2, dtype="float64")


def same_weights(model, w, b):
    """Every neuron of the model has the weights w and the bias b."""
    for layer in model.layers[::2]:
        layer.W[...] = np.array(w, float)[:, None]
        layer.b[...] = b
    return model


def test_a_neuron():
    neuron = same_weights(neurons(1), [0, 1], 4)
    assert neuron.predict([[2.0, 3.0]]) == 0.9990889488055994


def test_a_network():
    network = same_weights(neurons(2, 1), [0, 1], 0)
    assert network.predict([[2.0, 3.0]]) == 0.7216325609518421


def test_mean_squared_error():
    assert nn.MSE().forward(np.zeros((4, 1)), np.array([[1.0], [0.0], [0.0], [1.0]])) == 0.5


def test_backpropagation_for_alice():
    network = same_weights(neurons(2, 1), [1, 1], 0)
    hidden, _, out, _ = network.layers
    loss, x, y = nn.MSE(), PEOPLE[:1], FEMALE[:1]

    assert network.layers[1].forward(hidden.forward(x))[0, 0] == 0.04742587317756678
    assert loss.forward(network.forward(x, training=True), y) == (1 - 0.5236951740839997) ** 2
    assert network.predict(x) == 0.5236951740839997

    network.forward(x, training=True)
    network.backward(loss.backward())
    found = [hidden.dW[0, 0], hidden.dW[1, 0], hidden.db[0, 0], out.dW[0, 0], out.db[0, 0]]
    article = [0.02146953526581111, 0.010734767632905555, -0.010734767632905555, -0.011269220242958155, -0.23761755952842809]
    np.testing.assert_allclose(found, article, rtol=1e-15)


def seeds_in_the_bands(**options):
    """Of the seeds 0 to 99, trained as the article trains: how many know Emily and Frank as well as its own run does?"""
    network = nn.Sequential(
        nn.Dense(2, init="Normal", bias_init="Normal", **options),
        nn.Sigmoid(),
        nn.Dense(1, init="Normal", bias_init="Normal", **options),
        nn.Sigmoid(),
    ).build(2, seed=range(100), dtype="float64")
    nn.fit(network, nn.MSE(), nn.SGD(lr=0.1), (PEOPLE, FEMALE), epochs=1000, batch_size=1)
    emily, frank = network.predict(np.array([EMILY, FRANK], float))[..., 0].T
    return int(((emily > 0.93) & (emily < 0.985) & (frank > 0.02) & (frank < 0.08)).sum())


def test_a_hundred_seeds_learn_what_the_article_learns():
    assert seeds_in_the_bands() >= 99


def test_without_biases_many_seeds_miss_the_bands():
    assert seeds_in_the_bands(bias=False) < 90
