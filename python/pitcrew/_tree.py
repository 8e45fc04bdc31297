# SPDX-License-Identifier: MIT
"""Nested state as text and tensors, without pickle.

The text is JSON: null, true, numbers and strings are themselves, a list is an array; anything else is an object with one
key that says what it is:

    {"d": [[key, value], ...]}   dict; keys are values themselves ("o": OrderedDict, with its _metadata as "m")
    {"t": [...]}  tuple          {"s": [...]}  set            {"fs": [...]}  frozenset
    {"b": text}   bytes, base64  {"f": text}   nan, inf       {"c": [re, im]}  complex
    {"T": name}   torch tensor   {"A": name}   numpy array    {"n": name}    numpy scalar      {"M": name}  memoryview
                  "x": a complex type of 128 bits, stored as pairs of F64
    {"T": name, "r": true}       an nn.Parameter or any tensor that requires a gradient
"""
import base64
import collections
import errno
import json
import math
import sys
from ctypes import addressof, c_char

from . import _dtype
from ._errors import Damaged

Piece = collections.namedtuple("Piece", "name dtype shape address bytes keep")
TREE = "pitcrew_tree"


class _Encoder:
    def __init__(self, prefix):
        self.pieces, self.ties, self._prefix = [], {}, prefix
        self._names, self._tied, self._above = {"__metadata__", prefix + TREE}, {}, set()
        self.kinds, self._seen = set(), []

    # ---- names ----

    def _name(self, path):
        base = ".".join(path) or "tensor"
        base = self._prefix + base.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        name, number = base, 1
        while name in self._names:
            number += 1
            name = f"{base}#{number}"
        self._names.add(name)
        return name

    def _piece(self, path, kind, value, tie, make):
        """The node for an array; `make` gives (dtype, shape, address, bytes, keep)."""
        self.kinds.add(kind)
        self._seen.append(value)  # else another array may come to lie where this one lay, and be taken for it
        if tie is not None and tie in self._tied:
            name = self._tied[tie]
            self.ties[".".join(path)] = name
            return {kind: name}
        dtype, shape, address, count, keep = make()
        name = self._name(path)
        self.pieces.append(Piece(name, dtype, tuple(shape), address, count, keep))
        if tie is not None:
            self._tied[tie] = name
        return {kind: name}

    # ---- values ----

    def encode(self, value, path=()):
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        array = self._array(value, path)
        if array is not None:
            return array
        return self._plain(value, path)

    def _plain(self, value, path):
        if isinstance(value, collections.abc.Mapping):
            return self._within(value, path, self._mapping)
        if isinstance(value, list):
            return self._within(value, path, self._items)
        if isinstance(value, tuple):
            return {"t": self._within(value, path, self._items)}
        if isinstance(value, (set, frozenset)):
            return {"fs" if isinstance(value, frozenset) else "s": self._items(value, path)}
        if isinstance(value, bytes):
            return {"b": base64.b64encode(value).decode()}
        if isinstance(value, complex):
            return {"c": [self.encode(value.real), self.encode(value.imag)]}
        for base in (bool, int, float, str):
            if isinstance(value, base):
                return self.encode(base(value), path)
        raise TypeError(f"{_place(path)} is a {type(value).__module__}.{type(value).__qualname__}, which cannot be saved: give numbers, "
                        "text, tensors, arrays, and dicts, lists, tuples and sets of them")

    def _within(self, value, path, function):
        if id(value) in self._above:
            raise ValueError(f"{_place(path)} contains itself")
        self._above.add(id(value))
        node = function(value, path)
        self._above.discard(id(value))
        return node

    def _items(self, values, path):
        return [self.encode(value, (*path, str(i))) for i, value in enumerate(values)]

    def _mapping(self, value, path):
        pairs = [[self._key(key, path), self.encode(item, (*path, str(key)))] for key, item in value.items()]
        if not isinstance(value, collections.OrderedDict):
            return {"d": pairs}
        node, more = {"o": pairs}, getattr(value, "_metadata", None)
        if more is not None:
            node["m"] = self.encode(more, (*path, "_metadata"))
        return node

    def _key(self, key, path):
        if isinstance(key, (str, int, float, bool, bytes, tuple, frozenset, type(None))):
            return self.encode(key, (*path, "key"))
        raise TypeError(f"{_place(path)} has the key {key!r}, a {type(key).__qualname__}: keys may be text, numbers, None and tuples of them")

    # ---- arrays ----

    def _array(self, value, path):
        torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
        if torch is not None and isinstance(value, torch.Tensor):
            return self._torch(torch, value, path)
        if numpy is not None and isinstance(value, numpy.ndarray):
            return self._numpy(numpy, value, path, "A")
        if numpy is not None and isinstance(value, numpy.generic):
            return self._numpy(numpy, numpy.asarray(value), path, "n")
        if isinstance(value, (bytearray, memoryview)) or type(value).__module__ == "array":
            return self._buffer(memoryview(value), path)
        return None

    def _torch(self, torch, value, path):
        if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
            raise TypeError(f"{_place(path)} is a tensor ({value.layout}, {value.dtype}, {value.device}) that has no plain values to save")
        wide = value.dtype == torch.complex128
        dtype = "F64" if wide else _dtype.name_of_torch(value.dtype)
        if dtype is None:
            raise TypeError(f"{_place(path)} is a tensor of {value.dtype}, for which safetensors has no type")
        tie = (str(value.device), value.data_ptr(), value.dtype, value.shape, value.stride(), value.is_conj(), value.is_neg()) if value.numel() else None

        def make():
            t = value.detach().resolve_conj().resolve_neg().to("cpu").contiguous()
            t = torch.view_as_real(t) if wide else t
            return dtype, t.shape, t.data_ptr(), t.numel() * t.element_size(), t
        node = self._piece(path, "T", value, tie, make)
        if wide:
            node["x"] = True
        if value.requires_grad and value.is_leaf:
            node["r"] = True
        return node

    def _numpy(self, np, value, path, kind):
        wide = value.dtype.kind == "c" and value.dtype.itemsize == 16
        dtype = "F64" if wide else _dtype.name_of_numpy(value.dtype)
        if dtype is None:
            raise TypeError(f"{_place(path)} is an array of {value.dtype}, for which safetensors has no type")
        tie = (value.__array_interface__["data"][0], value.dtype.str, value.shape, value.strides) if value.size and kind == "A" else None

        def make():
            a = np.ascontiguousarray(value).reshape(value.shape)
            a = a.astype(a.dtype.newbyteorder("<")) if a.dtype.byteorder == ">" or sys.byteorder == "big" else a
            shape = (*a.shape, 2) if wide else a.shape
            return dtype, shape, a.__array_interface__["data"][0], a.nbytes, a
        node = self._piece(path, kind, value, tie, make)
        if wide:
            node["x"] = True
        return node

    def _buffer(self, view, path):
        dtype = _dtype.name_of_format(view.format)
        if dtype is None:
            raise TypeError(f"{_place(path)} is a buffer of format {view.format!r}, for which safetensors has no type")

        return self._piece(path, "M", view, None, lambda: _memory(view, dtype))


