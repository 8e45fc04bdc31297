#!/usr/bin/env python3
"""make_host.py DIR: a synthetic recorded host of 256 CPUs, 8 NUMA nodes, 8 GPUs, 8 NICs and 4,000 processes.

The shape of two 64-core SMT2 sockets in NPS4, GPUs and NICs in pairs behind switches, as DGX-class machines have it."""
import os
import sys

root = sys.argv[1]
CPUS, NODES, CORES_PER_NODE, PROCESSES = 256, 8, 16, 4000


def put(path, text):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as f:
        f.write(text if text.endswith("\n") else text + "\n")


def link(path, target):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    os.symlink(target, full)


def node_cpus(n):
    return f"{n * 16}-{n * 16 + 15},{n * 16 + 128}-{n * 16 + 143}"


def mask(cpus):
    value = sum(1 << c for c in cpus)
    words = [f"{value >> (32 * i) & 0xffffffff:08x}" for i in range(CPUS // 32)]
    return ",".join(reversed(words))


for kind in ("online", "possible", "present"):
    put(f"/sys/devices/system/cpu/{kind}", "0-255")
put("/sys/devices/system/cpu/offline", "")
put("/sys/devices/system/cpu/isolated", "")
put("/sys/devices/system/cpu/smt/control", "on")
put("/sys/devices/system/cpu/smt/active", "1")
for cpu in range(CPUS):
    core = cpu % 128
    base = f"/sys/devices/system/cpu/cpu{cpu}"
    socket = list(range(core // 64 * 64, core // 64 * 64 + 64))
    put(f"{base}/online", "1")
    put(f"{base}/topology/physical_package_id", str(core // 64))
    put(f"{base}/topology/core_id", str(core % 64))
    put(f"{base}/topology/thread_siblings", mask([core, core + 128]))
    put(f"{base}/topology/thread_siblings_list", f"{core},{core + 128}")
    put(f"{base}/topology/core_siblings", mask(socket + [c + 128 for c in socket]))
    put(f"{base}/cpufreq/scaling_governor", "performance")
    put(f"{base}/cpufreq/scaling_driver", "amd-pstate-epp")
    put(f"{base}/cpufreq/energy_performance_preference", "performance")
    l3 = [c for c in range(core // 8 * 8, core // 8 * 8 + 8)]
    for index, (level, type_, size, cpus) in enumerate(
            [(1, "Data", "32K", [core, core + 128]), (1, "Instruction", "32K", [core, core + 128]),
             (2, "Unified", "1024K", [core, core + 128]), (3, "Unified", "32768K", l3 + [c + 128 for c in l3])]):
        put(f"{base}/cache/index{index}/level", str(level))
        put(f"{base}/cache/index{index}/type", type_)
        put(f"{base}/cache/index{index}/size", size)
        put(f"{base}/cache/index{index}/shared_cpu_map", mask(cpus))
    for state, (name, latency) in enumerate([("POLL", 0), ("C1", 1), ("C2", 100)]):
        put(f"{base}/cpuidle/state{state}/name", name)
        put(f"{base}/cpuidle/state{state}/latency", str(latency))
        put(f"{base}/cpuidle/state{state}/disable", "0")
        put(f"{base}/cpuidle/state{state}/usage", "1000")
        put(f"{base}/cpuidle/state{state}/time", "100000")

put("/sys/devices/system/node/online", "0-7")
put("/sys/devices/system/node/possible", "0-7")
put("/sys/devices/system/node/has_cpu", "0-7")
put("/sys/devices/system/node/has_memory", "0-7")
for n in range(NODES):
    base = f"/sys/devices/system/node/node{n}"
    cpus = list(range(n * 16, n * 16 + 16)) + list(range(n * 16 + 128, n * 16 + 144))
    put(f"{base}/cpulist", node_cpus(n))
    put(f"{base}/cpumap", mask(cpus))
    put(f"{base}/distance", " ".join("10" if m == n else "12" if m // 4 == n // 4 else "32" for m in range(NODES)))
    put(f"{base}/meminfo", f"Node {n} MemTotal: 132000000 kB\nNode {n} MemFree: 100000000 kB")
    put(f"{base}/numastat", "numa_hit 1000000\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 1000000\nother_node 0")

irq = 100
for i in range(8):
    node = i
    bus = 0x10 + i * 0x10
    bridge = f"/sys/devices/pci0000:{bus:02x}/0000:{bus:02x}:01.0"
    for slot, (cls, vendor, device, driver) in enumerate(
            [("0x030200", "0x10de", "0x2330", "nvidia"), ("0x020700", "0x15b3", "0x1021", "mlx5_core"),
             ("0x010802", "0x144d", "0xa80a", "nvme")]):
        pci = f"0000:{bus + 1 + slot:02x}:00.0"
        base = f"{bridge}/{pci}"
        for name, value in [("class", cls), ("vendor", vendor), ("device", device), ("numa_node", str(node)),
                            ("local_cpulist", node_cpus(node)), ("current_link_width", "16"), ("max_link_width", "16"),
                            ("current_link_speed", "32.0 GT/s PCIe"), ("max_link_speed", "32.0 GT/s PCIe"),
                            ("enable", "1"), ("revision", "0xa1")]:
            put(f"{base}/{name}", value)
        for _ in range(16):
            put(f"{base}/msi_irqs/{irq}", "msix")
            put(f"/proc/irq/{irq}/smp_affinity_list", node_cpus(node))
            put(f"/proc/irq/{irq}/effective_affinity_list", str(node * 16 + irq % 16))
            irq += 1
        link(f"/sys/bus/pci/devices/{pci}", f"../../..{base[4:]}")
        link(f"{base}/driver", f"../../../../bus/pci/drivers/{driver}")

put("/proc/interrupts", " " * 12 + "".join(f"CPU{c:<8}" for c in range(CPUS)) + "\n" + "\n".join(
    f"{n:4}: " + " ".join("        12" for _ in range(CPUS)) + f"  IR-PCI-MSIX edge dev-{n}" for n in range(100, irq)))
put("/proc/meminfo", "MemTotal: 1056000000 kB\nMemFree: 800000000 kB\nMemAvailable: 900000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    "Dirty: 100 kB\nWriteback: 0 kB\nHugePages_Total: 0\nHugePages_Free: 0\nHugepagesize: 2048 kB")
put("/proc/vmstat", "pswpin 0\npswpout 0\noom_kill 0\npgmajfault 10")
put("/proc/stat", "cpu  1 0 1 100 0 0 0 0 0 0\nctxt 1000\nbtime 1700000000\nprocesses 100000")
put("/proc/uptime", "1000000.00 2000000.00")
put("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 ro iommu=pt")
put("/proc/version", "Linux version 6.8.0-60-generic (builder@host) (gcc 13) #63-Ubuntu SMP")
put("/proc/self/mountinfo", "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw")
put("/proc/self/cgroup", "0::/user.slice")
put("/proc/self/limits", "Limit Soft Limit Hard Limit Units\nMax locked memory unlimited unlimited bytes")
put("/proc/self/status", "Name:\tpitcrew\nCpus_allowed_list:\t0-255\nMems_allowed_list:\t0-7")
put("/proc/sys/vm/swappiness", "1")
put("/proc/sys/kernel/pid_max", "4194304")
for pid in range(1, PROCESSES + 1):
    name = ("systemd", "python3", "kworker/0:1", "sshd", "slurmd")[pid % 5]
    flags = 0x00208040 if name.startswith("kworker") else 0x00400100
    put(f"/proc/{pid}/stat", f"{pid} ({name}) S 1 {pid} {pid} 0 -1 {flags} 100 0 0 0 10 5 0 0 20 0 1 0 {pid * 10} "
        f"10000000 1000 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 {pid % CPUS} 0 0 0 0 0 0 0 0 0 0 0 0 0")
    put(f"/proc/{pid}/limits", "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max open files            1048576              1048576              files\n"
        "Max locked memory         unlimited            unlimited            bytes")
    put(f"/proc/{pid}/cgroup", "0::/system.slice")
