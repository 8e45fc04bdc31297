# SPDX-License-Identifier: MIT
"""Reads weights in safetensors files: strictly, and at the speed of the disk.

    tensors = pitcrew.weights.load("llama/")              # everything, in one piece of memory: {name: tensor}
    with pitcrew.weights.open("llama/") as w:             # headers only; a tensor is read when it is asked for
        q = w["layers.0.q.weight"]
        part = w.rows("embed.weight", 1000, 2000)

`path` is a .safetensors file, a sharded model's index.json, or a directory with either. Arrays are torch tensors when the
program has imported torch, else numpy arrays, else memoryviews; `framework` says which, "torch", "numpy" or "memory".
Types that the framework lacks come as integers of the same width (bfloat16 in numpy without ml_dtypes: uint16)."""
import os
import weakref
from collections import namedtuple
from collections.abc import Mapping
from ctypes import byref, c_char, c_char_p, c_size_t, sizeof

from . import _abi, _dtype
from ._io import io_want, rungs
from ._library import call, lib, opened, path_of
from ._memory import Window

Info = namedtuple("Info", "name dtype shape bytes file offset")
Info.__doc__ = "One tensor: name, safetensors type such as 'BF16', shape, bytes, the file it is in and its offset there."
Verified = namedtuple("Verified", "tensors checked bytes damaged first")
Verified.__doc__ = "Result of verify(): tensors, how many have a checksum, bytes read, damaged tensors and the first one's name."


class _Arena:
    """One piece of memory with tensors; freed with the last view."""

    def __init__(self, handle):
        self.handle, self._pid, self._free = handle, os.getpid(), lib().pit_arena_free

    def __del__(self, getpid=os.getpid):
        if getpid() == self._pid:
            self._free(self.handle)


class _Progress:
    """The library's callback: `shown` is True for a tqdm bar when there is tqdm, or a function (done, all) of which a true
    result stops. What is raised meanwhile, KeyboardInterrupt too, stops the library and is raised behind it."""

    def __init__(self, shown, whole):
        self._shown, self._bar, self._problem = shown if callable(shown) else None, None, None
        if shown and not callable(shown):
            self._bar = _bar(whole)
        self.callback = _abi.PROGRESS(self._step)

    def _step(self, _, done, whole):
        try:
            if self._bar is not None:
                self._bar.update(done - self._bar.n)
            return int(bool(self._shown(done, whole))) if self._shown else 0
        except BaseException as problem:  # noqa: B902 - it cannot pass through C
            self._problem = problem
            return 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()
        self.callback = None  # which refers to us
        if self._problem is not None:
            raise self._problem from None


def _bar(whole):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=whole, unit="B", unit_scale=True, unit_divisor=1024)


