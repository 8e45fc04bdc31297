# SPDX-License-Identifier: MIT
"""Saves state so that a crash, a full disk or a power cut leaves the old state or the new one, and any flipped bit is found.

    from pitcrew import checkpoint

    checkpoint.save("model.safetensors", model.state_dict())        # durable when it returns
    model.load_state_dict(checkpoint.load("model.safetensors"))

    saver = checkpoint.Async("checkpoints", keep=3)
    saver.save(step, {"model": model.state_dict(), "optimizer": optimizer.state_dict()}, loader=loader)
    ...
    saved = saver.load()                                            # of the last complete checkpoint
    model.load_state_dict(saved.state["model"]); loader.load_state_dict(saved.loader)

The files are standard safetensors: other readers open them, and there is no pickle in them. A state may be any nesting of
dict, OrderedDict, list, tuple and set with tensors, numpy arrays, memoryviews, numbers, text, bytes, None; dict keys may be
text, numbers, None and tuples of them. Classes derived from these come back as these. An array that occurs twice (tied
weights: same memory, shape and strides) is stored once, and is one object again after loading; other views of common memory
are stored each. Tensors of a GPU are copied to the CPU first; what is loaded lies on the CPU."""
import ctypes
import errno
import os
import time
import warnings
import weakref
from collections import namedtuple
from ctypes import POINTER, byref, c_size_t, c_uint64, sizeof

from . import _abi, _dtype, _tree
from ._abi import number_of, whole
from ._errors import Error, NotFound
from ._io import io_want, rungs, size
from ._library import call, lib, opened, path_of
from ._loader import rank_and_world
from .weights import Weights

Loaded = namedtuple("Loaded", "step state loader extra path")
Loaded.__doc__ = """A checkpoint: its step; the state; the loader's position for load_state_dict(), or None; the `extra` that was
given to save(), or None; the checkpoint's directory."""
Stats = namedtuple("Stats", [name for name, _ in _abi.pit_checkpoint_stats._fields_ if name != "size"])
Stats.__doc__ = "What an Async did: see struct pit_checkpoint_stats in pitcrew/checkpoint.h. Times in nanoseconds."


def _tensors(pieces):
    """A C array for the pieces; they must live as long as it is used."""
    array = (_abi.pit_save_tensor * max(len(pieces), 1))()
    for entry, piece in zip(array, pieces):
        entry.tensor = _abi.pit_tensor(piece.name.encode(), _abi.DTYPES[piece.dtype][1], len(piece.shape),
                                       (c_uint64 * len(piece.shape))(*piece.shape), piece.bytes)
        entry.data = piece.address if piece.bytes else None
    return array


# ---- one file ----

def save(path, state, *, metadata=None, checksums=True, io=None):
    """Writes `state` to the file PATH and returns when it is durable. On any error an old file is untouched.

    metadata: texts for the file's `__metadata__`. checksums: with an XXH3 of each tensor, for load() and verify."""
    text, pieces, ties, kinds = _tree.encode(state)
    texts = {"format": "pt"} if "T" in kinds else {"format": "np"} if kinds else {}
    texts.update({key: name for key, name in ties.items() if key and key not in texts and not key.startswith("pitcrew.")})  # as other
    # writers name tied tensors; names that begin so are the library's
    texts.update(metadata or {})
    texts[_tree.TREE] = text
    want = _abi.pit_save_want(size=sizeof(_abi.pit_save_want), io=io_want(io), no_checksums=not checksums)
    rows = [_abi.pit_save_text(_c_text(key), _c_text(value)) for key, value in texts.items()]
    want.texts, want.text_count = (_abi.pit_save_text * len(rows))(*rows), len(rows)
    call(lib().pit_save_file, path_of(path), _tensors(pieces), len(pieces), byref(want))


def _c_text(text):
    data = text.encode("utf-8", "backslashreplace")
    if b"\0" in data:
        raise ValueError(f"the text {text!r} has a NUL character, which `metadata` cannot hold")
    return data


def load(path, *, step=None, rank=0, framework=None, verify=True, progress=False, io=None, copy=False):
    """The state in a file, or in a checkpoint directory (of Async; `step` None: the latest).

    rank: whose share of a checkpoint to which several ranks have saved; the others' are not read. Arrays are of what they
    were saved from (torch, numpy, memoryview) or of `framework`; a file that pitcrew.checkpoint did not write gives a dict of
    its tensors. They share one piece of memory, which stays as long as one of them does; with `copy` each has its own.
    verify: compare the checksums."""
    if os.path.isdir(path):
        return _from_directory(path, step, rank, framework=framework, verify=verify, progress=progress, io=io, copy=copy).state
    with Weights(path, framework) as w:
        return _state(w, w.text(_tree.TREE), framework, verify=verify, progress=progress, io=io, copy=copy)


