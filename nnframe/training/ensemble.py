"""Several networks as one: how far their predictions are apart.

The outputs of the one network that stands for them are `Loss.averaged` of theirs.
"""

import numpy as np

from nnframe.losses.base import Loss

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


def mean_of(read: np.ndarray) -> np.ndarray:
    """The mean over the first axis; where all are equal, these very numbers."""
    return np.asarray(read[0] + (read - read[0]).mean(0))
