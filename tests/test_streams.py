"""Random streams: what is drawn depends on seed, name and block, and on nothing else."""

from hashlib import blake2b

import numpy as np
import pytest

import nnframe as nn
from nnframe.streams import Seeds, Stream


def by_hand(seed, name, block=0):
    word = int.from_bytes(blake2b(name.encode("utf-8"), digest_size=8).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, word, block])))


@pytest.mark.parametrize("stream", [(0, "order"), (7, "order", 3), (2**64 - 1, "init/1.W"), (0, "größe")], ids=str)
def test_a_stream_is_made_as_documented(stream):
    assert (nn.generator(*stream).random(5) == by_hand(*stream).random(5)).all()


def test_seed_name_and_block_each_make_another_stream():
    streams = [("order", 0, 0), ("order", 1, 0), ("order", 0, 1), ("init/0.W", 0, 0)]
    first = {nn.generator(seed, name, block).random() for name, seed, block in streams}
    assert len(first) == 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chunks_do_not_matter(dtype):
    def draw(*sizes):
        stream = Stream(Seeds([3, 4]), "noise")
        return np.concatenate([stream.random(np.empty((2, size), dtype)).copy() for size in sizes], axis=1)

    assert draw(9).dtype == dtype
    assert draw(3, 5, 1).tobytes() == draw(9).tobytes()


def test_permuted_rows_are_successive_permutations():
    rows = np.tile(np.arange(11), (6, 1))
    rng = nn.generator(0, "order")
    np.testing.assert_array_equal(nn.generator(0, "order").permuted(rows, axis=1), [rng.permutation(11) for _ in range(6)])


def test_equal_seeds_share_their_draws():
    drawn = Stream(Seeds([5, 6, 5]), "noise").random(np.empty((2, 4)))
    assert (drawn[0] == drawn[2]).all()
    assert (drawn[0] == by_hand(5, "noise").random(4)).all()
    assert (drawn[1] == by_hand(6, "noise").random(4)).all()

    params = nn.Dense(3).build(2, seed=[5, 6, 5]).params
    assert params[0].tobytes() == params[2].tobytes() != params[1].tobytes()


def test_runs_of_one_seed_share_one_array():
    assert Stream(Seeds([5, 5, 5]), "noise").random(np.empty((1, 4))).shape == (4,)


def test_a_stream_can_go_back():
    stream = Stream(Seeds([1, 2]), "noise")
    stream.random(np.empty((2, 3), "float32"))  # an odd number of halves of a word
    state = stream.get_state()
    first = stream.random(np.empty((2, 3), "float32")).copy()
    stream.set_state(state)
    assert stream.random(np.empty((2, 3), "float32")).tobytes() == first.tobytes()


@pytest.mark.parametrize("seed", [0, [0, 1, 2], (3, 4), range(2), np.array([1, 2]), np.int64(5), 2**64 - 1, [2**63, 1]], ids=repr)
def test_seeds_that_are_fine(seed):
    seeds = Seeds(seed)
    given = [int(s) for s in seed] if np.ndim(seed) or isinstance(seed, range) else [int(seed)]
    assert seeds.runs == np.shape(seed)
    assert seeds.distinct == sorted(set(given))
    assert [int(s) for s in np.ravel(seeds.values)] == given


@pytest.mark.parametrize("seed", [-1, 1.5, "0", [], [[1, 2]], True, [0, 1.5], [0, -1], None, np.zeros(2), [0, "a"]], ids=repr)
def test_seeds_that_are_not(seed):
    with pytest.raises(nn.OptionError) as error:
        nn.Dense(2).build(2, seed=seed)
    assert str(error.value) == f"seed: expected an integer of at least 0, or a list of one per run, got {seed!r}"


