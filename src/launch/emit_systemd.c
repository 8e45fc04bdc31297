/* SPDX-License-Identifier: MIT
 *
 * Units: a template with what all ranks have in common, a drop-in for each rank with its place, a target that starts
 * all, and a service that stops all when one fails. The text is a script that writes these files.
 */
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "launch/emit_parts.h"
#include "launch/leaf.h"

/* Each byte that means something to systemd, or is not printable, as a C escape. `dollar`: "$" begins a variable. */
static void put_word(struct pit_buf *out, const char *word, bool dollar)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@+=:,./-";

	if (*word && strspn(word, plain) == strlen(word)) {
		pit_buf_puts(out, word);
		return;
	}
	pit_buf_putc(out, '"');
	for (; *word; word++) {
		if (*word == '%' || (*word == '$' && dollar))
			pit_buf_printf(out, "%c%c", *word, *word);
		else if (*word == '"' || *word == '\\')
			pit_buf_printf(out, "\\%c", *word);
		else if ((unsigned char)*word < ' ' || (unsigned char)*word >= 0x7f)
			pit_buf_printf(out, "\\x%02x", (unsigned char)*word);
		else
			pit_buf_putc(out, *word);
	}
	pit_buf_putc(out, '"');
}

/* Bytes that follow the first of a character of UTF-8; -1 no such character begins so. */
static int followers(unsigned char c)
{
	return c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;
}

