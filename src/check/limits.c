/* SPDX-License-Identifier: MIT */
#include "check/limits.h"

#include "check/catalog.h"

/* How much is enough; the sources are in the rows. */
static const struct pit_limit memlock = {
	.name = "Max locked memory",
	.item = "memlock",
	.unit_key = "LimitMEMLOCK",
	.bytes = true,
	.plain = 8 << 20, /* the driver's own pinning of memory for GPUs is not counted */
	.rdma = UINT64_MAX,
	.rdma_fail = 64 << 20,
};
static const struct pit_limit nofile = {
	.name = "Max open files", .item = "nofile", .unit_key = "LimitNOFILE", .plain = 1024, .gpu = 65536};
static const struct pit_limit nproc = {
	.name = "Max processes", .item = "nproc", .unit_key = "LimitNPROC", .plain = 1024, .gpu = 16384};
static const struct pit_limit stack = {
	.name = "Max stack size", .item = "stack", .unit_key = "LimitSTACK", .bytes = true, .plain = 8 << 20};

const struct pit_check pit_check_limits[] = {
	{
		.id = "limits.memlock",
		.title = "Locked memory of this shell",
		.why = "RDMA, io_uring buffers and mlock take locked memory, and over the limit registration "
		       "fails with \"Cannot allocate memory\". With RDMA NCCL then stops or falls back to sockets.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_shell,
		.arg = &memlock,
		.knob = "limits.memlock",
		.remedy = "Set memlock to unlimited in /etc/security/limits.d and log in again.",
		.source = "azhpc-images, gke: unlimited; 8 MiB is the kernel's default and too little for "
			  "ibv_reg_mr (nccl-tests#206)",
		.refs = "https://man7.org/linux/man-pages/man5/limits.conf.5.html",
	},
	{
		.id = "limits.memlock-daemons",
		.title = "Locked memory of what starts jobs",
		.why = "Jobs get their limits from the daemon that starts them, and limits.conf does not reach "
		       "systemd services. With RDMA a job then fails although a login shell shows \"unlimited\".",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_daemons,
		.arg = &memlock,
		.knob = "limits.memlock",
		.remedy = "Set LimitMEMLOCK=infinity in a drop-in of that service and restart it.",
		.source = "azhpc-images, gke: unlimited; 8 MiB is the kernel's default and too little for "
			  "ibv_reg_mr (nccl-tests#206)",
		.refs = "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Process%20Properties",
	},
	{
		.id = "limits.memlock-gpu",
		.title = "Locked memory of processes on GPUs",
		.why = "A job that runs with a small limit cannot register more memory for RDMA, and fails when "
		       "its buffers grow. It shows what jobs really got, whatever the files say.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_limit_gpu,
		.arg = &memlock,
		.remedy = "Raise memlock where the job was started: the unit, the container's --ulimit, or limits.d "
			  "for logins.",
		.source = "azhpc-images, gke: unlimited; 8 MiB is the kernel's default and too little for "
			  "ibv_reg_mr (nccl-tests#206)",
		.refs = "https://man7.org/linux/man-pages/man2/getrlimit.2.html",
	},
	{
		.id = "limits.memlock-used",
		.title = "Locked memory in use",
		.why = "A process on a GPU is near its limit of locked memory, and its next registration fails. "
		       "It happens when message buffers or caches grow during a job.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_memory_locked,
		.remedy = "Raise memlock where the job was started.",
		.source = "ours: 80% of the limit",
		.refs = "https://man7.org/linux/man-pages/man2/getrlimit.2.html",
	},
	{
		.id = "limits.nofile",
		.title = "Open files of this shell",
		.why = "Data loaders that share tensors by file descriptors, and stores with many connections, "
		       "run into \"Too many open files\". The usual 1024 is spent by a few dozen workers.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_shell,
		.arg = &nofile,
		.knob = "limits.nofile",
		.remedy = "Raise nofile in /etc/security/limits.d and log in again.",
		.source = "azhpc-images, gke: 1048576; 65536 is the least that guides give",
		.refs = "https://man7.org/linux/man-pages/man5/limits.conf.5.html",
	},
	{
		.id = "limits.nofile-daemons",
		.title = "Open files of what starts jobs",
		.why = "Jobs cannot have more open files than the daemon that starts them allows. It shows as "
		       "\"Too many open files\" in jobs with many data loaders.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_daemons,
		.arg = &nofile,
		.knob = "limits.nofile",
		.remedy = "Set LimitNOFILE= in a drop-in of that service and restart it.",
		.source = "azhpc-images, gke: 1048576; systemd gives 524288 as the hard limit",
		.refs = "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Process%20Properties",
	},
	{
		.id = "limits.nofile-gpu",
		.title = "Open files of processes on GPUs",
		.why = "A job with a small limit fails with \"Too many open files\" as soon as it has more workers "
		       "or more shards open. Its own limit counts, whatever the files say.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_limit_gpu,
		.arg = &nofile,
		.remedy = "Raise nofile where the job was started, or call ulimit -n in the job script.",
		.source = "azhpc-images, gke: 1048576; 65536 is the least that guides give",
		.refs = "https://man7.org/linux/man-pages/man2/getrlimit.2.html",
	},
	{
		.id = "limits.nofile-used",
		.title = "Open files in use",
		.why = "A process is near its own limit of open files, and its next open, socket or pipe fails. "
		       "It happens when shards or connections are not closed.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_files_used,
		.remedy = "See with ls -l /proc/PID/fd what is open, and raise the limit if all of it is needed.",
		.source = "gpud: 80% degraded, 95% unhealthy",
		.refs = "https://man7.org/linux/man-pages/man2/getrlimit.2.html",
	},
	{
		.id = "limits.nproc",
		.title = "Processes of this user",
		.why = "The limit counts all threads of the user on the host, so thread pools of one job can "
		       "stop another. It shows as \"Resource temporarily unavailable\" at fork or thread start.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_shell,
		.arg = &nproc,
		.knob = "limits.nproc",
		.remedy = "Raise nproc in /etc/security/limits.d and log in again.",
		.source = "gke: unlimited; 16384 is ours: 8 ranks of 16 workers with 64 threads each need 8192",
		.refs = "https://man7.org/linux/man-pages/man5/limits.conf.5.html",
	},
	{
		.id = "limits.nproc-daemons",
		.title = "Processes for what starts jobs",
		.why = "Jobs cannot have more threads than the daemon that starts them allows. It shows as "
		       "\"Resource temporarily unavailable\" at fork or thread start.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_daemons,
		.arg = &nproc,
		.knob = "limits.nproc",
		.remedy = "Set LimitNPROC= in a drop-in of that service and restart it.",
		.source = "gke: unlimited; 16384 is ours",
		.refs = "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Process%20Properties",
	},
	{
		.id = "limits.stack",
		.title = "Stack of this shell",
		.why = "A small stack makes compiled and Fortran-like code crash at the first deep call or large "
		       "local array. The crash names no limit.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_shell,
		.arg = &stack,
		.knob = "limits.stack",
		.remedy = "Raise stack in /etc/security/limits.d and log in again.",
		.source = "getrlimit(2): 8 MiB is the kernel's default",
		.refs = "https://man7.org/linux/man-pages/man5/limits.conf.5.html",
	},
	{
		.id = "limits.stack-daemons",
		.title = "Stack of what starts jobs",
		.why = "Jobs inherit a small stack from the daemon that starts them and crash at a deep call or "
		       "a large local array. The crash names no limit.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limit_daemons,
		.arg = &stack,
		.knob = "limits.stack",
		.remedy = "Set LimitSTACK= in a drop-in of that service and restart it.",
		.source = "getrlimit(2): 8 MiB is the kernel's default; NVIDIA gb200: 64 MiB for containerd",
		.refs = "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Process%20Properties",
	},
	{
		.id = "limits.core",
		.title = "Core dumps of this shell",
		.why = "A crash of a rank writes its memory to the working directory, hundreds of GB on a shared "
		       "disk, and each rank does it. It happens when the limit is lifted and the cores go to "
		       "files.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_core_shell,
		.remedy = "Set ulimit -c 0 in jobs, or let kernel.core_pattern hand cores to systemd-coredump.",
		.source = "core(5); stas00 debug; 1 GiB is ours",
		.refs = "https://man7.org/linux/man-pages/man5/core.5.html",
	},
	{
		.id = "limits.core-gpu",
		.title = "Core dumps of processes on GPUs",
		.why = "A crash of this job writes its memory to its working directory, hundreds of GB for each "
		       "rank. It fills the disk and keeps the node busy for minutes.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_core_gpu,
		.remedy = "Set ulimit -c 0 in the job script, or let kernel.core_pattern hand cores to "
			  "systemd-coredump.",
		.source = "core(5); stas00 debug; 1 GiB is ours",
		.refs = "https://man7.org/linux/man-pages/man5/core.5.html",
	},
	{
		.id = "limits.conf",
		.title = "Lines of limits.conf",
		.why = "PAM leaves out a line that it cannot read and says so in a log that nobody reads, so the "
		       "limit stays small. It happens after a typing mistake.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_limits_conf,
		.remedy = "Correct the line: DOMAIN soft|hard|- ITEM VALUE.",
		.source = "limits.conf(5)",
		.refs = "https://man7.org/linux/man-pages/man5/limits.conf.5.html",
	},
	{
		.id = "limits.nr-open",
		.title = "Largest nofile that can be set",
		.why = "No limit of open files can be higher than fs.nr_open, and \"infinity\" in a unit means "
		       "this number. A lowered value makes units and containers with a higher one fail to start.",
		.area = PIT_AREA_LIMITS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/fs/nr_open",
		.op = PIT_OP_GE,
		.want = "1048576",
		.knob = "fs.nr_open",
		.remedy = "Raise fs.nr_open.",
		.source = "the kernel's default; azhpc-images, gke nofile 1048576",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/fs.html",
	},
	{.id = NULL},
};
