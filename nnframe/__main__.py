"""The command `nnframe VERB ...`, also `python -m nnframe VERB ...`."""

import sys

from nnframe.command.main import main

if __name__ == "__main__":
    sys.exit(main())
