"""Working arrays by name: what layers, losses and optimizers keep from step to step so that no step makes arrays anew."""

from typing import TYPE_CHECKING, Any

from nnframe.errors import UsageError


class Work:
    """Values as attributes. Python reads those of a plain class twice as fast as those of a SimpleNamespace."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class _Idle(Work):
    def __getattr__(self, name: str) -> Any:
        raise UsageError("nothing to go back from; call forward first")


IDLE = _Idle(x=None)  # stands for working arrays before the first forward
