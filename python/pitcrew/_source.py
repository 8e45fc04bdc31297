# SPDX-License-Identifier: MIT
"""Where samples lie."""
import os
import weakref
from collections.abc import Sequence
from ctypes import byref, sizeof

from . import _abi
from ._abi import number_of
from ._io import size
from ._library import lib, opened, path_of, strings

OPTIONS = ("kind", "suffixes", "record_bytes", "header_bytes", "tensors", "index")  # parameters of Source beside paths
_KINDS = {number: word for word, (_, number) in _abi.KINDS.items()}


def _paths(paths):
    try:
        return [os.fspath(p) for p in paths]
    except TypeError:
        raise TypeError(f"{paths!r} is no path, nor a list of paths: samples lie in a file, a directory, or a shell pattern") from None


class Source(Sequence):
    """A list of samples, made once: names and sizes, not contents. As a sequence it holds the names.

    paths: a file, a directory, a shell pattern ("train-*.tar"), or a list of them.
    kind: "files" (a directory tree, a file a sample), "manifest" (a text file: path [TAB offset TAB length [TAB xxh3]]),
        "tar" (shards in webdataset's layout), "records" (big files of records of one size), "safetensors" (each tensor,
        or each row of `tensors`); "auto" finds out by looking.
    suffixes: files: only names that end so, such as [".jpg", ".png"].
    record_bytes, header_bytes: records: size of one, and bytes to skip at the start of each file.
    tensors: safetensors: names of tensors whose rows are the samples.
    index: where the index of tar shards is kept; None: beside the shard if possible; "": nowhere.

    The order is the same on every machine. A Source goes to other processes by pickle: it is listed again there."""

    def __init__(self, paths, kind="auto", suffixes=(), record_bytes=0, header_bytes=0, tensors=(), index=None):
        if isinstance(paths, (str, bytes, os.PathLike)):
            paths = [paths]
        paths = _paths(paths)
        one = (str, bytes)
        suffixes = [suffixes] if isinstance(suffixes, one) else suffixes
        tensors = [tensors] if isinstance(tensors, one) else tensors
        self._arguments = (paths, kind, list(suffixes), record_bytes, header_bytes, list(tensors), index)
        want = _abi.pit_source_want(size=sizeof(_abi.pit_source_want), kind=number_of(_abi.KINDS, kind, "kind"),
                                    record_bytes=size(record_bytes, "record_bytes"), header_bytes=size(header_bytes, "header_bytes"))
        want.paths, want.path_count = strings(self._arguments[0])
        want.suffixes, want.suffix_count = strings(suffixes)
        want.tensors, want.tensor_count = strings(tensors)
        want.index = None if index is None else path_of(index)
        self._handle = opened(lib().pit_source_open, byref(want))
        self._end = weakref.finalize(self, lib().pit_source_close, self._handle)
        self._end.atexit = False

    def __len__(self):
        return lib().pit_source_count(self._handle)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        count = len(self)
        i = i + count if i < 0 else i
        if not 0 <= i < count:
            raise IndexError(f"sample {i} of {count}")
        return os.fsdecode(lib().pit_source_name(self._handle, i))

    def __reduce__(self):
        return Source, self._arguments

    def __repr__(self):
        return f"<pitcrew.Source {self.kind}: {len(self)} samples, {self.bytes} bytes>"

    @property
    def bytes(self):
        """Of all samples."""
        return lib().pit_source_bytes(self._handle)

    @property
    def fingerprint(self):
        """Equal where names and sizes of the samples are the same, wherever the folder lies."""
        return lib().pit_source_fingerprint(self._handle)

    @property
    def kind(self):
        return _KINDS.get(lib().pit_source_kind_of(self._handle), "?")

    @property
    def handle(self):
        return self._handle
