# SPDX-License-Identifier: MIT
"""Boots machines for the tests in this folder, and counts what came of them."""

import os
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PITCREW = os.environ.get("PITCREW", os.path.join(TOP, "build", "pitcrew"))
NO_RESULT = 125
CUT_OFF = 126  # the guest ran CUT, and its power was cut
CUT = "echo > /dev/ttyS1; sleep 1000"


def setup():
    """Prepares kernel and packages; ends the program when that cannot be done."""
    done = subprocess.run([os.path.join(HERE, "setup")], stdout=sys.stderr)
    if done.returncode != 0:
        sys.exit("tests/vm: setup failed, nothing was run")


def machines():
    """The lines of tests/vm/machines as {name: [rig argument, ...]}."""
    table = {}
    with open(os.path.join(HERE, "machines")) as lines:
        for line in lines:
            words = shlex.split(line, comments=True)
            if words:
                table[words[0]] = words[1:]
    return table


def power_table(shape, folder, latency):
    """An ACPI table with P- and C-states for as many CPUs as the machine has; returns its path. See power-table."""
    nodes = next(word for word in shape if word.startswith("nodes="))[len("nodes="):]
    cpus = sum(int(node.split(":")[0]) for node in nodes.split(","))
    path = os.path.join(folder, "power.aml")
    subprocess.run([os.path.join(HERE, "power-table"), str(cpus), path, *latency], check=True)
    return path


def boot(shape, command, share=None, timeout=180, directory=TOP):
    """Runs the command in a machine of this shape; returns what subprocess.run returns, with text output."""
    with tempfile.TemporaryDirectory(prefix="pitcrew-power.") as folder:
        args = ["acpi=" + power_table(shape, folder, word.split(":")[1:]) if word.startswith("acpi=power") else word
                for word in shape]
        if share:
            args.append("share=" + share)
        return subprocess.run(
            [os.path.join(HERE, "rig"), *args, "timeout=%d" % timeout, "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            cwd=directory)


class Tally:
    """Counts results and remembers what to say about the ones that went wrong."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.notes = []

    def add(self, name, ok, note=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
        if note:
            self.notes.append("%s: %s" % (name, note))
        return ok

    def skip(self, name, reason):
        self.skipped += 1
        self.notes.append("%s: skipped: %s" % (name, reason))

    def finish(self):
        """Prints the notes and the line that the caller's script looks for; returns the exit code."""
        for note in self.notes:
            print("  " + note)
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        return 1 if self.failed else 0
