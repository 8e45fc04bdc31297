# SPDX-License-Identifier: MIT
"""What the programs of this folder use inside the guest: the tool under test, and manifests of the machine."""

import fnmatch
import os
import stat
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(1, os.path.dirname(HERE))
from results import *


# ---- the tool ----

def own(name):
    """A profile of this folder as a file of root's: whose the checkout is and who may write to it is not the matter."""
    path = os.path.join("/run", name)
    with open(os.path.join(HERE, name)) as here, open(path, "w") as there:
        there.write(here.read())
    os.chmod(path, 0o644)
    return path


def tune(*args):
    answer = run(PITCREW, "tune", *args)
    answer.args = ("tune",) + args
    return answer


def sysctl(key):
    value = read("/proc/sys/" + key.replace(".", "/"))
    return None if value is None else " ".join(value.split())


# ---- manifests ----

# Files that change while nobody touches them, found by comparing manifests of an idle machine; and why.
MOVES = {
    "/proc/sys/kernel/ns_last_pid": "number of the last process",
    "/sys/devices/*/resource[0-9]*": "the device's registers, not a setting",
    "/sys/devices/*/rom": "the device's memory, not a setting",
    "/sys/kernel/slab/*/shrink": "an order, not a setting",
    "/sys/kernel/sunrpc/*": "connections to file servers, which close when idle",
}
# Not settings of the machine but windows on running programs, with mounts of their own.
APART = ("/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/cgroup")
OURS = "/var/lib/pitcrew"  # its journals stay, so that `tune log` can tell
CHANGES = "/run/changes"  # the guest's own layer over the host's root: what was written since the first boot


def _bytes(path, most=1 << 16):  # /proc/sys makes and clears room for as much as one asks for
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return "errno %d" % error.errno
    try:
        return os.read(fd, most).decode(errors="replace")
    except OSError as error:
        return "errno %d" % error.errno
    finally:
        os.close(fd)


def _moves(path):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in MOVES)


def settings():
    """All files of the kernel that can be read and written."""
    found = []
    for top in ("/proc/sys", "/sys", "/proc/irq"):
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if folder + "/" + name not in APART]
            for name in names:
                path = folder + "/" + name
                mode = os.lstat(path).st_mode
                if stat.S_ISREG(mode) and mode & 0o222 and mode & 0o444 and not _moves(path):
                    found.append(path)
    return found


def entry(path):
    """All that a file, directory or link is, but for its times."""
    info = os.lstat(path)
    head = "%o %d:%d " % (info.st_mode, info.st_uid, info.st_gid)
    if stat.S_ISLNK(info.st_mode):
        return head + "-> " + os.readlink(path)
    return head + (_bytes(path, 1 << 20) if stat.S_ISREG(info.st_mode) else "")


def kernel(paths=None):
    """/proc/sys, /sys, interrupts, swap and mounts. `paths`: a list of settings() that is thought to be good still."""
    found = {path: _bytes(path) for path in paths or settings()}
    found["/proc/swaps"] = "\n".join(  # without what is in use of each
        " ".join(line.split()[:3] + line.split()[4:]) for line in _bytes("/proc/swaps").splitlines())
    found["/proc/self/mountinfo"] = _bytes("/proc/self/mountinfo")
    return found


def canonical(text):
    """As plans give values: the chosen one of several, single blanks, yes and no as numbers."""
    words = (text or "").split()
    chosen = [word.strip("[]") for word in words if word.startswith("[")]
    value = chosen[0] if chosen else " ".join(words)
    return {"Y": "1", "N": "0", "true": "1", "false": "0"}.get(value, value)


def wrong_values(changes):
    """What the machine's own files say against a plan; cells that are no plain files are left to `verify`."""
    wrong = []
    for change in changes:
        if change["companion"] or change["target"] not in ("sysctl", "kernel"):
            continue
        path = change["object"]
        if change["target"] == "sysctl":
            path = "/proc/sys/" + path.replace(".", "/")
        seen = canonical(read(path))
        if seen.lstrip("0,") != change["new"].lstrip("0,"):
            wrong.append("%s is %s, planned %s" % (path, seen, change["new"]))
    return wrong


