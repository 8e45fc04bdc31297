/* SPDX-License-Identifier: MIT
 *
 * The rows of storage. Their probes lie in storage_*.c.
 */
#include "check/catalog.h"
#include "check/pressure.h"
#include "check/storage.h"

static const struct pit_pressure_want disk_pressure = {
	.path = "/proc/pressure/io", .controller = "io", .file = "io.pressure", .some60 = 20, .full60 = 10};

const struct pit_check pit_check_storage[] = {
	{
		.id = "storage.space",
		.title = "Free space",
		.why = "A full file system ends a job at its next checkpoint, log line or compiled kernel, and most file "
		       "systems grow slow before that. It strikes in the middle of a run, when the output has grown.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_space,
		.remedy = "Delete what is not needed (old checkpoints, container images, package and model caches) or "
			  "move it elsewhere.",
		.source = "kubelet evicts below 10% free; gpud: degraded below 500 MB; imbue: error at 95%",
	},
	{
		.id = "storage.inodes",
		.title = "Free inodes",
		.why = "Without a free inode no file can be made, although df still shows free space. Conda environments, "
		       "extracted datasets and small caches use them up first.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_inodes,
		.remedy =
			"Pack small files into archives or images, delete old environments and caches, or make the file "
			"system anew with more inodes.",
		.source = "NHC check_fs_ifree: 1k left; stas00 ml-engineering: conda exhausts inodes first",
	},
	{
		.id = "storage.data-filesystem",
		.title = "File system of the training data",
		.why = "Each sample that is read pays for what lies between it and the disk: layers of a container, a user "
		       "process, an object store. It shows when several loader workers read small files at once.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_data_type,
		.remedy = "Mount a local disk (ext4, xfs) or a parallel file system there, or bind-mount one into the "
			  "container.",
		.source = "Linux: what each type is made for",
		.refs = "https://docs.kernel.org/filesystems/overlayfs.html",
	},
	{
		.id = "storage.checkpoint-filesystem",
		.title = "File system of the checkpoints",
		.why = "A checkpoint on a file system that goes away, that cannot be written or that has no atomic rename is "
		       "no checkpoint. It matters on the day on which the job must resume.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_checkpoint_type,
		.remedy =
			"Write checkpoints to a disk or a parallel file system that outlives the container and the node.",
		.source = "Linux: what each type is made for",
		.refs = "https://docs.kernel.org/filesystems/tmpfs.html",
	},
	{
		.id = "storage.checkpoint-room",
		.title = "Room for checkpoints",
		.why = "The new checkpoint is written before the old one is deleted, and with optimizer state each may be as "
		       "large as the memory of all GPUs. A disk with less room fails at the second checkpoint of a large "
		       "model.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_NVML,
		.probe = pit_probe_checkpoint_room,
		.remedy = "Write checkpoints to a larger file system, or keep fewer of them.",
		.source = "mixed-precision Adam: 12 to 16 bytes of state for each parameter",
	},
	{
		.id = "storage.volatile-overlay",
		.title = "Data or checkpoints in a container's layer",
		.why = "What is written into a container's own layer is gone with the container, and with the option "
		       "volatile nothing is flushed at all. It strikes when the container is restarted after a crash.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_volatile,
		.remedy = "Give the container a volume or bind mount for that path.",
		.source = "Linux overlayfs documentation: volatile mount",
		.refs = "https://docs.kernel.org/filesystems/overlayfs.html",
	},
	{
		.id = "storage.atime",
		.title = "Access times",
		.why = "Without noatime or relatime every read of a file becomes a write of its inode. It costs most with "
		       "datasets of many small files, which are read again in every epoch.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_atime,
		.knob = "mount.noatime",
		.remedy = "Mount with noatime, also in /etc/fstab.",
		.source = "mount(8): relatime is the default since Linux 2.6.30",
	},
	{
		.id = "storage.mount-options",
		.title = "Slow or unsafe mount options",
		.why = "Options such as sync and data=journal make every write wait or happen twice, and nobarrier trades "
		       "the file system for speed. The first cost at each checkpoint, the last at the next power loss.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_mount_options,
		.remedy = "Remove the option from /etc/fstab and mount again.",
		.source = "ext4(5), xfs(5), mount(8)",
		.refs = "https://docs.kernel.org/admin-guide/ext4.html",
	},
	{
		.id = "storage.trim",
		.title = "Trimming of flash",
		.why = "A drive that is never told of deleted blocks writes slower as it fills, and one that is told at each "
		       "delete makes deleting old checkpoints slow. Both show after weeks of heavy writing.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL | PIT_NEED_HOST,
		.probe = pit_probe_trim,
		.knob = "service.fstrim",
		.remedy = "Enable fstrim.timer and remove the discard option.",
		.command = "systemctl enable --now fstrim.timer",
		.source = "Intel PerfSpect: no discard option; fstrim(8): weekly is enough",
	},
	{
		.id = "storage.readahead",
		.title = "Read-ahead of block devices",
		.why = "With the default of 128 KiB one reader of a large shard or weights file waits for the disk again and "
		       "again. It helps files that are read from start to end; random reads of small samples gain nothing.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_readahead,
		.knob = "block.readahead",
		.remedy =
			"Raise the read-ahead of the device with a udev rule or tuned, unless the job reads small records "
			"at random.",
		.source = "tuned throughput-performance, hpc-compute, accelerator-performance: at least 4096",
		.refs = "https://docs.kernel.org/block/queue-sysfs.html",
	},
	{
		.id = "storage.scheduler",
		.title = "I/O scheduler",
		.why = "A scheduler made for disks with heads costs CPU time and a lock on flash, and none makes such a disk "
		       "seek for every request. It shows with many readers at once.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_scheduler,
		.knob = "block.scheduler",
		.remedy =
			"Set none for NVMe and virtual disks, mq-deadline for SATA flash and disks, with a udev rule.",
		.source = "Linux block layer: none is the default for NVMe",
		.refs = "https://docs.kernel.org/block/switching-sched.html",
	},
	{
		.id = "storage.queue-depth",
		.title = "Queue depth of disks",
		.why = "A drive with a short queue idles between requests although more are waiting. It caps random reads, "
		       "which is how loaders of many workers read.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_queue,
		.knob = "block.nr_requests",
		.remedy =
			"Raise nr_requests, and turn command queueing on for SATA drives (libata.force, controller in AHCI "
			"mode).",
		.source = "Linux defaults: 64 or more for queued devices, 31 with SATA NCQ",
		.refs = "https://docs.kernel.org/block/queue-sysfs.html",
	},
	{
		.id = "storage.rotational",
		.title = "Training data on a spinning disk",
		.why = "A disk with heads serves about a hundred random reads a second, flash a hundred thousand. Shuffled "
		       "training data keeps the GPUs waiting unless it fits into the page cache.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_METAL,
		.probe = pit_probe_rotational,
		.remedy = "Move the data to flash, or keep them there as a cache.",
		.source = "Linux: queue/rotational",
		.refs = "https://docs.kernel.org/block/queue-sysfs.html",
	},
	{
		.id = "storage.write-cache",
		.title = "Flushes for drives that cache writes",
		.why = "When the kernel believes that a drive does not cache, it sends no flush, and a power loss takes what "
		       "fsync had promised. Checkpoints are then the newest data, and the first to be lost.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_write_cache,
		.remedy = "Let the kernel see the cache of the drive again.",
		.source = "Linux: queue/write_cache",
		.refs = "https://docs.kernel.org/block/writeback_cache_control.html",
	},
	{
		.id = "storage.nvme-link",
		.title = "PCIe links of NVMe drives",
		.why = "A drive on half of its lanes gives half of its bandwidth. Speed is judged only while requests are in "
		       "flight, because an idle link may slow down to save power.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL,
		.probe = pit_probe_nvme_link,
		.remedy =
			"Reseat the drive, check the slot's wiring and bifurcation in the firmware, and replace it if the "
			"link stays narrow.",
		.source = "PCI Express: current and maximum link width and speed in sysfs",
	},
	{
		.id = "storage.nvme-health",
		.title = "State of NVMe drives",
		.why = "A drive that is resetting, dead or too hot stops or slows every read. It hurts at once, and data may "
		       "be lost next.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_nvme_health,
		.remedy = "Save the data, look at the drive's log, cool or replace it.",
		.source = "NVM Express: critical warning; Linux: state of the controller",
	},
	{
		.id = "storage.nvme-io-timeout",
		.title = "Time-out of NVMe on cloud volumes",
		.why = "A cloud volume that pauses for a minute comes back, but after the default of 30 seconds the kernel "
		       "resets the drive and file systems go read-only. It happens during maintenance of the storage.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_io_timeout,
		.knob = "cmdline.nvme_core.io_timeout",
		.remedy = "Boot with nvme_core.io_timeout=4294967295.",
		.reboot = true,
		.source = "tuned aws; AWS: NVMe volumes on EC2",
		.refs = "https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html",
	},
	{
		.id = "storage.io-errors",
		.title = "I/O errors in the kernel's messages",
		.why = "A disk that fails to read or write stalls each request for seconds and then loses it. Jobs see "
		       "bus errors, truncated files or hung workers.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_io_errors,
		.remedy = "Save the data, check cable, controller and SMART log, and replace the disk.",
		.command = "dmesg -T | grep -iE 'I/O error|EXT4-fs error|XFS .*orruption|nvme.*timeout'",
		.source = "gpud disk component: kernel messages",
	},
	{
		.id = "storage.read-only-remount",
		.title = "File systems that went read-only",
		.why = "The kernel closed the file system after an error, so every write fails from then on. Checkpoints, "
		       "logs and caches on it are lost until it is repaired.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_read_only,
		.remedy =
			"Find the error in the kernel's messages, unmount, repair with fsck or xfs_repair, and mount again.",
		.source = "ext4(5) errors=remount-ro; gpud disk component",
	},
	{
		.id = "storage.md-raid",
		.title = "Software RAID",
		.why = "A degraded array has no redundancy left and reads slower, and a rebuild takes bandwidth from the "
		       "job. The next failed disk takes the data.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_md,
		.remedy = "Replace the failed disk and add it to the array.",
		.command = "mdadm --detail --scan --verbose",
		.source = "soperator nvme_raid_health; md(4)",
		.refs = "https://docs.kernel.org/admin-guide/md.html",
	},
	{
		.id = "storage.fstab",
		.title = "Mounts that fstab promises",
		.why = "When a disk or share of fstab is not mounted, jobs write into the empty directory below it, which "
		       "fills the root disk. With nofail nobody notices at boot.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_probe_fstab,
		.remedy = "Mount it, or remove the line from /etc/fstab.",
		.command = "mount -a && findmnt --verify",
		.source = "fstab(5); NHC check_fs_mount",
	},
	{
		.id = "storage.dead-mounts",
		.title = "Network and FUSE mounts that do not answer",
		.why = "Every process that touches a dead mount waits in the kernel and cannot be killed. Shells, df and "
		       "monitoring hang too.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_dead_mounts,
		.remedy =
			"Bring the server or daemon back, or detach the mount with umount -l (fusermount -uz for FUSE).",
		.source = "gpud: stat with a time-out; NHC: df hangs",
	},
	{
		.id = "storage.nfs-options",
		.title = "Options of NFS mounts",
		.why = "Options that turn caches off make each open and stat a question to the server, and a soft mount "
		       "tears writes when the server is slow. The first hurts with many small files, the second at "
		       "checkpoints.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_nfs_options,
		.remedy = "Mount it again with hard and without noac, sync, lookupcache=none and actimeo=0.",
		.source = "nfs(5)",
	},
	{
		.id = "storage.nfs-transfer-size",
		.title = "Transfer size of NFS",
		.why = "Small requests need many more of them for the same data, and each costs a round trip. It caps the "
		       "bandwidth of checkpoints and of large files.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_nfs_size,
		.remedy =
			"Remove rsize= and wsize= from the mount options (client and server agree on 1 MiB), and raise the "
			"server's limit if it stays small.",
		.source = "nfs(5): the maximum is 1048576",
	},
	{
		.id = "storage.nfs-connections",
		.title = "Connections to the NFS server",
		.why = "One TCP connection is one flow: one receive queue, one CPU, one path of a bonded link. It caps "
		       "training data from NFS on networks above 10 Gb/s.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_nfs_connections,
		.remedy = "Mount with nconnect=8, or over RDMA.",
		.source = "nfs(5): nconnect, since Linux 5.3",
	},
	{
		.id = "storage.nfs-readahead",
		.title = "Read-ahead of NFS",
		.why = "Since Linux 5.4 an NFS mount reads ahead 128 KiB only, so one reader waits for a round trip again "
		       "and again. It helps large files that are read in order.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_nfs_readahead,
		.knob = "nfs.readahead",
		.remedy = "Raise it with a udev rule on the bdi subsystem.",
		.source = "Azure HPC images: 15380",
		.refs = "https://learn.microsoft.com/en-us/azure/azure-netapp-files/performance-linux-nfs-read-ahead",
	},
	{
		.id = "storage.nfs-slots",
		.title = "Parallel requests to an NFS server",
		.why = "A low limit makes readers queue in the client although the server could do more. It shows with many "
		       "loader workers on NFS version 3, or with a limit set by an old guide.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/sunrpc/tcp_max_slot_table_entries",
		.op = PIT_OP_GE,
		.want = "128",
		.absent = "the NFS client is not loaded",
		.knob = "sunrpc.tcp_max_slot_table_entries",
		.remedy =
			"Raise sunrpc.tcp_max_slot_table_entries, also in /etc/modprobe.d, because the module is loaded "
			"after sysctl at boot.",
		.source = "Azure HPC images: 128; Linux default 65536",
	},
	{
		.id = "storage.nfs-stalls",
		.title = "Network file systems that stalled",
		.why = "While a server does not respond, every reader and writer of its mounts stands still, and a soft "
		       "mount fails them. It looks like a hung job.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_nfs_stalls,
		.remedy = "Look at the server's load and at the network to it at the time of the message.",
		.source = "gpud nfs component: kernel messages",
	},
	{
		.id = "storage.fuse-congestion",
		.title = "FUSE mounts that fall behind",
		.why = "When its queue is full, readers wait for the user process behind the mount. Adding loader workers "
		       "then adds nothing.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_fuse_limits,
		.remedy = "Raise max_background and congestion_threshold of the mount, and the threads of its daemon.",
		.source = "gpud fuse component: 90% congested, 80% of max_background",
		.refs = "https://docs.kernel.org/filesystems/fuse.html",
	},
	{
		.id = "storage.fuse-background",
		.title = "Parallel requests of a FUSE mount",
		.why = "The kernel's default lets 12 read-ahead and write-back requests of a FUSE mount run at a time. For "
		       "data in an object store far away that is little bandwidth.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_fuse_background,
		.remedy = "Mount with a larger max_background, or write it under /sys/fs/fuse/connections.",
		.source = "Linux: FUSE_DEFAULT_MAX_BACKGROUND is 12",
		.refs = "https://docs.kernel.org/filesystems/fuse.html",
	},
	{
		.id = "storage.io-uring",
		.title = "io_uring usable",
		.why = "With io_uring one thread keeps many reads in flight; without it a pool of threads must. A sandbox or "
		       "sysctl that refuses it costs CPU time when data come from fast drives.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_io_uring,
		.remedy =
			"Allow the io_uring calls in the container's seccomp profile, and set kernel.io_uring_disabled=0 on "
			"hosts that trust their users.",
		.source = "tried: io_uring_setup()",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "storage.direct-io",
		.title = "O_DIRECT usable",
		.why = "Reads past the page cache keep large datasets from pushing out everything else, and GPUDirect "
		       "Storage needs them. Some file systems refuse, and programs then fail or fall back.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_direct_io,
		.remedy =
			"Put the data on a file system with O_DIRECT (ext4, xfs, NFS, Lustre), or turn direct I/O off in "
			"the job.",
		.source = "tried: open(), read()",
	},
	{
		.id = "storage.small-files",
		.title = "Number of files in the training data",
		.why = "Each small file costs a lookup, an inode and a round trip, and listing a huge directory takes minutes "
		       "on a network file system. It is paid in every epoch and by every rank.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.probe = pit_probe_small_files,
		.remedy = "Pack the samples into shards (WebDataset tar, Parquet, Arrow, MDS) of 100 MB or more.",
		.source = "stas00 ml-engineering, storage; WebDataset",
	},
	{
		.id = "storage.pressure",
		.title = "Waiting for disks",
		.why = "Pressure stall information shows the share of time in which tasks waited for I/O. GPUs wait with "
		       "them.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_pressure,
		.arg = &disk_pressure,
		.remedy =
			"Find the reader or writer with iotop, and give it a faster disk, more read-ahead or less to write.",
		.command = "iotop -obn3",
		.source = "Linux PSI",
		.refs = "https://docs.kernel.org/accounting/psi.html",
	},
	{
		.id = "storage.tmp",
		.title = "Size of /tmp",
		.why = "Compilers of kernels, Ray, pip and data loaders put gigabytes into /tmp. A small one in memory fills "
		       "in the middle of a job.",
		.area = PIT_AREA_STORAGE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_tmp,
		.remedy = "Set TMPDIR to a local disk, or mount /tmp larger.",
		.source = "pip and Ray: builds and spilled objects need several GB",
	},
	{.id = NULL},
};
