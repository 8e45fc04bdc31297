# SPDX-License-Identifier: MIT
"""Batches: samples in memory of the loader, seen without copying them."""
import errno
import math
import os
from ctypes import byref, c_size_t, create_string_buffer, sizeof, string_at
from multiprocessing import reduction

from . import _abi
from ._errors import Error
from ._library import call, lib, opened
from ._memory import Window


class _Hold:
    """The library's batch; given back when nothing needs it any more, by the process that got it."""
    __slots__ = ("handle", "_pid", "_release")

    def __init__(self, handle):
        self.handle, self._pid, self._release = handle, os.getpid(), lib().pit_batch_release

    def forget(self):
        self.handle = None

    def __del__(self, getpid=os.getpid):
        if self.handle is not None and getpid() == self._pid:
            self._release(self.handle)


class _Parts:
    """Where the parts of all samples lie: `first` is the number of each sample's first part."""
    __slots__ = ("first", "keys", "addresses", "lengths")

    def __init__(self, handle, samples):
        first, room = bytearray(sizeof(c_size_t) * (samples + 1)), samples
        while True:
            raw = bytearray(sizeof(_abi.pit_part) * (room or 1))
            found = lib().pit_batch_list(handle, byref(c_size_t.from_buffer(first)), byref(_abi.pit_part.from_buffer(raw)), room)
            if found <= room:
                break
            room = found
        words = memoryview(raw).cast("N")[:3 * found].tolist()
        texts = {key: string_at(key).decode("utf-8", "surrogateescape") for key in set(words[0::3])}
        self.first = memoryview(first).cast("N").tolist()
        self.keys = [texts[key] for key in words[0::3]]
        self.addresses, self.lengths = words[1::3], words[2::3]


