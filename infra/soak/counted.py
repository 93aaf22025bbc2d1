"""The operator as it is, in a process that also writes down how many tasks it has.

It counts what the garbage collector knows, so nothing in the operator takes part. The file named
by TASKS_FILE holds the number of tasks that have not ended.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from pathlib import Path

from gatewaycanary.cli import main

EVERY = 5.0


def _count(path: Path) -> None:
    while True:
        tasks = [one for one in gc.get_objects() if isinstance(one, asyncio.Task)]
        path.write_text(str(sum(not one.done() for one in tasks)))
        del tasks
        time.sleep(EVERY)


if __name__ == "__main__":
    counting = threading.Thread(target=_count, args=(Path(os.environ["TASKS_FILE"]),), daemon=True)
    counting.start()
    sys.exit(main())
