"""The operator as it is, in a process that also writes down how many tasks it has.

The file named by TASKS_FILE holds the number of tasks that have not ended. Nothing in the operator
takes part: the loop is noted when it is made, and asked by a thread.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from asyncio import AbstractEventLoop, events
from pathlib import Path

from gatewaycanary.cli import main

EVERY = 5.0

_loops: list[AbstractEventLoop] = []
_make = events.new_event_loop


def _noted() -> AbstractEventLoop:
    loop = _make()
    _loops.append(loop)
    return loop


def _count(path: Path) -> None:
    # NB: the garbage collector would know them too, but what it gives out may be half made, and
    # whoever makes it fails then.
    while True:
        path.write_text(str(sum(len(asyncio.all_tasks(loop)) for loop in list(_loops))))
        time.sleep(EVERY)


if __name__ == "__main__":
    events.new_event_loop = _noted
    counting = threading.Thread(target=_count, args=(Path(os.environ["TASKS_FILE"]),), daemon=True)
    counting.start()
    sys.exit(main())
