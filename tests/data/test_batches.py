"""The order of an epoch is a function of seed and epoch, and batches are the data's rows in that order."""

import numpy as np
import pytest

import nnframe as nn
from nnframe.data.batches import Batches, Orders
from nnframe.streams import Seeds

EPOCHS = {"in turn": [0, 1, 2, 3, 63, 64, 65, 4095, 4096], "jumping": [65, 2, 4097, 130, 0, 64, 63, 1, 1, 129]}
BLOCK = {
    1: 4096,
    2: 4096,
    5: 2048,
    7: 2048,
    11: 1024,
    100: 128,
    1000: 64,
    2000: 64,
    5000: 64,
    10_000: 64,
    131_073: 64,
}  # rows: epochs of one stream
TOGETHER = {1: 256, 2: 256, 7: 256, 10_000: 8, 131_073: 1}  # rows: epochs drawn at a time


def order(seed, epoch, rows):
    """By hand: row epoch % block of what the stream of block epoch // block permutes."""
    table = np.tile(np.arange(rows), (epoch % BLOCK[rows] + 1, 1))
    return nn.generator(seed, "order", epoch // BLOCK[rows]).permuted(table, axis=1)[-1]


def data(rows, runs=None, width=2):
    lead = () if runs is None else (runs,)
    x = np.arange(np.prod([*lead, rows, width]), dtype="float64").reshape(*lead, rows, width)
    return x, x[..., :1] * 10


def batches_of(x, y, seed, batch_size, weight=None, shuffle=True):
    own = (x.ndim == 3, y.ndim == 3, weight is not None and weight.ndim == 2)
    return Batches(nn.Dataset(x, y, weight), own, Seeds(seed), batch_size, shuffle)


def epoch_of(batches, epoch):
    """Copies of the batches of one epoch."""
    return [tuple(None if part is None else np.array(part) for part in batch) for batch in batches.epoch(epoch)]


# ------------------------------------------------------------------------------------------ orders


@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("epochs", EPOCHS)
def test_an_order_is_a_function_of_seed_and_epoch(epochs, rows):
    orders = Orders(Seeds([5, 8, 5]), rows)
    assert orders.together == TOGETHER[rows]
    for epoch in EPOCHS[epochs]:
        window = orders.window(epoch)
        assert window.shape == (3, orders.together, rows)
        for run, seed in enumerate([5, 8, 5]):
            assert window[run, epoch % orders.together].tolist() == order(seed, epoch, rows).tolist()


@pytest.mark.parametrize("rows", [10_000, 131_073])
@pytest.mark.parametrize("epochs", [[0, 1, 2, 9], [64, 3, 0, 65, 8, 1]])
def test_orders_of_many_rows_are_drawn_a_few_at_a_time(epochs, rows):
    orders = Orders(Seeds(3), rows)
    assert orders.together == TOGETHER[rows]
    for epoch in epochs:
        assert orders.window(epoch)[epoch % orders.together].tobytes() == order(3, epoch, rows).tobytes()


def test_how_many_orders_are_drawn_at_a_time_does_not_matter():
    few, many = Orders(Seeds(range(40)), 1000), Orders(Seeds(7), 1000)
    assert few.together < many.together
    for epoch in range(6):
        assert few.window(epoch)[7, epoch % few.together].tobytes() == many.window(epoch)[epoch % many.together].tobytes()


@pytest.mark.parametrize("seed", [4, [4], [4, 4, 4]])
def test_runs_of_one_seed_share_one_order(seed):
    assert Orders(Seeds(seed), 5).window(0).shape == (256, 5)


# ------------------------------------------------------------------------------------------ batches

SIZES = {"several epochs at a time": (11, 2), "an epoch at a time": (2000, 64), "pieces of an epoch": (5000, 64)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed, own", [(3, False), *((seed, own) for seed in ([3], [3, 3], [3, 4, 3]) for own in (False, True))])
def test_batches_are_the_rows_in_their_order(seed, own, size):
    rows, width = SIZES[size]
    x, y = data(rows, len(seed) if own else None, width)
    batch_size = 4 if rows < 20 else 600
    batches = batches_of(x, y, seed, batch_size)
    assert batches.steps == -(-rows // batch_size)
    for epoch in (0, 1, 64, 2, 0) if rows < 20 else (0, 1, 0):
        found = epoch_of(batches, epoch)
        counts = [int(count) for *_, count in found]
        assert counts == [batch_size] * (rows // batch_size) + [rows % batch_size] * (rows % batch_size > 0)
        for run, own_seed in enumerate(np.atleast_1d(seed)):
            expected = order(int(own_seed), epoch, rows)
            for part, whole in ((0, x), (1, y)):
                pieces = [batch[part][run] if batch[part].ndim == 3 else batch[part] for batch in found]
                assert [len(piece) for piece in pieces] == counts
                assert np.concatenate(pieces).tobytes() == (whole[run] if own else whole)[expected].tobytes()


@pytest.mark.parametrize("batch_size, counts", [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_each_epoch_visits_each_row_once(batch_size, counts):
    x, y = data(7)
    batches = batches_of(x, y, [1, 2], batch_size)
    seen = []
    for epoch in range(70):
        found = epoch_of(batches, epoch)
        assert [part.shape for part, *_ in found] == [(2, count, 2) for count in counts]
        both = np.concatenate([part for part, *_ in found], 1)
        assert (np.sort(both, 1) == x).all()
        seen.append(both[0].tobytes())
    assert len(set(seen)) > 60


@pytest.mark.parametrize(
    "seed, own_x, own_y, x_axes, y_axes",
    [
        ([3, 3, 3], False, False, 2, 2),
        ([3, 3, 3], True, False, 3, 2),
        ([3, 3, 3], False, True, 2, 3),
        ([3, 3, 4], False, False, 3, 3),
        ([3], False, False, 2, 2),
    ],
)
def test_runs_of_one_seed_share_one_batch_of_shared_rows(seed, own_x, own_y, x_axes, y_axes):
    x, y = data(5)[0], data(5)[1]
    xs, ys = (np.stack([part] * len(seed)) if own else part for part, own in ((x, own_x), (y, own_y)))
    for batch_x, batch_y, weight, _ in batches_of(xs, ys, seed, 2).epoch(0):
        assert (batch_x.ndim, batch_y.ndim, weight) == (x_axes, y_axes, None)


def test_weights_and_integers_go_along_as_they_are():
    x = np.arange(14, dtype="int32").reshape(7, 2)
    y = np.arange(7, dtype="uint8")
    for weight in (np.arange(7, dtype="float32"), np.arange(14, dtype="float32").reshape(2, 7)):
        batches = batches_of(x, y, [1, 2], 3, weight)
        found = epoch_of(batches, 0)
        assert {tuple(part.dtype.name for part in batch[:3]) for batch in found} == {("int32", "uint8", "float32")}
        for run, seed in enumerate([1, 2]):
            expected = (weight if weight.ndim == 1 else weight[run])[order(seed, 0, 7)]
            assert np.concatenate([batch[2][run] for batch in found]).tolist() == expected.tolist()


def test_without_shuffle_batches_are_views_of_the_data():
    x, y = data(7)
    batches = batches_of(x, y, [1, 2], 3, shuffle=False)
    for epoch in (0, 5):
        found = list(batches.epoch(epoch))
        assert [len(part) for part, *_ in found] == [3, 3, 1]
        assert all(np.shares_memory(part, x) and np.shares_memory(target, y) for part, target, *_ in found)
        assert np.concatenate([part for part, *_ in found]).tobytes() == x.tobytes()


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("rows", [[0, 2], [1], slice(1, 4), [3, 0]])
def test_batches_of_some_runs_are_those_of_the_whole_stack(rows, own):
    seed = np.array([6, 7, 7, 8])
    x, y = data(7, 4 if own else None)
    weight = np.arange(28.0).reshape(4, 7)
    whole, some = batches_of(x, y, seed, 3, weight), batches_of(x, y, seed, 3, weight).take(rows)
    for epoch in (0, 1, 64):
        for batch, kept in zip(epoch_of(whole, epoch), epoch_of(some, epoch), strict=True):
            for part, kept_part in zip(batch[:3], kept[:3], strict=True):
                assert np.broadcast_to(kept_part, part[rows].shape).tobytes() == part[rows].tobytes()
