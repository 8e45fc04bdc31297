#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dead-nfs.py [--alive] DIR - mounts an NFS version 3 export on DIR that was there for the mount and never answers again.

With --alive it goes on answering; there is nothing in it. The server is in here: it knows just the calls that the kernel makes while it mounts (RFC 1813, RFC 5531).
"""

import ctypes
import os
import socket
import struct
import sys
import threading
import time

MOUNT, NFS = 100005, 100003
FILE_HANDLE = b"pitcrew-dead-nfs"


def words(*numbers):
    return struct.pack(">%dI" % len(numbers), *numbers)


# fattr3: directory, 0755, 2 links, root, sizes 4096, no device, file system 1, file 1, three times
ATTRIBUTES = words(2, 0o755, 2, 0, 0, 0, 4096, 0, 4096, 0, 0, 0, 1, 0, 1) + words(1700000000, 0) * 3
ANSWERS = {
    (MOUNT, 1): words(0, len(FILE_HANDLE)) + FILE_HANDLE + words(1, 1),  # MNT: handle; one flavour, AUTH_SYS
    (NFS, 1): words(0) + ATTRIBUTES,  # GETATTR
    (NFS, 4): words(0, 1) + ATTRIBUTES + words(0x1f),  # ACCESS
    (NFS, 18): words(0, 1) + ATTRIBUTES + words(0, 1 << 30) * 3 + words(0, 1000) * 3 + words(0),  # FSSTAT
    # FSINFO: read and write sizes, largest file, time granularity, properties
    (NFS, 19): words(0, 1) + ATTRIBUTES + words(65536, 65536, 512, 65536, 65536, 512, 4096, 1 << 30, 0, 0, 1, 0x1b),
    (NFS, 20): words(0, 1) + ATTRIBUTES + words(32, 255, 1, 1, 0, 1),  # PATHCONF
}
alive = threading.Event()


def receive(peer, size):
    data = b""
    while len(data) < size:
        part = peer.recv(size - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def serve(peer):
    try:
        while True:
            length, = struct.unpack(">I", receive(peer, 4))
            xid, _, _, program, _, procedure = struct.unpack_from(">6I", receive(peer, length & 0x7fffffff))
            answer = b"" if procedure == 0 else ANSWERS.get((program, procedure))
            if answer is not None and alive.is_set():
                reply = words(xid, 1, 0, 0, 0, 0) + answer
                peer.sendall(words(0x80000000 | len(reply)) + reply)
    except ConnectionError:
        pass


def listen(server):
    while True:
        peer, _ = server.accept()
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
alive.set()
threading.Thread(target=listen, args=(server,), daemon=True).start()
options = ("vers=3,proto=tcp,port=%d,mountproto=tcp,mountvers=3,mountport=%d,nolock,hard,"
           "addr=127.0.0.1,mountaddr=127.0.0.1" % (port, port))
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"127.0.0.1:/dead", sys.argv[-1].encode(), b"nfs", 0, options.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
if sys.argv[1] != "--alive":
    alive.clear()
time.sleep(9999)
