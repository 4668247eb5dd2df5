"""A process that stands still."""

from __future__ import annotations

import os
import signal


def pause_process(pid: int) -> None:
    """SIGSTOP to a child of ours. Returns when all its threads stand still: the signal alone lets a thread that runs on
    another core go on for a while."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
