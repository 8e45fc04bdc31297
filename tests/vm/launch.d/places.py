# SPDX-License-Identifier: MIT
"""The machine by its own words, jobs of pages_tool on it, and whether both and the plan agree.

A rank is what pages_tool told: a dictionary with its CPUs as a set, its policy, pages, {node: how many}, and of each
thread the CPU and the node where it ended and how many pages of its part are on that node.
"""

import glob
import re

from guest import *

CGROUP = "/sys/fs/cgroup"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# what numa_maps calls the policies of --mem
POLICY = {"prefer": "prefer (many):", "bind": "bind:", "interleave": "interleave:", "local": "local", "none": "default"}


def numbers(text):
    """{0, 1, 4} of "0-1,4"."""
    found = set()
    for part in (text or "").strip().split(","):
        if part:
            first, _, last = part.partition("-")
            found |= set(range(int(first), int(last or first) + 1))
    return found


class Machine:
    """What /sys says, now."""

    def __init__(self):
        self.online = numbers(read("/sys/devices/system/cpu/online"))
        self.node = {int(path.rsplit("node", 1)[1]): numbers(read(path + "/cpulist"))
                     for path in glob.glob("/sys/devices/system/node/node[0-9]*")}
        self.memory_only = {n for n, cpus in self.node.items() if not cpus}
        self.core = {cpu: numbers(self.about(cpu, "topology/thread_siblings_list")) for cpu in self.online}
        self.package = {cpu: numbers(self.about(cpu, "topology/package_cpus_list")) for cpu in self.online}
        self.l3 = {cpu: numbers(self.about(cpu, "cache/index3/shared_cpu_list")) for cpu in self.online}
        self.distance = {n: [int(word) for word in read("/sys/devices/system/node/node%d/distance" % n).split()]
                         for n in self.node}

    @staticmethod
    def about(cpu, name):
        return read("/sys/devices/system/cpu/cpu%d/%s" % (cpu, name))

    def nodes_of(self, cpus):
        return {n for n, there in self.node.items() if there & cpus}

    def node_of_gpu(self, pci):
        return int(read("/sys/bus/pci/devices/%s/numa_node" % pci))

    def nearest_with_cpus(self, node):
        return min((n for n in self.node if self.node[n]), key=lambda n: (self.distance[node][n], n))


def gpus():
    """The PCI addresses of dressed GPUs, in order."""
    return sorted(os.path.basename(path) for path in glob.glob("/sys/bus/pci/devices/*")
                  if read(path + "/vendor") == "0x10de")


def move_gpus(*nodes):
    """As firmware might have it: sysfs lets root say where a device is."""
    for pci, node in zip(gpus(), nodes):
        write("/sys/bus/pci/devices/%s/numa_node" % pci, str(node))
    found = [Machine().node_of_gpu(pci) for pci in gpus()]
    return result("GPUs are on nodes %s" % ", ".join(map(str, nodes)), found == list(nodes), found)


def dress_gpus(*nodes):
    """QEMU's edu devices become GPUs, named by a fake NVML in the order of their addresses, on these nodes."""
    answer = sh(". tests/vm/faults.sh && dress_gpus && touch /dev/dxg")  # a sign of a driver that can be made by hand
    result("the machine has GPUs", answer.rc == 0 and len(gpus()) == len(nodes), answer)
    os.environ["LD_LIBRARY_PATH"] = os.path.join(BUILD_TEST, "tests", "fake")
    os.environ["FAKE_NVML"] = "gpus=%d bus=%s" % (len(nodes), ",".join("0x" + pci.split(":")[1] for pci in gpus()))
    move_gpus(*nodes)


def understand(line):
    """A rank of a line of pages_tool."""
    rank = json.loads(line)
    words = (rank["pages"] or "").split(" anon=")
    rank["policy"] = words[0]
    rank["pages"] = {int(n): int(count) for n, count in re.findall(r" N(\d+)=(\d+)", rank["pages"] or "")}
    rank["cpus"] = numbers(rank["cpus"])
    return rank


