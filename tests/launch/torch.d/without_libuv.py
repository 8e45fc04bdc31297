"""Makes torch's stores do without libuv, which Debian's torch is built without and asks for all the same."""
import functools
import sys

import torch.distributed

if int(torch.__version__.split(".")[0]) >= 2:
    torch.distributed.TCPStore = functools.partial(torch.distributed.TCPStore, use_libuv=False)
    sys.modules["torch.distributed.rendezvous"].TCPStore = torch.distributed.TCPStore
