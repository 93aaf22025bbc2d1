"""`python -m gatewaycanary` is the command line."""

import sys

from gatewaycanary.cli import main

if __name__ == "__main__":
    sys.exit(main())
