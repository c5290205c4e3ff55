"""SciPy's minimizers as an optimizer of whole networks."""

import sys
from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import Any, Literal

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import NonNegative, Size
from nnframe.errors import OptionError, UsageError
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.losses.regression import MSE
from nnframe.optimizers.base import Optimizer
from nnframe.optimizers.objective import Objective

UNLIMITED = sys.maxsize  # what counts iterations is the training
REJECTED = 30  # steps in a row, each of which divides the region that is trusted by 4, until nothing is left of it


class _End(Exception):
    """Why to end, where SciPy would go on."""


@register
class SciPy(Optimizer):
    """Minimizes the loss over all rows by a method of scipy.optimize, for small networks in float64.

    An iteration is an epoch. Training ends where no component of the gradient exceeds `tolerance`, or where rounding lets the method go no
    further. L-BFGS-B remembers `memory` pairs of steps and gradients, 10 unless given. Newton-CG and trust-ncg get products with the
    Hessian by central differences of gradients. least_squares (trust region reflective, Levenberg and Marquardt's idea) is for MSE, and
    holds the exact Jacobian of all residuals: rows times outputs times parameters.
    """

    whole = True

    # no trust-krylov: where the Hessian is not positive definite, trlib in SciPy 1.17 gives other numbers from call to call
    method: Literal["L-BFGS-B", "Newton-CG", "trust-ncg", "least_squares"] = "L-BFGS-B"
    _: KW_ONLY
    tolerance: NonNegative = 1e-6
    memory: Size | None = None

    def __post_init__(self) -> None:
        if self.memory is not None and self.method != "L-BFGS-B":
            raise OptionError(f"is for L-BFGS-B, and {self.method} has none; leave it out", path="memory")

    def step(self) -> None:
        raise UsageError("SciPy trains a whole network and takes no single steps; call nn.fit")

    def check(self, model: Layer, loss: Loss) -> None:
        if model.dtype != np.float64:
            told = f"SciPy's line searches and differences need float64, got {model.dtype}"
            raise OptionError(f"{told}; write dtype: float64, or in Python model.build(..., dtype='float64')", path="dtype")
        if self.method == "least_squares" and type(loss) is not MSE:
            told = f"least_squares is for the loss MSE, which is a sum of squares; {type(loss).__name__} is none. L-BFGS-B takes any loss"
            raise OptionError(told, path="SciPy.method")

    def minimize(self, objective: Objective, iterated: Callable[[], None]) -> str:
        from scipy import optimize

        at, rejected = objective.start, 0

        def end_where_flat() -> None:
            if (np.abs(objective(at)[1]) <= self.tolerance).all():
                raise _End(f"converged: no component of the gradient exceeds {self.tolerance:g}")

        def reached(x: np.ndarray) -> None:
            nonlocal at, rejected
            if not np.array_equal(x, at):
                at, rejected = _finite(x).copy(), 0
                objective.place(at)
                iterated()
                end_where_flat()
            elif (rejected := rejected + 1) == REJECTED:
                raise _End("ended: steps are lost in rounding")

        def value(x: np.ndarray) -> tuple[float, np.ndarray]:
            return objective(_finite(x))

        def residuals(x: np.ndarray) -> np.ndarray:
            return objective.residuals(_finite(x))

        def jacobian(x: np.ndarray) -> np.ndarray:  # asked for at each point that least_squares goes on from
            reached(x)
            return objective.jacobian(x)

        try:
            if not np.isfinite(objective(at)[0]):
                raise _End("ended: the loss at the start is not finite")
            end_where_flat()
            if self.method == "least_squares":
                ends: dict[str, Any] = {"ftol": None, "xtol": np.finfo(np.float64).eps, "gtol": None, "max_nfev": UNLIMITED}
                found = optimize.least_squares(residuals, at, jacobian, **ends)
            else:
                given: dict[str, Any] = {"method": self.method, "callback": reached, "options": self._for_scipy()}
                if self.method != "L-BFGS-B":
                    given["hessp"] = objective.times_hessian
                found = optimize.minimize(value, at, jac=True, **given)
        except _End as end:
            return f"{self.method} {end}"
        message = found.message.strip().removeprefix("Warning: ").removeprefix("CONVERGENCE: ").rstrip(".: ")
        return f"{self.method} {'converged' if found.success else 'ended'}: {message}"

    def _for_scipy(self) -> dict[str, Any]:
        """Its own tests for convergence are left to rounding: they mean another thing in each method."""
        if self.method == "L-BFGS-B":
            return {"maxcor": self.memory or 10, "ftol": 0.0, "gtol": 0.0, "maxiter": UNLIMITED, "maxfun": UNLIMITED}
        return {"maxiter": UNLIMITED} | ({"xtol": 0.0} if self.method == "Newton-CG" else {"gtol": 0.0})


def _finite(x: np.ndarray) -> np.ndarray:
    if not np.isfinite(x).all():  # least_squares would try the like for ever
        raise _End("ended: its next step is not finite")
    return x
