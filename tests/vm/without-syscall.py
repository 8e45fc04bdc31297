#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""without-syscall.py NUMBER[:ERRNO] COMMAND... - runs the command where this x86_64 system call is forbidden by seccomp.

It then fails with EPERM, or with ERRNO: 38 as on a kernel that does not have it.
"""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
EPERM = 1


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


number, _, error = sys.argv[1].partition(":")
# load the number; when it is the forbidden one, return the error; otherwise allow
code = b"".join(struct.pack("<HBBI", *instruction) for instruction in (
    (0x20, 0, 0, 0), (0x15, 0, 1, int(number)), (0x06, 0, 0, 0x00050000 | int(error or EPERM)), (0x06, 0, 0, 0x7fff0000)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Program(4, code)), 0, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[2], sys.argv[2:])
