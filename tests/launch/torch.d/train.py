#!/usr/bin/python3
"""train.py HOW [WHERE]: a small distributed training with real torch.distributed (gloo) and DataLoader workers; ends as
HOW says, on the last rank. WHERE: a directory for what the test must see."""
import ctypes
import os
import signal
import sys
import time

import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Dataset

import without_libuv  # noqa: F401

HOW = sys.argv[1]
WHERE = sys.argv[2] if len(sys.argv) > 2 else None
RANK = int(os.environ["RANK"])
LAST = int(os.environ["WORLD_SIZE"]) - 1


class Numbers(Dataset):
    def __len__(self):
        return 64

    def __getitem__(self, i):
        return torch.full((8,), float(i))


def mark(name):
    if WHERE:
        with open(os.path.join(WHERE, "%s.%d" % (name, RANK)), "w") as file:
            file.write(" ".join(str(c) for c in sorted(os.sched_getaffinity(0))))


def checkpoint(signum, frame):
    mark("checkpoint")


def end():
    if RANK != LAST:
        return
    if HOW == "exception":
        raise RuntimeError("loss is NaN")
    if HOW == "exit-7":
        os._exit(7)  # at once: else connections are closed first, and others may end before us
    if HOW == "segfault":
        ctypes.string_at(0)
    if HOW == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if HOW == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1 << 20)) * 8)


def main():
    signal.signal(signal.SIGUSR1, checkpoint)
    dist.init_process_group("gloo")
    context = "spawn" if os.environ.get("TEST_START") == "spawn" else "fork"
    model = torch.nn.Linear(8, 1)
    loader = DataLoader(Numbers(), batch_size=4, num_workers=2, multiprocessing_context=context,
                        persistent_workers=True)
    total = 0.0
    for epoch in range(10 ** 6 if HOW == "forever" else 2):
        for step, batch in enumerate(loader):
            loss = model(batch).mean()
            loss.backward()
            for p in model.parameters():
                dist.all_reduce(p.grad)
            total += float(batch.sum())
            mark("running")
            if step == 3:
                end()
            time.sleep(0.05 if HOW == "forever" else 0)
    mark("done")
    print("rank %d of %d: %g" % (RANK, dist.get_world_size(), total), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
