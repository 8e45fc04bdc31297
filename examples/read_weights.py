# SPDX-License-Identifier: MIT
"""read_weights.py MODEL: reads a .safetensors file, or a directory of them, and lists the tensors."""
import sys

from pitcrew import weights

model = weights.open(sys.argv[1])
data = model.bytes_of()                     # or model.load() for torch tensors or numpy arrays
for name in model:
    info = model.info(name)
    print(f"{name}: {info.dtype}, {info.shape}, {len(data[name])} bytes")
