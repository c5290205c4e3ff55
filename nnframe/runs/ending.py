"""What is told of an ensemble once it is trained, and of the rows that a config asks about."""

import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.wording import about
from nnframe.config.build import Job
from nnframe.errors import printable
from nnframe.runs.folder import RunFolder, as_json
from nnframe.training.callbacks import BestWeights
from nnframe.training.ensemble import mean_of
from nnframe.training.history import DivergenceWarning, History
from nnframe.training.log import summary

SHOWN = 5  # members to name


@dataclass(frozen=True)
class Voice:
    """How a person hears of what went wrong, and of the folder at the end."""

    warn: Callable[..., None]  # a text, and of which category it is as a warning
    end: Callable[[Path], None]


COMMAND = Voice(lambda text, category=None: print(text, file=sys.stderr), print)
PYTHON = Voice(lambda text, category=UserWarning: warnings.warn(text, category, stacklevel=6), lambda folder: None)


def conclude(job: Job, record: RunFolder, history: History, say: Callable[[str], None], voice: Voice) -> int:
    """Write what an ensemble has come to, the means over its members and the values of their averaged prediction, and tell it.

    Members that have diverged are left out. Returns the exit status: 1 if all have.
    """
    training, data, runs = job.training, job.data, np.arange(len(history.kept))
    sound, kept = training.sound(), history.kept
    each = {name: values[kept - 1, runs] for name, values in history.items() if not name.startswith("ensemble_val_")}
    together: dict[str, Any] = {}
    if sound.any() and data.validation is not None:
        together = {f"ensemble_val_{name}": value for name, value in job.members_on(data.validation)[1].items()}
    tested: list[str] = []
    if sound.any() and data.test is not None:
        alone, averaged = job.members_on(data.test)
        each |= {f"test_{name}": value for name, value in alone.items()}
        together |= {f"ensemble_test_{name}": value for name, value in averaged.items()}
        tested = [f"{kind}test_{name}" for kind in ("", "ensemble_") for name in alone]
    members = [
        {"seed": int(seed), "status": "finished" if sound[i] else "diverged", "epochs": int(history.epochs[i]), "kept_epoch": int(kept[i])}
        | {name: as_json(float(values[i])) for name, values in each.items()}
        | ({"reason": history.reasons[i]} if i in history.reasons else {})
        for i, seed in enumerate(job.model._store.seeds.values)
    ]
    counted = sound if sound.any() else ~sound
    means = {name: float(mean_of(values[counted])) for name, values in each.items()} | {
        name: float(value) for name, value in together.items()
    }
    epochs, same = int(history.epochs.max()), np.unique(kept[counted])
    record.record["members"] = members
    ends = job.test_intervals() if tested else {}
    status = "finished" if sound.any() else "diverged"
    record.finish(status, {"epochs": epochs} | ({"kept_epoch": int(same[0])} if len(same) == 1 else {}) | means, ends)
    reasons = [history.reasons.get(i, "its weights are not finite") for i in np.flatnonzero(~sound).tolist()]
    if not sound.any():
        voice.end(record.folder)
        voice.warn(f"all {len(runs)} members diverged, the first: {reasons[0]}. A smaller optimizer.lr may help.", DivergenceWarning)
        return 1
    if reasons:
        named = [f"seed {members[i]['seed']} ({reason})" for i, reason in zip(np.flatnonzero(~sound), reasons[:SHOWN], strict=False)]
        more = f" and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
        told = f"{len(reasons)} of {len(runs)} members diverged and are left out of the ensemble: {', '.join(named)}{more}"
        voice.warn(printable(f"warning: {told}. A smaller optimizer.lr may help."), DivergenceWarning)
    for reason, count in Counter(history.reasons[i] for i in np.flatnonzero(sound).tolist() if i in history.reasons).items():
        say(f"ended early: {count} of {len(runs)} members: {reason}")
    for callback in job.experiment.callbacks:
        if isinstance(callback, BestWeights) and callback.where == "best.npz":
            best, found = callback.best[sound], callback.epoch[sound]
            say(f"best {callback.monitor} {_reach(best)} in epoch {_reach(found)}, whose weights are in {callback.where}")
    shown = summary({name: value for name, value in means.items() if name not in tested})
    keeps = f"; kept epoch {_reach(kept[sound])}" if (kept[sound] < history.epochs[sound]).any() else ""
    say(f"after {epochs} epochs{keeps}: means of {sound.sum()} members, and their ensemble: {shown}")
    if tested:
        told = "  ".join(f"{name} {means[name]:.4g} (95 %: {ends[name][0]:.4g} to {ends[name][1]:.4g})" for name in tested)
        say(f"on the {len(data.test.x)} test rows: {told}")  # type: ignore[union-attr]
    for line in predictions(job):
        say(line)
    voice.end(record.folder)
    return 0


def _reach(values: np.ndarray) -> str:
    """The value that all members have, or from where to where theirs go."""
    low, high = values.min(), values.max()
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def predictions(job: Job) -> list[str]:
    """The rows of `predict`, each with its outputs and the class that they stand for; of an ensemble with the sd over its members."""
    found, spread = job.predict(), job.predict_sd()
    classes, width = job.data.training.classes, max(map(len, found), default=0)
    lines = []
    for name, pred in found.items():
        values = np.ravel(pred)
        told = [f"{value:.4g}" for value in values]
        if name in spread:
            told = [f"{value} ± {about(sd)}" for value, sd in zip(told, np.ravel(spread[name]), strict=True)]
        label = ""
        if classes and values.size == 1:
            label = classes[int(values[0] >= 0.5)]
        elif classes:
            label = dict(enumerate(classes)).get(int(values.argmax()), "")
        lines.append(f"  {name:<{width}}  {' '.join(told)}  {label}".rstrip())
    return lines
