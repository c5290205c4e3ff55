"""The loss where no training has been: on a plane through three sets of weights, and on the way from one network to another."""

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.markers import NonNegative, Range
from nnframe.components.wording import shown
from nnframe.errors import DataError, OptionError, ShapeError, UsageError
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.probes.copies import Copies, checked
from nnframe.training.evaluation import own_metrics, run_through

Points = Annotated[int, Range(min=2, max=10_000)]


class Plane(NamedTuple):
    """`loss[..., i, j]` is that of the weights origin + x[j] u + y[i] v, so that matplotlib's contourf(x, y, loss) shows it.

    x, y (*runs, points), loss (*runs, points, points), in the units of |weights|; `corners` (*runs, 3, 2) are the x and y of the three sets
    of weights. u and v (*runs, P) are orthogonal and of length 1; origin (*runs, P) is the first of the three.
    """

    x: np.ndarray
    y: np.ndarray
    loss: np.ndarray
    corners: np.ndarray
    origin: np.ndarray
    u: np.ndarray
    v: np.ndarray


def loss_plane(
    model: Layer, loss: Loss, data: Any, weights: Any, *, points: int = 25, margin: float = 0.2, batch_size: int | None = None
) -> Plane:
    """The loss on a square grid in the plane through three sets of weights, as Garipov et al. (2018) draw it: u goes from the first to
    the second, v is what of the way to the third is orthogonal to it.

    weights: three arrays like `model.params`, such as those of three runs: `stack.params[:3]` with the model `stack.take(0)`. points: along
    each side, which goes beyond the three by `margin` of its length. data, batch_size: as for `nn.evaluate`, whose loss this is at each
    point. BatchNorm has the model's running mean and variance at all points.
    """
    copies = Copies("loss_plane", model).on(loss, data, batch_size=batch_size)
    points, margin = checked(copies.caller, points=(Points, points), margin=(NonNegative, margin))
    try:
        a, b, c = (as_numbers(w, f"{copies.caller}.weights").astype(np.float64) for w in weights)
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise ShapeError(f"expected three arrays {model.params.shape}", path=f"{copies.caller}.weights") from None
    for i, w in enumerate((a, b, c)):
        if w.shape != model.params.shape:
            hint = "; for a plane through three runs write model.take(0)" if w.shape == model.params.shape[-1:] else ""
            told = f"expected an array like model.params {model.params.shape}, got {w.shape}{hint}"
            raise ShapeError(told, path=f"{copies.caller}.weights.{i}")
        if not np.isfinite(w).all():
            raise DataError("expected finite numbers", path=f"{copies.caller}.weights.{i}")
    u, width = _direction(b - a)
    along = ((c - a) * u).sum(-1, keepdims=True)
    v, height = _direction(c - a - along * u)
    if not (np.all(width > 0) and np.all(height > 1e-8 * (width + abs(along)))):
        raise UsageError("the three sets of weights stand on one line, and no plane is theirs alone", path=f"{copies.caller}.weights")
    zero = np.zeros_like(width)
    corners = np.stack([np.concatenate([zero, zero], -1), np.concatenate([width, zero], -1), np.concatenate([along, height], -1)], -2)
    low, high = corners.min(-2), corners.max(-2)
    room = margin * (high - low)
    x, y = np.moveaxis(np.linspace(low - room, high + room, points, axis=-1), -2, 0)

    every = copies.every
    of, place = np.repeat(every, points**2), np.tile(np.arange(points**2), len(every))
    origin, us, vs, xs, ys = (array.reshape(len(every), -1) for array in (a, u, v, x, y))
    found = np.empty(len(of))
    for piece in copies.pieces(len(of)):
        run, row, column = of[piece], place[piece] // points, place[piece] % points
        at = origin[run] + xs[run, column][:, None] * us[run] + ys[run, row][:, None] * vs[run]
        found[piece] = _measured(copies, run, at, copies.whole.state[run])["loss"]
    return Plane(x, y, found.reshape(*model.runs, points, points), corners, a, u, v)


def loss_path(
    model: Layer,
    loss: Loss,
    data: Any,
    start: int,
    stop: int,
    *,
    points: int = 25,
    metrics: Iterable[Metric | Loss] = (),
    batch_size: int | None = None,
) -> dict[str, np.ndarray]:
    """Loss and metrics on the straight way from one run of a stack to another (Goodfellow, Vinyals and Saxe 2015): {"t": ..., "loss": ...},
    each (points,).

    At t the weights are (1 - t) of those of run `start` and t of those of run `stop`, and so is BatchNorm's state; the ends are the two
    runs as they are. data, metrics, batch_size: as for `nn.evaluate`, of one network.
    """
    layout.verify(model)
    if not model.runs:
        raise UsageError("this is one network; the path goes from one run of a stack to another", path="loss_path")
    run = Annotated[int, Range(min=0, max=model.runs[0] - 1)]
    start, stop, points = checked("loss_path", start=(run, start), stop=(run, stop), points=(Points, points))
    if not isinstance(metrics, Iterable):
        raise OptionError(f"expected a list, got {shown(metrics)}; write [{shown(metrics)}]", path="loss_path.metrics")
    for _, _, layer in layout.walk(model):
        for name, number in layer.numbers().items():
            if (number[start] != number[stop]).any():
                told = f"runs {start} and {stop} differ in {type(layer).__name__}.{name}, so that no network stands between them"
                raise UsageError(told, path="loss_path")
    copies = Copies("loss_path", model._taken(start)).on(loss, data, own_metrics(metrics), batch_size)
    t = np.linspace(0, 1, points)
    found: list[dict[str, np.ndarray]] = []
    for piece in copies.pieces(points):
        params, state = (_between(a[start], a[stop], t[piece, None].astype(model.dtype)) for a in (model.params, model.state))
        found.append(_measured(copies, np.zeros(len(params), int), params, state))
    return {"t": t} | {name: np.concatenate([values[name] for values in found]) for name in found[0]}


def _measured(copies: Copies, of: np.ndarray, params: np.ndarray, state: np.ndarray) -> dict[str, np.ndarray]:
    """Loss and metrics (k,) of the runs `of`, with other parameters and state."""
    stack, (loss, *metrics), batches = copies.at(of)
    stack.params[...], stack.state[...] = params, state
    with copies.computing():
        return run_through(stack, loss, metrics, batches, lambda: None)


def _between(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """(1 - t) a + t b for each t (k, 1), and a and b themselves at the ends, also where they are not finite."""
    with np.errstate(all="ignore"):
        return np.where(t == 0, a, np.where(t == 1, b, (1 - t) * a + t * b))


def _direction(way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A way (*runs, P) as its direction, of length 1, and length (*runs, 1)."""
    length = np.sqrt((way * way).sum(-1, keepdims=True))
    return way / np.where(length > 0, length, 1), length