class Batch:
    """Some samples. `len(batch)` tells how many; iterating or indexing gives each as a read-only memoryview, or, where a
    sample has several parts, as a dict of them: {"jpg": ..., "cls": ...}.

    Nothing is copied: all views, numpy arrays and torch tensors made from a batch share its memory. The memory goes back
    to the loader when the batch and the last of them are gone; `release()` or `with batch:` lets go of the batch itself
    earlier. Keep what you need longer as a copy: a loader whose memory is all in use can read no more.

    A batch can be sent to another process of the same machine and user by multiprocessing (queues, pipes, DataLoader's
    workers), without a copy; the sender has it no longer, but must live until it is taken. What came from another process
    cannot be sent on."""

    __slots__ = ("_hold", "_window", "_ids", "_names", "_parts", "_loader", "__weakref__")

    def __init__(self, handle, loader=None):
        self._hold, self._loader = _Hold(handle), loader
        self._window = Window(self._hold)
        self._ids = self._names = self._parts = None

    def _handle(self):
        if self._hold is None or not self._window.open:
            raise ValueError("the batch was released")
        return self._hold.handle

    def __len__(self):
        return lib().pit_batch_count(self._handle())

    @property
    def ids(self):
        """Numbers of the samples in the source, a list."""
        if self._ids is None:
            handle, sample = self._handle(), lib().pit_batch_sample
            self._ids = [sample(handle, i) for i in range(len(self))]
        return self._ids

    @property
    def names(self):
        """Names of the samples, a list; records have none ("")."""
        if self._names is None:
            handle, name = self._handle(), lib().pit_batch_name
            self._names = [os.fsdecode(name(handle, i) or b"") for i in range(len(self))]
        return self._names

    @property
    def position(self):
        """Position of the first sample in the epoch's order."""
        return lib().pit_batch_position(self._handle())

    def _table(self):
        handle = self._handle()
        if self._parts is None:
            self._parts = _Parts(handle, len(self))
        return self._parts

    def _range(self, i):
        """The table of parts, and the numbers of those of sample i."""
        table = self._table()
        count = len(table.first) - 1
        k = i + count if i < 0 else i
        if not 0 <= k < count:
            raise IndexError(f"sample {i} of a batch of {count}")
        return table, table.first[k], table.first[k + 1]

    def parts(self, i):
        """The parts of sample i as a dict from key to memoryview; the key is "" where a sample is one part."""
        table, begin, end = self._range(i)
        return {table.keys[n]: self._window.view(table.addresses[n], table.lengths[n]) for n in range(begin, end)}

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        parts = self.parts(i)
        return parts[""] if len(parts) == 1 and "" in parts else parts

    def __iter__(self):
        for i in range(len(self)):
            yield self[i]

    def __repr__(self):
        return "<pitcrew.Batch, released>" if not self._window or not self._window.open else f"<pitcrew.Batch of {len(self)} samples>"

    # ---- one sample ----

    def _one(self, i, key):
        """(address, length) of a sample's only part, or of its part `key`."""
        table, n, end = self._range(i)
        if key is not None or end - n != 1:
            keys = table.keys[n:end]
            if key not in keys:
                raise KeyError(f"sample {i} has the parts {keys}, not {key!r}")
            n += keys.index(key)
        return table.addresses[n], table.lengths[n]

    def numpy(self, i, key=None, dtype="u1", shape=None):
        """Sample i (its part `key`) as a numpy array that shares the memory, read-only."""
        import numpy as np
        array = np.frombuffer(self._window.view(*self._one(i, key)), dtype)
        return array if shape is None else array.reshape(shape)

    def torch(self, i, key=None, dtype=None, shape=None):
        """Sample i (its part `key`) as a torch tensor that shares the memory."""
        import torch
        address, length = self._one(i, key)
        dtype = dtype or torch.uint8
        tensor = torch.frombuffer(self._window.view(address, length, True), dtype=dtype) if length else torch.empty(0, dtype=dtype)
        return tensor if shape is None else tensor.reshape(shape)

    # ---- all samples as one array ----

    def _rows(self, key):
        """(addresses, length, distance or None): where the rows of one array lie."""
        length, stride = c_size_t(), c_size_t()
        if key is None:
            first = lib().pit_batch_array(self._handle(), byref(length), byref(stride))
            if first:
                return range(first, first + len(self) * max(stride.value, 1), max(stride.value, 1)), length.value, stride.value
        ones = [self._one(i, key) for i in range(len(self))]
        lengths = {length for _, length in ones}
        if len(lengths) != 1:
            raise ValueError(f"no array: the samples have {min(lengths)} to {max(lengths)} bytes" if lengths else "the batch is empty")
        at = [address for address, _ in ones]
        steps = {b - a for a, b in zip(at, at[1:])}
        length = lengths.pop()
        step = steps.pop() if len(steps) == 1 else length if len(at) == 1 else 0
        return at, length, step if step >= length > 0 else None

    @staticmethod
    def _shape(length, itemsize, shape):
        if length % itemsize:
            raise ValueError(f"samples of {length} bytes are no whole number of elements of {itemsize} bytes")
        row = (length // itemsize,) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if -1 not in row and math.prod(row) * itemsize != length:
            raise ValueError(f"shape {row} of elements of {itemsize} bytes is {math.prod(row) * itemsize} bytes, a sample has {length}")
        return row

    def array(self, dtype="u1", shape=None, key=None):
        """All samples (their parts `key`), which must be of one length, as one numpy array [samples, *shape]. It shares the
        memory (and is read-only) where the samples lie at equal distance, and is a copy where they do not."""
        import numpy as np
        at, length, step = self._rows(key)
        dtype = np.dtype(dtype)
        row = self._solve(self._shape(length, dtype.itemsize, shape), length // dtype.itemsize)
        if step is None:
            rows = [np.frombuffer(self._window.view(address, length), dtype) for address in at]
            return np.stack(rows).reshape(len(at), *row)
        view = self._window.view(at[0], step * (len(at) - 1) + length)
        return np.ndarray((len(at), *row), dtype, view, 0, (step, *self._steps(row, dtype.itemsize)))

    @staticmethod
    def _solve(row, count):
        """A shape with its -1 replaced."""
        known = math.prod(n for n in row if n != -1)
        return tuple(count // known if n == -1 else n for n in row)

    @staticmethod
    def _steps(row, unit):
        """Distances between neighbours along each dimension of a row that lies in C order."""
        return tuple(unit * math.prod(row[k + 1:]) for k in range(len(row)))

    def tensor(self, dtype=None, shape=None, key=None):
        """All samples (their parts `key`), which must be of one length, as one torch tensor [samples, *shape]. It shares
        the memory where the samples lie at equal, aligned distance, and is a copy where they do not."""
        import torch
        dtype = dtype or torch.uint8
        unit = torch.empty(0, dtype=dtype).element_size()
        at, length, step = self._rows(key)
        row = self._solve(self._shape(length, unit, shape), length // unit)
        if step is None or step % unit or at[0] % unit:
            rows = [torch.frombuffer(self._window.view(a, length, True), dtype=torch.uint8) for a in at] if length else []
            return torch.stack(rows).view(dtype).reshape(len(at), *row) if rows else torch.empty((len(at), *row), dtype=dtype)
        view = self._window.view(at[0], step * (len(at) - 1) + length, True)
        return torch.frombuffer(view, dtype=dtype).as_strided((len(at), *row), (step // unit, *self._steps(row, 1)))

    # ---- the end ----

    def release(self):
        """Lets go of the batch. True when its memory went back at once; False when views of it are still alive: it goes
        back when the last of them dies."""
        if self._hold is None:
            return True
        self._hold = None
        return self._window.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def __reduce__(self):
        raise TypeError("a Batch can be sent by multiprocessing on the same machine, not pickled: it is memory, not a copy")

    def _export(self):
        """The text by which another process gets this batch; it is ours no longer."""
        handle = self._handle()
        hold, self._hold = self._hold, None
        if not self._window.close():
            self._hold = hold
            self._window.reopen()
            raise BufferError("the batch cannot be sent while views, arrays or tensors of it are alive in this process")
        try:
            text = _export(handle)
        except BaseException:
            self._hold, self._window = hold, Window(hold)
            raise
        hold.forget()
        if self._loader is not None:
            self._loader.sent()
        return text


def _export(handle):
    size = 4096
    while True:
        text = create_string_buffer(size)
        try:
            call(lib().pit_batch_export, handle, text, size)
            return text.value
        except Error as problem:
            if problem.errno != errno.ENOBUFS or size >= 1 << 30:
                raise
        size *= 4





def _imported(text):
    return Batch(opened(lib().pit_batch_import, text))


def _reduced(batch):
    return _imported, (batch._export(),)


reduction.register(Batch, _reduced)