def test_a_seed_too_large_is_said_to_be_so():
    with pytest.raises(nn.OptionError, match=r"^seed: .*(large|at most|less than|below)"):
        nn.Dense(2).build(2, seed=2**64)
    for seed in (10**5000, -(10**5000), [1, 10**5000]):  # Python refuses to print them
        with pytest.raises(nn.OptionError, match=r"^seed: expected integers less than 2\*\*64, got one of 16610 bits"):
            nn.Dense(2).build(2, seed=seed)


# ------------------------------------------------------------------------------------------------ streams of a model


def test_starting_numbers_come_from_streams_named_after_their_place():
    """Were a name to change, every seed of every study would start from other numbers."""
    model = nn.Sequential(nn.Dense(3), nn.Residual(nn.Dense(3, name="block")), nn.Dropout(0.3)).build(4, seed=7, dtype="float64")
    first, (inner,), _ = model.layers[0], model.layers[1].layers, model.layers[2]
    assert (by_hand(7, "init/0.W").uniform(-1 / 2, 1 / 2, (4, 3)) == first.W).all()
    assert (first.b == by_hand(7, "init/0.b").uniform(-1 / 2, 1 / 2, (1, 3))).all()
    bound = 1 / np.sqrt(3)
    assert (by_hand(7, "init/block.W").uniform(-bound, bound, (3, 3)) == inner.W).all()

    dropped = nn.Sequential(nn.Dropout(0.3)).build(4, seed=7).forward(np.ones((5, 4), "float32"), training=True) == 0
    assert (dropped == (by_hand(7, "dropout/0").random((5, 4), dtype="float32") < np.float32(0.3))).all()


def test_float32_and_float64_start_alike():
    single, double = (nn.Dense(3).build(4, dtype=dtype).params for dtype in ("float32", "float64"))
    assert (single == double.astype("float32")).all()


class Recorder(nn.Identity):
    """Remembers what it sees in training."""

    def __init__(self):
        self.seen = []

    def forward(self, x, *, training=False):
        if training:
            self.seen.append(x.tobytes())
        return x


def trained(*further, metrics=(), units=2):
    """What two epochs show of the streams: the order of the rows, masks, starting numbers and final weights."""
    rows, masks = Recorder(), Recorder()
    first = nn.Dense(units)
    model = nn.Sequential(rows, nn.Dropout(0.3), masks, first, *further).build(3, seed=[1, 2, 1])
    start = first.W.tobytes()
    x, y = np.arange(30.0).reshape(10, 3) / 30, np.zeros((10, units))
    nn.fit(model, nn.MSE(), nn.SGD(0.1), (x, y), epochs=2, batch_size=4, metrics=metrics, evaluate_train=bool(metrics), validation=(x, y))
    return rows.seen, masks.seen, start, first.W.tobytes()


def test_a_layer_at_the_end_changes_no_other_stream():
    assert trained(nn.Dense(2), nn.Dropout())[:3] == trained()[:3]


def test_a_metric_changes_nothing():
    assert trained(metrics=[nn.MAE(), nn.R2()]) == trained()


def test_every_step_has_rows_and_a_mask_of_its_own():
    rows, masks, *_ = trained()
    assert len(set(rows)) == len(set(masks)) == 6  # two epochs of three steps


def test_a_named_layer_keeps_its_numbers_wherever_it_stands():
    def head(*before):
        model = nn.Sequential(*before, nn.Dense(3, name="head"), nn.Dropout(0.5, name="mask")).build(4, seed=9)
        x = np.ones((5, 4), "float32")
        y = model.forward(x, training=True)
        return model.layers[-2].params.tobytes(), (y == 0).tobytes()

    assert head() == head(nn.Identity(), nn.Sigmoid()) == head(nn.Residual(nn.Dense(4)))


def test_an_unnamed_layer_takes_the_numbers_of_its_place():
    first = nn.Sequential(nn.Dense(4)).build(4).layers[0].W
    second = nn.Sequential(nn.Identity(), nn.Dense(4)).build(4).layers[1].W
    assert first.tobytes() != second.tobytes()