def _state(w, text, framework, prefix="", **how):
    names = [name for name in w if not prefix or name.startswith(prefix)]
    if text is None:
        return w.load(None if not prefix else names, framework=framework, **how)
    views = w.bytes_of(None if len(names) == len(w) else names, **how)

    def array(name, wanted):
        info = w.info(name)
        return _dtype.array(views[name], info.dtype, info.shape, wanted)
    return _tree.decode(text, array, framework)


# ---- checkpoints of a job ----

def steps(directory):
    """Steps of the complete checkpoints in a directory, oldest first."""
    found, count = POINTER(c_uint64)(), c_size_t()
    call(lib().pit_checkpoint_list, path_of(directory), byref(found), byref(count))
    values = found[:count.value]
    _free(ctypes.cast(found, ctypes.c_void_p))
    return values


_free = ctypes.CDLL(None).free
_free.argtypes, _free.restype = [ctypes.c_void_p], None


class _Manifest:
    def __init__(self, directory, step):
        self.handle = opened(lib().pit_manifest_open, path_of(directory), -1 if step is None else whole(step, "step", 0, 2**63 - 1))

    def __enter__(self):
        return self.handle

    def __exit__(self, *_):
        lib().pit_manifest_close(self.handle)


def latest(directory):
    """Step of the newest complete checkpoint in a directory; None when there is none."""
    try:
        with _Manifest(directory, None) as m:
            return lib().pit_manifest_step(m)
    except NotFound:
        return None


def _prefix(rank):
    return f"rank{rank:05d}/" if rank else ""


def _from_directory(directory, step, rank, **how):
    import json
    with _Manifest(directory, step) as m:
        step, path = lib().pit_manifest_step(m), os.fsdecode(lib().pit_manifest_path(m))
        position, extra = lib().pit_manifest_state(m), json.loads(lib().pit_manifest_extra(m) or b"{}")
        files = [os.fsdecode(lib().pit_manifest_file(m, n, None)) for n in range(lib().pit_manifest_files(m))]
    framework, own = how.pop("framework"), f"rank-{rank:05d}-of-{len(files):05d}.safetensors"
    missing = NotFound(errno.ENOENT, f"{path} has no state of rank {rank}")
    if len(files) > 1 and own not in files:
        raise missing
    with Weights(os.path.join(path, own) if own in files else path, framework) as w:
        prefix, text = _prefix(rank), extra.get(_tree.TREE)
        tree = prefix + _tree.TREE
        if rank and tree in w:
            text = bytes(w.bytes_of([tree])[tree]).decode()
        elif rank and own in files:
            prefix, text = "", None  # not saved by this package: a dict of what is there
        elif rank:
            raise missing
        state = _state(w, text, framework, prefix, **how)
    return Loaded(step, state, position and {"position": position.decode()}, extra.get("extra"), path)


def restore(directory, step=None, *, rank=0, framework=None, verify=True, progress=False, io=None, copy=False):
    """A Loaded from a directory of checkpoints: the newest complete one, or None when there is none; or that of `step`. The
    other parameters are those of load()."""
    for left in reversed(range(10)):
        newest = latest(directory) if step is None else step
        if newest is None:
            return None
        try:
            return _from_directory(directory, newest, rank, framework=framework, verify=verify, progress=progress, io=io, copy=copy)
        except Error:
            if step is not None or not left or latest(directory) == newest:
                raise  # else a job made newer ones meanwhile and removed this one
    return None


