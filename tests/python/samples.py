"""Data sets for the tests: the same bytes for the same name, so that whoever reads can tell what must come."""
import io
import json
import os
import random
import struct
import tarfile


def content(name, low=1, high=9000):
    """The bytes of the file of that name."""
    chance = random.Random(name)
    return chance.randbytes(chance.randint(low, high)) if hasattr(chance, "randbytes") else bytes(chance.getrandbits(8) for _ in range(chance.randint(low, high)))


def files(where, count, folders=5):
    """A tree of files; the names, sorted."""
    names = []
    for i in range(count):
        name = f"d{i % folders}/f{i:05d}.bin"
        os.makedirs(os.path.join(where, os.path.dirname(name)), exist_ok=True)
        with open(os.path.join(where, name), "wb") as file:
            file.write(content(name))
        names.append(name)
    return sorted(names)


def records(path, count, size, header=0):
    """A file of records; record i begins with its number, 8 bytes, and goes on with that number's lowest byte."""
    with open(path, "wb") as file:
        file.write(b"H" * header)
        file.writelines(record(i, size) for i in range(count))
    return path


def record(i, size):
    return struct.pack("<Q", i) + bytes([i % 256]) * (size - 8)


def tars(where, shards, each):
    """Shards in webdataset's layout: NAME.jpg and NAME.cls."""
    paths = []
    for s in range(shards):
        paths.append(os.path.join(where, f"train-{s:03d}.tar"))
        with tarfile.open(paths[-1], "w") as tar:
            for i in range(each):
                for key, data in (("jpg", content(f"{s}/{i}")), ("cls", str((s * each + i) % 10).encode())):
                    member = tarfile.TarInfo(f"s{s:03d}-{i:05d}.{key}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
    return paths


# ---- safetensors, written and read from the description of the format alone ----

def write_safetensors(path, tensors, metadata=None):
    """tensors: {name: (dtype, shape, bytes)}"""
    header, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def read_safetensors(path):
    """({name: (dtype, shape, bytes)}, metadata)"""
    with open(path, "rb") as file:
        data = file.read()
    size, = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    metadata = header.pop("__metadata__", {})
    used = sorted(entry["data_offsets"] for entry in header.values())
    if used and (used[0][0] != 0 or used[-1][1] != len(body) or any(a[1] != b[0] for a, b in zip(used, used[1:]))):
        raise ValueError("holes, or bytes that belong to no tensor")
    return {name: (e["dtype"], tuple(e["shape"]), body[e["data_offsets"][0]:e["data_offsets"][1]]) for name, e in header.items()}, metadata
