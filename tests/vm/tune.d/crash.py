# SPDX-License-Identifier: MIT
"""What the crash tests share: the program that dies at a step, what `status` must say then, and a quick look."""

import os

from guest import *

PROFILE = own("crash.ini")
CRASH = sys.argv[3]


def crash(state, where, *how):
    answer = run(CRASH, state, PROFILE, where, *how)
    answer.args = ("crash_apply",) + answer.args[2:]
    return answer


def steps_of(answer):
    """["begin", "begin", "intend 0", ...]: each name stands before and after its step."""
    return [line.split(" ", 1)[1] for line in answer.out.splitlines() if line[:1].isdigit()]


def states_after(steps, at, reverting):
    """What `status` may say when the process ended at steps[at]; None: it does not know the transaction."""
    def done(name):  # the step itself is over: its second mention came
        return steps.index(name) + 1 <= at
    if reverting:
        return {"reverted"} if done("reverted") else {"half reverted"} if done("undo") else {"applied"}
    if done("commit"):
        return {"applied"}
    return {"interrupted"} if done("ready") else {None, "empty"}


def state_of(txn):
    """(state, the whole answer) of the newest transaction when it is this one."""
    answer = tune("status", "--format", "json")
    if answer.rc != 0:
        return str(answer)
    found = [t["state"] for t in answer.json()["transactions"] if t["txn"] == txn]
    return found[0] if found else None


def newest():
    found = tune("status", "--format", "json").json()["transactions"]
    return found[-1]["txn"] if found else 0


def look(paths):
    """The files that a transaction writes, and all that was ever changed in /etc."""
    found = kernel(paths)
    for folder, folders, names in os.walk(CHANGES + "/etc"):
        for name in folders + names:
            path = folder[len(CHANGES):] + "/" + name
            found[path] = entry(path) if os.path.lexists(path) else "gone"
    return found


def cells(plan):
    """Paths of the kernel that a plan writes."""
    paths = {"/proc/sys/vm/" + name for name in (
        "dirty_ratio", "dirty_bytes", "dirty_background_ratio", "dirty_background_bytes")}
    for change in plan["changes"]:
        if change["target"] == "sysctl":
            paths.add("/proc/sys/" + change["object"].replace(".", "/"))
        elif change["target"] == "kernel":
            paths.add(change["object"])
    return sorted(paths)
