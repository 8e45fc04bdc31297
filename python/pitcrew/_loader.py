# SPDX-License-Identifier: MIT
"""The loader."""
import errno
import os
import sys
import threading
import weakref
from collections import namedtuple
from ctypes import byref, c_void_p, create_string_buffer, sizeof

from . import _abi
from ._abi import number_of, whole
from ._batch import Batch
from ._errors import Invalid
from ._io import io_want, rungs, size
from ._library import call, lib, opened, path_of
from ._source import OPTIONS, Source
from ._wait import END, Ahead, Single, applied

Stats = namedtuple("Stats", [name for name, _ in _abi.pit_loader_stats._fields_ if name != "size"])
Stats.__doc__ = "What a loader did: see struct pit_loader_stats in pitcrew/feed.h. Times in nanoseconds, sizes in bytes."
_PATIENCE = 10  # seconds that going elsewhere waits for what is under way


def rank_and_world(rank=None, world=None):
    """This process's rank and how many there are: as given, else of torch.distributed when that is initialised, else
    $RANK and $WORLD_SIZE, else 0 of 1."""
    if rank is None and world is None:
        distributed = sys.modules.get("torch.distributed")
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
            rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    rank, world = whole(rank or 0, "rank", 0, 2**32 - 1), whole(1 if world is None else world, "world", 0, 2**32 - 1)
    if not rank < world:
        raise ValueError(f"rank {rank} of {world} ranks")
    return rank, world


# A loader that has sent batches to other processes stays when it is closed, as closing would take back what is on its way;
# until the next such one is closed.
_lingering = []


class _Open:
    """The library's loader. Its batches hold it, too, since one whose loader is closed cannot be sent any more."""

    def __init__(self, handle):
        self.handle, self._sent, self._ended = handle, False, False
        self._close = weakref.finalize(self, _close, handle, os.getpid())

    def sent(self):
        self._sent = True
        self._linger()

    def end(self):
        lib().pit_loader_cancel(self.handle)
        self._ended = True
        self._linger()

    def _linger(self):
        if self._sent and self._ended:
            _lingering[:] = [self]


def _close(handle, pid):
    if pid == os.getpid():
        lib().pit_loader_close(handle)


class _Engine:
    """The library's loader and the threads that wait for it, apart from the Loader so that this one can go away."""

    def __init__(self, source, want, transform, threads, ahead):
        self._source, self._want, self._ended = source, want, False
        self._open = _Open(opened(lib().pit_loader_open, source.handle, byref(want)))
        self._make = lambda: Ahead(self._fetch, transform, threads, ahead) if threads else Single(self._fetch)
        self._wait = None
        self._pid = os.getpid()

    def _fetch(self):
        made = c_void_p()
        got = call(lib().pit_loader_next, self._open.handle, byref(made))
        value = Batch(made.value, self._open) if got else END
        return value, self.state()

    def state(self):
        """The position as text; the exception where there is none now (as-ready delivery)."""
        try:
            needed = 512
            while True:
                text = create_string_buffer(needed)
                length = call(lib().pit_loader_state, self._open.handle, text, needed)
                if length < needed:
                    return text.value.decode()
                needed = length + 1
        except OSError as problem:
            return problem

    def take(self):
        if self._wait is None:
            self._wait = self._make()
        return self._wait.take()

    def move(self, function, where):
        """Goes elsewhere: nothing that was fetched before comes after it."""
        if self._wait is not None and not self._wait.drop(_PATIENCE):
            self._end()
            self._open = _Open(opened(lib().pit_loader_open, self._source.handle, byref(self._want)))
        call(function, self._open.handle, where)

    def _end(self):
        self._open.end()
        if self._wait is not None:
            self._wait.join()
            self._wait = None
        self._open = None

    def close(self):
        if self._open is not None and self._pid == os.getpid():
            self._end()

    @property
    def handle(self):
        if self._pid != os.getpid():
            raise RuntimeError(f"this pitcrew.Loader belongs to process {self._pid}, which forked this one ({os.getpid()}): its threads "
                               "are not here. Make a Loader in each process (with rank and world), or send batches from there "
                               "through a multiprocessing queue")
        if self._open is None:
            raise ValueError("the loader was closed")
        return self._open.handle


