# SPDX-License-Identifier: MIT
"""What people use instead of libpitcrew: torch's DataLoader, torch.save and torch.load, tarfile, plain reads.

    peers.py TOOL loader KIND ROOT ORDER STEPS       KIND: a number of workers of DataLoader, or "pitcrew" (from Python)
    peers.py TOOL serve                              then a command a line: JSON [NAME, ARGUMENT...]

Prints a JSON object a line. Run by a Python that has torch.
"""

import json
import mmap
import os
import random
import resource
import struct
import subprocess
import sys
import tarfile
import time
import warnings
import zlib

import numpy
import torch
from torch.utils.data import DataLoader, Dataset

TOOL = sys.argv[1]
BATCH = 256
STEP = .040
warnings.filterwarnings("ignore")


def evict(path, sync=False):
    """Bytes that were still in the page cache afterwards."""
    done = subprocess.run([TOOL, "evict", "path=" + path, "sync=%d" % sync], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["resident"]


def touch():
    """What is measured next finds memory that the host of a virtual machine has not taken away; as ours does."""
    subprocess.run([TOOL, "touch", "touch=" + os.environ.get("FEED_TOUCH", "0")], stdout=subprocess.DEVNULL, check=True)


def cpu():
    """Seconds of this process and of those that it has waited for."""
    return sum(use.ru_utime + use.ru_stime for use in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def pss():
    """Bytes of this process and its children; what they share is counted once."""
    total = 0
    with open("/proc/self/task/%d/children" % os.getpid()) as file:
        family = ["self"] + file.read().split()
    for pid in family:
        with open("/proc/%s/smaps_rollup" % pid) as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total * 1024


def p99(gaps):
    return sorted(gaps)[(len(gaps) * 99 + 99) // 100 - 1] if gaps else 0


def epoch(make, size, steps=None):
    """Goes through what make() iterates over; `steps`: so many batches, each followed by a computation of STEP seconds."""
    touch()
    begin, before, used = time.monotonic(), None, cpu()
    batches = make()
    found = {"bytes": 0, "samples": 0, "first": 0, "pss": 0}
    gaps, computing = [], 0
    for batch in batches:
        at = time.monotonic()
        if before is None:
            found["first"] = at - begin
        else:
            gaps.append(at - before)
        count, length = size(batch)
        found["samples"] += count
        found["bytes"] += length
        if steps:
            if len(gaps) % 4 == 3:
                found["pss"] = max(found["pss"], pss())
            time.sleep(max(0, STEP - (time.monotonic() - at)))
            computing += time.monotonic() - at
            if len(gaps) + 1 >= steps:
                break
        del batch
        before = time.monotonic()
    found.update(seconds=time.monotonic() - begin, p99=p99(gaps), computing=computing)
    del batches  # workers end here, and can be counted
    found["cpu"] = cpu() - used
    return found


# ---- loaders ----

class Files(Dataset):
    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        with open(self.paths[i], "rb") as file:
            return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)


def collate(samples):
    return torch.cat(samples), [sample.numel() for sample in samples]


def size_of_collated(batch):
    return len(batch[1]), batch[0].numel()


def read_order(path):
    with open(path) as lines:
        return [line.rstrip("\n").split(" ", 2) for line in lines]


def dataloader(root, order, workers):
    paths = [os.path.join(root, name) for _, _, name in order]
    return iter(DataLoader(Files(paths), batch_size=BATCH, num_workers=workers, collate_fn=collate))


def same(root, order, workers):
    """How many samples differ from what pitcrew gave in the same order; none is wanted."""
    wrong, at = 0, 0
    for joined, lengths in dataloader(root, order, workers):
        data, begin = memoryview(joined.numpy()), 0
        for length in lengths:
            wrong += length != int(order[at][0]) or zlib.crc32(data[begin:begin + length]) != int(order[at][1], 16)
            begin, at = begin + length, at + 1
    return wrong + abs(at - len(order))


def ours(root):
    """The files are listed once, before, as they are for DataLoader."""
    import pitcrew
    source = pitcrew.Source([root], kind="files")
    return lambda: iter(pitcrew.Loader(source, BATCH, seed=1))


def size_of_ours(batch):
    tensors = [batch.torch(i) for i in range(len(batch))]
    return len(tensors), sum(tensor.numel() for tensor in tensors)


def run_loader(kind, root, order_path, steps):
    order = read_order(order_path)
    say = lambda what, found: print(json.dumps({"what": what, **found}), flush=True)
    if kind == "same":
        say("same", {"wrong": same(root, order, 2)})
        return
    if kind == "pitcrew":
        make, size = ours(root), size_of_ours
    else:
        make, size = lambda: dataloader(root, order, int(kind)), size_of_collated
    left = evict(root)
    say("cold", {"resident": left, **epoch(make, size)})
    say("warm", epoch(make, size))
    left = evict(root)
    say("steps", {"resident": left, **epoch(make, size, steps)})


# ---- files ----

def read_tar(folder):
    """As webdataset does: shard after shard from its beginning, neighbours of one name are a sample."""
    def batches():
        pieces, names = [], 0
        for shard in sorted(os.listdir(folder)):
            with open(os.path.join(folder, shard), "rb") as raw, tarfile.open(fileobj=raw, mode="r|") as tar:
                last = None
                for member in tar:
                    name = member.name.split(".")[0]
                    if name != last:
                        names, last = names + 1, name
                    pieces.append(torch.frombuffer(bytearray(tar.extractfile(member).read()), dtype=torch.uint8))
                    if len(pieces) == BATCH:
                        yield collate(pieces)
                        pieces = []
        if pieces:
            yield collate(pieces)
    return epoch(batches, size_of_collated)


def read_records(path, record, count):
    """A map-style data set of records by DataLoader without workers: a seek and a read each."""
    order = numpy.random.default_rng(1).permutation(os.path.getsize(path) // record)[:count]
    touch()
    begin = time.monotonic()
    with open(path, "rb", buffering=0) as file:
        for at in range(0, len(order), BATCH):
            torch.cat([torch.frombuffer(bytearray(os.pread(file.fileno(), record, int(i) * record)), dtype=torch.uint8)
                       for i in order[at:at + BATCH]])
    return {"records": len(order), "seconds": time.monotonic() - begin}


# ---- checkpoints ----

STATE = {}


def make_state(size, tensors, folder):
    """Random tensors, and the directory that they are saved in."""
    each = size // tensors // 4096 * 4096
    source = numpy.random.Generator(numpy.random.SFC64(7))
    STATE.clear()
    for i in range(tensors):
        words = source.integers(0, 2 ** 63, each // 8, dtype=numpy.int64)
        STATE["layers.%d.weight" % i] = torch.from_numpy(words.view(numpy.float32)).reshape(each // 4096, 1024)
    os.makedirs(folder, exist_ok=True)
    return {"bytes": each * tensors}


def sync_file(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def save_torch(path):
    """As almost everybody saves: the call returns before anything is on disk. What follows is not in its time."""
    touch()
    begin = time.monotonic()
    torch.save(STATE, path)
    seconds = time.monotonic() - begin
    sync_file(path)
    return {"seconds": seconds}


def save_torch_durable(path):
    touch()
    begin = time.monotonic()
    torch.save(STATE, path + ".tmp")
    sync_file(path + ".tmp")
    os.rename(path + ".tmp", path)
    sync_file(os.path.dirname(path))
    return {"seconds": time.monotonic() - begin}


def save_ours(path):
    import pitcrew.checkpoint
    touch()
    begin = time.monotonic()
    pitcrew.checkpoint.save(path, STATE)
    return {"seconds": time.monotonic() - begin}


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
    return {}


# ---- weights ----

DTYPES = {"F32": torch.float32, "F16": torch.float16, "I32": torch.int32, "U8": torch.uint8}


def header(file):
    length, = struct.unpack("<Q", file.read(8))
    tensors = json.loads(file.read(length))
    tensors.pop("__metadata__", None)
    return tensors, 8 + length


def load_torch(path):
    return torch.load(path)


def load_mapped(path):
    with open(path, "rb") as file:
        tensors, base = header(file)
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return {name: torch.frombuffer(memory, dtype=DTYPES[one["dtype"]], offset=base + one["data_offsets"][0], count=max(
        1, int(numpy.prod(one["shape"])))).reshape(one["shape"]).clone() for name, one in tensors.items()}


def load_each(path, order=lambda tensors: tensors.items()):
    found = {}
    with open(path, "rb", buffering=0) as file:
        tensors, base = header(file)
        for name, one in order(tensors):
            tensor = torch.empty(one["shape"], dtype=DTYPES[one["dtype"]])
            memory, got = memoryview(tensor.numpy()).cast("B"), 0
            file.seek(base + one["data_offsets"][0])
            while got < len(memory):
                got += file.readinto(memory[got:])
            found[name] = tensor
    return found


def load_asked(path):
    """In an order that is not the file's: a model asks for its tensors by name, and files are sorted by other things."""
    return load_each(path, lambda tensors: random.Random(1).sample(list(tensors.items()), len(tensors)))


LOADS = {"torch": load_torch, "mapped": load_mapped, "each": load_each, "asked": load_asked}


def load(way, path, sums=None):
    left = evict(path)
    touch()
    begin = time.monotonic()
    state = LOADS[way](path)
    seconds = time.monotonic() - begin
    found = {"seconds": seconds, "resident": left}
    if sums:
        with open(sums) as lines:
            wanted = dict(line.split() for line in lines)
        found["wrong"] = sum(int(tensor.reshape(-1).view(torch.int64).sum()) != int(wanted[name])
                             for name, tensor in state.items()) + abs(len(wanted) - len(state))
    return found


COMMANDS = {f.__name__: f for f in (make_state, save_torch, save_torch_durable, save_ours, remove, load, read_tar,
                                    read_records)}


def serve():
    for line in sys.stdin:
        name, *args = json.loads(line)
        try:
            answer = COMMANDS[name](*args)
        except Exception as error:  # said by the bench, which goes on without this figure
            answer = {"error": "%s: %r" % (name, error)}
        print(json.dumps(answer), flush=True)


def main():
    if sys.argv[2] == "serve":
        serve()
    else:
        kind, root, order, steps = sys.argv[3:7]
        run_loader(kind, root, order, int(steps))


if __name__ == "__main__":
    main()
