"""Interrupted training goes on to the same bytes, or is refused in clear words with nothing changed."""

import copy
import errno
import io
import json
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import zipfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cases import METRICS, classes
from interruption import after_step, ringing

import nnframe as nn
from nnframe import run
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY
from nnframe.system import blas, files, npz
from nnframe.training.checkpoint import Checkpoints
from nnframe.training.survivors import Survivors

ROOT = Path(__file__).parents[2]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1]
EXACT = ("config.yaml", "losses.csv", "weights.npz")


class Count(nn.Callback):
    """Remembers the losses that it has seen."""

    def on_begin(self, state):
        if not state.resumed:
            self.seen = np.zeros((0, *state.model.runs))

    def on_epoch(self, state):
        where = ... if state.runs is None else state.runs
        self.seen = np.concatenate([self.seen, np.full_like(self.seen, np.nan, shape=(1, *self.seen.shape[1:]))])
        self.seen[-1, where] = state.logs["loss"]

    def get_state(self):
        return {"seen": self.seen}

    def set_state(self, arrays):
        self.seen = arrays["seen"]


def training(seed=0, *, metrics=(nn.MAE(), nn.R2()), weight=False, integers=False, outputs=2, lr=0.05, **options):
    """What `fit` left, as bytes: a network with streams and state, 10 rows in 3 steps an epoch."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(10, 3)), rng.normal(size=(10, outputs))
    rows = (x, (y[:, 0] > 0).astype(int) if integers else y, *((rng.uniform(size=10),) if weight else ()))
    layers = [nn.Dense(4), nn.BatchNorm(), nn.Tanh(), nn.Dropout(0.4), nn.Dense(outputs)]
    model = nn.Sequential(*layers).build(3, seed=seed, dtype="float64")
    optimizer, loss = nn.Adam(lr), nn.CrossEntropy() if integers else nn.MSE()
    given = {"epochs": 4, "batch_size": 4, "validation": rows, "metrics": metrics, "callbacks": [Count()]}
    history = nn.fit(model, loss, optimizer, rows, **given | options)
    arrays = {"params": model.params, "grads": model.grads, "state": model.state} | optimizer.state | optimizer.numbers() | history
    arrays |= {"epochs": history.epochs, "diverged": history.diverged}
    for i, callback in enumerate((given | options)["callbacks"]):
        arrays |= {f"callback {i}: {name}": array for name, array in callback.get_state().items()}
    found = {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}
    return found | {"steps": optimizer.steps, "columns": list(history), "reasons": history.reasons}


def contents(folder):
    """Every byte, and when it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


# ------------------------------------------------------------------------------------------ in Python

