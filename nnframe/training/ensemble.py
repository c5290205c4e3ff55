"""Several networks as one: what the one that stands for them gives, and how far their predictions are apart.

Its outputs are `Loss.averaged` of theirs. All members see the same rows.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from nnframe.data.batches import Batches
from nnframe.errors import OptionError, UsageError
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.training.evaluation import Tally

QUANTILES = {"q05": 0.05, "q95": 0.95}


def spread(read: np.ndarray, loss: Loss | None = None) -> dict[str, np.ndarray]:
    """What members' predictions (members, rows, *outputs), as a person reads them, say together: `mean`, `sd` (of n - 1; NaN for one
    member) and the quantiles `q05` and `q95` over the members, each (rows, *outputs), and where these are probabilities, as `loss` has
    it, `uncertainty` of these too. Equal members have an sd of exactly 0."""
    read = np.asarray(read, np.float64)
    mean = mean_of(read)
    free = np.float64(len(read) - 1 or np.nan)
    found = {"mean": mean, "sd": np.sqrt(np.square(read - mean).sum(0) / free)}
    found |= dict(zip(QUANTILES, np.quantile(read, list(QUANTILES.values()), axis=0), strict=True))
    if loss is None or loss.reads_as == "numbers":
        return found
    return found | uncertainty(read if loss.reads_as == "classes" else both(read))


def uncertainty(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Of probabilities (members, rows, ..., classes), in nats, each (rows, ...): `entropy` of their mean, and `mutual_information` of class
    and member, I = H(mean p) - mean H(p) = mean KL(p | mean p) (Houlsby et al. 2011): what members do not agree on."""
    from scipy.special import entr, rel_entr

    p = np.asarray(probabilities, np.float64)
    mean = mean_of(p)
    information = rel_entr(p, mean).sum(-1).mean(0)  # exactly 0 for equal members, as the difference of entropies is not
    return {"entropy": entr(mean).sum(-1), "mutual_information": np.maximum(information, 0)}


def both(p: np.ndarray) -> np.ndarray:
    """Probabilities of yes, one for each output, as those of two classes: (..., 2). One output alone has its axis taken for that."""
    pair = np.stack([1 - p, p], -1)
    return pair[..., 0, :] if p.ndim > 2 and p.shape[-1] == 1 else pair


@np.errstate(all="ignore")
def mean_of(read: np.ndarray) -> np.ndarray:
    """The mean over the first axis; where all are equal, these very numbers, which rounding may change otherwise."""
    return np.where((read == read[0]).all(0), read[0], read.mean(0))


Judges = tuple[Loss, list[Metric]]


def for_one(loss: Loss, metrics: Sequence[Metric]) -> Judges:
    """Copies of a stack's loss and metrics, for one network."""
    return deepcopy(loss, loss.taken(0)), [deepcopy(metric, metric.taken(0)) for metric in metrics]


def run_members(
    stack: Layer,
    members: np.ndarray,
    which: Any,
    loss: Loss,
    metrics: Sequence[Metric],
    one: Judges,
    batches: Batches,
    between: Callable[[], None],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Loss and metrics over all rows, not in training: of each of the runs `which` of a stack, for which `loss` and `metrics` are; and of
    the averaged prediction of `members`, by those for `one` network, NaN where there are none. One forward pass gives both."""
    each, together = Tally(loss, metrics, batches.undo), Tally(*one, batches.undo)
    for x, y, weight, rows in batches.epoch(0):
        pred = stack.forward(x)
        each.add(pred[which], y, weight, rows)
        if members.any():
            together.add(loss.averaged(pred[members]), y, weight, rows)
        between()
    values = each.values()
    return values, together.values() if members.any() else dict.fromkeys(values, np.asarray(np.nan))


def check_members(model: Layer, loss: Loss, metrics: Sequence[Metric], batches: Batches | None, path: str) -> None:
    """Raise OptionError unless the runs of a model can be one ensemble: a stack, judged by the same numbers on the same rows. Raises
    UsageError for a loss that does not say which outputs stand for several."""
    if not model.runs:
        raise OptionError("one network is no ensemble; build a stack, such as seed=range(16)", path=path)
    if batches is not None and batches.own_rows:
        raise OptionError(
            "each run has evaluation rows of its own, so that there is no mean of their predictions; give all the same", path=path
        )
    for part in (loss, *metrics):
        for place, number in part.numbers().items():
            if (number != number[:1]).any():
                told = f"{type(part).__name__}: {place} differs from run to run; members are judged alike, so give one value"
                raise OptionError(told, path=path)
    try:
        loss.averaged(np.zeros((1, 1, *model.output_shape), model.dtype))
    except UsageError as error:
        raise error.within("loss") from None


def row(logs: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of the log as a person reads it: one network's numbers; the means over members, of those whose loss is finite if any is."""
    loss = np.asarray(logs["loss"])
    if not loss.ndim:
        return logs
    counted = np.isfinite(loss)
    counted |= not counted.any()
    return {name: mean_of(np.asarray(value)[counted]) for name, value in logs.items()}