class Async:
    """Checkpoints of a job in a directory, written behind the training's back.

    keep: how many complete ones stay (0: all).
    mode: "copy": save() returns after one copy of the state in memory; "promise": at once, and you leave the tensors alone
        until wait(); "durable": when it is on disk. Tensors of a GPU are copied to the CPU by save() in each mode.
    memory: bound of the memory for copies (0: as much as a save needs).
    rank, world: give them when each rank saves a share of its own; rank 0 then waits up to `timeout` seconds for the others
        before the checkpoint counts. By default one process, which must be rank 0, saves all.

    An error of a save that went on behind comes at the next save(), wait() or close(), once. When the program ends, what is
    under way is finished; that it failed is then a RuntimeWarning."""

    def __init__(self, directory, keep=3, mode="copy", *, memory=0, rank=None, world=None, timeout=600, checksums=True, io=None):
        number_of(_abi.MODES, mode, "mode")
        self.directory, self.mode = os.fspath(directory), mode
        self._alone = rank is None and world is None
        self.world = whole(1 if world is None else world, "world", 1, 2**32 - 1)
        self.rank, self.timeout = whole(rank or 0, "rank", 0, self.world - 1), whole(timeout, "timeout", 0, 2**32 - 1)
        want = _abi.pit_checkpoint_want(size=sizeof(_abi.pit_checkpoint_want), keep=whole(keep, "keep", 0, 2**32 - 1),
                                        memory=size(memory, "memory"), io=io_want(io), no_checksums=not checksums,
                                        rank=self.rank, world=self.world)
        self._pid = os.getpid()
        self._handle = opened(lib().pit_checkpoint_open, path_of(directory), byref(want))
        self._held = []  # pieces of saves under way, by promise
        self._close = weakref.finalize(self, _close, self._handle, self._held, self._pid)

    def _open(self):
        if self._pid != os.getpid():
            raise RuntimeError(f"this checkpoint.Async belongs to process {self._pid}, which forked this one: make one in each process")
        if not self._close.alive:
            raise ValueError("the checkpoints were closed")
        return self._handle

    @staticmethod
    def _refuse_others():
        """Several ranks that each think themselves alone would overwrite each other's files."""
        rank, world = rank_and_world()
        if rank:
            raise ValueError(f"this is rank {rank} of {world}, and the saver was made as if there were one: let rank 0 alone save, or make it "
                             "with rank= and world= in each")

    def save(self, step, state, loader=None, extra=None, mode=None):
        """Makes `state` checkpoint number `step`, together with the position of `loader` (anything with state_dict() such
        as pitcrew.Loader, or what that gave), all or nothing. `extra`: anything that JSON can hold."""
        import json
        handle, mode = self._open(), number_of(_abi.MODES, mode or self.mode, "mode")
        if self._alone:
            self._refuse_others()
        prefix, step = _prefix(self.rank), whole(step, "step", 0, 2**63 - 1)
        text, pieces, _, _ = _tree.encode(state, prefix)
        if self.rank:
            pieces.append(_tree.text_piece(prefix + _tree.TREE, text))
        position = loader.state_dict() if hasattr(loader, "state_dict") else loader
        if isinstance(position, dict):
            position = position["position"]
        said = json.dumps({_tree.TREE: text, "extra": extra})
        self._held.append(pieces)  # before it begins: behind that an exception such as KeyboardInterrupt may come at once
        try:
            call(lib().pit_checkpoint_put, handle, step, _tensors(pieces), len(pieces), mode)
        except Error:  # it has not begun
            self._held.pop()
            raise
        self._held[:] = [pieces] if mode == _abi.MODES["promise"][1] else []
        if self.rank == 0:
            call(lib().pit_checkpoint_commit, handle, step, position and position.encode(), said.encode(), self.timeout if self.world > 1 else 0)

    @property
    def busy(self):
        """A save is under way."""
        return lib().pit_checkpoint_busy(self._open())

    def wait(self):
        """Until nothing is under way; raises what went wrong. Ctrl-C ends the wait, not the save."""
        pause = 0.0005
        while self.busy:
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        call(lib().pit_checkpoint_wait, self._open())
        self._held.clear()

    def latest(self):
        """Step of the newest complete checkpoint, or None."""
        return latest(self.directory)

    def steps(self):
        """Steps of the complete checkpoints, oldest first."""
        return steps(self.directory)

    def load(self, step=None, *, rank=None, framework=None, verify=True, progress=False, io=None, copy=False):
        """A Loaded: see restore()."""
        return restore(self.directory, step, rank=self.rank if rank is None else rank, framework=framework, verify=verify,
                       progress=progress, io=io, copy=copy)

    def stats(self):
        """A Stats."""
        record = _abi.pit_checkpoint_stats(size=sizeof(_abi.pit_checkpoint_stats))
        lib().pit_checkpoint_stats(self._open(), byref(record))
        return Stats(*(getattr(record, name) for name in Stats._fields))

    def ladder(self):
        """Of the last save: a list of Rung."""
        return rungs(lib().pit_checkpoint_ladder(self._open()))

    def close(self):
        """Waits for what is under way; raises what went wrong."""
        if self._close.alive and self._pid == os.getpid():
            try:
                self.wait()
            finally:
                self._close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _close(handle, held, pid):
    if pid == os.getpid():
        problem = _abi.pit_error()
        if lib().pit_checkpoint_close(handle, byref(problem)) < 0:  # nobody has asked, and nobody will
            warnings.warn(f"a checkpoint was not saved: {problem.text.decode('utf-8', 'replace')}", RuntimeWarning, stacklevel=2)
        held.clear()