def understand_all(text):
    """The ranks of an output, by their number."""
    found = [understand(line[line.index("{"):]) for line in text.splitlines() if "{" in line]
    return sorted(found, key=lambda rank: int(rank["LOCAL_RANK"] or 0))


def touch(mib=4, threads=0):
    return ["--", tool("pages_tool"), str(mib), str(threads)]


def plan(*words, prefix=(), **more):
    """What --dry-run says; {} when it fails."""
    answer = run(*prefix, PITCREW, "run", *words, "--dry-run", "--format=json", *touch(), **more)
    return json.loads(answer.out) if answer.rc == 0 else {"error": str(answer)}


def job(*words, prefix=(), program=None, **more):
    """(answer, ranks) of a job that runs."""
    answer = run(*prefix, PITCREW, "run", *words, *(program or touch()), **more)
    return answer, understand_all(answer.out)


BIND = "node", "exclusive", "l3", "socket", "none"
MEM = "prefer", "bind", "interleave", "local", "none"
USUAL = [("auto", mem) for mem in MEM] + [(bind, "auto") for bind in BIND]


def call_each(*tests):
    """What a test trips over is its failure, and the others go on."""
    for test in tests:
        try:
            test()
        except Exception as error:
            result(test.__name__, False, repr(error))


# ---- what must hold ----

def wrong_policy(seat, rank, mem):
    want = POLICY[mem]
    if want.endswith(":"):
        want += seat["mems"]
    return rank["policy"] != want and "policy is %s, wanted %s" % (rank["policy"], want)


def wrong_pages(machine, seat, rank, mem):
    """Pages lie where the policy says, and where nobody says, beside the threads that touched them."""
    mems, there = numbers(seat["mems"]), set(rank["pages"])
    if mem in ("prefer", "bind") and not there <= mems:
        return "pages are on %s, not on %s" % (there, mems)
    if mem == "interleave" and (there != mems or max(rank["pages"].values()) > 1.1 * min(rank["pages"].values())):
        return "pages are not spread over %s: %s" % (mems, rank["pages"])
    if not there <= machine.nodes_of(rank["cpus"]) | mems:
        return "pages are on %s, the CPUs on %s" % (there, machine.nodes_of(rank["cpus"]))
    return there & machine.memory_only and "pages are on a memory-only node"


def wrong_variables(seat, rank):
    for one in seat["variables"]:
        if one["name"] in rank and rank[one["name"]] != one["value"]:
            return "%s is %s, planned %s" % (one["name"], rank[one["name"]], one["value"])
    return rank["OMP_NUM_THREADS"] != str(seat["threads"]) and "OMP_NUM_THREADS is not the threads of the plan"


def wrong_rank(machine, seat, rank, mem, allowed):
    cpus = numbers(seat["cpus"]) or allowed
    if rank["cpus"] != cpus:
        return "CPUs are %s, planned %s" % (sorted(rank["cpus"]), seat["cpus"])
    if any(cpu not in cpus for cpu, _, _ in rank["threads"]):
        return "a thread ran elsewhere: %s" % rank["threads"]
    return wrong_policy(seat, rank, mem) or wrong_pages(machine, seat, rank, mem) or wrong_variables(seat, rank)


def disagreements(machine, planned, ranks, allowed=None):
    """Where a job did something else than its plan said."""
    if "ranks" not in planned:
        return [planned]
    mem, seats = planned["placement"]["mem"], planned["ranks"]
    if len(ranks) != len(seats):
        return ["%d ranks told something, %d were planned" % (len(ranks), len(seats))]
    found = [wrong_rank(machine, seat, rank, mem, allowed or machine.online) for seat, rank in zip(seats, ranks)]
    return ["rank %d: %s" % (number, text) for number, text in enumerate(found) if text]