/* systemd ignores variables that are not UTF-8. */
static bool is_utf8(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c) {
		int more = followers(*c);
		unsigned char second = c[1];

		if (more < 0 || (*c == 0xe0 && second < 0xa0) || (*c == 0xed && second > 0x9f) ||
		    (*c == 0xf0 && second < 0x90) || (*c == 0xf4 && second > 0x8f))
			return false;
		for (c++; more > 0; more--, c++)
			if ((*c & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return !*name;
}

static void put_variable(struct pit_buf *out, const char *name, const char *value)
{
	pit_auto_buf struct pit_buf word = PIT_BUF_INIT;

	pit_buf_printf(&word, "%s=%s", name, value);
	pit_buf_puts(out, "Environment=");
	put_word(out, word.data, false);
	pit_buf_putc(out, '\n');
	out->failed |= word.failed;
}

/* A path for a line that knows neither quotes nor escapes. */
static bool is_plain_path(const char *path)
{
	size_t len = strlen(path);

	for (const char *c = path; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	return *path == '/' && !isspace((unsigned char)path[len - 1]) && path[len - 1] != '\\' && is_utf8(path);
}

/* Where the ranks work: --chdir, else where we are, as the shell says it. NULL unknown. */
static char *working_dir(const struct pit_job *j)
{
	const char *dir = j->options->dir, *pwd = pit_environ_get(j->environ, "PWD");
	char *both;

	if (dir && *dir == '/')
		return strdup(dir);
	if (!pwd || *pwd != '/')
		return NULL;
	if (!dir)
		return strdup(pwd);
	return asprintf(&both, "%s/%s", pwd, dir) < 0 ? NULL : both;
}

static int put_command(const struct pit_job *j, const char *dir, struct pit_buf *out, struct pit_error *err)
{
	/* Of a recorded machine only the name is known; systemd looks for it in its own path. */
	const char *path = j->program ? j->program : j->recorded ? j->options->argv[0] : NULL;
	bool complete = path && (*path == '/' || !strchr(path, '/'));
	pit_auto_buf struct pit_buf program = PIT_BUF_INIT;

	if (!path)
		return pit_fail(err, j->program_error.code ? j->program_error.code : ENOENT,
				"--emit systemd: a unit needs the path of the command: %s",
				*j->program_error.text ? j->program_error.text : "it was not found");
	if (!complete && !dir)
		return pit_fail(err, EOPNOTSUPP,
				"--emit systemd: '%.200s' is no absolute path; give one, or --chdir with one", path);
	pit_buf_printf(&program, "%s%s%s", complete ? "" : dir, complete ? "" : "/", path);
	for (const char *c = program.data; *c; c++)
		if (iscntrl((unsigned char)*c))
			return pit_fail(err, EOPNOTSUPP,
					"--emit systemd: the path of the command has a control character in it");
	pit_buf_puts(out, "ExecStart=");
	put_word(out, program.data, false);
	for (char *const *word = j->options->argv + 1; *word; word++) {
		pit_buf_putc(out, ' ');
		put_word(out, *word, true);
	}
	pit_buf_putc(out, '\n');
	out->failed |= program.failed;
	return 0;
}

/* A class of ionice. */
static void put_io_class(const char *word, struct pit_buf *out)
{
	if (!strcmp(word, "idle"))
		pit_buf_puts(out, "IOSchedulingClass=idle\n");
	else if (!strncmp(word, "best-effort", 11))
		pit_buf_printf(out, "IOSchedulingClass=best-effort\nIOSchedulingPriority=%s\n",
			       word[11] ? word + 12 : "4");
}

/* "259:0 rbps=1 wiops=2" of io.max */
static void put_io(const char *line, struct pit_buf *out)
{
	static const struct {
		const char *key, *setting;
	} keys[] = {
		{.key = "rbps=", .setting = "IOReadBandwidthMax"},
		{.key = "wbps=", .setting = "IOWriteBandwidthMax"},
		{.key = "riops=", .setting = "IOReadIOPSMax"},
		{.key = "wiops=", .setting = "IOWriteIOPSMax"},
	};
	pit_auto_strv struct pit_strv words = {0};

	out->failed |= pit_strv_split(&words, line, " \t") != 0;
	for (size_t w = 1; w < words.count; w++)
		for (size_t i = 0; i < PIT_COUNT(keys); i++) {
			size_t len = strlen(keys[i].key);
			char device[300];

			if (strncmp(words.item[w], keys[i].key, len) || !strcmp(words.item[w] + len, "max"))
				continue;
			snprintf(device, sizeof(device), "%s%.250s", *words.item[0] == '/' ? "" : "/dev/block/",
				 words.item[0]);
			pit_buf_printf(out, "%s=", keys[i].setting);
			put_word(out, device, false);
			pit_buf_printf(out, " %s\n", words.item[w] + len);
		}
}

static void put_limits(const struct pit_job *j, struct pit_buf *out)
{
	const struct pit_job_options *o = j->options;
	const char *policy = o->policy == SCHED_FIFO    ? "fifo"
			     : o->policy == SCHED_RR    ? "rr"
			     : o->policy == SCHED_BATCH ? "batch"
							: "other";

	if (o->memory_max)
		pit_buf_printf(out, "MemoryMax=%llu\n", (unsigned long long)o->memory_max);
	if (o->memory_high)
		pit_buf_printf(out, "MemoryHigh=%llu\n", (unsigned long long)o->memory_high);
	if (o->cpu_max > 0)
		pit_buf_printf(out, "CPUQuota=%.0f%%\n", o->cpu_max * 100 < 1 ? 1 : o->cpu_max * 100);
	if (o->memlock == PIT_UNLIMITED || !o->memlock)
		pit_buf_puts(out, "LimitMEMLOCK=infinity\n"); /* the hard limit of a service, as pitcrew raises it */
	else
		pit_buf_printf(out, "LimitMEMLOCK=%llu\n", (unsigned long long)o->memlock);
	if (pit_emit_files(j))
		pit_buf_printf(out, "LimitNOFILE=%llu:%llu\n", (unsigned long long)pit_emit_files(j)->rlim_cur,
			       (unsigned long long)pit_emit_files(j)->rlim_max);
	for (size_t i = 0; i < o->io.count; i++)
		put_io_class(o->io.item[i], out);
	for (size_t i = 0; i < j->io_max.count; i++)
		put_io(j->io_max.item[i], out);
	if (o->sched_set)
		pit_buf_printf(out, "CPUSchedulingPolicy=%s\n", policy);
	if (o->sched_set && o->priority)
		pit_buf_printf(out, "CPUSchedulingPriority=%d\n", o->priority);
	if (o->nice_set)
		pit_buf_printf(out, "Nice=%d\n", o->nice);
	if (o->oom_set)
		pit_buf_printf(out, "OOMScoreAdjust=%d\n", o->oom_score_adj);
}

/* Services start with an environment of their own: what commands need most of ours goes along. */
static void put_common_environment(const struct pit_job *j, struct pit_buf *out)
{
	static const char *const names[] = {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX"};

	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		const char *value = pit_environ_get(j->environ, names[i]);

		if (value && *value && is_utf8(value))
			put_variable(out, names[i], value);
	}
}

static void put_user(const struct pit_job *j, struct pit_buf *out)
{
	const char *user = pit_environ_get(j->environ, "USER");

	if (user && *user && strcmp(user, "root") && strlen(user) < 32 && isalpha((unsigned char)*user) &&
	    strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(user))
		pit_buf_printf(out, "User=%s\n", user);
}

static void put_file(struct pit_buf *out, const char *name, const char *suffix)
{
	pit_buf_printf(out, "\ncat >\"$dir/pitcrew-%s%s\" <<'PITCREW'\n", name, suffix);
}

static int put_template(const struct pit_job *j, const char *name, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_free char *dir = working_dir(j);
	char stop[16];
	int rc;

	put_file(out, name, "@.service");
	pit_buf_printf(out,
		       "[Unit]\nDescription=Rank %%i of %s\nPartOf=pitcrew-%s.target\n"
		       "OnFailure=pitcrew-%s-failed.service\n\n[Service]\nType=exec\n",
		       name, name, name);
	put_user(j, out);
	if (dir && !is_plain_path(dir))
		return pit_fail(err, EOPNOTSUPP,
				"--emit systemd: a unit cannot name the working directory; give --chdir");
	if (dir) {
		pit_buf_puts(out, "WorkingDirectory=");
		for (const char *c = dir; *c; c++)
			pit_buf_printf(out, *c == '%' ? "%c%%" : "%c", *c);
		pit_buf_putc(out, '\n');
	}
	put_common_environment(j, out);
	rc = put_command(j, dir, out, err);
	if (rc)
		return rc;
	pit_buf_printf(out, "KillMode=mixed\nKillSignal=%s\n",
		       pit_emit_signal(pit_emit_stop_signal(j), stop, sizeof(stop)));
	if (pit_emit_grace(j) == PIT_EMIT_NEVER)
		pit_buf_puts(out, "TimeoutStopSec=infinity\n");
	else
		pit_buf_printf(out, "TimeoutStopSec=%u\n", pit_emit_grace(j));
	put_limits(j, out);
	pit_buf_puts(out, "PITCREW\n");
	return 0;
}

static void put_binding(const struct pit_job *j, int at, struct pit_buf *out)
{
	static const char *const policies[] = {[PIT_MEM_PREFER] = "preferred",
					       [PIT_MEM_BIND] = "bind",
					       [PIT_MEM_INTERLEAVE] = "interleave",
					       [PIT_MEM_LOCAL] = "local",
					       [PIT_MEM_NONE] = NULL};
	const struct pit_seat *seat = &j->placement.seat[at];
	const char *policy = policies[j->placement.mem];
	bool mask = j->placement.mem != PIT_MEM_LOCAL;

	if (!pit_idset_is_empty(&seat->cpus)) {
		pit_buf_puts(out, "CPUAffinity=");
		pit_idset_print(&seat->cpus, out);
		pit_buf_putc(out, '\n');
	}
	if (!policy || (mask && pit_idset_is_empty(&seat->mems)))
		return;
	pit_buf_printf(out, "NUMAPolicy=%s\n", policy);
	if (j->placement.mem == PIT_MEM_PREFER) { /* systemd takes one node for it */
		pit_buf_printf(out, "NUMAMask=%d\n", pit_emit_home(j, at));
	} else if (mask) {
		pit_buf_puts(out, "NUMAMask=");
		pit_idset_print(&seat->mems, out);
		pit_buf_putc(out, '\n');
	}
}

static int put_rank(const struct pit_job *j, const char *name, int at, struct pit_buf *out, struct pit_error *err)
{
	const struct pit_env *e = &j->env[at];
	char suffix[64];

	snprintf(suffix, sizeof(suffix), "@%d.service.d", at);
	pit_buf_printf(out, "\nmkdir -p \"$dir/pitcrew-%s%s\"", name, suffix);
	snprintf(suffix, sizeof(suffix), "@%d.service.d/rank.conf", at);
	put_file(out, name, suffix);
	pit_buf_puts(out, "[Service]\n");
	put_binding(j, at, out);
	for (size_t i = 0; i < e->items; i++) {
		if (!e->item[i].value)
			continue;
		if (is_name(e->item[i].name) && is_utf8(e->item[i].value))
			put_variable(out, e->item[i].name, e->item[i].value);
		else if (!e->item[i].kept)
			return pit_fail(err, EOPNOTSUPP, "--emit systemd: a unit cannot have the variable '%.60s'",
					e->item[i].name);
	}
	pit_buf_puts(out, "PITCREW\n");
	return 0;
}

int pit_emit_systemd(const struct pit_job *j, struct pit_buf *out, struct pit_error *err)
{
	char name[64];
	int rc;

	pit_emit_name(j, name, sizeof(name));
	pit_buf_puts(out, "#!/bin/sh\n");
	pit_emit_header(j, PIT_EMIT_SYSTEMD, out);
	pit_buf_printf(out,
		       "# sh THIS [DIRECTORY] && systemctl daemon-reload && systemctl start pitcrew-%s.target\n"
		       "set -eu\ndir=${1:-/etc/systemd/system}\nmkdir -p \"$dir\"\n",
		       name);
	rc = put_template(j, name, out, err);
	for (int i = 0; i < j->placement.ranks && !rc; i++)
		rc = put_rank(j, name, i, out, err);
	if (rc)
		return rc;
	put_file(out, name, ".target");
	pit_buf_printf(out, "[Unit]\nDescription=All ranks of %s\n", name);
	for (int i = 0; i < j->placement.ranks; i++)
		pit_buf_printf(out, "Wants=pitcrew-%s@%d.service\n", name, i);
	pit_buf_puts(out, "\n[Install]\nWantedBy=multi-user.target\nPITCREW\n");
	put_file(out, name, "-failed.service");
	pit_buf_printf(out,
		       "[Unit]\nDescription=Stops %s when a rank has failed\n\n[Service]\nType=oneshot\n"
		       "ExecStart=/usr/bin/systemctl stop --no-block pitcrew-%s.target\nPITCREW\n",
		       name, name);
	return 0;
}
