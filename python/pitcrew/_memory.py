# SPDX-License-Identifier: MIT
"""Views of memory that belongs to the library. A Window gives views of any address; each view keeps the owner alive, and
when the last one and the window are gone the owner goes, too, which gives the memory back."""
import ctypes
import weakref


class _Everything(ctypes.c_char * (2**63 - 1 if ctypes.sizeof(ctypes.c_void_p) == 8 else 2**31 - 1)):
    """The address space as one array; views are slices of it. One type for all, as each ctypes array type stays for ever."""


class Window:
    __slots__ = ("_root", "_exporter")

    def __init__(self, owner):
        everything = _Everything.from_address(0)
        everything.owner = owner
        self._exporter = weakref.ref(everything)
        self._root = memoryview(everything).cast("B")

    def view(self, address, length, writable=False):
        """`length` bytes from `address`, which must belong to the owner."""
        if self._root is None:
            raise ValueError("its memory was released")
        if not length:
            return memoryview(b"")
        view = self._root[address:address + length]
        return view if writable else view.toreadonly()

    @property
    def open(self):
        return self._root is not None

    def close(self):
        """Lets go of the owner; True when no view holds it any more."""
        self._root = None
        return self._exporter() is None

    def reopen(self):
        """Undoes close() while views live."""
        everything = self._exporter()
        if everything is not None:
            self._root = memoryview(everything).cast("B")