class Loader:
    """Loads samples from disk in a shuffled order and gives them in batches, read ahead, without worker processes.

        for batch in loader: ...

    gives what is left of the epoch; when it is over, the next `for` begins the next epoch in another order. The order
    depends on `seed` and the epoch only: it is the same on every machine, and whatever the number of threads.

    source: a Source, or paths and the parameters of Source (kind, suffixes, record_bytes, header_bytes, tensors, index).
    batch_size: samples of a batch of this rank.
    shuffle: True or "full", "blocks" (neighbours stay together: `block` samples, mixed within `window` blocks), False.
    seed, epoch: where to begin.
    rank, world: which share of the samples is ours; by default from torch.distributed or $RANK and $WORLD_SIZE.
    tail: what happens to the samples that do not fill a batch of all ranks: "short", "drop" or "pad".
    as_ready: batches come as they get complete, not in order (then there is no position to save on the way).
    on_error: "fail" (the exception names the sample; the next batch comes after it), "skip" or "substitute"; see `failed`.
    check: compare checksums where the source has some.
    memory: bytes (or "2GiB") for batches read ahead and in use. A larger batch is read alone, with memory of its own until it
        is released, or fails with errno ENOMEM when there is not so much. When the program itself keeps all of it (in batches, or
        views, arrays and tensors of them) and lets nothing go for 10 seconds, as another thread of it might do, an Error of errno
        ENOBUFS says so; nothing is lost, and the loop may be entered again.
    cache, cache_policy, cache_dir: keep samples in so many bytes of memory, or of a local directory; "fill-once" (best
        for epochs), "lru", "lfu", "clock", "s3-fifo", "fifo".
    io: what to insist on, see pitcrew.IO.
    transform: called with each batch; what it returns is what the loop gets. With workers=N it runs in N threads, a few
        batches ahead (`ahead`, default N + 1 in all), in order.
    progress: a tqdm bar, when tqdm is installed.

    `state_dict()` is the position behind the last batch that the loop got, whatever was read ahead; save it (for example
    with pitcrew.checkpoint) and give it to `load_state_dict()`, with any batch size and number of ranks."""

    def __init__(self, source, batch_size=1, *, shuffle=True, seed=0, epoch=0, rank=None, world=None, tail="short", as_ready=False,
                 on_error="fail", check=False, memory=0, cache=0, cache_policy="fill-once", cache_dir=None, io=None, block=0,
                 window=0, transform=None, workers=0, ahead=None, progress=False, **source_options):
        unknown = [name for name in source_options if name not in OPTIONS]
        if unknown:
            raise TypeError(f"Loader() has no parameter {unknown[0]!r}")
        if isinstance(source, Source) and source_options:
            raise TypeError(f"{', '.join(source_options)}: for paths only, this Source is made already")
        self.batch_size, workers = whole(batch_size, "batch_size", 1, 2**32 - 1), whole(workers, "workers")
        self.rank, self.world = rank_and_world(rank, world)
        if cache_dir is not None and not size(cache, "cache"):
            raise ValueError("cache_dir needs cache, the bytes that may be used there")
        if transform is not None and not callable(transform):
            raise TypeError(f"transform is {transform!r}, it must be a function")
        shuffle = {True: "full", False: "none", None: "none"}.get(shuffle, shuffle)
        want = _abi.pit_loader_want(
            size=sizeof(_abi.pit_loader_want), batch=self.batch_size, rank=self.rank, world=self.world,
            seed=whole(seed, "seed"), epoch=whole(epoch, "epoch"),
            shuffle=number_of(_abi.SHUFFLES, shuffle, "shuffle"), block=whole(block, "block"), window=whole(window, "window"),
            tail=number_of(_abi.TAILS, tail, "tail"),
            as_ready=as_ready, on_error=number_of(_abi.ON_ERROR, on_error, "on_error"), check=check, memory=size(memory, "memory"),
            io=io_want(io), cache_bytes=size(cache, "cache"), cache_policy=number_of(_abi.POLICIES, cache_policy, "cache_policy"),
            cache_dir=None if cache_dir is None else path_of(cache_dir))
        self.source = source if isinstance(source, Source) else Source(source, **source_options)
        self._transform, self._inline = transform, transform if transform and not workers else None
        if workers and transform is None:
            transform = _same
        self._engine = _Engine(self.source, want, transform, workers, ahead or workers + 1)
        self._close = weakref.finalize(self, self._engine.close)
        self._progress, self._bar, self._turn = progress, None, threading.Lock()
        self._arrived(epoch)

    # ---- batches ----

    def __iter__(self):
        self._engine.handle
        if self._over:
            self.set_epoch(self._epoch + 1)
        if self._progress and self._bar is None:
            self._bar = _bar(len(self), self._epoch)
        return self

    def __next__(self):
        if not self._over:
            self._engine.handle  # in a forked child the turn may be taken for ever
        with self._turn:  # several threads may ask
            value = self._next()
        return value if self._inline is None else applied(self._inline, value)

    def _next(self):
        if self._over:
            raise StopIteration
        self._engine.handle
        item = self._engine.take()
        if item.problem is not None:
            raise item.problem
        if item.state is not None:
            self._position = item.state
        if item.value is END:
            self._over = True
            self._end_bar()
            raise StopIteration
        if self._bar is not None:
            self._bar.update()
        return item.value

    def __len__(self):
        """Batches of the whole epoch, for this rank."""
        return self._batches

    def _end_bar(self):
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    # ---- the position ----

    @property
    def epoch(self):
        """The epoch that batches come from."""
        return self._epoch

    def set_epoch(self, epoch):
        """Goes to the start of an epoch. The epoch that is under way goes on where it is, so that

            for epoch in range(loader.epoch, epochs):
                loader.set_epoch(epoch)
                for batch in loader: ...

        is right after load_state_dict(), too. `restart()` goes to its start."""
        if epoch != self._epoch or self._over:
            self._go(epoch)

    def restart(self):
        """Goes to the start of the present epoch."""
        self._go(self._epoch)

    def _go(self, epoch):
        self._engine.handle
        epoch = whole(epoch, "epoch")
        self._engine.move(lib().pit_loader_epoch, epoch)
        self._arrived(epoch)

    def _arrived(self, epoch):
        self._end_bar()
        self._epoch, self._over, self._position = epoch, False, self._engine.state()
        self._batches = lib().pit_loader_batches(self._engine.handle)

    def state_dict(self):
        """The position behind the last batch that was given: {"position": text}."""
        self._engine.handle
        if isinstance(self._position, Exception):
            raise self._position
        return {"position": self._position}

    def load_state_dict(self, state):
        """Goes on from a position, that of any rank: each sample of the epoch that was not consumed comes exactly once,
        over all ranks, also when there are now more or fewer of them."""
        text = position_of(state)
        self._engine.handle
        self._engine.move(lib().pit_loader_resume, text.encode())
        self._arrived(epoch_of(text))

    # ---- what it did ----

    def stats(self):
        """A Stats."""
        record = _abi.pit_loader_stats(size=sizeof(_abi.pit_loader_stats))
        lib().pit_loader_stats(self._engine.handle, byref(record))
        return Stats(*(getattr(record, name) for name in Stats._fields))

    def ladder(self):
        """Which way of I/O and of memory was taken and why better ones were refused: a list of Rung."""
        return rungs(lib().pit_loader_ladder(self._engine.handle))

    @property
    def failed(self):
        """The first samples that failed, each with its reason."""
        said, handle = [], self._engine.handle
        while len(said) < 100:
            text = lib().pit_loader_failed(handle, len(said))
            if text is None:
                break
            said.append(text.decode("utf-8", "replace"))
        return said

    # ---- the end ----

    def close(self):
        """Ends its threads. Batches that were given stay valid. Happens by itself when the loader is dropped."""
        self._end_bar()
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        raise TypeError("a Loader cannot be pickled: make one in each process (a Source can be pickled), or use pitcrew.torch.Dataset")


def _same(batch):
    return batch


def _bar(batches, epoch):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=batches, unit="batch", desc=f"epoch {epoch}")


def position_of(state):
    """The text in what state_dict() gave."""
    text = state.get("position") if isinstance(state, dict) else state
    if not isinstance(text, str):
        raise Invalid(errno.EINVAL, f"this is no position of a loader: {state!r:.80}")
    return text


def epoch_of(text):
    """The epoch that a position is in."""
    import json
    try:
        return int(json.loads(text)["epoch"])
    except (ValueError, KeyError, TypeError):
        raise Invalid(errno.EINVAL, f"this is no position of a loader: {text!r:.80}") from None
