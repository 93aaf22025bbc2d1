"""Run the command line."""

import sys

from devcluster.cli import main

sys.exit(main())
