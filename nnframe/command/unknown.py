"""An option that no verb has is answered with what to write instead."""

import argparse
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Answers an unknown option with what to write instead: values of a config are changed by key=value."""

    given: Sequence[str] = ()

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.given = list(sys.argv[1:] if args is None else args)
        return super().parse_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        lines = []
        for token, after in zip(self.given, [*self.given[1:], ""], strict=True) if message.startswith("unrecognized arguments: -") else ():
            option, equals, value = token.partition("=")
            if re.match(r"--?[^\W\d]", token) and not any(name.startswith(option) for name in self._option_string_actions):
                value = value if equals or re.match(r"--?[^\W\d]", after) or "=" in after else after
                lines.append(f"{self.prog}: unknown option {option}{self._instead(option.lstrip('-'), value, known)}\n")
        if lines:
            self.exit(2, "".join(lines))
        super().error(message)

    def _instead(self, name: str, value: str, known: Sequence[str]) -> str:
        """What to write in place of an option that is none."""
        from difflib import get_close_matches  # like all that is imported here, only needed once something went wrong

        from nnframe.components.names import habits, plain, same

        configs = [text for text in self.given if Path(text).suffix in (".yaml", ".yml") and text != value]
        paths = list(_paths(configs)) if any(action.dest == "overrides" for action in self._actions) else []
        lasts = list(dict.fromkeys(path.rpartition(".")[2] for path in paths))
        is_ours = name in paths or name in lasts
        if not is_ours and (advice := habits().get(plain(name))):
            return f". {advice}"
        if not is_ours and (own := get_close_matches(f"--{name}", known, 1, 0.7)):
            return f". Did you mean {own[0]}?"
        ours = name if is_ours else same(name, lasts) or next(iter(get_close_matches(name, lasts, 1, 0.75)), None)
        if found := [path for path in paths if path == ours or path.rpartition(".")[2] == ours]:
            depth = min(path.count(".") for path in found)
            write = [shlex.quote(f"{path}={value or '...'}") for path in found if path.count(".") == depth]
            return f"; write {' or '.join(write[:3])}"
        return f"; {self.prog} --help tells all" + ("; a value of the config is changed by key=value" if paths else "")


def _paths(configs: Sequence[str]) -> Iterator[str]:
    """The dotted paths of all values of a config, if it can be read, and of what else could stand there."""
    from nnframe.components.component import config_of
    from nnframe.config.compose import load
    from nnframe.config.experiment import inspected, paths_in
    from nnframe.errors import NNFrameError

    data: Any = {}
    with suppress(NNFrameError, IndexError):
        document = load(Path(configs[0]))
        experiment = inspected(document)[0]
        data = document.data if experiment is None else config_of(experiment)
    yield from paths_in(data)
