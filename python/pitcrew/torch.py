# SPDX-License-Identifier: MIT
"""For programs that feed themselves by torch.utils.data.DataLoader.

pitcrew.Loader alone does the same with less: it needs no worker processes. What is here keeps a program as it is:

    dataset = pitcrew.torch.Dataset("images/", batch_size=256, transform=decode_batch, seed=1)
    loader = pitcrew.torch.DataLoader(dataset, num_workers=4)       # or torch's own, with batch_size=None
    for epoch in range(epochs):
        dataset.set_epoch(epoch)
        for batch in loader: ..."""
import torch
from torch.utils import data

from ._loader import Loader, epoch_of, rank_and_world
from ._source import Source


def _tensors(batch, i):
    """Sample i as a torch tensor of bytes that shares its memory; a dict of them where it has several parts."""
    keys = batch.parts(i).keys()
    return batch.torch(i) if keys == {""} else {key: batch.torch(i, key) for key in keys}


class Dataset(data.IterableDataset):
    """Samples, or whole batches, for torch.utils.data.DataLoader.

    With `batch_size` it gives batches (use batch_size=None in torch's DataLoader): what `transform` makes of each
    pitcrew.Batch, or the Batch itself, which goes from a worker to the program without a copy. Without, it gives samples:
    what `transform` makes of each (a memoryview, or a dict of them), or a torch tensor of its bytes, or a dict of them.

    Workers divide what the rank has: each sample comes exactly once, and batches come in the same order whatever the
    number of workers. The order of an epoch is that of `set_epoch()`, as with DistributedSampler: call it before each.

    The other parameters are those of pitcrew.Loader and pitcrew.Source."""

    def __init__(self, source, batch_size=None, *, transform=None, rank=None, world=None, epoch=0, read_batch=64, **options):
        super().__init__()
        kinds = ("kind", "suffixes", "record_bytes", "header_bytes", "tensors", "index")
        if not isinstance(source, Source):
            source = Source(source, **{key: options.pop(key) for key in kinds if key in options})
        self.source, self.batch_size, self.transform, self.read_batch, self._options = source, batch_size, transform, read_batch, options
        self.rank, self.world = rank_and_world(rank, world)
        self._epoch = torch.tensor([epoch], dtype=torch.int64).share_memory_()  # workers that persist see it change
        self._position = None

    def set_epoch(self, epoch):
        """The epoch that the next iteration gives. The epoch of a position that was loaded goes on from there."""
        if epoch != self.epoch:
            self._epoch[0] = epoch
            self._position = None

    @property
    def epoch(self):
        return int(self._epoch[0])

    def load_state_dict(self, state):
        """The next iteration gives what is left behind the position of a Loader or DataLoader."""
        self._position = state["position"]
        self._epoch[0] = epoch_of(self._position)

    def loader(self, number=0, workers=1):
        """The pitcrew.Loader of one worker: with W workers, worker w has each W-th batch of the rank's."""
        loader = Loader(self.source, self.batch_size or self.read_batch, rank=number * self.world + self.rank, world=workers * self.world,
                        epoch=self.epoch, **self._options)
        if self._position is not None and epoch_of(self._position) == self.epoch:
            loader.load_state_dict({"position": self._position})
        return loader

    def __iter__(self):
        info = data.get_worker_info()
        with self.loader(info.id, info.num_workers) if info else self.loader() as loader:
            for batch in loader:
                if self.batch_size:
                    yield self.transform(batch) if self.transform else batch
                else:
                    yield from self._samples(batch)

    def _samples(self, batch):
        for i in range(len(batch)):
            yield self.transform(batch[i]) if self.transform else _tensors(batch, i)


class DataLoader(data.DataLoader):
    """torch's DataLoader over a pitcrew.torch.Dataset, with a position: state_dict() counts the batches that the program got,
    whatever the workers have read ahead. All other parameters are torch's."""

    def __init__(self, dataset, batch_size=1, **options):
        if dataset.batch_size:
            batch_size = None
        else:
            dataset.read_batch = batch_size  # so that a worker's batches are the loader's
        super().__init__(dataset, batch_size=batch_size, **options)
        self._given, self._start = 0, self._at()

    def _at(self):
        with self.dataset.loader() as loader:
            return loader.state_dict()["position"]

    def __iter__(self):
        self._given, self._start = 0, self._at()
        for batch in super().__iter__():
            self._given += 1
            yield batch

    def state_dict(self):
        """The position behind the last batch that was given: {"position": text}, for load_state_dict() here, of a Dataset or
        of a pitcrew.Loader."""
        import json
        position = json.loads(self._start)
        position["consumed"] = self._consumed(int(position["consumed"]))
        return {"position": json.dumps(position)}

    def _consumed(self, start):
        """What all ranks have consumed when each was given as many batches as this one. The last, incomplete step of all
        workers of all ranks is divided evenly (tail "short")."""
        dataset, workers = self.dataset, max(self.num_workers, 1)
        step = (dataset.batch_size or self.batch_size) * dataset.world
        full, tail = divmod(len(dataset.source) - start, step * workers)
        if self._given <= full * workers:
            return start + self._given * step
        each, more = divmod(tail, workers * dataset.world)
        parts = (self._given - full * workers) * dataset.world
        return min(start + full * workers * step + parts * each + min(parts, more), len(dataset.source))

    def load_state_dict(self, state):
        self.dataset.load_state_dict(state)
        self._given, self._start = 0, state["position"]
