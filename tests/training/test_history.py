"""What a history and a model show at a prompt, in a notebook, and as curves."""

import copy
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe.errors import UsageError

ROOT = Path(__file__).parents[2]
OKABE_ITO = {"#0072B2", "#D55E00", "#009E73"}


def history_of(loss, runs=(), **columns):
    """A history as `fit` gives it, of these numbers."""
    history = nn.History({name: np.asarray(column, float) for name, column in {"loss": loss, **columns}.items()})
    history.epochs = (~np.isnan(history["loss"])).sum(0)
    history.kept = history.epochs.copy()
    history.diverged, history.reasons = np.zeros(runs, bool), {}
    return history


# ---------------------------------------------------------------------------------------------- text and HTML


def test_a_long_history_is_its_first_and_last_epochs():
    history = history_of(np.arange(1000) / 3, val_loss=np.full(1000, np.nan))
    assert repr(history) == str(history) == (
        "History: 1000 epochs\n"
        "  epoch  loss    val_loss\n"
        "  1      0\n"
        "  2      0.3333\n"
        "  3      0.6667\n"
        "  4      1\n"
        "  ...    ...     ...\n"
        "  998    332.3\n"
        "  999    332.7\n"
        "  1000   333"
    )  # fmt: skip


@pytest.mark.parametrize("epochs", [1, 2, 7, 8, 9])
def test_a_short_one_is_whole(epochs):
    lines = repr(history_of(np.arange(epochs))).splitlines()
    assert lines[0] == f"History: {epochs} epoch{'s' * (epochs > 1)}"
    shown = [line.split()[0] for line in lines[2:]]
    assert shown == [*map(str, range(1, epochs + 1))] if epochs < 9 else ["1", "2", "3", "4", "...", "7", "8", "9"]


def test_of_a_stack_it_shows_shapes_and_medians_of_the_runs_that_still_train():
    loss = np.array([[4.0, 1, 3], [2, 1, np.nan], [np.nan, np.nan, np.nan]])
    assert repr(history_of(loss, (3,))).splitlines() == [
        "History: 2 epochs, 3 runs; columns (3, 3), of which medians",
        "  epoch  loss",
        "  1      3",
        "  2      1.5",
    ]


def test_an_epoch_that_was_kept_is_told():
    history = history_of([3.0, 1, 2])
    history.kept = np.array(2)
    assert repr(history).splitlines()[0] == "History: 3 epochs; kept epoch 2"


def test_columns_that_do_not_fit_are_named():
    lines = repr(history_of([1.0], **{f"a_column_of_a_long_name_{i}": [i] for i in range(6)})).splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert lines[1].split() == ["epoch", "loss", "a_column_of_a_long_name_0", "a_column_of_a_long_name_1"]
    assert lines[-1] == "  and a_column_of_a_long_name_2, a_column_of_a_long_name_3, a_column_of_a_long_name_4, a_column_of_a_long_name_5"


@pytest.mark.parametrize(
    "history", [nn.History(), nn.History.of(()), nn.History.of((3,)), nn.History({"said": "a text", "names": np.array(["a"])})]
)
def test_without_numbers_it_says_so(history):
    assert repr(history) == "History: 0 epochs"
    assert "<p>History: 0 epochs</p>" in history._repr_html_()


def test_it_is_a_dict_of_arrays_as_ever():
    model = nn.Sequential(nn.Dense(1)).build(2, seed=[1, 2])
    history = nn.fit(model, nn.MSE(), nn.SGD(0.1), (np.eye(2), np.ones((2, 1))), epochs=3, batch_size=2)
    assert isinstance(history, dict) and history["loss"].shape == (3, 2) and list(history) == ["loss", "lr"]
    assert {**history}.keys() == history.keys() and history == history
    for copied in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):
        assert type(copied) is nn.History and repr(copied) == repr(history)
        assert all(np.array_equal(copied[name], history[name]) for name in history)
        assert np.array_equal(copied.kept, history.kept) and copied.reasons == history.reasons


def test_html_has_the_same_and_is_escaped():
    text = history_of([1.0, 2], **{"<b>&": [3, 4]})._repr_html_()
    assert re.findall(r"<t[hd]>(.*?)</t[hd]>", text) == ["epoch", "loss", "&lt;b&gt;&amp;", "1", "1", "3", "2", "2", "4"]
    assert "color" not in text and "background" not in text, "a notebook is light or dark"


# ---------------------------------------------------------------------------------------------- models


class Named(nn.Layer):
    """Its options read like HTML."""

    text: str = "<i>"


def test_summary_prints_what_print_shows(capsys):
    model = nn.Sequential(nn.Dense(3), nn.Residual(nn.Dense(3), nn.Tanh())).build(2, seed=[1, 2])
    assert model.summary() is None
    assert capsys.readouterr().out == f"{model}\n" == (
        "Sequential: inputs (2,), 21 parameters, float32, 2 runs\n"
        "  0      Dense(3)  (3,)   9\n"
        "  1      Residual  (3,)   0\n"
        "    1.0  Dense(3)  (3,)  12\n"
        "    1.1  Tanh()    (3,)   0\n"
    )  # fmt: skip


def test_summary_of_one_layer_and_of_one_that_is_not_built(capsys):
    nn.Dense(3).build(2).summary()
    assert capsys.readouterr().out == "Dense: inputs (2,), 9 parameters, float32\n    Dense(3)  (3,)  9\n"
    nn.Sequential(nn.Dense(3), nn.ReLU()).summary()
    assert capsys.readouterr().out == "Sequential, not built\n  0  Dense(3)\n  1  ReLU()\n"


