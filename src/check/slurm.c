/* SPDX-License-Identifier: MIT
 *
 * The rows about Slurm; their probes are in slurm_setting.c, slurm_node.c and slurm_gres.c.
 */
#include "check/slurm.h"

#include "check/catalog.h"

const struct pit_check pit_check_slurm[] = {
	{
		.id = "slurm.constrain-cores",
		.title = "Jobs are held to their CPUs",
		.why = "Without ConstrainCores a job may run on every CPU of the node and takes time from its "
		       "neighbours. It shows as soon as two jobs share a node, or one starts more threads than "
		       "it asked for.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_setting_probe,
		.arg =
			&(const struct pit_slurm_setting){
				.file = "cgroup.conf", .key = "ConstrainCores", .unset = "no", .want = "yes"},
		.remedy = "Set ConstrainCores=yes in cgroup.conf and restart slurmd.",
		.source = "NVIDIA deepops Slurm templates",
		.refs = "https://slurm.schedmd.com/cgroup.conf.html",
	},
	{
		.id = "slurm.constrain-devices",
		.title = "Jobs are held to their GPUs",
		.why = "Without ConstrainDevices a job can open every GPU of the node, also those that Slurm "
		       "gave to others. A wrong CUDA_VISIBLE_DEVICES then lands on a busy GPU and ends in "
		       "out-of-memory errors for both.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM | PIT_NEED_GPU,
		.probe = pit_slurm_setting_probe,
		.arg =
			&(const struct pit_slurm_setting){
				.file = "cgroup.conf", .key = "ConstrainDevices", .unset = "no", .want = "yes"},
		.remedy = "Set ConstrainDevices=yes in cgroup.conf and restart slurmd.",
		.source = "NVIDIA deepops Slurm templates",
		.refs = "https://slurm.schedmd.com/cgroup.conf.html",
	},
	{
		.id = "slurm.constrain-ram",
		.title = "Jobs are held to their memory",
		.why = "Without ConstrainRAMSpace one job can take all memory of the node, and the kernel then "
		       "kills whichever process it likes. It happens when a data loader leaks or a checkpoint is "
		       "gathered in host memory.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_setting_probe,
		.arg =
			&(const struct pit_slurm_setting){
				.file = "cgroup.conf", .key = "ConstrainRAMSpace", .unset = "no", .want = "yes"},
		.remedy = "Set ConstrainRAMSpace=yes in cgroup.conf and restart slurmd.",
		.source = "NVIDIA deepops Slurm templates",
		.refs = "https://slurm.schedmd.com/cgroup.conf.html",
	},
	{
		.id = "slurm.constrain-swap",
		.title = "Jobs are held to their share of swap",
		.why = "With swap on and ConstrainSwapSpace off a job that reaches its memory limit goes on in "
		       "swap instead of ending. Ranks that page slow the whole job, long before anybody sees an "
		       "error.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_swap_probe,
		.remedy = "Set ConstrainSwapSpace=yes in cgroup.conf, or turn swap off on compute nodes.",
		.source = "Slurm cgroup.conf: ConstrainSwapSpace defaults to no",
		.refs = "https://slurm.schedmd.com/cgroup.conf.html",
	},
	{
		.id = "slurm.task-plugin",
		.title = "Tasks are bound and contained",
		.why = "Without task/affinity tasks are not bound to CPUs, and without task/cgroup the limits of "
		       "cgroup.conf are not applied. Ranks then wander between sockets and away from the memory "
		       "of their GPU.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_setting_probe,
		.arg = &(const struct pit_slurm_setting){.file = "slurm.conf",
							 .key = "TaskPlugin",
							 .unset = "task/none",
							 .want = "task/affinity task/cgroup",
							 .all = true},
		.remedy = "Set TaskPlugin=task/affinity,task/cgroup in slurm.conf and restart slurmctld and slurmd.",
		.source = "NVIDIA deepops Slurm templates",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.proctrack",
		.title = "Processes are tracked by control group",
		.why = "Only proctrack/cgroup finds every process of a job, also those that left their session. "
		       "Leftovers of other trackers keep GPU memory and shared memory after the job ended.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_setting_probe,
		.arg = &(const struct pit_slurm_setting){.file = "slurm.conf",
							 .key = "ProctrackType",
							 .want = "proctrack/cgroup"},
		.remedy = "Set ProctrackType=proctrack/cgroup in slurm.conf and restart slurmctld and slurmd.",
		.source = "NVIDIA deepops Slurm templates",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.select-type",
		.title = "GPUs and CPUs are scheduled singly",
		.why = "select/linear gives whole nodes only, and select/cons_res knows no GPUs. Options such as "
		       "--gpus-per-task and --cpus-per-gpu need select/cons_tres.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_setting_probe,
		.arg = &(const struct pit_slurm_setting){.file = "slurm.conf",
							 .key = "SelectType",
							 .want = "select/cons_tres"},
		.remedy = "Set SelectType=select/cons_tres in slurm.conf and restart slurmctld and slurmd.",
		.source = "Slurm slurm.conf: GPU options need select/cons_tres",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.job-acct-gather",
		.title = "Use of memory and CPU is accounted",
		.why = "Without an accounting plugin sacct shows neither peak memory nor CPU time of a step. "
		       "Right limits for the next run are then guesswork after each out-of-memory kill.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_setting_probe,
		.arg = &(const struct pit_slurm_setting){.file = "slurm.conf",
							 .key = "JobAcctGatherType",
							 .unset = "jobacct_gather/none",
							 .want = "jobacct_gather/cgroup jobacct_gather/linux"},
		.remedy = "Set JobAcctGatherType=jobacct_gather/cgroup in slurm.conf.",
		.source = "Slurm slurm.conf: JobAcctGatherType",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.memlock",
		.title = "Locked memory does not come from the login shell",
		.why = "Slurm hands the limits of the submitting shell on to the job, so memlock on compute "
		       "nodes is what a login node allows. RDMA and pinned buffers then fail with Cannot "
		       "allocate memory although slurmd itself is unlimited.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_memlock_probe,
		.remedy = "Set PropagateResourceLimitsExcept=MEMLOCK in slurm.conf and LimitMEMLOCK=infinity for "
			  "slurmd.",
		.source = "NVIDIA deepops Slurm templates; ai4d-iasc/trixie#81",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.health-check",
		.title = "Nodes are checked between jobs",
		.why = "Without a health check a node with a lost GPU or a full disk keeps taking jobs and "
		       "failing them. One bad node drains a whole queue within minutes.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_health_probe,
		.remedy = "Set HealthCheckProgram and HealthCheckInterval in slurm.conf.",
		.source = "NVIDIA deepops Slurm templates: HealthCheckInterval=300",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.unkillable",
		.title = "Time to end stuck processes",
		.why = "A process that writes a core of host memory or waits for a file server outlives the "
		       "default of 60 s, and Slurm drains the node. It strikes large training jobs at their end, "
		       "on many nodes at once.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_unkillable_probe,
		.remedy = "Set UnkillableStepTimeout to 180 or more in slurm.conf.",
		.source = "Slurm default 60 s; sites with large nodes use 120 to 300",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.prolog-flags",
		.title = "Each job has its container from the start",
		.why = "Contain makes Slurm create the job's control group before its first step, which "
		       "pam_slurm_adopt and job_container need. Without it processes that come in by ssh escape "
		       "the limits and stay behind.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_prolog_probe,
		.remedy = "Set PrologFlags=Contain in slurm.conf (X11 includes it).",
		.source = "Slurm slurm.conf: PrologFlags",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.tmp",
		.title = "Each job has its own /tmp and /dev/shm",
		.why = "Files that jobs leave in shared /tmp and /dev/shm fill the disk and the memory of the "
		       "node. The next job then fails to create shared memory for its data loaders.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_tmp_probe,
		.remedy = "Set JobContainerType=job_container/tmpfs in slurm.conf and BasePath in "
			  "job_container.conf.",
		.source = "Slurm job_container.conf",
		.refs = "https://slurm.schedmd.com/job_container.conf.html",
	},
	{
		.id = "slurm.cgroup-plugin",
		.title = "Control group plugin fits the kernel",
		.why = "A plugin for the other version of control groups keeps slurmd from starting, or runs "
		       "jobs without limits. It appears after an upgrade of the distribution, which moves the "
		       "host to version 2.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_cgroup_version_probe,
		.remedy = "Set CgroupPlugin=autodetect in cgroup.conf.",
		.source = "Slurm cgroup.conf: CgroupPlugin",
		.refs = "https://slurm.schedmd.com/cgroup.conf.html",
	},
	{
		.id = "slurm.config-overrides",
		.title = "Hardware is checked against the configuration",
		.why = "With config_overrides Slurm believes slurm.conf and not the machine, so a node that lost "
		       "memory, a socket or SMT stays in service. Jobs are then bound to CPUs that do not exist "
		       "or share cores.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_overrides_probe,
		.remedy = "Remove config_overrides from SlurmdParameters and correct the NodeName lines by slurmd "
			  "-C.",
		.source = "Slurm slurm.conf: SlurmdParameters",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.node-cpus",
		.title = "CPUs, sockets and threads as configured",
		.why = "Wrong counts make Slurm bind ranks to the wrong cores, or leave cores idle; more CPUs "
		       "than there are take the node out of service. A usual cause is SMT switched on or off in "
		       "the firmware.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_node_cpus_probe,
		.remedy = "Put what slurmd -C prints on the NodeName line.",
		.command = "slurmd -C",
		.source = "Slurm slurm.conf; geopm/geopm#375",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.real-memory",
		.title = "RealMemory fits the machine",
		.why = "More than the machine has puts the node into state INVALID_REG, and far less leaves "
		       "memory that no job can ask for. Unset it is 1 MiB, so jobs that ask for memory never "
		       "start here.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_real_memory_probe,
		.remedy = "Set RealMemory on the NodeName line to what slurmd -C prints, less what the system "
			  "needs.",
		.command = "slurmd -C",
		.source = "Slurm slurm.conf: RealMemory",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.mem-spec",
		.title = "Memory is kept for the system",
		.why = "When jobs may take all memory, their page cache, the file system client and slurmd "
		       "itself have none left, and the kernel kills processes at random. It hurts with "
		       "ConstrainRAMSpace too, since the limits of all jobs add up to the whole node.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_mem_spec_probe,
		.remedy = "Set MemSpecLimit, or lower RealMemory by 2 to 5 percent.",
		.source = "Slurm slurm.conf: MemSpecLimit; 2 % is this program's choice",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.gres-types",
		.title = "GPUs are a known resource",
		.why = "Without gpu in GresTypes Slurm ignores every GPU of the cluster and refuses jobs that "
		       "ask for one. A comment sign left over from the template is the usual cause.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_gres_types_probe,
		.remedy = "Set GresTypes=gpu in slurm.conf and restart slurmctld and slurmd.",
		.source = "Slurm slurm.conf: GresTypes; SchedMD testsuite 7.17.6",
		.refs = "https://slurm.schedmd.com/slurm.conf.html",
	},
	{
		.id = "slurm.gres-conf",
		.title = "GPUs of this node are configured",
		.why = "A node needs both Gres=gpu:N on its NodeName line and a description in gres.conf. With "
		       "only one of them the node is drained or its GPUs are never given to jobs.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_gres_conf_probe,
		.remedy = "Add Gres=gpu:N to the NodeName line and AutoDetect=nvml to gres.conf.",
		.source = "SchedMD testsuite 7.17.5 and 7.17.6",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{
		.id = "slurm.gres-count",
		.title = "Number of GPUs agrees",
		.why = "When Slurm's count exceeds what is there the node is drained with gres/gpu count "
		       "reported lower than configured. It is also how a GPU that fell off the bus shows first.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_gres_count_probe,
		.remedy = "Correct Gres=gpu:N and gres.conf, or find the missing GPU.",
		.source = "Slurm gres.conf: Count",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{
		.id = "slurm.gres-files",
		.title = "GPU device files exist",
		.why = "slurmd does not start when a file in gres.conf is missing. After a boot the files of a "
		       "driver without persistence daemon may not be there yet.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_gres_files_probe,
		.remedy = "Load the driver before slurmd starts (nvidia-persistenced), or correct File= in "
			  "gres.conf.",
		.source = "Slurm gres.conf: File",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{
		.id = "slurm.gres-cores",
		.title = "Cores of GPUs are core ids",
		.why = "Cores= counts cores from 0 in Slurm's order, and not CPU ids as nvidia-smi topo prints "
		       "them for SMT siblings. Invalid ids make slurmd refuse the line, and wrong ones put ranks "
		       "far from their GPU.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_gres_cores_probe,
		.remedy = "Use AutoDetect=nvml, or give Cores= in core ids.",
		.source = "NVIDIA/deepops#1195; SchedMD testsuite 7.17.7",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{
		.id = "slurm.gres-links",
		.title = "Links of GPUs are well formed",
		.why = "Links= tells which GPUs are joined by NVLink; a missing or empty field makes slurmd "
		       "reject the line. Jobs with two or four GPUs then get pairs that talk over PCIe.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_SLURM,
		.probe = pit_slurm_gres_links_probe,
		.remedy = "Use AutoDetect=nvml, or give one number for each GPU and -1 for itself.",
		.source = "NVIDIA/deepops#1102",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{
		.id = "slurm.gres-affinity",
		.title = "Slurm knows which cores are near a GPU",
		.why = "Without AutoDetect or Cores= Slurm gives a job any free cores, often on the other "
		       "socket. Copies to the GPU then cross the socket link for the whole run.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM | PIT_NEED_NODES,
		.probe = pit_slurm_gres_affinity_probe,
		.remedy = "Put AutoDetect=nvml into gres.conf (rsmi for AMD, oneapi for Intel).",
		.source = "NVIDIA deepops Slurm templates",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{
		.id = "slurm.gres-type",
		.title = "Several GPU models have types",
		.why = "With untyped GPUs a job gets whichever model is free, so runs differ in speed and memory "
		       "from one submission to the next. Only nodes or partitions with several models are "
		       "concerned.",
		.area = PIT_AREA_SLURM,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_SLURM | PIT_NEED_GPU,
		.probe = pit_slurm_gres_type_probe,
		.remedy = "Name the models in Gres=gpu:TYPE:N and Type= in gres.conf.",
		.source = "public reports of mixed partitions",
		.refs = "https://slurm.schedmd.com/gres.conf.html",
	},
	{.id = NULL},
};
