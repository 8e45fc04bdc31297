# SPDX-License-Identifier: MIT
"""What goes wrong, as exceptions: each has the library's sentence and its errno."""
import errno


class Error(OSError):
    """Something that libpitcrew refused or could not do; `errno` says of which kind, str() what and where."""

    def __str__(self):
        return self.args[1] if len(self.args) > 1 else super().__str__()


class NotFound(Error, FileNotFoundError):
    """There is no such file, or no sample, or no checkpoint."""


class Invalid(Error, ValueError):
    """A parameter or a text that makes no sense."""


class Damaged(Error):
    """A file that breaks its format, or whose bytes differ from their checksum."""


class Stale(Error):
    """A position of other samples, or a batch whose sender has ended."""


class Canceled(Error):
    """The loader was closed while something waited for it."""


class LibraryMissing(ImportError):
    """libpitcrew cannot be found or does not fit this package; the text says what to do."""


_KINDS = {errno.ENOENT: NotFound, errno.EINVAL: Invalid, errno.EBADMSG: Damaged, errno.ESTALE: Stale, errno.ECANCELED: Canceled}


def error(code, text):
    """The exception for a positive errno and a sentence."""
    return _KINDS.get(code, Error)(code, text)
