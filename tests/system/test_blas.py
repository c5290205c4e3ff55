"""BLAS threads: one number for the whole process, whoever computes in it, and the old one when the last has left."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import nnframe as nn
from nnframe.system import blas


def number():
    return next(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


@pytest.fixture(params=[1, 2])
def before(request):
    """The number of before, which has to be there again after."""
    with threadpool_limits(request.param, user_api="blas"):
        assert number() == request.param
        yield request.param
        assert number() == request.param


def test_the_same_number_nests(before):
    with blas.threads(2):
        with blas.threads(2):
            assert number() == 2
        assert number() == 2


def test_one_thread_may_nest_another_number(before):
    with blas.threads(2):
        with blas.threads(1):
            assert number() == 1
            with blas.threads(2):
                assert number() == 2
            assert number() == 1
        assert number() == 2


def test_an_exception_leaves_the_number_of_before(before):
    for _ in range(2):
        with pytest.raises(KeyError), blas.threads(2), blas.threads(1), blas.threads(2):
            raise KeyError


class Other:
    """Another thread that uses a number until it is told to leave."""

    def __init__(self, threads):
        self.error, self.inside, self.leave = None, Event(), Event()
        self.thread = Thread(target=self.run, args=(threads,))
        self.thread.start()
        assert self.inside.wait(10)

    def run(self, threads):
        try:
            with blas.threads(threads):
                self.inside.set()
                assert self.leave.wait(10)
                self.number = number()
        except nn.UsageError as error:
            self.error = error
        self.inside.set()

    def end(self):
        self.leave.set()
        self.thread.join(10)
        return self


def test_threads_come_and_go_in_any_order(before):
    first, second = Other(2), Other(2)
    with blas.threads(2):
        first.end()
        assert number() == 2
        third = Other(2)
        second.end()
    assert number() == 2 == third.end().number


@pytest.mark.parametrize("nested", [False, True])
def test_another_number_in_another_thread_is_an_error(before, nested):
    with blas.threads(2 if nested else 1), blas.threads(1):
        found = Other(2).end()
        assert number() == 1
    assert isinstance(found.error, nn.UsageError)
    assert str(found.error) == (
        "blas_threads: BLAS uses 1 thread for another Python thread at the moment, so it cannot use 2 for this one: "
        "the number is one for the process, and part of the result; give both the same blas_threads"
    )
    with blas.threads(2):  # and nothing is left of it
        assert number() == 2


def test_a_number_is_not_changed_under_another_thread(before):
    with blas.threads(1):
        other = Other(1)
        with pytest.raises(nn.UsageError, match="uses 1 thread for another Python thread"), blas.threads(2):
            pass
        assert number() == 1
        other.end()
        with blas.threads(2):
            assert number() == 2
    # one that is inside a second number holds off those who would come for it and stay when it returns to the first
    with blas.threads(2), blas.threads(1):
        assert isinstance(Other(1).end().error, nn.UsageError)


# ------------------------------------------------------------------------------------------ trainings

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(96, 300)), RNG.integers(0, 5, size=96)


class Calls(nn.Callback):
    """Calls a function after every epoch."""

    def __init__(self, call):
        self.call = call

    def on_epoch(self, state):
        self.call(state)


def trained(seed, threads, call=lambda state: None):
    model = nn.Sequential(nn.Dense(200), nn.ReLU(), nn.Dense(5)).build(300, seed=seed)
    callbacks = [Calls(call)]
    history = nn.fit(model, nn.CrossEntropy(), nn.Adam(), (X, Y), epochs=6, batch_size=32, blas_threads=threads, callbacks=callbacks)
    return model.params.tobytes() + history["loss"].tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_two_trainings_at_a_time_give_the_bytes_of_each_alone(before, threads):
    alone, together = [trained(seed, threads) for seed in range(3)], Barrier(3)
    seen = []

    def one(seed):
        return trained(seed, threads, lambda state: (together.wait(10), seen.append(number())))

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, range(3))) == alone
    assert set(seen) == {threads}


def test_two_trainings_of_different_numbers_are_refused(before):
    found = []

    def second(state):
        if state.epoch == 2:
            with ThreadPoolExecutor(1) as pool:
                found.append(pool.submit(trained, 1, 2).exception())

    assert trained(0, 1, second) == trained(0, 1)
    assert isinstance(found[0], nn.UsageError) and "blas_threads" in str(found[0])


def test_a_training_that_fails_leaves_the_number_of_before(before):
    def fail(state):
        raise KeyError

    with pytest.raises(KeyError):
        trained(0, 2, fail)


def test_a_callback_may_predict_with_another_number(before):
    plain = trained(0, 2)
    assert trained(0, 2, lambda state: state.model.predict(X, blas_threads=1)) == plain