def _memory(view, dtype):
    data = view if view.c_contiguous and not view.readonly else memoryview(bytearray(view.tobytes()))
    address = addressof((c_char * 0).from_buffer(data)) if view.nbytes else 0
    return dtype, view.shape, address, view.nbytes, data


def text_piece(name, text):
    """A text as a tensor of bytes."""
    return Piece(name, *_memory(memoryview(bytearray(text.encode())), "U8"))


def _place(path):
    return "the state" + "".join(f"[{part!r}]" for part in path)


def encode(state, prefix=""):
    """(text, pieces, ties, kinds): the tree as JSON, the arrays it names (each alive as long as its Piece), the paths that
    share an array with an earlier one, and the kinds of arrays that occur. The names begin with `prefix`."""
    encoder = _Encoder(prefix)
    try:
        text = json.dumps(encoder.encode(state), allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("the state is nested too deeply to be saved") from None
    return text, encoder.pieces, encoder.ties, encoder.kinds


# ---- back ----

_FRAMEWORK = {"T": "torch", "A": "numpy", "n": "numpy", "M": "memory"}


class _Decoder:
    def __init__(self, array, framework):
        self._array, self._framework, self._made = array, framework, {}

    def decode(self, node):
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        for key in node:
            if key in _DECODE:
                return _DECODE[key](self, node[key], node)
            if key in _FRAMEWORK:
                return self._tensor(key, node)
        raise ValueError(f"this tree has a node that is unknown here: {list(node)}")

    def _mapping(self, pairs, node):
        value = (collections.OrderedDict if "o" in node else dict)((self.decode(k), self.decode(v)) for k, v in pairs)
        if "m" in node:
            value._metadata = self.decode(node["m"])
        return value

    def _tensor(self, kind, node):
        """Tied ones are one object again."""
        name, wanted = node[kind], self._framework or _available(_FRAMEWORK[kind])
        tie = (name, wanted, kind == "n", "r" in node)
        if tie not in self._made:
            array = self._array(name, wanted)
            if "x" in node and wanted != "memory":
                array = sys.modules["torch"].view_as_complex(array) if wanted == "torch" else array.view("<c16")[..., 0]
            if kind == "n" and wanted == "numpy":
                array = array[()]
            if "r" in node and wanted == "torch":
                array.requires_grad_()
            self._made[tie] = array
        return self._made[tie]


_DECODE = {
    "d": lambda d, value, node: d._mapping(value, node),
    "o": lambda d, value, node: d._mapping(value, node),
    "t": lambda d, value, node: tuple(d.decode(v) for v in value),
    "s": lambda d, value, node: {d.decode(v) for v in value},
    "fs": lambda d, value, node: frozenset(d.decode(v) for v in value),
    "b": lambda d, value, node: base64.b64decode(value),
    "f": lambda d, value, node: float(value),
    "c": lambda d, value, node: complex(d.decode(value[0]), d.decode(value[1])),
}


def _available(wanted):
    """The framework that a value was saved from, or the next best that is here."""
    order = {"torch": ("torch", "numpy", "memory"), "numpy": ("numpy", "torch", "memory"), "memory": ("memory",)}[wanted]
    for word in order:
        if word == "memory" or word in sys.modules or _dtype.found(word):
            return word
    return "memory"


def decode(text, array, framework=None):
    """The state again. `array(name, framework)` gives an array; `framework` None: of what each was saved from."""
    decoder = _Decoder(array, framework and _dtype.framework(framework))
    try:
        return decoder.decode(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as problem:
        raise Damaged(errno.EBADMSG, f"the text {TREE!r} does not describe a state of these tensors: {problem}") from problem
