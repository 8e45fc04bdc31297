# SPDX-License-Identifier: MIT
"""How much of the memory of ranks lies beside their GPUs, by the ways in which people start them; rank N uses GPU N."""

import subprocess

from places import *

MIB = 64


def start_each(commands):
    """The ranks, started together as a launcher would."""
    started = [subprocess.Popen([*command, *touch(MIB)[1:]], env={**os.environ, "LOCAL_RANK": str(number)},
                                stdout=subprocess.PIPE, text=True) for number, command in enumerate(commands)]
    return understand_all("".join(process.communicate()[0] for process in started))


def plain(machine, nodes):
    return start_each([[] for _ in nodes])


def numactl_by_hand(machine, nodes):
    """Somebody who knows this machine; all ranks of a node share its CPUs."""
    return start_each([["numactl", "--cpunodebind=%d" % node, "--preferred=%d" % node] for node in nodes])


def nodes_by_index(machine, nodes):
    """Ranks divided by nodes with CPUs, by the number of the rank; memory as well."""
    there = sorted(node for node in machine.node if machine.node[node])
    each = max(len(nodes) // len(there), 1)
    chosen = [there[min(rank // each, len(there) - 1)] for rank in range(len(nodes))]
    return start_each([["numactl", "--cpunodebind=%d" % node, "--membind=%d" % node] for node in chosen])


def cores_by_index(machine, nodes):
    """CPUs 0 to N - 1 divided by the number of ranks; memory follows the first touch."""
    each = len(machine.online) // len(nodes)
    return start_each([["numactl", "--physcpubind=%d-%d" % (rank * each, (rank + 1) * each - 1)]
                       for rank in range(len(nodes))])


def pitcrew(*words):
    def start(machine, nodes):
        return job("--per-gpu=1", *words, program=touch(MIB))[1]
    return start


WAYS = [
    ("plain start", plain),
    ("cores divided by index", cores_by_index),
    ("nodes divided by index", nodes_by_index),
    ("numactl, the right node by hand", numactl_by_hand),
    ("pitcrew run --spill none", pitcrew("--spill=none")),
    ("pitcrew run", pitcrew()),
]


def measure(machine, nodes, ranks):
    """Shares: pages beside the GPU, pages beside the thread that touched them, CPUs that are used; CPUs of several ranks."""
    pages = max(sum(sum(rank["pages"].values()) for rank in ranks), 1)
    by_gpu = sum(rank["pages"].get(node, 0) for rank, node in zip(ranks, nodes))
    by_thread = sum(near for rank in ranks for _, _, near in rank["threads"])
    cpus = [cpu for rank in ranks for cpu in rank["cpus"]]
    return (by_gpu / pages, by_thread / pages, len(set(cpus)) / len(machine.online),
            len({cpu for cpu in cpus if cpus.count(cpu) > 1}))


def table(title, *nodes):
    """GPUs in this order of nodes: all ways in turn, a line each; returns {way: (pages by GPU, pages by thread)}."""
    move_gpus(*nodes)
    machine, shares = Machine(), {}
    say("-- table: %s; GPUs on nodes %s, %d MiB a rank" % (title, ", ".join(map(str, nodes)), MIB))
    say("   %-34s %13s %16s %10s %13s" % ("", "pages by GPU", "pages by thread", "CPUs used", "shared CPUs"))
    for name, start in WAYS:
        ranks = start(machine, nodes)
        by_gpu, by_thread, used, many = measure(machine, nodes, ranks)
        shares[name] = by_gpu, by_thread
        say("   %-34s %11.0f %% %14.0f %% %8.0f %% %13d" % (name, by_gpu * 100, by_thread * 100, used * 100, many))
        result("%s: all ranks tell (%s)" % (title, name), len(ranks) == len(nodes), ranks)
    return shares


def judge(title, shares, ours="pitcrew run"):
    """Nobody has more of either; a hundredth is for what a kernel does beside."""
    for at, what in enumerate(("GPU", "thread")):
        best = max(share[at] for name, share in shares.items() if not name.startswith("pitcrew"))
        result("%s: nobody has more pages by its %s than %s" % (title, what, ours), shares[ours][at] >= best - 0.01,
               shares)
