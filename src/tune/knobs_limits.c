/* SPDX-License-Identifier: MIT
 *
 * Limits of processes and of the tables that they share.
 */
#include "tune/harm.h"
#include "tune/knobs.h"

#define LIMIT                                                                                                          \
	.target = PIT_TARGET_FILE, .value = PIT_VALUE_TEXT, .resolve = pit_resolve_limits,                             \
	.values = "unlimited, a number, a size; SOFT:HARD", .lasts = PIT_LASTS_ITSELF, .takes = PIT_TAKES_LOGIN,       \
	.service = "the services that start jobs", .blast = "sessions and jobs that start later",                      \
	.source = "limits.conf(5), systemd.exec(5)"

#define DOC_FS "kernel documentation of sysctl/fs"

const struct pit_knob pit_knobs_limits[] = {
	{
		.id = "limits.memlock",
		.title = "Memory that a process may lock",
		LIMIT,
		.checks = "limits.memlock limits.memlock-daemons",
	},
	{
		.id = "limits.nofile",
		.title = "Files that a process may open",
		LIMIT,
		.checks = "limits.nofile limits.nofile-daemons",
	},
	{
		.id = "limits.nproc",
		.title = "Threads that a user may have",
		LIMIT,
		.checks = "limits.nproc limits.nproc-daemons",
	},
	{
		.id = "limits.stack",
		.title = "Stack of a process",
		LIMIT,
		.checks = "limits.stack limits.stack-daemons",
	},
	{
		.id = "fs.nr_open",
		.title = "Highest limit of open files that can be set",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 1048576, /* kernel default */
		.most = 2147483584,
		.judge = pit_judge_nr_open,
		.blast = PIT_BLAST_ALL " that raise their limit",
		.checks = "limits.nr-open",
		.source = DOC_FS,
	},
	{
		.id = "fs.file-max",
		.title = "Open files of the whole host",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 8192, /* kernel: the least that it sets itself */
		.most = INT64_MAX,
		.judge = pit_judge_files,
		.blast = PIT_BLAST_ALL,
		.checks = "process.file-handles",
		.source = DOC_FS,
	},
	{
		.id = "fs.aio-max-nr",
		.title = "Kernel AIO requests of the whole host",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 65536, /* kernel default */
		.most = INT64_MAX,
		.judge = pit_judge_aio,
		.blast = "programs that use kernel AIO",
		.checks = "process.aio",
		.source = DOC_FS,
	},
	{
		.id = "fs.inotify.max_user_instances",
		.title = "Inotify instances of a user",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 128, /* kernel default */
		.most = INT32_MAX,
		.blast = "programs that watch files",
		.checks = "process.inotify-instances",
		.source = "inotify(7)",
	},
	{
		.id = "fs.inotify.max_user_watches",
		.title = "Files that a user may watch by inotify",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 8192, /* kernel default */
		.most = INT32_MAX,
		.blast = "programs that watch files; about 1 KiB of kernel memory for each watch in use",
		.checks = "process.inotify-watches",
		.source = "inotify(7)",
	},
	{.id = NULL},
};
