# SPDX-License-Identifier: MIT
"""What programs inside the guests tell their runner, and small helpers of theirs.

Called as `PROGRAM PITCREW SHARE [ARG]...`; results go to SHARE/results, a JSON object a line.
"""

import json
import os
import subprocess
import sys

PITCREW, SHARE = (sys.argv + ["", ""])[1:3]

if not os.path.exists("/run/vm/job"):
    sys.exit("only for use in the rig's guest: these programs change the machine")


# ---- results ----

def _tell(**words):
    with open(os.path.join(SHARE, "results"), "a") as file:
        file.write(json.dumps(words) + "\n")
        file.flush()
        os.fsync(file.fileno())


def result(name, ok, note=""):
    """One test; `note` says what went wrong, and is left away when nothing did."""
    _tell(name=name, ok=bool(ok), note="" if ok else str(note)[-1500:])
    return bool(ok)


def skip(name, reason):
    _tell(name=name, ok=None, note=reason)


def say(text):
    """A line for the reader of the run."""
    _tell(say=text)


# ---- helpers ----

class Answer:
    def __init__(self, args, done):
        self.args, self.rc, self.out, self.err = args, done.returncode, done.stdout, done.stderr

    def __str__(self):
        return "%s: exit %d; stdout %s; stderr %s" % (
            " ".join(self.args), self.rc, self.out.strip()[-700:], self.err.strip()[-500:])

    def json(self):
        return json.loads(self.out)

    def has(self, *words):
        """Whether the answer, wherever it was printed, has all these words; lines are wrapped, so blanks are alike."""
        text = " ".join((self.out + " " + self.err).split())
        return all(word in text for word in words)


def run(*args, **more):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", **more)
    return Answer(args, done)


def sh(script):
    return run("bash", "-c", script)


def read(path, default=None):
    """A file of the machine as text without the newline at its end."""
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace").rstrip("\n")
    except OSError:
        return default


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
