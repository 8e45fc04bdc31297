# SPDX-License-Identifier: MIT
"""The jobs of the test `pressure`: memory that grows by the clock, and memory that comes and goes.

    memory_load.py grow MIB-PER-SECOND WORKERS CHECKPOINT    in this process, or in so many children
    memory_load.py noise SECONDS SIGNALS CACHE               a gibibyte's group, never more than 70 % of it

USR1 asks for a checkpoint: `grow` writes one to CHECKPOINT and goes on growing; `noise` notes it in SIGNALS. Children
inherit the handler, as those of a DataLoader do; a signal that reaches one of them is told in CHECKPOINT.worker.
"""

import mmap
import os
import signal
import sys
import time

MIB = 1 << 20
CHUNK = b"x" * MIB
PAGE = mmap.PAGESIZE
leader = os.getpid()


def save(path):
    """A checkpoint counts when all of it is there."""
    with open(path + ".part", "wb") as file:
        for _ in range(32):
            file.write(CHUNK)
        os.fsync(file.fileno())
    os.rename(path + ".part", path)


class Memory:
    """Touched memory, of a size that may change. Huge pages: faults are what an emulated machine is slowest at."""

    def __init__(self):
        self.map = mmap.mmap(-1, 1536 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.map.madvise(mmap.MADV_HUGEPAGE)
        self.map.madvise(mmap.MADV_DONTFORK)  # else children keep what is given back here
        self.mib = 0

    def set(self, mib):
        if mib > self.mib:
            self.map[self.mib * MIB:mib * MIB:PAGE] = b"x" * ((mib - self.mib) * MIB // PAGE)
        elif mib < self.mib:
            self.map.madvise(mmap.MADV_DONTNEED, mib * MIB, (self.mib - mib) * MIB)
        self.mib = mib


def grow(rate, workers, path):
    def on_signal(number, frame):
        if os.getpid() == leader:
            save(path)
        else:
            open(path + ".worker", "w").close()

    signal.signal(signal.SIGUSR1, on_signal)
    for _ in range(workers):
        if os.fork() == 0:
            return growing(rate / workers)
    if not workers:
        return growing(rate)
    while True:  # as a DataLoader does, ends when a worker has
        pid, status = os.wait()
        sys.exit("worker %d ended with %d" % (pid, status))


def growing(rate):
    """Never faster than that: what was missed while the emulator stood still is not caught up on."""
    memory, mib, last = Memory(), 0.0, time.monotonic()
    while True:
        time.sleep(0.02)
        now = time.monotonic()
        mib += rate * min(now - last, 0.1)
        last = now
        memory.set(int(mib))


def worker():
    """40 MiB within a second, for three."""
    memory = Memory()
    for step in range(1, 21):
        memory.set(2 * step)
        time.sleep(0.05)
    time.sleep(2)
    os._exit(0)


def read_through(path):
    """Page cache: more than the group may have."""
    with open(path, "rb", buffering=0) as file:
        while file.read(4 * MIB):
            yield


def noise(seconds, signals, path):
    def on_signal(number, frame):
        with open(signals, "a") as file:
            file.write("%.1f s\n" % (time.monotonic() - begin))

    signal.signal(signal.SIGUSR1, on_signal)
    begin, memory, cache, workers, next_worker = time.monotonic(), Memory(), iter(()), 0, 15
    while time.monotonic() - begin < seconds:
        now = time.monotonic() - begin
        # Weights up to 60 % in ten seconds, half of it given back; then teeth of 5 and 17 s between 20 and 56 %.
        tooth = 5 if int(now / 60) % 2 else 17
        memory.set(int(61.4 * now) if now < 10 else 300 if now < 15 else 200 + int(370 * ((now - 15) % tooth) / tooth))
        if now > next_worker and now < seconds - 5:
            next_worker = now + 1.5
            workers += 1
            if os.fork() == 0:
                worker()
        if next(cache, self_end) is self_end:
            cache = read_through(path)
        while workers and os.waitpid(-1, os.WNOHANG)[0]:
            workers -= 1
        time.sleep(0.02)
    while workers:
        os.wait()
        workers -= 1


self_end = object()
if sys.argv[1] == "grow":
    grow(float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
else:
    noise(float(sys.argv[2]), sys.argv[3], sys.argv[4])
