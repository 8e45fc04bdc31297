#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dead-fuse.py DIR - mounts a FUSE file system on DIR, shakes hands with the kernel, and never answers again."""

import ctypes
import os
import struct
import sys
import time

FUSE_INIT = 26
libc = ctypes.CDLL(None, use_errno=True)

device = os.open("/dev/fuse", os.O_RDWR)
options = "fd=%d,rootmode=40000,user_id=0,group_id=0" % device
if libc.mount(b"dead", sys.argv[1].encode(), b"fuse.dead", 0, options.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
request = os.read(device, 1 << 17)
_, opcode, unique, _, _, _, _, _ = struct.unpack_from("<IIQQIIII", request)
assert opcode == FUSE_INIT
# fuse_init_out: protocol 7.31, read-ahead, flags, background limits, largest write, the rest zero
reply = struct.pack("<IIIIHHI", 7, 31, 1 << 17, 0, 12, 9, 1 << 12).ljust(64, b"\0")
os.write(device, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)
time.sleep(9999)