def test_html_of_a_model():
    model = nn.Sequential(nn.Dense(30), Named(), nn.Dense(30))
    assert "<p>Sequential, not built</p>" in model._repr_html_() and "<tfoot>" not in model._repr_html_()
    text = model.build(40)._repr_html_()
    assert re.findall(r"<t[hd]>(.*?)</t[hd]>", text) == [
        "", "layer", "output", "parameters",
        "0", "Dense(30)", "(30,)", "1,230",
        "1", "Named()", "(30,)", "0",
        "2", "Dense(30)", "(30,)", "930",
        "", "in all", "", "2,160",
    ]  # fmt: skip
    assert "Named(text=&#x27;&lt;b&gt;&#x27;)" in nn.Sequential(Named(text="<b>"), nn.Dense(1)).build(2)._repr_html_()


# ---------------------------------------------------------------------------------------------- curves


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib", reason="pip install -e '.[plot]'")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_without_matplotlib_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError) as error:
        history_of([1.0, 2]).plot()
    assert str(error.value) == "history.plot() needs matplotlib: pip install 'nnframe[plot]'"


def test_matplotlib_is_imported_by_plot_alone():
    script = "import sys, nnframe as nn, nnframe.training.plot; print('matplotlib' in sys.modules, nn.History())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False History: 0 epochs\n"


def test_a_panel_for_losses_and_one_for_each_metric(pyplot, tmp_path):
    history = history_of(
        [1.0, 0.1, 0.01, 0.001],
        val_loss=[1, 0.5, 0.3, 0.4],
        accuracy=[0.1, 0.5, 0.9, 1],
        val_accuracy=[0.1, 0.4, 0.6, 0.5],
        MAE=[4, 3, 2, 1],
        lr=[1, 1, 1, 1],
    )
    figure = history.plot()
    panels = {ax.get_ylabel(): ax for ax in figure.axes}
    assert list(panels) == ["loss", "accuracy", "MAE"]
    assert (panels["loss"].get_yscale(), panels["accuracy"].get_yscale()) == ("log", "linear")
    curves = {line.get_label(): line for ax in figure.axes for line in ax.get_lines()}
    assert set(curves) == {"loss", "val_loss", "accuracy", "val_accuracy", "MAE"}
    for name, line in curves.items():
        assert line.get_xdata().tolist() == [1, 2, 3, 4] and line.get_ydata().tolist() == history[name].tolist()
        assert line.get_color() in OKABE_ITO
    assert curves["loss"].get_color() != curves["val_loss"].get_color()
    marks = {name: ax.collections[0] for name, ax in panels.items()}
    assert [mark.get_offsets().tolist() for mark in marks.values()] == [[[3, 0.3]], [[3, 0.6]], [[3, 2]]]
    assert marks["loss"].get_label() == "0.3 at the best epoch, 3"
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_ensembles_own_curve_is_a_third_one(pyplot):
    history = history_of(np.ones((2, 3)), (3,), val_loss=np.ones((2, 3)) * 2, ensemble_val_loss=[1.5, 1.2])
    (ax,) = history.plot().axes
    assert [line.get_label() for line in ax.get_lines()] == ["loss, median of 3", "val_loss, median of 3", "ensemble_val_loss"]
    assert {line.get_color() for line in ax.get_lines()} == OKABE_ITO
    assert ax.collections[-1].get_offsets().tolist() == [[1, 2]] * 3


def test_the_epoch_that_was_kept_is_the_best(pyplot):
    history = history_of([4.0, 3, 2, 1])
    assert history.plot().axes[0].collections[0].get_offsets().tolist() == [[4, 1]]
    history.kept = np.array(2)
    assert history.plot().axes[0].collections[0].get_offsets().tolist() == [[2, 3]]


def test_a_stack_is_a_median_a_band_and_the_best_epoch_of_each_run(pyplot):
    loss = np.linspace(2, 1, 5)[:, None] * np.arange(1, 12)  # of 11 runs: quantiles 10, 50 and 90 % are runs 2, 6 and 10
    loss[3:, 0] = np.nan
    (ax,) = history_of(loss, (11,)).plot().axes
    (line,) = ax.get_lines()
    assert line.get_label() == "loss, median of 11" and line.get_ydata()[:3].tolist() == loss[:3, 5].tolist()
    band, marks = ax.collections
    heights = band.get_paths()[0].vertices
    assert heights[heights[:, 0] == 1][:, 1].min() == pytest.approx(4) and heights[heights[:, 0] == 1][:, 1].max() == pytest.approx(20)
    assert band.get_label() == "10% to 90%"
    assert marks.get_offsets()[:, 0].tolist() == [3, *[5] * 10]


@pytest.mark.parametrize(
    "history",
    [
        history_of([1.0]),
        history_of([0.0, 0.0]),
        history_of([-1.0, -2.0]),
        history_of([np.nan, np.nan]),
        history_of([1.0, np.inf]),
        history_of([[1.0, np.nan], [np.nan, np.nan]], (2,)),
        history_of(np.ones((3, 1)), (1,)),
        history_of(np.ones((2, 3000)), (3000,)),
    ],
    ids=["one epoch", "zeros", "negative", "no number", "infinite", "ended", "a stack of one", "many runs"],
)
def test_odd_histories_are_drawn(pyplot, history, tmp_path):
    history.plot().savefig(tmp_path / "curves.png")


@pytest.mark.parametrize("history", [nn.History(), nn.History.of((2,)), nn.History({"loss": np.empty(0)})])
def test_there_must_be_something_to_draw(pyplot, history):
    with pytest.raises(UsageError, match=r"there is no epoch in this history to plot"):
        history.plot()
