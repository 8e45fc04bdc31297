/* SPDX-License-Identifier: MIT */
#include "check/process.h"

#include "check/catalog.h"

const struct pit_check pit_check_process[] = {
	{
		.id = "process.zombies",
		.title = "Zombies by age and parent",
		.why = "Each zombie keeps a PID, and a parent that does not wait for its children goes on making "
		       "them until no process can be started and a job that forks data loaders fails. Tools warn at "
		       "20, at 1000 or at an age of five minutes; here age and number decide, and the parent is "
		       "named.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_zombies,
		.remedy = "Restart the parent, which does not wait for its children.",
		.source = "gcm: none older than 300 s; eks-node-monitoring-agent: fewer than 20",
		.refs = "https://man7.org/linux/man-pages/man2/wait.2.html",
	},
	{
		.id = "process.half-exited",
		.title = "Processes of which threads did not exit",
		.why = "Such a process looks dead but keeps its memory, its ports and its GPU memory. It stays "
		       "until its last thread leaves the kernel, which a hung driver or server can prevent for "
		       "ever.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_half_exited,
		.remedy = "Find in /proc/PID/task/*/stack where the threads wait; only the device or server there, "
			  "or a reboot, lets them go.",
		.source = "proc_pid_stat(5): state Z with more than one thread",
	},
	{
		.id = "process.blocked",
		.title = "Processes stuck in the kernel (state D)",
		.why = "A process in state D cannot be killed, and what it holds (GPUs, locks, memory) stays "
		       "taken. It happens when a disk, a network mount or a GPU driver does not answer.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_blocked,
		.remedy = "See in /proc/PID/stack or wchan what the process waits for, and bring that device or "
			  "server back.",
		.source = "gcm: state D for 300 s is critical; kernel hung_task: 120 s",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html#hung-task-timeout-secs",
	},
	{
		.id = "process.gpu-orphans",
		.title = "Left-over processes on GPUs",
		.why = "A process that lost its job keeps GPU memory, and the next job fails with out of memory. "
		       "It happens when a launcher is killed and its ranks are not.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU | PIT_NEED_HOST,
		.probe = pit_probe_gpu_orphans,
		.remedy = "Make sure that nobody waits for it, then end it.",
		.source = "nhc check_ps_unauth_users, gcm running_procs, soperator alloc_gpus_busy",
	},
	{
		.id = "process.stuck-tools",
		.title = "Hardware tools that never ended",
		.why = "A tool that should take seconds and runs for minutes waits for a device or a server that "
		       "does not answer. Health checks that start it again and again pile up behind it.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_stuck_tools,
		.remedy = "See what the tool waits for (state D: /proc/PID/stack), and repair that device before "
			  "new jobs start.",
		.source = "imbue cluster-health: more than one left-over sg_inq; 10 minutes is ours",
	},
	{
		.id = "process.pids",
		.title = "Threads against the largest PID",
		.why = "Every thread takes a PID, and when none is left nothing can be started, not even a "
		       "login. A node with many data loaders and thread pools comes near to it.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_tasks,
		.knob = "kernel.pid_max",
		.remedy = "Raise kernel.pid_max, and find the process that has so many threads.",
		.command = "sysctl -w kernel.pid_max=4194304",
		.source = "gpud: 80% degraded, 95% unhealthy",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "process.threads-max",
		.title = "Threads against the kernel's limit",
		.why = "When kernel.threads-max is reached, fork and thread creation fail for everybody. A node "
		       "with many data loaders and thread pools comes near to it.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_threads_max,
		.knob = "kernel.threads-max",
		.remedy = "Raise kernel.threads-max, and find the process that has so many threads.",
		.source = "gpud: 80% degraded, 95% unhealthy",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "process.cgroup-pids",
		.title = "Tasks against the group's limit",
		.why = "A full pids controller makes fork fail inside the group while the machine has plenty. "
		       "Data loaders and thread pools of a job in a container or a login session meet it first.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_cgroup_pids,
		.remedy = "Raise the limit where it is set: TasksMax= of the unit, --pids-limit of the container, "
			  "podPidsLimit of the kubelet.",
		.source = "gpud: 80% degraded, 95% unhealthy; pids.events counts refused forks",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html#pid",
	},
	{
		.id = "process.fork-failures",
		.title = "Forks refused by a group",
		.why = "The kernel refused to start a process because its group was full, so a job lost a "
		       "worker. It happens when TasksMax or a container's limit is too small for the job.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_fork_failures,
		.remedy = "Raise TasksMax= of that unit or the pids limit of that container.",
		.source = "eks-node-monitoring-agent ForkFailedOutOfPIDs",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html#pid",
	},
	{
		.id = "process.file-handles",
		.title = "Open files of the machine",
		.why = "When the table of open files is full, every open and every socket fails for all but "
		       "root. Data loaders with many small files and many workers fill it.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_file_handles,
		.knob = "fs.file-max",
		.remedy = "Find the process with most open files (ls /proc/PID/fd), and raise fs.file-max.",
		.source = "gpud: 80% degraded, 95% unhealthy; the kernel's \"file-max limit reached\"",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/fs.html",
	},
	{
		.id = "process.aio",
		.title = "Kernel AIO slots in use",
		.why = "When the slots are used up, io_setup fails, and with it libaio: DeepSpeed's NVMe "
		       "offload, databases, fio. Each user takes as many as it asked for, used or not.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_aio,
		.knob = "fs.aio-max-nr",
		.remedy = "Raise fs.aio-max-nr.",
		.command = "sysctl -w fs.aio-max-nr=1048576",
		.source = "tuned openshift and oracle: 1048576; the share is that of the other tables",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/fs.html",
	},
	{
		.id = "process.load",
		.title = "Load against CPUs",
		.why = "More threads want to run than there are CPUs, so launch threads of GPUs wait for their turn and GPUs "
		       "idle. Loads that only wait for disks or servers count too, so this is judged only where the kernel "
		       "does not measure pressure, which tells which it is.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_load,
		.remedy = "Lower the number of data loader workers and of threads per worker, or find what they "
			  "wait for.",
		.source = "nhc check_ps_loadavg: twice the cores; PSI 20% is ours",
		.refs = "https://docs.kernel.org/accounting/psi.html",
	},
	{
		.id = "process.threads-each",
		.title = "Threads of one process",
		.why = "A process with far more threads than CPUs spends its time in switching and its memory in "
		       "stacks. It comes from thread pools that each take all CPUs, once for each worker.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_thread_count,
		.remedy = "Set OMP_NUM_THREADS and the like in that process to its share of the CPUs.",
		.source = "ours: more than 1000 threads and more than 16 for each CPU",
	},
	{
		.id = "process.realtime",
		.title = "Busy real-time processes",
		.why = "A real-time process goes before all others on its CPU, so a launch thread or a data "
		       "loader on that CPU waits. It hurts when it is busy; watchdogs that sleep do no harm.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_realtime,
		.remedy = "Give the process a normal policy (chrt -o -p 0 PID), or keep its CPUs out of the job.",
		.source = "sched(7); 25% of a CPU is ours",
		.refs = "https://man7.org/linux/man-pages/man7/sched.7.html",
	},
	{
		.id = "process.gpu-nice",
		.title = "Niced processes on GPUs",
		.why = "A process with low priority gets the CPU last, so its GPU waits whenever anything else "
		       "runs. It is right for a test run and wrong for the job that the node is for.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_gpu_nice,
		.remedy = "Start the job without nice, or raise its priority with renice.",
		.source = "sched(7)",
		.refs = "https://man7.org/linux/man-pages/man7/sched.7.html",
	},
	{
		.id = "process.reclaim-threads",
		.title = "CPU time of memory reclaim",
		.why = "kswapd and kcompactd at work mean that free memory is short on their node, and "
		       "allocations of the job stall with them. It happens when the page cache or one node of "
		       "several is under pressure.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_reclaim_threads,
		.knob = "vm.min_free_kbytes",
		.remedy = "Leave more memory free: raise vm.min_free_kbytes, spread the job over the nodes, or "
			  "lower the page cache that it makes.",
		.source = "nhc check_ps_kswapd; 5% since boot and 50% now are ours",
	},
	{
		.id = "process.mps-server",
		.title = "MPS server without its daemon",
		.why = "A server without its control daemon keeps GPU contexts and memory and can no longer be "
		       "asked to quit. It happens when the daemon was killed instead of told to quit.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVIDIA | PIT_NEED_HOST,
		.probe = pit_probe_mps_server,
		.remedy = "End the server, and stop MPS with \"echo quit | nvidia-cuda-mps-control\" next time.",
		.source = "CUDA Multi-Process Service documentation",
		.refs = "https://docs.nvidia.com/deploy/mps/index.html",
	},
	{
		.id = "process.core-pattern",
		.title = "Where core dumps go",
		.why = "A crash of a rank leaves nothing to look at when the program or directory that should "
		       "take the core is missing. It matters on the day of the first crash.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_probe_core_pattern,
		.remedy = "Install the program that kernel.core_pattern names, or set the pattern to a directory "
			  "that exists.",
		.source = "core(5)",
		.refs = "https://man7.org/linux/man-pages/man5/core.5.html",
	},
	{
		.id = "process.environment-size",
		.title = "Size of the environment",
		.why = "Environment and arguments share one small space, and when it is full every program start "
		       "fails with \"Argument list too long\". Module systems and Kubernetes service variables "
		       "make it grow.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_environment_size,
		.remedy = "Unload modules that are not needed, or set enableServiceLinks: false in the pod.",
		.source = "eks-node-monitoring-agent LargeEnvironment; execve(2): a quarter of the stack limit",
		.refs = "https://man7.org/linux/man-pages/man2/execve.2.html",
	},
	{
		.id = "process.uptime",
		.title = "Recent boot",
		.why = "A node that has just booted may have lost a job, and caches, mounts and GPU persistence "
		       "are still being set up. Look why it booted before you give it work.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_uptime,
		.remedy = "See the end of the last boot: journalctl -b -1 -e.",
		.source = "gcm check-node uptime: 600 s",
	},
	{
		.id = "process.rapid-cron",
		.title = "Cron jobs that start all the time",
		.why = "A job every minute on every node wakes CPUs at the same moment, and one slow rank slows "
		       "all of them. It matters in tightly coupled training.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_probe_rapid_cron,
		.remedy = "Start the job at least five minutes apart, or from a systemd timer with "
			  "RandomizedDelaySec=.",
		.source = "eks-node-monitoring-agent RapidCron: 5 minutes",
	},
	{
		.id = "process.pid-max",
		.title = "Room for PIDs",
		.why = "A small range of PIDs runs out on a node with hundreds of CPUs and thousands of threads, "
		       "and PIDs are used again within minutes. Tools that watch a PID then watch another "
		       "process.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/proc/sys/kernel/pid_max",
		.op = PIT_OP_GE,
		.want = "4194304",
		.knob = "kernel.pid_max",
		.remedy = "Raise kernel.pid_max.",
		.source = "tuned openshift, systemd 50-pid-max.conf: 4194304",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "process.inotify-instances",
		.title = "Inotify instances of a user",
		.why = "Kubelet, container runtimes and log agents take one instance for each container, and all "
		       "run as root. When they are used up, pods fail with \"too many open files\" although files "
		       "are few.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.path = "/proc/sys/fs/inotify/max_user_instances",
		.op = PIT_OP_GE,
		.want = "8192",
		.knob = "fs.inotify.max_user_instances",
		.remedy = "Raise fs.inotify.max_user_instances.",
		.source = "tuned openshift-node: 8192; NVIDIA gb200: 65535",
		.refs = "https://man7.org/linux/man-pages/man7/inotify.7.html",
	},
	{
		.id = "process.inotify-watches",
		.title = "Inotify watches of a user",
		.why = "Log agents and notebooks watch each file and directory of a tree. When the watches are "
		       "used up, changes are missed or the tool stops.",
		.area = PIT_AREA_PROCESS,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.path = "/proc/sys/fs/inotify/max_user_watches",
		.op = PIT_OP_GE,
		.want = "65536",
		.knob = "fs.inotify.max_user_watches",
		.remedy = "Raise fs.inotify.max_user_watches.",
		.source = "tuned openshift-node: 65536; NVIDIA gb200: 524288",
		.refs = "https://man7.org/linux/man-pages/man7/inotify.7.html",
	},
	{.id = NULL},
};
