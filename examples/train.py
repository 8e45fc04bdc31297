# SPDX-License-Identifier: MIT
"""train.py DIR CHECKPOINTS [STEPS]: trains on the files below DIR for two epochs and goes on where it was stopped, also by
a kill: weights, optimizer and the loader's position are of one moment."""
import os
import sys

import torch

import pitcrew
from pitcrew import checkpoint


def decode(sample):
    numbers = sample[:16].float() / 256
    return torch.nn.functional.pad(numbers, (0, 16 - len(numbers)))


def main(directory, checkpoints, stop_at=None):
    model = torch.nn.Linear(16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loader = pitcrew.Loader(directory, kind="files", batch_size=50, seed=1)
    step = 0
    with checkpoint.Async(checkpoints, keep=2) as saver:
        saved = saver.load()
        if saved:
            model.load_state_dict(saved.state["model"])
            optimizer.load_state_dict(saved.state["optimizer"])
            loader.load_state_dict(saved.loader)
            step = saved.step
            print(f"goes on behind step {step}")
        for epoch in range(loader.epoch, 2):
            loader.set_epoch(epoch)
            for batch in loader:
                inputs = torch.stack([decode(batch.torch(i)) for i in range(len(batch))])
                loss = (model(inputs) - inputs.mean(1, keepdim=True)).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                if step == stop_at:
                    os._exit(9)             # as a kill would
                if step % 5 == 0:
                    saver.save(step, {"model": model.state_dict(), "optimizer": optimizer.state_dict()}, loader=loader)
    print(f"done after step {step}")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