VARIANTS = {
    "plain": {},
    "evaluated": {"evaluate_train": True, "eval_batch_size": 3},
    "weighted": {"weight": True},
    "weighted and evaluated": {"weight": True, "evaluate_train": True},
    "a schedule": {"lr": nn.Cosine(0.1)},
    "in order": {"shuffle": False},
    "a stack": {"seed": [0, 1, 1], "lr": [0.01, 0.1, 0.2]},
    "a stack and a schedule": {"seed": [0, 1, 1], "lr": nn.Cosine([0.01, 0.1, 0.2])},
    "a stack that loses runs": {"seed": [0, 0, 1], "lr": [0.01, 0.9, 0.2], "callbacks": [nn.EarlyStopping(patience=1), Count()]},
}
VARIANTS |= {
    str(case): {"metrics": [case.component], "outputs": case.shapes[0][-1], "integers": case.targets is classes, "weight": True}
    for case in METRICS
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_interrupted_fit_goes_on_to_the_same_bytes(variant, tmp_path):
    def train(**options):
        return training(**copy.deepcopy(VARIANTS[variant]), **options)

    expected = train()
    for i, step in enumerate((1, 2, 3, 5)):  # in the middle of an epoch and at its end
        folder, number = tmp_path / str(step), SIGNALS[i % 3]
        for _ in range(2):  # each from where the one before has got to
            with after_step(step, ringing(number)), pytest.raises(nn.Interrupted, match=f"^interrupted by {number.name}$") as stop:
                train(checkpoint=folder)
            assert stop.value.signal == number and isinstance(stop.value, KeyboardInterrupt)
        assert train(checkpoint=folder) == expected
        assert train(checkpoint=folder) == expected  # finished; it only tells what came out
        assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.before.npz", "checkpoint.npz"]


@pytest.mark.parametrize("seed", [0, [0, 1, 2]])
def test_a_callback_may_change_a_number_of_the_optimizer(seed, tmp_path):
    """As one does that makes the rate smaller where the loss falls no more; in a stack, of runs that others have left."""

    class Halve(Count):
        def on_epoch(self, state):
            super().on_epoch(state)
            state.optimizer.numbers()["lr"][...] /= 2
            state.optimizer.numbers()["betas.0"][...] *= 0.9
            state.optimizer.derive()
            state.stop(state.epoch == np.array([1, 3, 99])[state.runs] if state.runs is not None else False)

    expected = training(seed, callbacks=[Halve()])
    assert training(seed, callbacks=[]) != expected
    for step in (3, 4, 8):
        with after_step(step, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
            training(seed, callbacks=[Halve()], checkpoint=tmp_path / str(step))
        assert training(seed, callbacks=[Halve()], checkpoint=tmp_path / str(step)) == expected


def test_a_fit_with_checkpoints_is_as_one_without(tmp_path):
    assert training(checkpoint=tmp_path / "made" / "here", checkpoint_every=nn.Every(seconds=1e-9)) == training()


@pytest.mark.parametrize("every, saves", [(nn.Every(), 2), (nn.Every(epochs=2), 3), (nn.Every(epochs=3), 3), (nn.Every(seconds=1e-9), 21)])
def test_how_often(every, saves, tmp_path, monkeypatch):
    made, save = [], Checkpoints.save
    monkeypatch.setattr(Checkpoints, "save", lambda self, parts: made.append(1) or save(self, parts))
    training(checkpoint=tmp_path, checkpoint_every=every)
    assert len(made) == saves


def test_a_signal_while_the_first_checkpoint_is_written_is_not_missed(tmp_path, monkeypatch):
    sync, calls = files.sync, []

    def ring(folder):
        sync(folder)
        if not calls:
            calls.append(signal.raise_signal(signal.SIGTERM))

    monkeypatch.setattr(files, "sync", ring)
    with after_step(1, lambda: pytest.fail("training began")), pytest.raises(nn.Interrupted):
        training(checkpoint=tmp_path)
    assert training(checkpoint=tmp_path) == training()


def test_a_signal_once_all_is_trained_interrupts_nothing(tmp_path):
    class Last(nn.Callback):
        def on_epoch(self, state):
            if state.epoch == state.epochs:
                signal.raise_signal(signal.SIGTERM)

    model, optimizer = nn.Dense(1).build(2, dtype="float64"), nn.SGD()
    history = nn.fit(
        model, nn.MSE(), optimizer, (np.eye(2), np.eye(2)[:, :1]), epochs=2, batch_size=1, callbacks=[Last()], checkpoint=tmp_path
    )
    assert history.epochs == 2


def test_handlers_are_as_before(tmp_path):
    before = [signal.getsignal(number) for number in SIGNALS]
    with after_step(2, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
        training(checkpoint=tmp_path)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_second_sigint_ends_at_once_and_leaves_the_checkpoint(tmp_path):
    with after_step(2, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
        training(checkpoint=tmp_path)
    before = contents(tmp_path)
    with after_step(2, ringing(signal.SIGINT, signal.SIGINT)), pytest.raises(KeyboardInterrupt) as stop:
        training(checkpoint=tmp_path)
    assert not isinstance(stop.value, nn.Interrupted)
    assert contents(tmp_path) == before
    assert training(checkpoint=tmp_path) == training()


def test_in_a_thread(tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(training(checkpoint=tmp_path)))
    thread.start()
    thread.join()
    assert found == [training()]


def test_the_same_folder_twice_at_a_time_is_refused(tmp_path):
    def again():
        with pytest.raises(nn.FileError, match=rf"^{tmp_path} is in use: another process trains there$"):
            training(checkpoint=tmp_path)

    with after_step(2, again):
        assert training(checkpoint=tmp_path) == training()


def test_only_more_epochs_go_on(tmp_path):
    training(checkpoint=tmp_path, epochs=2)
    assert training(checkpoint=tmp_path, epochs=4) == training(epochs=4)
    with pytest.raises(nn.OptionError, match=r"is of another config: train\.epochs: 4 before, 2 now\. Only train\.epochs may grow"):
        training(checkpoint=tmp_path, epochs=2)


def test_more_epochs_of_a_schedule_are_warned_of(tmp_path):
    training(checkpoint=tmp_path, epochs=2, lr=nn.Cosine(0.1))
    with pytest.warns(
        nn.CheckpointWarning, match=r"^4 epochs from the start would give other numbers: schedules went towards epoch 2 so far$"
    ):
        training(checkpoint=tmp_path, epochs=4, lr=nn.Cosine(0.1))


def test_going_on_with_other_libraries_is_warned_of(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(blas, "arithmetic", lambda: "NumPy 2.0.0, SciPy 1.13.0, mkl 2024.0 for AVX2")
        training(checkpoint=tmp_path, epochs=2)
    now = f"NumPy {np.__version__}, SciPy "
    with pytest.warns(nn.CheckpointWarning) as caught:
        assert training(checkpoint=tmp_path, epochs=4) == training(epochs=4)
    (warning,) = caught
    before, _, after = str(warning.message).partition(", and this is ")
    assert before == f"{tmp_path / 'checkpoint.npz'} was written with NumPy 2.0.0, SciPy 1.13.0, mkl 2024.0 for AVX2"
    assert after.startswith(now) and after.endswith(
        ": numbers from here on may differ in their last digits from those of a training without an interruption"
    )
    assert warning.filename == __file__


def test_a_damaged_checkpoint_of_a_fit(tmp_path):
    training(checkpoint=tmp_path, epochs=3)
    (tmp_path / "checkpoint.npz").write_bytes(b"")
    with pytest.warns(
        nn.CheckpointWarning, match=r"checkpoint\.npz is damaged; going on from checkpoint\.before\.npz, the one before it$"
    ) as caught:
        assert training(checkpoint=tmp_path) == training()
    assert [warning.filename for warning in caught] == [__file__]


CHANGES = {
    "outputs": ({"outputs": 1}, r"model\.layers\.4\.units: 2 before, 1 now"),
    "another optimizer's option": ({"lr": 0.06}, r"optimizer\.lr: 0\.05 before, 0\.06 now"),
    "a schedule": ({"lr": nn.Cosine(0.05)}, r"optimizer\.lr: 0\.05 before, \{\"type\": \"Cosine\".* now"),
    "seed": ({"seed": 1}, r"seed: 0 before, 1 now"),
    "a stack": ({"seed": [0, 1]}, r"seed: 0 before, \[0, 1\] now"),
    "batch_size": ({"batch_size": 5}, r"train\.batch_size: 4 before, 5 now"),
    "metrics": ({"metrics": [nn.MAE()]}, r"metrics: \[.*\] before, \[.*\] now"),
    "callbacks": ({"callbacks": [Count(), nn.EarlyStopping()]}, r"callbacks: \[.*\] before, \[.*EarlyStopping.* now"),
    "validation": ({"validation": None}, r"validation's hash: \"\w{16}.* before, null now"),
    "data": ({"weight": True}, r"data's hash: \"\w{16}.* before, \"\w{16}.* now"),
    "loss": ({"integers": True, "metrics": [nn.Accuracy()]}, r"loss\.type: \"MSE\" before, \"CrossEntropy\" now"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_training_is_refused_with_the_difference(change, tmp_path):
    with after_step(2, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
        training(checkpoint=tmp_path)
    before = contents(tmp_path)
    options, words = CHANGES[change]
    with pytest.raises(nn.OptionError, match=rf"checkpoint\.npz is of another config: .*{words}.*\. Only train\.epochs may grow"):
        training(checkpoint=tmp_path, **options)
    assert contents(tmp_path) == before


def test_what_is_no_part_of_the_numbers_may_change(tmp_path):
    with after_step(2, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
        training(checkpoint=tmp_path)
    assert training(checkpoint=tmp_path, max_seconds=1000.0, checkpoint_every=nn.Every(epochs=1)) == training()


class Bend(nn.Layer):
    """An option that no YAML could hold."""

    def __init__(self, function, table):
        self.function, self.table = function, table

    def forward(self, x, *, training=False):
        return self.function(x)

    def backward(self, dy, *, need_dx=True):
        return dy


def test_options_that_no_yaml_could_hold(tmp_path):
    def fit(function, table):
        model = nn.Sequential(nn.Dense(1), Bend(function, table)).build(2, dtype="float64")
        nn.fit(model, nn.MSE(), nn.SGD(), (np.ones((2, 2)), np.ones((2, 1))), epochs=2, batch_size=1, checkpoint=tmp_path)

    def same(x):
        return x

    fit(same, np.arange(3.0))
    fit(same, np.arange(3.0))
    with pytest.raises(nn.OptionError, match=r"model\.layers\.1\.table\.2: 2\.0 before, 3\.0 now"):
        fit(same, np.array([0.0, 1.0, 3.0]))
    with pytest.raises(nn.OptionError, match=r"model\.layers\.1\.function: \"function test_.* before, \"function Bend\.backward\" now"):
        fit(Bend.backward, np.arange(3.0))


def test_max_seconds(tmp_path):
    class Slow(Count):
        def on_epoch(self, state):
            super().on_epoch(state)
            time.sleep(0.05)

    def train(**options):
        slow = Slow()
        model, optimizer = nn.Sequential(nn.Dense(2), nn.Dropout(0.5)).build(3, dtype="float64"), nn.Adam()
        history = nn.fit(
            model, nn.MSE(), optimizer, (np.ones((4, 3)), np.ones((4, 2))), epochs=6, batch_size=2, callbacks=[slow], **options
        )
        return model.params.tobytes(), history["loss"].tobytes(), slow.seen.tobytes(), history

    history = train(checkpoint=tmp_path, max_seconds=0.12)[-1]
    assert 1 <= history.epochs <= 3 and history.reasons == {0: "max_seconds: 0.12 seconds have gone by"}
    assert np.isnan(history["loss"][3:]).all() and not history.diverged
    assert train(checkpoint=tmp_path, max_seconds=0.12)[-1].epochs == history.epochs  # time before an interruption counts
    assert train(checkpoint=tmp_path)[:-1] == train()[:-1]


class Kept(nn.Metric):
    """The largest error, from a list."""

    def reset(self):
        self.errors = []

    def update(self, pred, target, weight=None):
        self.errors.append(np.abs(pred - target).max((-1, -2)))

    def value(self):
        return np.max(self.errors, 0)


class KeptWell(Kept):
    def get_state(self):
        return {"errors": np.array(self.errors)}

    def set_state(self, arrays):
        self.errors = list(arrays["errors"])


def test_a_metric_that_keeps_a_list_is_told_before_training(tmp_path):
    training(metrics=[Kept()])
    words = r"^Kept: writes its own `update`, but declares nothing that it gathers; declare it in `build` with add_state$"
    with after_step(1, lambda: pytest.fail("training began")), pytest.raises(nn.UsageError, match=words):
        training(metrics=[Kept()], checkpoint=tmp_path)
    expected = training(metrics=[KeptWell()])
    with after_step(2, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
        training(metrics=[KeptWell()], checkpoint=tmp_path)
    assert training(metrics=[KeptWell()], checkpoint=tmp_path) == expected


@pytest.mark.parametrize("value, shown", [(None, "None"), ([[1], [1, 2]], r"\[\[1\], \[1, 2\]\]"), ({"a": 1}, r"\{'a': 1\}")])
def test_a_callbacks_state_that_is_no_array_is_told(value, shown, tmp_path):
    class Odd(Count):
        def get_state(self):
            return {"odd": value}

    with pytest.raises(
        nn.UsageError, match=rf"^callback 0/odd: expected an array of numbers or texts, got {shown}; Python objects are never"
    ):
        training(callbacks=[Odd()], checkpoint=tmp_path)


# ------------------------------------------------------------------------------------------ files that cannot be trusted

EXPECTED = {"model": {"W": np.arange(3.0)}, "optimizer": {}}
ZERO = {"model": {"W": np.zeros(3)}, "callback 0": {"a": np.array("text")}}
ONE = {"model": {"W": np.ones(3)}, "callback 0": {"a": np.array("text")}}


def two_checkpoints(folder):
    checkpoints = Checkpoints(folder, nn.Every(), {"train": {"epochs": 1}})
    checkpoints.save(ZERO)
    checkpoints.save(ONE)
    return checkpoints


def loaded(folder):
    return Checkpoints(folder, nn.Every(), {"train": {"epochs": 1}}).load(EXPECTED)["model"]["W"].tolist()


def test_the_newest_is_used(tmp_path):
    two_checkpoints(tmp_path)
    assert loaded(tmp_path) == [1, 1, 1]
    (tmp_path / "checkpoint.npz").unlink()  # killed between two renames
    assert loaded(tmp_path) == [0, 0, 0]
    (tmp_path / "checkpoint.before.npz").unlink()
    assert Checkpoints(tmp_path, nn.Every(), {}).load(EXPECTED) is None


@pytest.mark.parametrize("how", ["flipped", "truncated"])
def test_any_damage_is_detected_and_the_one_before_used(how, tmp_path):
    checkpoints = two_checkpoints(tmp_path)
    checkpoints.save({"model": ZERO["model"]})
    checkpoints.save({"model": ONE["model"]})
    path = checkpoints.path
    raw, bits = path.read_bytes(), np.random.default_rng(0)
    assert len(raw) < 1500
    for place in range(len(raw)):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << bits.integers(8)
        path.write_bytes(damaged if how == "flipped" else raw[:place])
        before = contents(tmp_path)
        with pytest.warns(nn.CheckpointWarning, match=rf"^{path} is damaged; going on from checkpoint\.before\.npz, the one before it$"):
            assert loaded(tmp_path) == [0, 0, 0]
        assert contents(tmp_path) == before


def test_a_damaged_one_does_not_take_the_place_of_the_one_before(tmp_path):
    checkpoints = two_checkpoints(tmp_path)
    checkpoints.path.write_bytes(b"")
    again = Checkpoints(tmp_path, nn.Every(), {"train": {"epochs": 1}})
    with pytest.warns(nn.CheckpointWarning):
        again.load(EXPECTED)
    before = checkpoints.before.read_bytes()
    again.save(ONE)
    assert checkpoints.before.read_bytes() == before and loaded(tmp_path) == [1, 1, 1]
    again.save(ONE)
    assert checkpoints.before.read_bytes() != before


def test_two_damaged_ones_are_refused(tmp_path):
    checkpoints = two_checkpoints(tmp_path)
    for path in (checkpoints.path, checkpoints.before):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(nn.FileError, match=rf"^{checkpoints.path} is damaged; there is no other to go on from$"):
        loaded(tmp_path)


def checksummed(path, members):
    """A zip file of these members, with a checksum as a checkpoint has it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    raw = bytearray(buffer.getvalue())
    raw[-2:] = npz.CHECKSUM.to_bytes(2, "little")
    path.write_bytes(raw + npz._checksum(raw))
    assert npz.intact(path)


def test_a_small_file_that_claims_64_gib_is_refused_without_taking_memory(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**33,)})
    checksummed(tmp_path / "checkpoint.npz", {"model/W.npy": header.getvalue() + bytes(100)})
    assert (tmp_path / "checkpoint.npz").stat().st_size < 400
    tracemalloc.start()
    try:
        with pytest.raises(nn.FileError, match=r"model/W\.npy claims 687194768\d\d bytes and has 228; there is no other"):
            loaded(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


class Trap:
    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize(
    "name, words", [("model/W", "expected float64"), ("callback 0/a", "holds Python objects, which are never unpickled")]
)
def test_nothing_is_unpickled(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    two_checkpoints(tmp_path)
    with zipfile.ZipFile(tmp_path / "checkpoint.npz") as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    trap = io.BytesIO()
    np.lib.format.write_array(trap, np.array([Trap()] * 3), allow_pickle=True)
    checksummed(tmp_path / "checkpoint.npz", members | {f"{name}.npy": trap.getvalue()})
    with pytest.raises(nn.FileError, match=words):
        loaded(tmp_path)
    (tmp_path / "checkpoint.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.warns(nn.CheckpointWarning):
        loaded(tmp_path)
    assert not (tmp_path / "sprung").exists()


# ------------------------------------------------------------------------------------------ on the command line


@pytest.fixture
def small(place):
    """A config with a state of every kind, its callback from a plugin."""
    text = (ROOT / "experiments/reliability/everything.yaml").read_text().replace("../../configs/", "")
    Path("small.yaml").write_text(text.replace("epochs: 20", "epochs: 5"))
    Path("average.py").write_text((ROOT / "experiments/reliability/callbacks.py").read_text())
    return place


@pytest.fixture(autouse=True)
def as_in_a_new_process(monkeypatch):
    """Plugins are loaded into the process that pytest is."""
    for slot in REGISTRY:
        monkeypatch.setitem(REGISTRY, slot, dict(REGISTRY[slot]))
    monkeypatch.setattr(plugins, "LOADED", [])


def nnframe(*arguments, plugin="average.py"):
    """The exit status of the command, as a new process has it."""
    plugins.LOADED.clear()
    REGISTRY["callback"].pop("Average", None)
    return run.main([*map(str, arguments), f"--plugin={plugin}"])


def begin(*arguments, status=0):
    """The folder of a run."""
    out = tempfile.mkdtemp(dir=".")
    assert nnframe("small.yaml", "--out", out, "--quiet", *arguments) == status
    return next(path.parent for path in Path(out).glob("*/*/config.yaml"))


def interrupted(*arguments, step=7):
    with after_step(step, ringing(signal.SIGTERM)):
        return begin(*arguments, status=143)


def left_by(folder):
    found = {name: (folder / name).read_bytes() for name in (*EXACT, "best.npz")}
    with np.load(folder / "checkpoint.npz") as file:
        return found | {name: file[name].tobytes() for name in file if name.startswith(("model", "optimizer", "stream", "callback", "log"))}


def resumed_as_undisturbed(folder, *arguments):
    assert nnframe("--resume", folder, "--quiet", *arguments) == 0
    assert left_by(folder) == left_by(begin(*arguments))
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def refused(capsys, folder, words, *arguments, **options):
    before = contents(folder)
    capsys.readouterr()
    assert nnframe("--resume", folder, *arguments, **options) == 2
    told = capsys.readouterr().err
    assert re.search(words, told) and "Traceback" not in told
    assert contents(folder) == before


def test_what_an_interrupted_run_says(small, capsys):
    folder = interrupted()
    captured = capsys.readouterr()
    assert captured.out == f"{folder}\n"
    assert captured.err == (
        f"interrupted by SIGTERM in epoch 3, step 1 of 3; go on with\n  python -m nnframe.run --resume {folder} --plugin=average.py\n"
    )
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    resumed_as_undisturbed(folder)
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished" and len(record["resumed"]) == 1 and record["started"] <= record["resumed"][0]


@pytest.mark.parametrize("steps", [[1], [3, 3], [2, 1, 5, 2]])
def test_resume_after_resume(small, steps):
    folder = interrupted(step=steps[0])
    for step in steps[1:]:
        with after_step(step, ringing(signal.SIGUSR1)):
            assert nnframe("--resume", folder, "--quiet") == 138
    resumed_as_undisturbed(folder)


def test_a_quiet_run_goes_on_loudly_and_the_other_way_round(small, capsys):
    folder = interrupted()
    with after_step(3, ringing(signal.SIGINT)):
        assert nnframe("--resume", folder) == 130
    resumed_as_undisturbed(folder)


def test_from_another_place(small, capsys, monkeypatch):
    folder = interrupted().absolute()
    (small / "elsewhere").mkdir()
    monkeypatch.chdir(small / "elsewhere")
    assert nnframe("--resume", folder, "--quiet", plugin="../average.py") == 0
    monkeypatch.chdir(small)
    assert left_by(folder) == left_by(begin())


def test_a_second_sigint(small, capsys):
    folder = interrupted()
    before = {name: contents(folder)[name] for name in ("checkpoint.npz", "checkpoint.before.npz", "weights.npz", "config.yaml")}
    with after_step(2, ringing(signal.SIGINT, signal.SIGINT)):
        assert nnframe("--resume", folder, "--quiet", "train.checkpoint={}") == 130
    after = contents(folder)
    assert [after[name] == before[name] for name in before] == [True, True, True, False]
    assert "go on with\n  python -m nnframe.run --resume" in capsys.readouterr().err
    resumed_as_undisturbed(folder, "train.checkpoint={seconds: 1e-9}")


def test_killed_before_its_first_checkpoint(small, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", lambda *_: signal.raise_signal(signal.SIGINT) or signal.raise_signal(signal.SIGINT))
        folder = begin(status=130)
    assert not (folder / "checkpoint.npz").exists()
    (folder / "losses.csv").write_text("epoch,step\n1,2\n")
    resumed_as_undisturbed(folder)


def test_a_finished_run_says_so_and_nothing_changes(small, capsys):
    folder = begin()
    before = contents(folder)
    capsys.readouterr()
    assert nnframe("--resume", folder) == 0
    assert capsys.readouterr().out == f"this run has finished after 5 epochs; nothing is left to do\n{folder}\n"
    assert contents(folder) == before


def test_a_diverged_run_says_so(small, capsys):
    assert run.main(["iris.yaml", "--out", "runs", "--quiet", "optimizer={type: SGD, lr: 1e30}"]) == 1
    folder = next(Path("runs/iris").iterdir())
    before = contents(folder)
    assert nnframe("--resume", folder) == 1
    assert "this run has diverged after 1 epochs; nothing is left to do" in capsys.readouterr().out
    assert contents(folder) == before


def test_a_changed_config_is_refused_with_the_difference(small, capsys):
    folder = interrupted()
    words = (
        r"^\S*checkpoint\.npz is of another config: model\.0\.units: 12 before, 6 now; optimizer\.lr\.start: 0\.1 before, 0\.2 now\. Only"
    )
    refused(capsys, folder, words, "model.0.units=6", "optimizer.lr.start=0.2")
    refused(capsys, folder, r"another config: train\.epochs: 5 before, 4 now\. Only train\.epochs may grow", "train.epochs=4")
    refused(capsys, folder, r"another config: callbacks: \[.* before, \[\] now", "callbacks=[]")
    resumed_as_undisturbed(folder)


def test_more_epochs_go_on(small, capsys):
    options = ["optimizer.lr=0.1", "callbacks.0.patience=9"]
    folder = begin(*options)
    resumed_as_undisturbed(folder, *options, "train.epochs=7")
    assert "epochs: 7" in (folder / "config.yaml").read_text() and len((folder / "losses.csv").read_text().splitlines()) == 8
    assert nnframe("--resume", folder, "train.epochs=6") == 2


def test_changed_data_is_refused(small, capsys):
    folder = interrupted()
    table = Path("data/iris.csv").read_text()
    Path("data/iris.csv").write_text(table.replace("5.1,", "5.2,", 1))
    refused(capsys, folder, r"another config: the data's hash: \"\w{10,}\.* before, \"\w{10,}.* now")
    Path("data/iris.csv").write_text(table)
    resumed_as_undisturbed(folder)


def test_a_changed_plugin_is_refused(small, capsys):
    folder = interrupted()
    code = Path("average.py").read_text()
    Path("average.py").write_text(code.replace("self.decay * self.mean", "self.mean * self.decay"))
    refused(capsys, folder, r"another config: plugins\.average\.py: \"")
    Path("average.py").write_text(code)
    resumed_as_undisturbed(folder)


@pytest.mark.parametrize("name", ["losses.csv", "timing.csv"])
@pytest.mark.parametrize("change", ["a byte", "shorter", "missing"])
def test_a_changed_log_is_refused(name, change, small, capsys):
    folder = interrupted()
    path, raw = folder / name, (folder / name).read_bytes()
    if change == "missing":
        path.unlink()
    else:
        path.write_bytes(raw[:-1] if change == "shorter" else raw.replace(b"1", b"2", 1))
    words = "cannot read .*: No such file" if change == "missing" else r"is not what training wrote: its first [\d,]+ bytes were changed"
    refused(capsys, folder, rf"{name}.*{words}" if change != "missing" else rf"cannot read \S*{name}: No such file", "--quiet")
    path.write_bytes(raw + b"more")  # as if it was killed after the checkpoint
    resumed_as_undisturbed(folder)


def test_a_damaged_checkpoint_on_the_command_line(small, capsys):
    folder = interrupted()
    path = folder / "checkpoint.npz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    refused(capsys, folder, "another config", "seed=9")
    capsys.readouterr()
    resumed_as_undisturbed(folder)
    assert capsys.readouterr().err == f"warning: {path} is damaged; going on from checkpoint.before.npz, the one before it\n"


def test_damaged_checkpoints_on_the_command_line(small, capsys):
    folder = interrupted()
    for name in ("checkpoint.npz", "checkpoint.before.npz"):
        (folder / name).write_bytes(b"PK")
    refused(capsys, folder, r"^\S*checkpoint\.npz is damaged; there is no other to go on from$", "--quiet")


@pytest.mark.parametrize("place_of_it", ["nowhere", "data"])
def test_no_folder_of_a_run(small, capsys, place_of_it):
    assert nnframe("--resume", place_of_it) == 2
    assert capsys.readouterr().err == f"--resume: {place_of_it} is the folder of no run and of no sweep: it has no config.yaml\n"


# ------------------------------------------------------------------------------------------ a world that does not help


def test_a_full_disk_at_every_write(small, capsys, monkeypatch):
    """Half of what is written fits; then there is no more room, until the run is resumed."""
    config = ["train.epochs=1", "train.checkpoint={}"]
    expected, write = left_by(begin(*config)), os.write
    for number in range(1, 100):
        made = []

        def full(descriptor, data, made=made, number=number):
            made.append(1)
            if len(made) == number:
                return write(descriptor, data[: len(data) // 2])
            if len(made) > number:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(descriptor, data)

        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            status = nnframe("small.yaml", *config, "--out", f"runs{number}", "--quiet")
        told = capsys.readouterr().err
        folder = next(Path(f"runs{number}").glob("*/*"))
        if status == 0:
            assert len(made) < number
            break
        assert status == 2 and re.search(r"^cannot write the [\d,]+ bytes of \S+: No space left on device$", told, re.M), (number, told)
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
        if not (folder / "config.yaml").exists():
            continue
        assert nnframe("--resume", folder, "--quiet") == 0
        assert left_by(folder) == expected
    assert number > 10


def process(*arguments, environment=None, **options):
    environment = os.environ if environment is None else environment
    command = [sys.executable, "-m", "nnframe.run", *map(str, arguments)]
    return subprocess.Popen(command, env=environment | {"PYTHONPATH": str(ROOT)}, text=True, stderr=subprocess.PIPE, **options)


def test_a_file_that_may_not_grow(small):
    """The log outgrows what a file may hold, long after the first checkpoint."""
    more = ["train.epochs=200", "optimizer.lr=0.01", "callbacks.0.patience=300", "--quiet", "--plugin=average.py"]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))

    with process(
        "small.yaml", "--out", "runs", *more, "callbacks=[]", "train.checkpoint={seconds: 0.05}", preexec_fn=limit, stdout=subprocess.PIPE
    ) as child:
        _, told = child.communicate(timeout=60)
    assert child.returncode == 2
    assert re.search(r"^training ended after epoch \d+; once there is room, go on with\n  python -m nnframe.run --resume ", told)
    assert re.search(r"\ncannot write the [\d,]+ bytes of \S+(losses\.csv|checkpoint\.npz): File too large\n$", told)
    folder = next(Path("runs/everything").iterdir())
    assert nnframe("--resume", folder, "--quiet") == 0
    assert nnframe("small.yaml", "--out", "undisturbed", *more[:-1], "callbacks=[]", "train.checkpoint={}") == 0
    undisturbed = next(Path("undisturbed/everything").iterdir())
    for name in ("losses.csv", "weights.npz"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()


def test_a_folder_that_cannot_be_written_to(small, capsys, monkeypatch):
    folder = interrupted()
    open_it = os.open

    def read_only(path, flags, *rest, **options):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return open_it(path, flags, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        refused(capsys, folder, rf"^cannot write to {folder}: Read-only file system$", "--quiet")
    assert nnframe("small.yaml", "--out", "/proc/nowhere", "--quiet") == 2
    assert re.search(r"^cannot make a folder in /proc/nowhere\S*: .*; choose another place with --out$", capsys.readouterr().err)
    resumed_as_undisturbed(folder)


def test_a_bare_environment_gives_the_same_bytes(small, bare):
    expected = left_by(begin())
    options = {"environment": bare | {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, "umask": 0o077, "start_new_session": True}
    child = process("small.yaml", "--out", "bare", "--plugin=average.py", **options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    out, told = child.communicate(timeout=60)
    assert (child.returncode, told) == (0, "")
    folder = Path(out.splitlines()[-1])
    assert left_by(folder) == expected
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600} and folder.stat().st_mode & 0o777 == 0o700


def test_without_any_output(small):
    child = process("small.yaml", "--out", "closed", "--plugin=average.py", preexec_fn=lambda: [os.close(1), os.close(2)])
    assert child.communicate(timeout=60)[1] == "" and child.returncode == 0
    (folder,) = Path("closed/everything").iterdir()
    assert left_by(folder) == left_by(begin())


def test_eight_processes_on_one_folder(small, capsys):
    folder = interrupted("train.checkpoint={epochs: 100}", "callbacks=[]", "train.epochs=100000")
    children = [process("--resume", folder, "--quiet", "--plugin=average.py", stdout=subprocess.DEVNULL) for _ in range(8)]
    end = time.monotonic() + 60
    while sum(child.poll() is None for child in children) > 1 and time.monotonic() < end:
        time.sleep(0.01)
    (winner,) = [child for child in children if child.poll() is None]
    winner.send_signal(signal.SIGTERM)
    told = {child.communicate(timeout=60)[1] for child in children if child is not winner}
    assert {child.returncode for child in children if child is not winner} == {2}
    assert told == {f"{folder} is in use: another process trains there\n"}
    assert "interrupted by SIGTERM" in winner.communicate(timeout=60)[1] and winner.returncode == 143


def test_being_refused_does_not_wait(small, capsys):
    folder = interrupted()
    with files.owned(folder):
        start = time.monotonic()
        assert nnframe("--resume", folder) == 2
        assert time.monotonic() - start < 10  # the owner is this process: waiting for it would hang
    assert capsys.readouterr().err.endswith(f"{folder} is in use: another process trains there\n")


def test_the_lock_of_a_dead_process_is_gone(small):
    folder = interrupted()
    (folder / ".lock").touch()
    (folder / f".checkpoint.npz{files.PART}").write_bytes(b"half of it")
    resumed_as_undisturbed(folder)


def test_a_reader_that_reads_nothing(small):
    with process("small.yaml", "--quiet", "--out", "runs", "--plugin=average.py", stdout=subprocess.PIPE) as child:
        child.stdout.close()
        assert child.stderr.read() == "" and child.wait(20) == 141


KILLER = """
import os, signal
import nnframe as nn


@nn.register
class Killer(nn.Callback):
    def on_epoch(self, state):
        if state.epoch == int(os.environ.get("DIE", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_early_again_and_again_can_be_resumed(place, bare):
    """Each life begins where the one before it began: at the checkpoint before any training, the next being 30 seconds away."""
    (place / "killer.py").write_text(KILLER)

    def life(out, die, *resume):
        config = ["--resume", *resume] if resume else ["xor.yaml", "callbacks=[Killer]", "train.epochs=8", "--out", out]
        command = [sys.executable, "-m", "nnframe.run", *map(str, config), "--plugin=killer.py", "--quiet"]
        done = subprocess.run(command, env=bare | {"PYTHONPATH": str(ROOT), "DIE": str(die)}, capture_output=True, text=True)
        return done.returncode, done.stderr, next((place / out).glob("*/*"))

    status, said, undisturbed = life("once", 0)
    assert (status, said) == (0, "")
    status, _, folder = life("often", 5)
    for die in (5, 5, 1, 5):
        assert status == -signal.SIGKILL
        status, said, folder = life("often", die, folder)
    status, said, folder = life("often", 0, folder)
    assert (status, said) == (0, "")
    for name in ("losses.csv", "weights.npz"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
    assert len((folder / "timing.csv").read_text().splitlines()) == 1 + 8


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_what_ends_a_training_leaves_the_survivors_where_they_had_got_to(kind):
    def breaks(at):
        def on_epoch(state):
            state.stop(np.asarray(state.runs) == 1) if state.epoch == 2 else None
            if state.epoch == at:
                raise kind("enough")

        return SimpleNamespace(on_epoch=on_epoch)

    def trained(at, epochs):
        model = nn.Sequential(nn.Dense(4), nn.BatchNorm(), nn.Tanh(), nn.Dense(1)).build(3, seed=range(4))
        optimizer = nn.Adam(nn.Cosine([0.1, 0.2, 0.3, 0.4]))
        x = np.random.default_rng(0).normal(size=(20, 3))
        told = pytest.raises(kind) if at else nullcontext()
        with told:
            options = {"epochs": 9, "batch_size": 5, "callbacks": [breaks(at), SimpleNamespace(on_epoch=lambda state: None)]}
            if not at:
                options["callbacks"].append(SimpleNamespace(on_epoch=lambda state: state.stop(state.epoch == epochs)))
            nn.fit(model, nn.MSE(), optimizer, (x, x[:, :1]), **options)
        return [
            model.params.tobytes(),
            model.state.tobytes(),
            *(a.tobytes() for a in (*optimizer.state.values(), *optimizer.numbers().values())),
        ]

    assert trained(5, 9) == trained(0, 5)


def test_what_ends_a_training_is_told_even_if_the_survivors_cannot_be_put_back(monkeypatch):
    def breaks(state):
        state.stop(np.asarray(state.runs) == 1)
        if state.epoch == 2:
            monkeypatch.setattr(Survivors, "put_back", lambda self: 1 / 0)
            raise ValueError("enough")

    model = nn.Dense(1).build(3, seed=range(4))
    with pytest.raises(ValueError, match="enough") as told:
        nn.fit(
            model, nn.MSE(), nn.SGD(), (np.eye(3), np.ones((3, 1))), epochs=3, batch_size=3, callbacks=[SimpleNamespace(on_epoch=breaks)]
        )
    assert str(told.value) == "enough"
    assert told.value.__notes__ == ["The model is not where training had got to: division by zero"]