class Weights(Mapping):
    """Names and tensors of a model: a mapping that reads each tensor when it is asked for. Made by open()."""

    def __init__(self, path, framework=None):
        self._framework = framework
        self._handle = opened(lib().pit_weights_open, path_of(path))
        self._close = weakref.finalize(self, lib().pit_weights_close, self._handle)
        self._close.atexit = False
        self._infos = {}
        files = [os.fsdecode(lib().pit_weights_file(self._handle, n)) for n in range(lib().pit_weights_files(self._handle))]
        for i in range(lib().pit_weights_count(self._handle)):
            t = lib().pit_weights_tensor(self._handle, i).contents
            name = t.name.decode("utf-8", "surrogateescape")
            self._infos[name] = (i, Info(name, _NAMES.get(t.dtype, "?"), tuple(t.shape[:t.dims]), t.bytes,
                                         files[lib().pit_weights_file_of(self._handle, i)], lib().pit_weights_offset(self._handle, i)))
        self.files = files

    def _open(self):
        if not self._close.alive:
            raise ValueError("the weights were closed")
        return self._handle

    def text(self, key, file=0):
        """One text of a file's `__metadata__`; None when it has none."""
        found = lib().pit_weights_metadata_of(self._open(), file, key.encode())
        return None if found is None else found.decode()

    def __len__(self):
        return len(self._infos)

    def __iter__(self):
        return iter(self._infos)

    def __contains__(self, name):
        return name in self._infos

    def __repr__(self):
        return f"<pitcrew.weights.Weights: {len(self)} tensors, {self.bytes} bytes in {len(self.files)} files>"

    @property
    def bytes(self):
        return sum(info.bytes for _, info in self._infos.values())

    def info(self, name):
        """An Info."""
        return self._infos[name][1]

    def metadata(self, file=0):
        """`__metadata__` of a file (its number in `files`), a dict."""
        found, key, value = {}, c_char_p(), c_char_p()
        while lib().pit_weights_metadata(self._open(), file, len(found), byref(key), byref(value)) == 0:
            found[key.value.decode()] = value.value.decode()
        return found

    def _read(self, name, begin, length, shape):
        number, info = self._infos[name]
        data = bytearray(length)
        if length:
            call(lib().pit_weights_read, self._open(), number, begin, (c_char * 0).from_buffer(data), length)
        return _dtype.array(memoryview(data), info.dtype, shape, _dtype.framework(self._framework))

    def __getitem__(self, name):
        info = self._infos[name][1]
        return self._read(name, 0, info.bytes, info.shape)

    def rows(self, name, start, stop):
        """Rows `start` to `stop` (not included) of a tensor, along its first dimension; reads nothing else."""
        info = self._infos[name][1]
        if not info.shape or _dtype.bits(info.dtype) < 8:
            raise ValueError(f"tensor {name!r} has no rows")
        start, stop, _ = slice(start, stop).indices(info.shape[0])
        count = max(stop - start, 0)
        row = info.bytes // info.shape[0] if info.shape[0] else 0
        return self._read(name, start * row, count * row, (count, *info.shape[1:]))

    def bytes_of(self, only=None, *, verify=False, progress=False, io=None, copy=False):
        """Reads like load(), and gives writable memoryviews of bytes."""
        names = list(self._infos) if only is None else list(only)
        want = _abi.pit_weights_want(size=sizeof(_abi.pit_weights_want), io=io_want(io), verify=verify)
        if only is not None:
            want.only, want.only_count = (c_size_t * max(len(names), 1))(*(self._infos[name][0] for name in names)), len(names)
        with _Progress(progress, sum(self._infos[name][1].bytes for name in names)) as told:
            want.progress = told.callback
            arena = _Arena(opened(lib().pit_weights_load, self._open(), byref(want)))
        self._ladder = rungs(lib().pit_arena_ladder(arena.handle))
        window, views = Window(arena), {}
        for name in names:
            number, info = self._infos[name]
            view = window.view(lib().pit_arena_data(arena.handle, number) or 0, info.bytes, True) if info.bytes else memoryview(bytearray())
            views[name] = memoryview(bytearray(view)) if copy else view
        return views

    def load(self, only=None, *, framework=None, verify=False, progress=False, io=None, copy=False):
        """Reads all tensors, or those whose names are in `only`, into one piece of memory, with few large requests at once.

        The tensors of the dict that it gives share that memory, which stays as long as one of them does; with `copy` each
        has memory of its own. verify: compare the checksums that pitcrew's files have. progress: True for a tqdm bar, or a
        function (bytes done, bytes in all)."""
        wanted, views = _dtype.framework(framework or self._framework), self.bytes_of(only, verify=verify, progress=progress, io=io, copy=copy)
        return {name: _dtype.array(view, self._infos[name][1].dtype, self._infos[name][1].shape, wanted) for name, view in views.items()}

    def ladder(self):
        """Of the last load(): a list of Rung."""
        return getattr(self, "_ladder", [])

    def verify(self, progress=False, io=None):
        """Reads everything and compares checksums; a Verified. Raises Damaged, with the names, when something differs."""
        want = _abi.pit_weights_want(size=sizeof(_abi.pit_weights_want), io=io_want(io))
        result = _abi.pit_verify_result()
        with _Progress(progress, self.bytes) as told:
            want.progress = told.callback
            call(lib().pit_weights_verify, self._open(), byref(want), byref(result))
        return Verified(result.tensors, result.checked, result.bytes, result.damaged, result.first.decode("utf-8", "replace"))

    def close(self):
        """What was loaded stays valid."""
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


_NAMES = {number: name for name, (_, number) in _abi.DTYPES.items()}


def open(path, framework=None):
    """A Weights: reads headers only."""
    return Weights(path, framework)


def load(path, only=None, *, framework=None, verify=False, progress=False, io=None, copy=False):
    """All tensors of a model as a dict; see Weights.load()."""
    with Weights(path, framework) as w:
        return w.load(only, verify=verify, progress=progress, io=io, copy=copy)


def verify(path, progress=False, io=None):
    """Reads everything and compares checksums; see Weights.verify()."""
    with Weights(path) as w:
        return w.verify(progress, io)
