"""How a run ends, of one network or of an ensemble: what is written of it, and what is told."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnframe.components.wording import ordinary
from nnframe.config.build import Job
from nnframe.errors import printable
from nnframe.runs.advice import remark
from nnframe.runs.folder import RunFolder, as_json, results_of
from nnframe.runs.voice import Voice
from nnframe.training.callbacks import BestWeights
from nnframe.training.ensemble import mean_of
from nnframe.training.history import DivergenceWarning, History
from nnframe.training.log import summary

SHOWN = 5  # members to name


def of_one(job: Job, record: RunFolder, history: History, say: Callable[[str], None], voice: Voice) -> bool:
    """Write and tell what one network's training has come to. Has it not diverged?"""
    results, diverged, reason = results_of(history), bool(history.diverged), history.reasons.get(0, "")
    epochs, kept = results["epochs"], results["kept_epoch"]
    values = summary({name: results[name] for name in history})
    test, ends = ({}, {}) if diverged else (job.test(), job.test_intervals())
    record.finish("diverged" if diverged else "finished", results | test, ends)
    if diverged:
        mend = " A smaller optimizer.lr may help." if "lr" in history else ""
        voice.warn(f"{reason}; training ended there.{mend}", DivergenceWarning)
        if kept < epochs:
            voice.warn(f"kept epoch {kept}: {values}")
        return False
    if reason:
        say(f"ended early: {reason}")
    _tell_best(job, ..., say)
    ended = f"stopped at epoch {epochs}" if reason else f"after {epochs} epochs"
    say(f"{ended}; kept epoch {kept}: {values}" if kept < epochs else f"{ended}: {values}")
    if history and (wrong := remark(job, {name: float(column[0]) for name, column in history.items()}, results)):
        voice.warn(f"warning: {printable(wrong)}")
    _tell_test(job, test, ends, say)
    return True


def of_members(job: Job, record: RunFolder, history: History, say: Callable[[str], None], voice: Voice) -> bool:
    """Write and tell what an ensemble has come to: the means over its members, and the values of their averaged prediction. Members that
    have diverged are left out. Have some not?"""
    sound, kept = job.training.sound(), history.kept
    each, together = _values(job, history, sound)
    counted = sound if sound.any() else ~sound
    results: dict[str, Any] = {"epochs": int(history.epochs.max())}
    if len(epochs := set(kept[counted].tolist())) == 1:
        results |= {"kept_epoch": epochs.pop()}
    means = {name: float(mean_of(values[counted])) for name, values in each.items()}
    means |= {name: float(value) for name, value in together.items()}
    record.record["members"] = [
        member | {name: as_json(float(values[i])) for name, values in each.items()} for i, member in enumerate(members(job, "finished"))
    ]
    ends = job.test_intervals() if sound.any() else {}
    record.finish("finished" if sound.any() else "diverged", results | means, ends)
    _tell_diverged(record.record["members"], voice)
    if sound.any():
        _tell(job, history, sound, means, ends, say)
    return bool(sound.any())


def members(job: Job, status: str) -> list[dict[str, Any]]:
    """How far each member has got; `status` is that of those that have not diverged."""
    history, sound = job.training.history, job.training.sound()
    return [
        {"seed": seed, "status": status if sound[i] else "diverged", "epochs": int(history.epochs[i]), "kept_epoch": int(history.kept[i])}
        | ({"reason": history.reasons[i]} if i in history.reasons else {})
        for i, seed in enumerate(job.model._store.seeds.values.tolist())
    ]


def _values(job: Job, history: History, sound: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The log and test values of each member with the weights that it keeps; and those of the averaged prediction with these."""
    data, places = job.data, (history.kept - 1, np.arange(len(sound)))
    each = {name: values[places] for name, values in history.items() if not name.startswith("ensemble_val_")}
    together: dict[str, Any] = {}
    if sound.any() and data.validation is not None:
        together = {f"ensemble_val_{name}": value for name, value in job.members_on(data.validation)[1].items()}
    if sound.any() and data.test is not None:
        alone, averaged = job.members_on(data.test)
        each |= {f"test_{name}": values for name, values in alone.items()}
        together |= {f"ensemble_test_{name}": value for name, value in averaged.items()}
    return each, together


def _tell_diverged(members: list[dict[str, Any]], voice: Voice) -> None:
    """Name the members that are left out."""
    gone = [member for member in members if member["status"] == "diverged"]
    reasons = [member.get("reason", "its weights are not finite") for member in gone]
    if len(gone) == len(members):
        told = f"all {len(members)} members diverged, the first: {reasons[0]}"
    elif gone:
        named = [f"seed {member['seed']} ({reason})" for member, reason in zip(gone, reasons[:SHOWN], strict=False)]
        more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
        told = f"warning: {len(gone)} of {len(members)} members diverged and are left out of the ensemble: {', '.join(named)}{more}"
    else:
        return
    voice.warn(printable(f"{told}. A smaller optimizer.lr may help."), DivergenceWarning)


def _tell(job: Job, history: History, sound: np.ndarray, means: dict[str, float], ends: dict[str, Any], say: Callable[[str], None]) -> None:
    epochs, kept, reasons = history.epochs[sound], history.kept[sound], history.reasons
    for reason, count in Counter(reasons[i] for i in np.flatnonzero(sound).tolist() if i in reasons).items():
        say(f"ended early: {count} of {len(sound)} members: {reason}")
    _tell_best(job, sound, say)
    keeps = f"; kept epoch {_reach(kept)}" if (kept < epochs).any() else ""
    shown = summary({name: value for name, value in means.items() if name not in ends})
    say(f"after {_reach(epochs)} epochs{keeps}: means of {sound.sum()} members, and their ensemble: {shown}")
    _tell_test(job, means, ends, say)


def _tell_best(job: Job, which: Any, say: Callable[[str], None]) -> None:
    """Where the weights of the best epoch are, and of which epoch; of an ensemble of the members `which`."""
    for callback in job.experiment.callbacks:
        if isinstance(callback, BestWeights) and callback.where == "best.npz" and np.any(callback.epoch):
            best = (
                f"best {callback.monitor} {_reach(np.asarray(callback.best)[which])} in epoch {_reach(np.asarray(callback.epoch)[which])}"
            )
            say(f"{best}, whose weights are in {callback.where}")


def _tell_test(job: Job, values: dict[str, float], ends: Mapping[str, tuple[float, float]], say: Callable[[str], None]) -> None:
    """Values on the test part with their intervals, if there is one."""
    if ends and job.data.test is not None:
        told = [f"{name} {ordinary(values[name])} (95 %: {ordinary(low)} to {ordinary(high)})" for name, (low, high) in ends.items()]
        say(f"on the {len(job.data.test.x)} test rows: {'  '.join(told)}")


def _reach(values: np.ndarray) -> str:
    """The value that all members have, or from where to where theirs go."""
    low, high = (str(end) if values.dtype.kind == "i" else ordinary(end) for end in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
