/* SPDX-License-Identifier: MIT
 *
 * Block queues, NFS and mounts.
 */
#include "tune/knobs.h"

#define QUEUE "/sys/block/*/queue"
#define DISKS "ACTION==\"add|change\", SUBSYSTEM==\"block\", ENV{DEVTYPE}==\"disk\", "

const struct pit_knob pit_knobs_storage[] = {
	{
		.id = "block.scheduler",
		.title = "I/O scheduler of a disk",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = QUEUE "/scheduler",
		.values = "none mq-deadline kyber bfq",
		.lasts = PIT_LASTS_UDEV,
		.udev = DISKS "ATTR{queue/scheduler}=\"%s\"",
		.blast = "all that read and write these disks",
		/* Each scheduler comes with a queue of its own length and settings. */
		.disturbs = QUEUE "/nr_requests " QUEUE "/wbt_lat_usec " QUEUE "/iosched/*",
		.checks = "storage.scheduler",
		.source = "kernel documentation of the block layer",
	},
	{
		.id = "block.nr_requests",
		.title = "Requests that may wait for a disk",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.object = QUEUE "/nr_requests",
		.least = 4,
		.most = 65536,
		.rounds = true, /* to 4 at least, and to what the drive takes */
		.lasts = PIT_LASTS_UDEV,
		.udev = DISKS "ATTR{queue/nr_requests}=\"%s\"",
		.blast = "all that read and write these disks",
		.checks = "storage.queue-depth",
		.source = "kernel documentation of queue-sysfs",
	},
	{
		.id = "block.readahead",
		.title = "Read-ahead of a block device, in KiB",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.object = QUEUE "/read_ahead_kb",
		.most = INT32_MAX,
		.rounds = true, /* to whole pages */
		.lasts = PIT_LASTS_UDEV,
		.udev = DISKS "ATTR{queue/read_ahead_kb}=\"%s\"",
		.blast = "all that read files from these disks",
		.checks = "storage.readahead",
		.source = "kernel documentation of queue-sysfs",
	},
	{
		.id = "nfs.readahead",
		.title = "Read-ahead of NFS mounts, in KiB",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.resolve = pit_resolve_nfs_readahead,
		.most = INT32_MAX,
		.rounds = true,
		.lasts = PIT_LASTS_UDEV,
		/* Of the devices of file systems without a disk only those that the NFS client lists. */
		.udev = "ACTION==\"add\", SUBSYSTEM==\"bdi\", KERNEL==\"0:*\", "
			"PROGRAM=\"/bin/grep -q ' $kernel ' /proc/fs/nfsfs/volumes\", ATTR{read_ahead_kb}=\"%s\"",
		.blast = "all that read files over NFS",
		.checks = "storage.nfs-readahead",
		.source = "nfsrahead(5); Azure HPC images: 15380",
	},
	{
		.id = "mount.noatime",
		.title = "Access times of a mount",
		.target = PIT_TARGET_MOUNT,
		.value = PIT_VALUE_CHOICE,
		.resolve = pit_resolve_mount,
		.values = "noatime relatime strictatime",
		.lasts = PIT_LASTS_BOOT,
		.blast = "programs that ask when a file was read last",
		.checks = "storage.atime",
		.source = "mount(8)",
	},
	{.id = NULL},
};
