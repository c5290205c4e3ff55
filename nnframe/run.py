"""Train what a config describes: `python -m nnframe.run configs/gender.yaml`."""

import sys

from nnframe.command.main import train as main

if __name__ == "__main__":
    sys.exit(main())
