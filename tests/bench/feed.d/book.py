# SPDX-License-Identifier: MIT
"""Figures of several rounds, and what is said of them: medians, ratios within each round, and goals."""

import json
import os
import statistics
import subprocess
import sys


class Book:
    """What one part of the bench measured: {name: {round: figure}}; a figure may lack in a round."""

    def __init__(self, title):
        self.title, self.units, self.figures, self.notes, self.goals = title, {}, {}, [], []
        self.round = 0

    def put(self, name, value, unit="MiB/s"):
        self.units[name] = unit
        self.figures.setdefault(name, {})[self.round] = value

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def goal(self, what, ours, peers, wanted, less=False):
        """`wanted` times the best of the peers, or with `less` at most that; None: there is no goal, only a ratio. The best
        is the one with the best median: the best figure of each round would be its luckiest."""
        self.goals.append((what, ours, [peers] if isinstance(peers, str) else peers, wanted, less))

    def median(self, name):
        return statistics.median(self.figures[name].values()) if self.figures.get(name) else None

    def best(self, names, less):
        """The name of the best of the peers, or None."""
        return (min if less else max)((name for name in names if self.figures.get(name)), key=self.median, default=None)

    def ratios(self, ours, peers, less):
        peer = self.figures.get(self.best(peers, less), {})
        return [value / peer[number] for number, value in self.figures.get(ours, {}).items() if peer.get(number)]

    def show(self):
        print("\n" + self.title)
        for note in self.notes:
            print("  " + note)
        print("  %-58s %10s %10s %10s" % ("", "median", "min", "max"))
        for name in self.figures:
            values = list(self.figures[name].values())
            print("  %-58s %10s %10s %10s %s" % (name, *(
                "%.*f" % (digits(value), value) for value in (statistics.median(values), min(values), max(values))),
                self.units[name]))
        if self.goals:
            print("  %-58s %10s %10s %10s %9s" % ("ratio within each round", "median", "min", "max", "goal"))
        for what, ours, peers, wanted, less in self.goals:
            self.show_goal(what, self.ratios(ours, peers, less), wanted, less)
            if len(peers) > 1:
                print("    the best: %s" % self.best(peers, less))
        sys.stdout.flush()

    def show_goal(self, what, ratios, wanted, less):
        if not ratios:
            print("  %-58s not measured" % what)
            return
        middle = statistics.median(ratios)
        end = ""
        if wanted is not None:
            reached = middle <= wanted if less else middle >= wanted
            end = " %s %5.2f %s" % ("<=" if less else ">=", wanted, "reached" if reached else "NOT REACHED")
        print("  %-58s %10.2f %10.2f %10.2f  %s" % (what, middle, min(ratios), max(ratios), end))

    def plain(self):
        """For --json."""
        return {"title": self.title, "notes": self.notes, "figures": {
            name: {"unit": self.units[name], "rounds": values} for name, values in self.figures.items()}, "goals": [
                {"what": what, "goal": wanted, "at_most": less, "ratios": self.ratios(ours, peers, less)}
                for what, ours, peers, wanted, less in self.goals]}


def digits(value):
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3


class Failed(Exception):
    """A figure that could not be had, and why."""


def answer(command, **more):
    """The JSON objects that a program prints, one a line."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", **more)
    if done.returncode != 0:
        raise Failed("%s: exit %d: %s" % (" ".join(map(str, command))[:200], done.returncode, done.stderr.strip()[-500:]))
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Peer:
    """A process with torch that stays, so that it is imported once; see peers.py."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def ask(self, name, *args):
        self.process.stdin.write(json.dumps([name, *args]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed("%s: the process with torch is gone" % name)
        found = json.loads(line)
        if "error" in found:
            raise Failed(found["error"])
        return found

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def fio(path, mode, size, block, depth, **more):
    """Runs fio on a file, O_DIRECT by io_uring; its answer's "read" or "write"."""
    job = {"name": "beside", "filename": path, "rw": mode, "bs": block, "iodepth": depth, "size": size, "direct": 1,
           "ioengine": "io_uring", "output-format": "json", **more}
    done = subprocess.run(["fio", *("--%s=%s" % (key, value) for key, value in job.items())],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 and more.get("ioengine") != "psync":
        # a sandbox without io_uring, or a file system without O_DIRECT
        return fio(path, mode, size, block, depth, **{**more, "ioengine": "psync", "direct": 0, "numjobs": 1})
    if done.returncode != 0:
        raise Failed("fio: " + done.stderr.strip()[-300:])
    found = json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0]
    return found["write" if "write" in mode else "read"]


def load_average():
    return os.getloadavg()[0]
