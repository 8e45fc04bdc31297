# SPDX-License-Identifier: MIT
"""pitcrew feeds a job that trains or serves AI models.

    import pitcrew

    loader = pitcrew.Loader("images/", batch_size=256, seed=1)
    for batch in loader:                        # shuffled, read ahead, without worker processes
        for name, sample in zip(batch.names, batch):
            ...                                 # a memoryview: no copy was made

    from pitcrew import checkpoint, weights
    checkpoint.save("model.safetensors", model.state_dict())
    saver = checkpoint.Async("checkpoints", keep=3)
    saver.save(step, {"model": model.state_dict(), "optimizer": optimizer.state_dict()}, loader=loader)
    tensors = weights.load("llama/")

The package is a thin layer over the C library libpitcrew, which it loads when it is first needed. numpy and torch are
used when they are there and imported only by what needs them; `pitcrew.torch` has the classes for
torch.utils.data.DataLoader.
"""
import importlib

from ._batch import Batch
from ._errors import Canceled, Damaged, Error, Invalid, LibraryMissing, NotFound, Stale
from ._io import IO, Rung, probe
from ._library import library_path, library_version
from ._loader import Loader
from ._source import Source

__version__ = "0.1.0"
__all__ = ["Batch", "Canceled", "Damaged", "Error", "IO", "Invalid", "LibraryMissing", "Loader", "NotFound", "Rung", "Source",
           "Stale", "checkpoint", "library_path", "library_version", "probe", "torch", "weights"]


def __getattr__(name):
    if name in ("checkpoint", "torch", "weights"):
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
