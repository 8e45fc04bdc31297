# SPDX-License-Identifier: MIT
"""hand_over.py DIR: loads batches and hands each to another process by a queue, without copying the samples."""
import multiprocessing
import sys

import pitcrew


def receive(queue):
    batches = samples = 0
    for batch in iter(queue.get, None):
        batches, samples = batches + 1, samples + len(batch)
    print(f"received {samples} samples in {batches} batches")


def main(directory):
    queue = multiprocessing.Queue()
    worker = multiprocessing.Process(target=receive, args=(queue,))
    worker.start()
    with pitcrew.Loader(directory, kind="files", batch_size=64) as loader:
        for batch in loader:
            queue.put(batch)                # it is the worker's now
        queue.put(None)
        worker.join()                       # the memory lives as long as the loader
    return worker.exitcode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
