#!/usr/bin/python3
"""torchrun as it is, on Debian's torch."""
import without_libuv  # noqa: F401, before the next line

from torch.distributed.run import main

if __name__ == "__main__":
    main()
