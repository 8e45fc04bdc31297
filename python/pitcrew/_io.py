# SPDX-License-Identifier: MIT
"""How bytes come and go: what may be insisted on, and what was taken."""
from collections import namedtuple
from ctypes import byref

from . import _abi
from ._abi import number_of, whole
from ._library import call, lib, path_of

Rung = namedtuple("Rung", "ladder rung state why")
Rung.__doc__ = "One way that was tried: which ladder, which rung, 'taken', 'refused' or 'unused', and why."
_STATES = {number: word for word, (_, number) in _abi.RUNGS.items()}


def IO(engine="auto", cache="auto", pages="auto", lock="auto", node=None, depth=0, threads=0):
    """What to insist on, for the parameter `io` of all that reads or writes; whatever is left out is chosen by trying.

    engine: "io_uring-fixed", "io_uring" or "threads"; cache: "direct", "dontcache" or "buffered"; pages: "huge", "thp" or
    "plain"; lock: "cuda", "mlock" or "none"; node: NUMA node of the memory; depth: requests at once; threads: of the
    engine "threads". Insisting on what this machine or file system refuses is an error."""
    return _abi.pit_io_want(engine=number_of(_abi.ENGINES, engine, "engine"), cache=number_of(_abi.CACHES, cache, "cache"),
                            pages=number_of(_abi.PAGES, pages, "pages"), lock=number_of(_abi.LOCKS, lock, "lock"),
                            node_plus_1=0 if node is None else whole(node, "node", 0, 2**31 - 2) + 1,
                            depth=whole(depth, "depth", 0, 2**32 - 1), threads=whole(threads, "threads", 0, 2**32 - 1))


def io_want(io):
    """IO(), a dict of its parameters, or None."""
    if io is None:
        return _abi.pit_io_want()
    return IO(**io) if isinstance(io, dict) else io


def rungs(ladder):
    """A list of Rung from a pointer to a ladder; [] for none."""
    if not ladder:
        return []
    record = ladder.contents if hasattr(ladder, "contents") else ladder
    return [Rung(r.ladder.decode(), r.rung.decode(), _STATES.get(r.state, "?"), r.why.decode("utf-8", "replace"))
            for r in record.rungs[:record.count]]


def probe(path, io=None):
    """Tries every rung of every ladder at `path` and tells what came of it, as a list of Rung. Nothing is left behind."""
    record = _abi.pit_ladder()
    call(lib().pit_io_probe, path_of(path), byref(io_want(io)), byref(record))
    return rungs(record)


_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4, "ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4}


def size(value, what):
    """Bytes from a number or a text such as "4GiB", "512 MB", "1.5g"."""
    if value is None:
        return 0
    if not isinstance(value, str):
        if value < 0:
            raise ValueError(f"{what} is {value}, it must not be negative")
        return whole(int(value), what)
    text = value.strip().lower()
    text = text[:-1] if text.endswith("b") else text
    digits = text.rstrip("kmgti").strip()
    try:
        return whole(int(float(digits) * _UNITS[text[len(text.rstrip("kmgti")):]]), what)
    except (ValueError, KeyError, OverflowError):
        raise ValueError(f"{what} is {value!r}, which is no size such as 4GiB or 512MB") from None