def whole_cores(machine, cpus, allowed):
    return all(machine.core[cpu] & allowed <= cpus for cpu in cpus)


def wrong_exclusive(machine, planned, allowed):
    given, all_given = planned["placement"], set()
    for rank in planned["ranks"]:
        cpus = numbers(rank["cpus"])
        if cpus & all_given and not given["warnings"]:
            return "CPUs %s are given twice" % sorted(cpus & all_given)
        if not given["warnings"] and not whole_cores(machine, cpus, allowed):
            return "siblings are apart in %s" % sorted(cpus)
        all_given |= cpus
    rest = numbers(given["reserved"]) | numbers(given["idle"])
    return (all_given | rest != allowed or bool(all_given & rest)) and "%s and %s are not %s" % (
        sorted(all_given), sorted(rest), sorted(allowed))


def homes_of(machine, planned, seat):
    """The nodes of a rank's GPUs, or the nearest with CPUs to those; without GPUs what the plan says."""
    gpus = [planned["site"]["gpus"][at] for at in seat["gpus"]]
    return [machine.nearest_with_cpus(machine.node_of_gpu(gpu["pci"])) for gpu in gpus] or [seat["node"]]


def wrong_home(machine, planned, seat):
    homes = homes_of(machine, planned, seat)
    return seat["node"] not in homes and "rank %d is at home on node %s, not on %s" % (
        seat["rank"], seat["node"], homes)


def wrong_area(machine, planned, seat, allowed):
    """What of the machine its CPUs must be, by the way of binding."""
    cpus = numbers(seat["cpus"])
    home = set().union(*(machine.node.get(node, set()) for node in homes_of(machine, planned, seat))) & allowed
    bind = planned["placement"]["bind"]
    areas = {
        "node": [home],
        "socket": [machine.package[cpu] & allowed for cpu in home],
        "l3": [machine.l3[cpu] & home for cpu in home],
        "none": [set()],
    }
    if bind in areas:
        return cpus not in areas[bind] and "rank %d has %s by %s" % (seat["rank"], seat["cpus"], bind)
    return not cpus & home and "rank %d has no CPU of its node" % seat["rank"]


def untruths(machine, planned, allowed=None):
    """Where a plan does not suit the machine."""
    if "ranks" not in planned:
        return [planned]
    allowed = allowed or machine.online
    found = [wrong_home(machine, planned, seat) or wrong_area(machine, planned, seat, allowed)
             for seat in planned["ranks"]]
    if planned["placement"]["bind"] == "exclusive":
        found.append(wrong_exclusive(machine, planned, allowed))
    found += ["memory-only nodes are used" for seat in planned["ranks"] if numbers(seat["mems"]) & machine.memory_only]
    return [text for text in found if text]


def ways(who, which, prefix=(), grouped=None, words=("--ranks=4",), **more):
    """Ways of binding, (bind, mem) each."""
    for bind, mem in which:
        check("%s: --bind %s --mem %s" % (who, bind, mem), *words, "--bind=" + bind, "--mem=" + mem, prefix=prefix,
              grouped=grouped, **more)


def check(title, *words, machine=None, allowed=None, prefix=(), grouped=None):
    """A job does what its plan says, and the plan suits the machine; returns (plan, ranks)."""
    machine = machine or Machine()
    planned = plan(*words, prefix=prefix)
    answer, ranks = job(*words, prefix=prefix)
    wrong = untruths(machine, planned, allowed) + disagreements(machine, planned, ranks, allowed)
    if grouped is not None:
        wrong += ["rank %d is in group %s" % (number, rank["cgroup"]) for number, rank in enumerate(ranks)
                  if bool(re.search(r"/pitcrew-\d+/rank-%d$" % number, rank["cgroup"])) != grouped]
    result(title, answer.rc == 0 and not wrong, "%s\n%s\n%s" % (wrong, answer, [
        {key: seat[key] for key in ("cpus", "mems", "node")} for seat in planned.get("ranks", [])]))
    return planned, ranks
