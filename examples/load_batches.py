# SPDX-License-Identifier: MIT
"""load_batches.py DIR: reads all files below a directory once, shuffled, in batches of 256."""
import sys

import pitcrew


def main(directory):
    samples = size = 0
    with pitcrew.Loader(directory, kind="files", batch_size=256, seed=1) as loader:
        for batch in loader:
            for sample in batch:            # a memoryview: no copy was made
                samples, size = samples + 1, size + len(sample)
    print(f"{samples} samples, {size} bytes")


main(sys.argv[1])
