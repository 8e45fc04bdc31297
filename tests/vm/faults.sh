# SPDX-License-Identifier: MIT
# tests/vm/faults.sh - what a fault file may use; sourced in the guest by tests/vm/guest-faults.
#
# A fault file (tests/vm/faults/NAME) begins with a comment line that says what is wrong, and sets
#   machine=NAME              a line of tests/vm/machines
#   finding=ID status=warn    what `pitcrew check` must say; several statuses are joined by |
#   origin=TEXT               optional: the finding's origin must contain this
#   evidence=TEXT             optional: the same for its evidence or its observed value
#   patience=SECONDS          optional: how long the symptom may take to show (25)
#   args="..."                optional: more arguments for `pitcrew check`
# and may define
#   inject    brings the fault about; without it the machine itself is the fault
#   proof     shows the symptom in /proc or /sys (its output is kept); tried until it succeeds
#   judge     runs the command line that it gets, in the surroundings that the fault is about
# Whatever the helpers below change is put back after the check, last change first.

# They would harm a real machine.
[ -e /run/vm/job ] || { echo "tests/vm/faults.sh: only for use in the rig's guest" >&2; exit 1; }

undo=()
on_heal() { undo+=("$*"); }

heal() {
    local i
    for ((i = ${#undo[@]} - 1; i >= 0; i--)); do eval "${undo[i]}"; done
    undo=()
}

# Brings the machine to the values that the rows want where the kernel's own default is a warning already.
fit() {
    echo 10 > /proc/sys/vm/swappiness
    clock_status 0
}

# clock_status BITS: the kernel's clock is disciplined (0) or not (64 = STA_UNSYNC), see adjtimex(2)
clock_status() {
    python3 -c '
import ctypes, struct, sys
ADJ_MAXERROR, ADJ_ESTERROR, ADJ_STATUS = 4, 8, 16
timex = struct.pack("=I4xqqqqi4x", ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS, 0, 0, 0, 0, int(sys.argv[1]))
assert ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(timex, 208)) >= 0' "$1"
}

# put VALUE FILE: write a /proc or /sys file; choices ("a [b] c") go back to the one in brackets.
put() {
    local old
    old=$(cat "$2")
    case $old in *\[*\]*) old=${old#*\[} old=${old%%\]*} ;; esac
    echo "$1" > "$2" || return
    on_heal "echo '$old' > $2"
}

# keep COMMAND...: runs in the background until healed.
keep() {
    setsid bash -c '"$@"' - "$@" < /dev/null > /dev/null 2>&1 &
    on_heal "kill -KILL -$! ; wait $!"
}

# cgroup NAME FILE=VALUE...: a cgroup with these settings, all useful controllers on.
cgroup() {
    local dir=/sys/fs/cgroup/$1 setting
    shift
    echo "+cpu +cpuset +io +memory +pids" > /sys/fs/cgroup/cgroup.subtree_control
    mkdir -p "$dir"
    on_heal "empty_cgroup $dir"
    for setting; do echo "${setting#*=}" > "$dir/${setting%%=*}" || return; done
}

empty_cgroup() {
    local i
    echo 1 > "$1/cgroup.kill"
    for ((i = 0; i < 50; i++)); do rmdir "$1" && return; sleep .1; done
}

# in_cgroup NAME COMMAND...
in_cgroup() {
    local procs=/sys/fs/cgroup/$1/cgroup.procs
    shift
    bash -c 'echo $$ > "$1" && shift && "$@"' - "$procs" "$@"
}

# disk SERIAL: the NVMe disk with this serial number ("swap", "disk0", ...), as sysfs and /dev name it
disk() {
    local serial name
    for serial in /sys/block/nvme*/device/serial; do
        read -r name < "$serial"
        [ "$name" = "$1" ] && name=${serial#/sys/block/} && echo "${name%%/*}"
    done
}

# data_disk [MKFS_OPTION]...: a fresh ext4 on /mnt/data; mount options in $mount_options
data_disk() {
    mkfs.ext4 -q -F "$@" "/dev/$(disk disk0)" || return
    mkdir -p /mnt/data
    mount ${mount_options:+-o "$mount_options"} "/dev/$(disk disk0)" /mnt/data || return
    on_heal "umount -l /mnt/data"
}

# over FILE TEXT: FILE reads as TEXT (a bind mount), for what no virtual device can be told to say
over() {
    local copy
    copy=$(mktemp /run/over.XXXXXX)
    chmod 444 "$copy"
    printf '%b' "$2" > "$copy"
    mount --bind "$copy" "$1" || return
    on_heal "umount $1"
}

# dress_gpus: QEMU's edu devices look like H100 GPUs to whoever reads sysfs
dress_gpus() {
    local dev config n=0
    for dev in /sys/bus/pci/devices/*; do
        grep -q 0x11e8 "$dev/device" || continue
        dev=$(readlink -f "$dev")
        config=$(mktemp /run/over.XXXXXX)
        {   # vendor, device | command, status | revision, class | the rest
            printf '\xde\x10\x30\x23'
            dd if="$dev/config" bs=1 skip=4 count=4 status=none
            printf '\xa1\x00\x02\x03'
            dd if="$dev/config" bs=1 skip=12 status=none
        } > "$config"
        chmod 444 "$config"
        mount --bind "$config" "$dev/config"
        over "$dev/vendor" '0x10de\n'
        over "$dev/device" '0x2330\n'
        over "$dev/class" '0x030200\n'
        on_heal "umount $dev/config"
        n=$((n + 1))
    done
    [ $n -gt 0 ]
}

# gpu N, nic N: the PCI directory of the Nth one
gpu() { grep -lE '0x11e8|0x2330' /sys/bus/pci/devices/*/device | sed -n "$(($1 + 1))s|/device$||p"; }
nic() { readlink -f "/sys/class/net/eth$1/device/.."; }

# fast ETH: a card that says it runs at 100 Gb/s, as the network rows look at fast ones only
fast() {
    ethtool -s "$1" speed 100000 duplex full
    ip link set "$1" up
    on_heal "ip link set $1 down; ethtool -s $1 speed 1000"
}

# traffic ETH: QEMU's own end of the wire is asked for echoes without a pause, for the card's interrupts
traffic() {
    ip addr add 10.0.2.15/24 dev "$1"
    ip link set "$1" up
    on_heal "ip addr flush dev $1; ip link set $1 down"
    keep python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.settimeout(0.1)
while True:
    try:
        s.sendto(bytes.fromhex("0800f7fe00010000"), ("10.0.2.2", 0))  # echo request, id 1, sequence 0
        s.recv(1500)
    except OSError:
        pass'
}

# touch_memory MIB: a process that walks over so much memory for ever
touch_memory() {
    exec python3 -c '
import sys
b = bytearray(int(sys.argv[1]) << 20)
while True:
    for i in range(0, len(b), 4096):
        b[i] = (b[i] + 1) & 255
' "$1"
}
export -f in_cgroup touch_memory  # for keep, which starts a new shell
