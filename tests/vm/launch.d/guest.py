# SPDX-License-Identifier: MIT
"""What the programs of this folder use inside the guest. Called as `PROGRAM PITCREW SHARE BUILD-TEST`."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(1, os.path.dirname(HERE))
from results import *

BUILD_TEST = (sys.argv + ["", "", ""])[3]


def tool(name):
    """A program of the build with tests."""
    return os.path.join(BUILD_TEST, "tests", "launch", name)
