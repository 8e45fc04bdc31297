# SPDX-License-Identifier: MIT
"""Finds and loads libpitcrew: $PITCREW_LIBRARY, then beside this package, then the build tree that the package lies in,
then where the system keeps libraries."""
import ctypes
import os
import threading

from . import _abi
from ._errors import LibraryMissing, error

_SONAME = "libpitcrew.so.0"
_VERSION = "0.1."
_lock = threading.Lock()
_loaded = None


def _candidates():
    """Paths to try, best first. What is asked for by the environment is the only one then."""
    said = os.environ.get("PITCREW_LIBRARY")
    if said:
        return [os.path.join(said, _SONAME) if os.path.isdir(said) else said]
    here = os.path.dirname(os.path.realpath(__file__))
    beside = [os.path.join(here, name) for name in (_SONAME, "libpitcrew.so")]
    built = [os.path.join(here, "..", "..", build, "src", _SONAME) for build in ("build", "build-test")]
    return [path for path in beside + built if os.path.exists(path)] + [_SONAME]


def _bind(library, path):
    for name, (result, parameters) in _abi.FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise LibraryMissing(f"{path} has no function {name}: it is of another version than this package; build and install "
                                 "both from one source tree, or set PITCREW_LIBRARY to the right file") from None
        function.restype, function.argtypes = result, parameters
    version = library.pit_version().decode()
    if not version.startswith(_VERSION):
        raise LibraryMissing(f"{path} is version {version}, this package needs {_VERSION}x: install both from one source tree, or "
                             "set PITCREW_LIBRARY to the right file")
    library.path = path
    return library


def _load():
    tried = []
    for path in _candidates():
        try:
            return _bind(ctypes.CDLL(path), path)
        except OSError as problem:
            tried.append(f"  {path}: {problem}")
    raise LibraryMissing("libpitcrew was not found. Install it (make install, then ldconfig), or build it in the source tree "
                         "(make), or set PITCREW_LIBRARY to the file libpitcrew.so.0. Tried:\n" + "\n".join(tried))


def lib():
    """The library, with the types of all functions set; loaded once."""
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def call(function, *arguments):
    """Calls a function whose last parameter is the error object; its result when it is not negative."""
    problem = _abi.pit_error()
    rc = function(*arguments, ctypes.byref(problem))
    if rc < 0:
        text = problem.text.decode("utf-8", "replace")
        raise error(-rc, text or os.strerror(-rc))
    return rc


def opened(function, *arguments):
    """Calls a function that gives an object (before the error object); its address."""
    made = ctypes.c_void_p()
    call(function, *arguments, ctypes.byref(made))
    return made.value


def library_path():
    """The file that libpitcrew was loaded from (a bare name: by the system's search)."""
    return lib().path


def library_version():
    return lib().pit_version().decode()


def path_of(value):
    """A path or another text as C takes it."""
    data = os.fsencode(value)
    if b"\0" in data:
        raise ValueError(f"{value!r} has a NUL character in it")
    return data


def strings(values):
    """A C array of strings (paths or text) and its length; (None, 0) for none."""
    values = [path_of(value) for value in values]
    if not values:
        return None, 0
    return (ctypes.c_char_p * len(values))(*values), len(values)
