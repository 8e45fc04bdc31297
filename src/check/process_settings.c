/* SPDX-License-Identifier: MIT
 *
 * Settings around processes: where cores go, how big an environment is, how long the machine is up, what cron starts.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/counters.h"
#include "check/process.h"
#include "host/conf_files.h"

int pit_probe_core_pattern(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	static const char path[] = "/proc/sys/kernel/core_pattern";
	struct pit_root *root = pit_facts_root(facts);
	char line[256], program[256];
	int rc = pit_root_str(root, line, sizeof(line), path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_evidence(out, path, "%s", line);
	pit_want(out, "a program or a directory that exists");
	if (*line == '|') {
		snprintf(program, sizeof(program), "%.*s", (int)strcspn(line + 1, " "), line + 1);
	} else if (*line == '/' && strrchr(line, '/') != line) {
		snprintf(program, sizeof(program), "%.*s", (int)(strrchr(line, '/') - line), line);
		if (strchr(program, '%'))
			return pit_pass(out, "%s", line);
	} else {
		return pit_pass(out, "%s", *line ? line : "no core files");
	}
	rc = pit_root_exists(root, "%s", program);
	if (!rc)
		return pit_pass(out, "%s", program);
	if (pit_root_state(rc) != PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "%s", program);
	pit_evidence(out, program, "does not exist");
	return pit_bad(out, "%s, which does not exist", program);
}

/* Bytes of the environment as it was at exec, from the addresses in field 50 and 51 of /proc/PID/stat; 0: hidden. */
static int environment_bytes(const char *stat, uint64_t *ret)
{
	const char *at = strrchr(stat, ')');
	uint64_t start, end;

	for (int field = 2; at && field < 50; field++) {
		at = strchr(at + 1, ' ');
		if (!at)
			return -EBADMSG;
	}
	if (!at || sscanf(at, " %" SCNu64 " %" SCNu64, &start, &end) != 2 || end < start)
		return -EBADMSG;
	*ret = end - start;
	return 0;
}

/* execve(2): arguments and environment may take a quarter of the stack limit, 128 KiB at least, 6 MiB at most. */
static uint64_t exec_room(uint64_t stack)
{
	uint64_t room = stack / 4;

	if (room < 128 << 10)
		return 128 << 10;
	return room < 6 << 20 ? room : 6 << 20;
}

int pit_probe_environment_size(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			       struct pit_error *err)
{
	int pid = pit_facts_options(facts)->pid;
	struct pit_root *root = pit_facts_root(facts);
	uint64_t bytes, room, soft, hard;
	char path[64] = "/proc/self/stat", have[32], may[32];
	struct pit_text text;
	int rc;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	rc = pit_root_read(root, &text, "%s", path);
	if (!rc)
		rc = environment_bytes(text.data, &bytes);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	if (!bytes)
		return pit_skip(out, "%s hides the environment of another user's process", path);
	rc = pit_proc_limit(root, pid, "Max stack size", &soft, &hard);
	if (rc)
		return pit_fail(err, -rc, "the stack limit");
	room = exec_room(soft);
	pit_format_size(bytes, have, sizeof(have));
	pit_format_size(room, may, sizeof(may));
	pit_want(out, "less than half of the %s that execve allows", may);
	pit_evidence(out, path, "the environment takes %s", have);
	return bytes < room / 2 ? pit_pass(out, "%s of %s", have, may) : pit_bad(out, "%s of %s", have, may);
}

int pit_probe_uptime(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	char text[32];
	double uptime;
	int rc = pit_uptime(facts, &uptime, err);

	if (rc)
		return rc;
	pit_format_age(uptime, text, sizeof(text));
	pit_want(out, "more than 10 min");
	pit_evidence(out, "/proc/uptime", "%.0f s", uptime);
	return uptime < 600 ? pit_bad(out, "booted %s ago", text) : pit_pass(out, "%s", text);
}

/* True when the minute field (and the hour) of a crontab line starts a job more often than every five minutes. */
static bool is_rapid(const char *line)
{
	char minute[64], hour[64];
	unsigned step;
	size_t commas = 0;

	if (sscanf(line, "%63s %63s", minute, hour) != 2 || (*minute != '*' && (*minute < '0' || *minute > '9')))
		return false;
	if (*hour != '*')
		return false;
	for (const char *c = minute; *c; c++)
		commas += *c == ',';
	if (!strcmp(minute, "*") || commas >= 12)
		return true;
	return sscanf(minute, "*/%u", &step) == 1 && step < 5;
}

/* The five fields of the schedule: the command may hold secrets. */
static size_t schedule_len(const char *line)
{
	const char *at = line;

	for (int i = 0; i < 5; i++) {
		at += strspn(at, " \t");
		at += strcspn(at, " \t");
	}
	return (size_t)(at - line);
}

static int scan_crontab(struct pit_root *root, const char *path, size_t *count, struct pit_finding *out)
{
	struct pit_text text;
	char line[512], where[320];
	const char *at;
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return rc;
	at = text.data;
	for (int number = 1; pit_conf_line(&at, line, sizeof(line)); number++) {
		if (!is_rapid(line))
			continue;
		snprintf(where, sizeof(where), "%s:%d", path, number);
		pit_evidence(out, where, "%.*s", (int)schedule_len(line), line);
		++*count;
	}
	return 0;
}

int pit_probe_rapid_cron(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	size_t count = 0, files = 0;
	char path[300];

	files += !scan_crontab(root, "/etc/crontab", &count, out);
	if (!pit_root_list(root, &names, "/etc/cron.d")) {
		for (size_t i = 0; i < names->count; i++) {
			if (strchr(names->item[i], '.')) /* cron itself leaves these out */
				continue;
			snprintf(path, sizeof(path), "/etc/cron.d/%s", names->item[i]);
			files += !scan_crontab(root, path, &count, out);
		}
	}
	if (!files)
		return pit_skip(out, "no system crontab here");
	pit_want(out, "none more often than every 5 minutes");
	if (!count)
		return pit_pass(out, "none in %zu files", files);
	return pit_bad(out, "%zu", count);
}
