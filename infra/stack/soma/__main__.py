"""Run as `python -m soma`."""

import sys

from soma.cli import main

if __name__ == "__main__":
    sys.exit(main())
