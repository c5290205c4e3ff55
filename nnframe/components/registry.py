"""What a config can name, by slot and name."""

from typing import Any, get_args

from nnframe.components.markers import Named, bare

REGISTRY: dict[str, dict[str, type[Any]]] = {}


def find(name: str, *slots: str) -> type[Any] | None:
    """The class of that name in one of some slots; installed plugins are looked at only for a name that is not known yet."""
    if name not in known_to(*slots):
        find_more()
    return known_to(*slots).get(name)


def find_more() -> None:
    """Register what else is installed; `plugins` puts its own function here."""


def is_component(base: Any) -> bool:
    return isinstance(base, type) and issubclass(base, Named)


def slots_of(kind: Any) -> tuple[str, ...]:
    """The slots of the components that an option holds, alone or in a list: `Metric | Loss` has two."""
    base = bare(kind)
    return (base.slot,) if is_component(base) else tuple(dict.fromkeys(slot for part in get_args(base) for slot in slots_of(part)))


def known_to(*slots: str) -> dict[str, type[Any]]:
    """Everything that is registered in some slots; of two of one name, that of the first slot."""
    found: dict[str, type[Any]] = {}
    for slot in reversed(slots):
        found |= REGISTRY.get(slot, {})
    return found
