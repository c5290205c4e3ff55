"""The curves of a history as a figure. Only here is matplotlib imported, which `pip install 'nnframe[plot]'` installs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnframe.components.wording import ordinary
from nnframe.errors import UsageError

COLORS = {"": "#0072B2", "val_": "#D55E00", "ensemble_val_": "#009E73"}  # of Okabe and Ito (2008): all can tell them apart
BAND = (0.1, 0.9)  # quantiles of the runs of a stack
STEEP = 20.0  # from which ratio of its numbers on a panel is logarithmic
MARKS = 1000  # best epochs to mark at most


def plot(history: Any) -> Any:
    """See `History.plot`."""
    try:
        from matplotlib import get_backend, pyplot
    except ImportError:
        raise UsageError("history.plot() needs matplotlib: pip install 'nnframe[plot]'") from None
    panels = _panels(history)
    if not panels:
        raise UsageError("there is no epoch in this history to plot")
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(7, 1 + 2.5 * len(panels)), sharex=True, squeeze=False, layout="constrained")
    best = _best(history)
    for ax, (name, columns) in zip(axes[:, 0], panels.items(), strict=True):
        for prefix, column in columns.items():
            marked = prefix == ("val_" if "val_" in columns else "")
            _draw(ax, column, COLORS[prefix], prefix + name, best if marked else None)
        numbers = np.concatenate([column[~np.isnan(column)] for column in columns.values()])
        if name == "loss" and numbers.size and 0 < numbers.min() < numbers.max() / STEEP:
            ax.set_yscale("log")
        ax.set_ylabel(name)
        ax.grid(alpha=0.3)
        ax.legend()
    axes[-1, 0].set_xlabel("epoch")
    axes[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    if "inline" in get_backend().lower():
        pyplot.close(figure)  # the notebook would show it twice
    return figure


def _panels(history: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """The columns (epochs, runs) of each panel, by what stands before its name: of the loss first, then of each metric."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, column in history.items():
        if name != "lr" and len(column):
            prefix = next(prefix for prefix in reversed(COLORS) if name.startswith(prefix))
            numbers = np.where(np.isfinite(column), column, np.nan)
            found.setdefault(name.removeprefix(prefix), {})[prefix] = numbers.reshape(len(numbers), -1)
    return dict(sorted(found.items(), key=lambda item: item[0] != "loss"))


def _best(history: Any) -> np.ndarray:
    """The best epoch of each run, from 0."""
    column = history["val_loss"] if "val_loss" in history else history["loss"]
    column = np.asarray(column, float).reshape(len(column), -1)
    lowest = np.where(np.isnan(column), np.inf, column).argmin(0)
    kept, trained = (np.asarray(getattr(history, name, 0)).reshape(-1) for name in ("kept", "epochs"))
    return np.where((kept > 0) & (kept < trained), kept - 1, lowest)


def _draw(ax: Any, column: np.ndarray, color: str, name: str, best: np.ndarray | None) -> None:
    """A line for a run, or the median and a band for many; and a mark at each run's best epoch."""
    epochs, runs = np.arange(1, len(column) + 1), column.shape[1]
    alone = runs == 1
    there = ~np.isnan(column).all(1)
    low, middle, high = quantiles = np.full((3, len(column)), np.nan)
    if there.any():
        quantiles[:, there] = np.nanquantile(column[there], [BAND[0], 0.5, BAND[1]], axis=1)
    ax.plot(epochs, middle, color=color, marker="o" if len(epochs) == 1 else None, label=name if alone else f"{name}, median of {runs}")
    if not alone:
        ax.fill_between(epochs, low, high, color=color, alpha=0.2, linewidth=0, label=f"{BAND[0]:.0%} to {BAND[1]:.0%}")
    if best is not None:
        shown = np.linspace(0, runs - 1, min(runs, MARKS)).astype(int)
        values = column[best[shown], shown]
        label = f"{ordinary(values[0])} at the best epoch, {best[0] + 1}" if alone else "best epoch of each"
        ax.scatter(best[shown] + 1, values, s=36 if alone else 12, color=color, alpha=1 if alone else 0.5, zorder=3, label=label)
