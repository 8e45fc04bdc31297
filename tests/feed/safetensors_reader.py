"""Reads and writes safetensors files: made of the description of the format alone, without numpy, to have a second opinion.

A file is 8 bytes (the length N of the header, little endian), N bytes of JSON, and the data. The JSON is an object: each name
has dtype, shape, and data_offsets [begin, end) into the data; "__metadata__" has texts. Tensors fill the data without holes."""
import json
import math
import struct

BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
        "C64": 64, "F64": 64, "I64": 64, "U64": 64}


def once(pairs):
    """An object whose keys are all different."""
    d = dict(pairs)
    if len(d) != len(pairs):
        raise ValueError("a key comes twice")
    return d


def whole(n, what):
    if type(n) is not int or not 0 <= n < 1 << 64:
        raise ValueError(f"{what} is no length")
    return n


def read(path):
    """({name: (dtype, shape, offset in the file, bytes)}, metadata), in the order of the data."""
    with open(path, "rb") as f:
        b = f.read()
    if len(b) < 8:
        raise ValueError("no room for the length")
    n = struct.unpack("<Q", b[:8])[0]
    if n > 100_000_000 or n > len(b) - 8:
        raise ValueError("the header is too long")
    head = json.loads(b[8:8 + n].decode("utf-8"), object_pairs_hook=once)
    texts = head.pop("__metadata__", None) or {}
    if not all(type(v) is str for v in texts.values()):
        raise ValueError("metadata is not text")
    tensors, at = {}, 0
    for name, t in sorted(head.items(), key=lambda item: item[1]["data_offsets"]):
        shape = [whole(x, "shape") for x in t["shape"]]
        begin, end = (whole(x, "offset") for x in t["data_offsets"])
        bits = math.prod(shape) * BITS[t["dtype"]]
        if begin != at or bits % 8 or end - begin != bits // 8:
            raise ValueError(f"{name}: wrong offsets")
        tensors[name] = (t["dtype"], shape, 8 + n + begin, b[8 + n + begin:8 + n + end])
        at = end
    if 8 + n + at != len(b):
        raise ValueError("the data do not fill the file")
    return tensors, texts


def write(path, tensors, texts=None, pad=8, indent=None, ascii=True, order=lambda names: names):
    """`tensors` as {name: (dtype, shape, bytes)}, laid down in that order; `order` is that of the names in the JSON."""
    head, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    head = {name: head[name] for name in order(list(head))}
    if texts is not None:
        head = {"__metadata__": texts, **head}
    j = json.dumps(head, indent=indent, ensure_ascii=ascii).encode()
    j += b" " * (-(8 + len(j)) % pad)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(j)) + j)
        for _, _, data in tensors.values():
            f.write(data)