def files():
    """/etc and /boot whole, and the names of whatever else was ever written to the root."""
    found = {}
    for top in ("/etc", "/boot"):
        found[top] = entry(top)
        for folder, folders, names in os.walk(top):
            for name in folders + names:
                found[folder + "/" + name] = entry(folder + "/" + name)
    for folder, _, names in os.walk(CHANGES):
        place = folder[len(CHANGES):]
        if not place.startswith((OURS, "/var/log", "/var/cache", "/var/lib/systemd", "/etc", "/boot")):
            for name in names:
                found["written: %s/%s" % (place, name)] = ""
    return found


def manifest(paths=None):
    return {**kernel(paths), **files()}


def differences(before, after):
    """Texts, at most a dozen."""
    texts = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old != new:
            same = len(os.path.commonprefix([old or "", new or ""])) // 40 * 40
            texts.append("%s was %s, is %s" % (path, _short(old, same), _short(new, same)))
    return texts[:12] + (["and %d more" % (len(texts) - 12)] if len(texts) > 12 else [])


def _short(text, start):
    return "absent" if text is None else repr(text[start:start + 120])


# ---- the machine that these tests work on ----

SERVICES = ("irqbalance", "numad", "nvidia-persistenced", "nvidia-fabricmanager")
TIMERS = ("dnf-automatic", "dnf-automatic-install", "fwupd-refresh", "plocate-updatedb")
GRUB = """#!/bin/sh
# a stand-in for GRUB's own
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do [ ! -e "$file" ] || . "$file"; done
echo "linux /boot/vmlinuz $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" > "$2"
"""


def furnish_services():
    for name in SERVICES:
        write("/usr/lib/systemd/system/%s.service" % name, "[Unit]\nDescription=stand-in\n[Service]\n"
              "ExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n")
    for name in TIMERS:
        write("/usr/lib/systemd/system/%s.service" % name, "[Service]\nType=oneshot\nExecStart=/bin/true\n")
        write("/usr/lib/systemd/system/%s.timer" % name, "[Timer]\nOnActiveSec=1d\n[Install]\nWantedBy=timers.target\n")
    units = [name + ".service" for name in SERVICES] + [name + ".timer" for name in TIMERS]
    sh("systemctl daemon-reload; systemctl enable --now " + " ".join(units))


def furnish(services=True):
    """What a guest lacks and a real node has: services, timers, a boot loader, a data disk, an NFS mount."""
    if services:
        furnish_services()
    write("/usr/sbin/grub-mkconfig", GRUB)
    os.chmod("/usr/sbin/grub-mkconfig", 0o755)
    os.makedirs("/boot/grub", exist_ok=True)
    os.makedirs("/etc/default/grub.d", exist_ok=True)
    write("/etc/default/grub", 'GRUB_CMDLINE_LINUX="quiet isolcpus=1 nohz_full=1 rcu_nocbs=1 threadirqs idle=poll mem=8G '
          'movablecore=1G kernelcore=1G hugepagesz=2M hugepages=9 default_hugepagesz=1G intel_pstate=disable '
          'intel_idle.max_cstate=1 processor.max_cstate=1 lockdown=integrity"\n')
    done = sh("grub-mkconfig -o /boot/grub/grub.cfg; for m in nf_conntrack sunrpc nfsv3; do modprobe $m; done;"
              "disk=$(grep -lx 'disk0 *' /sys/block/nvme*/device/serial | cut -d/ -f4); mkdir -p /data /mnt/nfs;"
              "mkfs.ext4 -q -F /dev/$disk && mount /dev/$disk /data;"
              "(python3 %s/../dead-nfs.py --alive /mnt/nfs < /dev/null > /dev/null 2>&1 &);"
              "for i in $(seq 100); do mountpoint -q /mnt/nfs && break; sleep .1; done; mountpoint /data && mountpoint /mnt/nfs" % HERE)
    return result("the machine is furnished", done.rc == 0, done)
