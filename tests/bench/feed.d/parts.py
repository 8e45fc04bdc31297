# SPDX-License-Identifier: MIT
"""The parts of tests/bench/feed. Each makes its data below `self.folder`, which is removed afterwards, and measures
everything once a round, ours and the peers' in turn."""

import functools
import os
import random
import tarfile

from book import Book, Failed, fio

MIB = 2 ** 20


class Part:
    name, title = "", ""
    need = 0  # GiB of disk at full scale

    def __init__(self, site, folder):
        self.site, self.folder = site, folder
        self.book = Book(self.title)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def scaled(self, size):
        """Bytes at full scale to bytes now, in whole blocks of 16 MiB."""
        return max(int(size * self.site.scale) // (16 * MIB), 1) * 16 * MIB

    def attempt(self, *steps):
        """Each step for itself: a figure that cannot be had is told and does not cost the others."""
        for step in steps:
            try:
                step()
            except Failed as error:
                self.book.note("not measured: %s" % error)

    def in_turn(self, number, *steps):
        """Each round has another order: what runs later finds more in the caches of the disk, or of the host of a virtual
        machine."""
        self.attempt(*random.Random(number).sample(steps, len(steps)))

    def cold(self, path):
        found = self.site.tool("evict", path="%s" % path, sync=1)[0]
        if found["resident"] > found["bytes"] / 100:
            self.book.note("still in the page cache when read cold: up to %d %% of %s" % (
                100 * found["resident"] // found["bytes"], os.path.basename(path)))

    def disk(self, *args, **more):
        """What fio says, as all that is measured: right after memory was touched, which takes a while."""
        self.site.touch()
        return fio(*args, **more)

    def disk_rate(self, *args, **more):
        return self.disk(*args, **more)["bw_bytes"] / MIB

    def way(self, found):
        if found.get("ladder"):
            self.book.note("way: " + found["ladder"])

    def make(self):
        pass

    def round(self, number):
        raise NotImplementedError

    def finish(self):
        pass


def sample_sizes(count):
    """Log-normal, 110 KB in the mean, the same on every machine."""
    source = random.Random(1)
    return [int(min(max(source.lognormvariate(11.4616, .55), 2000), 1500000)) for _ in range(count)]


def write_file(path, length):
    """Random bytes of which no two files have the same run."""
    with open(path, "wb") as file:
        file.write(os.urandom(length))


class Loader(Part):
    name = "loader"
    title = "Loader: files in random order, batches of 256, beside torch's DataLoader"
    need = 6.5
    workers = (0, 1, 2, 4)

    def make(self):
        count = max(int(20000 * self.site.scale), 1024)
        for folder in range(200):
            os.makedirs(self.path("files", "%03d" % folder))
        sizes = sample_sizes(count)
        for i, length in enumerate(sizes):
            write_file(self.path("files", "%03d" % (i % 200), "%06d.bin" % i), length)
        self.book.note("%d files, %.2f GiB, %.0f KB in the mean" % (count, sum(sizes) / 2 ** 30, sum(sizes) / count / 1e3))
        self.book.note("files are listed before the clock starts; cold: contents evicted and looked at by mincore(), names and inodes not")
        self.big = self.path("big")
        fio(self.big, "write", self.scaled(4 * 2 ** 30), "4m", 8, refill_buffers=1, end_fsync=1)
        self.steps = min(30, count // 256)
        self.order = self.path("order")
        self.site.tool("load", path=self.path("files"), order=self.order)
        self.attempt(self.check)

    def check(self):
        wrong = self.site.peer_run("loader", "same", self.path("files"), self.order, 0)[0]["wrong"]
        self.book.note("contents of all batches beside DataLoader's in the same order: %d samples differ" % wrong)

    def limit(self):
        self.book.put("fio, one file, randread 112k, depth 32", self.disk_rate(
            self.big, "randread", self.scaled(4 * 2 ** 30), "112k", 32, io_size=self.scaled(2 * 2 ** 30)))

    def ours(self):
        self.cold(self.path("files"))
        cold = self.load()
        self.way(cold)
        self.figures("pitcrew (C)", cold, self.load())
        self.cold(self.path("files"))
        self.busy("pitcrew (C)", self.load(step_ms=40, batches=self.steps))

    def load(self, **more):
        return self.site.tool("load", path=self.path("files"), **more)[0]

    def peer(self, kind, label):
        cold, warm, steps = self.site.peer_run("loader", kind, self.path("files"), self.order, self.steps)
        self.figures(label, cold, warm)
        self.busy(label, steps)

    def figures(self, label, cold, warm):
        put = self.book.put
        put(label + ", cold", cold["bytes"] / cold["seconds"] / MIB)
        put(label + ", warm", warm["bytes"] / warm["seconds"] / MIB)
        put(label + ", first batch, cold", cold["first"] * 1e3, "ms")
        put(label + ", 99 % of gaps, cold", cold["p99"] * 1e3, "ms")
        put(label + ", CPU, cold", cold["cpu"] / (cold["bytes"] / 2 ** 30), "s/GiB")

    def busy(self, label, steps):
        """Steps of 40 ms that need no CPU here; the first one, which fills the pipe, is left out."""
        seconds = steps["seconds"] - steps["first"]
        self.book.put(label + ", accelerator used", 100 * steps["computing"] / seconds, "%")
        self.book.put(label + ", memory (PSS)", steps["pss"] / MIB, "MiB")

    def round(self, number):
        self.in_turn(
            number, self.limit, self.ours, lambda: self.peer("pitcrew", "pitcrew (Python)"),
            *(functools.partial(self.peer, workers, "DataLoader, %d workers" % workers) for workers in self.workers))

    def finish(self):
        def peers(figure):
            return ["DataLoader, %d workers, %s" % (workers, figure) for workers in self.workers]
        goal = self.book.goal
        for who in ("pitcrew (Python)", "pitcrew (C)"):
            goal(who + " / best DataLoader, cold", who + ", cold", peers("cold"), 2)
            goal(who + " / best DataLoader, warm", who + ", warm", peers("warm"), 2)
            for figure in ("99 % of gaps, cold", "CPU, cold", "memory (PSS)"):
                goal("%s / best DataLoader, %s" % (who, figure), who + ", " + figure, peers(figure), 1, less=True)
            fastest = self.book.best(peers("cold"), False)
            if fastest:
                goal(who + " / fastest DataLoader, memory (PSS)", who + ", memory (PSS)",
                     fastest.replace("cold", "memory (PSS)"), None, less=True)
            goal(who + " / best DataLoader, first batch", who + ", first batch, cold", peers("first batch, cold"), None,
                 less=True)
        goal("pitcrew (C) / fio, cold", "pitcrew (C), cold", "fio, one file, randread 112k, depth 32", .6)
        goal("pitcrew (Python) / fio, cold", "pitcrew (Python), cold", "fio, one file, randread 112k, depth 32", None)


class Tar(Part):
    name = "tar"
    title = "Tar shards: an image and its label a sample, beside fio's sequential read and Python's tarfile"
    need = 4.5

    def make(self):
        os.makedirs(self.path("shards"))
        count = max(int(18000 * self.site.scale), 900)
        sizes = iter(sample_sizes(count))
        for shard in range(9):
            with tarfile.open(self.path("shards", "train-%03d.tar" % shard), "w", format=tarfile.USTAR_FORMAT) as tar:
                for i in range(count // 9):
                    self.member(tar, "%03d%06d.jpg" % (shard, i), next(sizes))
                    self.member(tar, "%03d%06d.cls" % (shard, i), 4)
        self.big = self.path("big")
        fio(self.big, "write", self.scaled(2 * 2 ** 30), "4m", 8, refill_buffers=1, end_fsync=1)
        self.site.tool("load", kind="tar", path=self.path("shards"), batches=1)  # makes the index

    def member(self, tar, name, length):
        import io
        one = tarfile.TarInfo(name)
        one.size = length
        tar.addfile(one, io.BytesIO(os.urandom(length)))

    def ours(self, shuffle):
        self.cold(self.path("shards"))
        found = self.site.tool("load", kind="tar", path=self.path("shards"), shuffle=shuffle)[0]
        self.way(found)
        self.book.put("pitcrew, shuffle %s" % shuffle, found["bytes"] / found["seconds"] / MIB)

    def tarfile(self):
        self.cold(self.path("shards"))
        for index in os.listdir(self.path("shards")):
            if not index.endswith(".tar"):
                os.unlink(self.path("shards", index))
        try:
            found = self.site.peer.ask("read_tar", self.path("shards"))
            self.book.put("tarfile, as webdataset reads", found["bytes"] / found["seconds"] / MIB)
        finally:
            self.site.tool("load", kind="tar", path=self.path("shards"), batches=1)  # makes the indexes again

    def limit(self, block, depth):
        self.book.put("fio, read %s, depth %d" % (block, depth), self.disk_rate(
            self.big, "read", self.scaled(2 * 2 ** 30), block, depth))

    def round(self, number):
        self.in_turn(number, lambda: self.limit("1m", 32), lambda: self.ours("blocks"), lambda: self.limit("4m", 8),
                     lambda: self.ours("none"), self.tarfile)

    def finish(self):
        both = ["fio, read 1m, depth 32", "fio, read 4m, depth 8"]
        self.book.goal("pitcrew, shuffle blocks / fio's best", "pitcrew, shuffle blocks", both, .9)
        self.book.goal("pitcrew, shuffle none / fio's best", "pitcrew, shuffle none", both, .9)
        self.book.goal("pitcrew, shuffle blocks / tarfile", "pitcrew, shuffle blocks", "tarfile, as webdataset reads", None)


class Records(Part):
    name = "records"
    title = "Records of 4 KiB in random order, beside fio's randread at equal depth"
    need = 1
    depths = (32, 128)

    def make(self):
        os.makedirs(self.path("records"))
        self.file = self.path("records", "data.bin")
        self.bytes = self.scaled(2 ** 30)
        fio(self.file, "write", self.bytes, "4m", 8, refill_buffers=1, end_fsync=1)

    def ours(self, depth):
        self.cold(self.file)
        found = self.site.tool("load", kind="records", record=4096, path=self.file, depth=depth)[0]
        self.way(found)
        self.book.put("pitcrew, depth %d" % depth, found["samples"] / found["seconds"], "IOPS")

    def fio(self, depth):
        self.book.put("fio, depth %d" % depth, self.disk(self.file, "randread", self.bytes, "4k", depth)["iops"], "IOPS")

    def peer(self):
        self.cold(self.file)
        found = self.site.peer.ask("read_records", self.file, 4096, 32768)
        self.book.put("Python, a pread() each", found["records"] / found["seconds"], "IOPS")

    def round(self, number):
        self.in_turn(number, *(functools.partial(what, depth) for depth in self.depths for what in (self.fio, self.ours)),
                     self.peer)

    def finish(self):
        for depth in self.depths:
            self.book.goal("pitcrew / fio, depth %d" % depth, "pitcrew, depth %d" % depth, "fio, depth %d" % depth, .85)


class Checkpoint(Part):
    name = "checkpoint"
    title = "Checkpoint: 128 tensors, saved until durable, and what a save holds training up for, beside torch.save"
    need = 6.5

    def make(self):
        self.bytes = self.scaled(2 * 2 ** 30)
        os.makedirs(self.path("ours"))
        self.site.peer.ask("make_state", self.bytes, 128, self.path("torch"))
        self.book.note("%.2f GiB of random values; every file is new" % (self.bytes / 2 ** 30))

    def torch(self, way, label):
        path = self.path("torch", "state.pt")
        self.site.peer.ask("remove", path)
        seconds = self.site.peer.ask(way, path)["seconds"]
        self.site.peer.ask("remove", path)
        self.book.put(label, self.bytes / seconds / MIB)
        if way == "save_torch":
            self.stall = seconds
            self.book.put("torch.save, not durable: held up", seconds * 1e3, "ms")

    def durable(self, sums):
        path = self.path("ours", "state.safetensors")
        found = self.site.tool("save", path=path, bytes=self.bytes, sums=sums)[0]
        os.unlink(path)
        self.book.put("pitcrew (C), durable" + ("" if sums else ", no checksums"), found["bytes"] / found["seconds"] / MIB)

    def behind(self):
        self.site.tool_clean("async", self.path("async"), bytes=self.bytes)
        found = self.site.last
        self.way(found)
        put = self.book.put
        put("one memcpy() of it", found["memcpy"] * 1e3, "ms")
        put("pitcrew, async by copy: held up", found["copy"] * 1e3, "ms")
        put("  the first time, staging memory being made", found["first"] * 1e3, "ms")
        put("  with what steps take longer until it is on disk", found["copy_steps"] * 1e3, "ms")
        put("pitcrew, async by promise: held up", found["promise"] * 1e3, "ms")
        put("  with what steps take longer, too", found["promise_steps"] * 1e3, "ms")

    def fio(self):
        path = self.path("fio")
        self.book.put("fio, write 4m, depth 8, fsync at the end", self.disk_rate(
            path, "write", self.bytes, "4m", 8, refill_buffers=1, end_fsync=1))
        os.unlink(path)

    def round(self, number):
        self.in_turn(
            number, self.fio, lambda: self.durable(1), lambda: self.durable(0),
            lambda: self.torch("save_ours", "pitcrew (Python), durable"),
            lambda: self.torch("save_torch_durable", "torch.save, fsync, rename, fsync"),
            lambda: self.torch("save_torch", "torch.save, not durable"), self.behind)

    def finish(self):
        goal = self.book.goal
        for who in ("pitcrew (C), durable", "pitcrew (Python), durable"):
            goal(who + " / fio", who, "fio, write 4m, depth 8, fsync at the end", .9)
            goal(who + " / torch.save made durable", who, "torch.save, fsync, rename, fsync", 1.8)
        goal("async by copy / memcpy(), held up", "pitcrew, async by copy: held up", "one memcpy() of it", 1.1, less=True)
        goal("async by promise / torch.save, held up", "pitcrew, async by promise: held up",
             "torch.save, not durable: held up", .05, less=True)


class Weights(Part):
    name = "weights"
    title = "Weights: a safetensors file read cold, beside fio, torch.load and readers of one tensor after the other"
    need = 4.5
    shapes = (("4m", 8), ("4m", 32), ("16m", 8), ("16m", 32))

    def make(self):
        os.makedirs(self.path("big"))
        os.makedirs(self.path("small"))
        self.bytes = self.scaled(2 * 2 ** 30)
        self.file, self.small = self.path("big", "model.safetensors"), self.path("small", "model.safetensors")
        self.site.tool("save", path=self.file, bytes=self.bytes)
        self.site.tool("save", path=self.small, bytes=10000 * 16384, tensors=10000)
        self.site.peer.ask("make_state", self.bytes, 128, self.path("big"))
        self.site.peer.ask("save_torch", self.path("big", "model.pt"))
        self.site.tool("weights", path=self.file, verify=1, sums=self.path("sums"))
        self.book.note("%.2f GiB in 128 tensors; and 10,000 of 16 KiB" % (self.bytes / 2 ** 30))
        found = self.site.peer.ask("load", "each", self.file, self.path("sums"))
        self.book.note("beside the bytes that a reader of its own finds: %d tensors differ" % found["wrong"])

    def ours(self, path, label, **more):
        self.cold(path)
        found = self.site.tool("weights", path=path, **more)[0]
        self.way(found)
        self.book.put(label, found["bytes"] / found["seconds"] / MIB)

    def limit(self, path, label, size, block, depth):
        self.cold(path)
        self.book.put(label, self.disk_rate(path, "read", size, block, depth))

    def peer(self, way, path, label, size):
        self.cold(path)
        self.book.put(label, size / self.site.peer.ask("load", way, path)["seconds"] / MIB)

    def round(self, number):
        small = 10000 * 16384
        self.in_turn(
            number, *(functools.partial(self.limit, self.file, "fio, read %s, depth %d" % shape, self.bytes, *shape)
                      for shape in self.shapes),
            lambda: self.ours(self.file, "pitcrew"),
            lambda: self.peer("torch", self.path("big", "model.pt"), "torch.load", self.bytes),
            lambda: self.peer("mapped", self.file, "mmap() and a copy of each", self.bytes),
            lambda: self.peer("each", self.file, "one tensor after the other (Python)", self.bytes),
            lambda: self.limit(self.small, "10,000 small: fio, read 4m, depth 8", small, "4m", 8),
            lambda: self.ours(self.small, "10,000 small: pitcrew"),
            lambda: self.ours(self.small, "10,000 small: one after the other (C)", each=1),
            lambda: self.peer("mapped", self.small, "10,000 small: mmap() and a copy of each", small),
            lambda: self.peer("each", self.small, "10,000 small: one after the other (Python)", small),
            lambda: self.peer("asked", self.small, "10,000 small: one after the other, as a model asks", small))

    def finish(self):
        goal = self.book.goal
        goal("pitcrew / fio's best", "pitcrew", ["fio, read %s, depth %d" % shape for shape in self.shapes], .95)
        for peer in ("torch.load", "mmap() and a copy of each", "one tensor after the other (Python)"):
            goal("pitcrew / " + peer, "pitcrew", peer, None)
        for how, wanted in ((", as a model asks", 3), (" (Python)", 3), (" (C)", None)):
            goal("10,000 small: pitcrew / one after the other" + how, "10,000 small: pitcrew",
                 "10,000 small: one after the other" + how, wanted)
        goal("10,000 small: pitcrew / fio", "10,000 small: pitcrew", "10,000 small: fio, read 4m, depth 8", None)


PARTS = {part.name: part for part in (Loader, Tar, Records, Checkpoint, Weights)}
