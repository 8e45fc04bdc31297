# SPDX-License-Identifier: MIT
"""Element types: what safetensors, numpy, torch and memoryview call them, and views of bytes as any of them. numpy and
torch are imported only where their arrays are asked for."""
import importlib
import importlib.util
import sys

# safetensors: (bits, numpy, torch, memoryview). What numpy or torch has no type for comes as integers of the same width.
_TYPES = {
    "BOOL": (8, "?", "bool", "?"),
    "F4": (4, None, None, None),
    "F6_E2M3": (6, None, None, None),
    "F6_E3M2": (6, None, None, None),
    "U8": (8, "u1", "uint8", "B"),
    "I8": (8, "i1", "int8", "b"),
    "F8_E5M2": (8, "float8_e5m2", "float8_e5m2", None),
    "F8_E4M3": (8, "float8_e4m3fn", "float8_e4m3fn", None),
    "F8_E8M0": (8, "float8_e8m0fnu", "float8_e8m0fnu", None),
    "F8_E4M3FNUZ": (8, "float8_e4m3fnuz", "float8_e4m3fnuz", None),
    "F8_E5M2FNUZ": (8, "float8_e5m2fnuz", "float8_e5m2fnuz", None),
    "I16": (16, "<i2", "int16", "h"),
    "U16": (16, "<u2", "uint16", "H"),
    "F16": (16, "<f2", "float16", "e"),
    "BF16": (16, "bfloat16", "bfloat16", None),
    "I32": (32, "<i4", "int32", "i"),
    "U32": (32, "<u4", "uint32", "I"),
    "F32": (32, "<f4", "float32", "f"),
    "C64": (64, "<c8", "complex64", None),
    "F64": (64, "<f8", "float64", "d"),
    "I64": (64, "<i8", "int64", "q"),
    "U64": (64, "<u8", "uint64", "Q"),
}
_WIDTHS_NUMPY = {8: "u1", 16: "<u2", 32: "<u4", 64: "<u8"}
_WIDTHS_TORCH = {8: "uint8", 16: "int16", 32: "int32", 64: "int64"}
_WIDTHS_MEMORY = {16: "H", 32: "I", 64: "Q"}
FRAMEWORKS = ("torch", "numpy", "memory")


def framework(wanted):
    """The word for `wanted`: None is torch when the program uses it, else numpy when there is one, else memory."""
    if wanted is None:
        if sys.modules.get("torch") is not None:
            return "torch"
        return "numpy" if found("numpy") else "memory"
    if wanted not in FRAMEWORKS:
        raise ValueError(f"framework is {wanted!r}; it may be 'torch', 'numpy', 'memory' or None")
    return wanted


def found(module):
    """It can be imported; it is not, yet."""
    try:
        if module in sys.modules:
            return sys.modules[module] is not None
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def bits(name):
    return _TYPES[name][0]


def numpy_type(name):
    """numpy's type for a safetensors type: of ml_dtypes where that has it, else unsigned integers of the width."""
    np = importlib.import_module("numpy")
    width, word, _, _ = _TYPES[name]
    if word is None:
        return np.dtype("u1")
    if "float" not in word:
        return np.dtype(word)
    try:
        return np.dtype(getattr(importlib.import_module("ml_dtypes"), word))
    except (ImportError, AttributeError):
        return np.dtype(_WIDTHS_NUMPY[width])


def torch_type(name):
    """torch's type for a safetensors type; integers of the width where this torch has none."""
    torch = importlib.import_module("torch")
    width, _, word, _ = _TYPES[name]
    return getattr(torch, word or "uint8", None) or getattr(torch, _WIDTHS_TORCH[width])


def name_of_torch(dtype):
    """The safetensors name of a torch type; None when there is none."""
    return _OF_TORCH.get(str(dtype).rpartition(".")[2])


def name_of_numpy(dtype):
    """The same for a numpy type; numpy and ml_dtypes use torch's names."""
    return _OF_TORCH.get(dtype.name)


def name_of_format(text):
    """The safetensors name of a memoryview's format, native sizes."""
    return _OF_FORMAT.get(text.lstrip("@"))


_OF_TORCH = {row[2]: name for name, row in _TYPES.items() if row[2]}
_OF_FORMAT = {row[3]: name for name, row in _TYPES.items() if row[3]}
_OF_FORMAT.update({"c": "U8", "l": "I64", "L": "U64"} if sys.maxsize > 2**32 else {"c": "U8", "l": "I32", "L": "U32"})


def _memory(view, name, shape):
    width, _, _, word = _TYPES[name]
    word = word or _WIDTHS_MEMORY.get(width)
    if word is None or word == "B" and len(shape) == 1:
        return view
    try:
        return view.cast(word, shape) if len(view) else view.cast(word)
    except ValueError:  # "e" is no format of memoryview before Python 3.12
        return view.cast(_WIDTHS_MEMORY[width], shape) if len(view) else view.cast(_WIDTHS_MEMORY[width])


def _numpy(view, name, shape):
    np = importlib.import_module("numpy")
    array = np.frombuffer(view, numpy_type(name))
    return array if bits(name) < 8 else array.reshape(shape)


def _torch(view, name, shape):
    torch = importlib.import_module("torch")
    dtype = torch_type(name)
    if not len(view):
        return torch.empty(shape if bits(name) >= 8 else (0,), dtype=dtype)
    tensor = torch.frombuffer(view, dtype=dtype)
    return tensor if bits(name) < 8 else tensor.reshape(shape)


_MAKE = {"memory": _memory, "numpy": _numpy, "torch": _torch}


def array(view, name, shape, wanted):
    """A writable memoryview of bytes as an array of a framework, sharing the memory. Types of 4 and 6 bits come as one
    row of bytes."""
    return _MAKE[wanted](view, name, tuple(shape))
