# SPDX-License-Identifier: MIT
"""A recording (see README.md) made of a topology that hwloc exported as XML, version 1 or 2: CPUs, nodes, distances, PCI
devices with the bridges above them, RDMA and network interfaces, and NVML's answer about UUIDs where the XML has them."""
import os
import re
import xml.etree.ElementTree as ElementTree

IO = ("Bridge", "PCIDev", "OSDev")


def mask(text):
    """'0xff,,0x0' -> {64, ...}; words of 32 bits, the highest first, empty ones are 0"""
    number = 0
    for word in (text or "0x0").split(","):
        number = number << 32 | int(word or "0", 16)
    return {i for i in range(number.bit_length()) if number >> i & 1}


def cpu_list(cpus):
    out, run = [], []
    for c in sorted(cpus) + [None]:
        if run and c != run[-1] + 1 if c is not None else run:
            out.append(str(run[0]) if len(run) == 1 else "%d-%d" % (run[0], run[-1]))
            run = []
        run.append(c)
    return ",".join(out)


def parse_list(text):
    cpus = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return cpus


class Machine:
    """What the XML says. nodes: id -> (CPUs, kB); cores: sets in logical order; pci: address -> dict"""

    def __init__(self, path):
        with open(path) as f:
            self.xml = f.read()
        root = ElementTree.fromstring(self.xml)
        self.cpus, self.cores, self.packages, self.nodes, self.pci, self.distance = set(), [], [], {}, {}, {}
        for top in root.findall("object"):
            self.walk(top, None, "", [])
        claimed = set()
        for n in sorted(self.nodes):  # memory without CPUs: version 2 gives it those of its parent
            self.nodes[n] = (self.nodes[n][0] - claimed, self.nodes[n][1])
            claimed |= self.nodes[n][0]
        self.read_distances(root)

    def walk(self, o, nodeset, path, bridges):
        kind = o.get("type")
        if kind not in IO:
            nodeset = o.get("nodeset", nodeset)
        if kind == "PU":
            self.cpus |= mask(o.get("cpuset"))
        elif kind == "Core":
            self.cores.append(mask(o.get("cpuset")))
        elif kind in ("Package", "Socket"):
            self.packages.append(mask(o.get("cpuset")))
        elif kind == "NUMANode":
            self.nodes[int(o.get("os_index"))] = (mask(o.get("cpuset")), int(o.get("local_memory") or 0) // 1024)
        elif kind == "Bridge" and not o.get("pci_busid"):
            found = re.match(r"([0-9a-f]+):\[([0-9a-f]+)-", o.get("bridge_pci") or "")
            path = "pci%s:%s" % found.groups() if found else ""
        elif kind in ("Bridge", "PCIDev") and path:
            path += "/" + o.get("pci_busid")
            if kind == "PCIDev":
                self.pci[o.get("pci_busid")] = device = {
                    "type": o.get("pci_type"), "path": path, "nodes": mask(nodeset), "os": {}, "info": {}}
                bridges = [device]
        elif kind == "OSDev" and bridges:
            bridges[0]["os"][o.get("name")] = o.get("osdev_type")
            bridges[0]["info"].update({i.get("name"): i.get("value") for i in o.findall("info")})
        for child in o.findall("object"):
            self.walk(child, nodeset, path, bridges)

    def read_distances(self, root):
        for d in root.iter("distances2"):
            if d.get("type") != "NUMANode" or d.get("indexing") != "os" or "atency" not in (d.get("name") or "atency"):
                continue
            ids = [int(w) for e in d.findall("indexes") for w in e.text.split()]
            values = [int(w) for e in d.findall("u64values") for w in e.text.split()]
            if sorted(ids) == sorted(self.nodes) and len(values) == len(ids) ** 2:
                self.distance = {a: [values[i * len(ids) + ids.index(b)] for b in sorted(ids)] for i, a in enumerate(ids)}

    def node_of(self, device):
        return min(device["nodes"]) if len(device["nodes"]) == 1 else -1

    def gpus(self):
        """PCI address -> number that NVIDIA's or AMD's library gave it, where that was recorded"""
        out = {}
        for address, d in self.pci.items():
            for name in d["os"]:
                found = re.match(r"(?:nvml|rsmi)(\d+)$", name)
                if found:
                    out[address] = int(found.group(1))
        return out


def put(root, path, text):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as f:
        f.write(text)


def link(root, path, target):
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    os.symlink(target, root + path)


def write_devices(m, root):
    nvml = []
    for address, d in m.pci.items():
        found = re.match(r"(\w{4}) \[(\w{4}):(\w{4})\]", d["type"])
        where = "/sys/devices/" + d["path"]
        node = m.node_of(d)
        put(root, where + "/class", "0x%s00\n" % found.group(1))
        put(root, where + "/vendor", "0x%s\n" % found.group(2))
        put(root, where + "/device", "0x%s\n" % found.group(3))
        put(root, where + "/numa_node", "%d\n" % node)
        if node >= 0:
            put(root, where + "/local_cpulist", cpu_list(m.nodes[node][0]) + "\n")
        link(root, "/sys/bus/pci/devices/" + address, "../../.." + where[4:])
        for name, kind in d["os"].items():
            if kind == "3":
                put(root, "%s/infiniband/%s/ports/1/state" % (where, name), "%s: %s\n" % (
                    (d["info"].get("Port1State"), "ACTIVE") if d["info"].get("Port1State") == "4" else ("1", "DOWN")))
                link(root, "/sys/class/infiniband/" + name, "../.." + where[4:] + "/infiniband/" + name)
            elif kind == "2":
                put(root, "%s/net/%s/operstate" % (where, name), "up\n")
                link(root, "/sys/class/net/" + name, "../.." + where[4:] + "/net/" + name)
            elif name.startswith("nvml"):
                nvml.append('{"index":%s,"pci":"%s","uuid":"%s","name":"%s"}' % (
                    name[4:], address, d["info"].get("NVIDIAUUID", ""), d["info"].get("GPUModel", "")))
    if nvml:
        put(root, "/.pitcrew/fact/nvml", '{"gpus":[%s]}' % ",".join(nvml))


def write(m, root, allowed=None):
    """`allowed`: CPUs of the job; None: all"""
    put(root, "/.pitcrew/format", "1\n")
    put(root, "/.pitcrew/fact/hwloc.xml", m.xml)
    put(root, "/.pitcrew/fact/affinity", cpu_list(m.cpus if allowed is None else allowed & m.cpus))
    put(root, "/sys/devices/system/cpu/online", cpu_list(m.cpus) + "\n")
    for n, (cpus, kb) in m.nodes.items():
        put(root, "/sys/devices/system/node/node%d/cpulist" % n, cpu_list(cpus & m.cpus) + "\n")
        put(root, "/sys/devices/system/node/node%d/meminfo" % n, "Node %d MemTotal: %d kB\n" % (n, kb))
        if n in m.distance:
            put(root, "/sys/devices/system/node/node%d/distance" % n, " ".join(map(str, m.distance[n])) + "\n")
    for number, cpus in enumerate(m.packages):
        for c in cpus & m.cpus:
            put(root, "/sys/devices/system/cpu/cpu%d/topology/physical_package_id" % c, "%d\n" % number)
    write_devices(m, root)
