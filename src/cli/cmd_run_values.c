/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/words.h"
#include "cli/run.h"
#include "launch/exit_report.h"
#include "launch/visible.h"

int64_t pit_run_integer(struct argp_state *state, const char *option, const char *arg, int least, int most)
{
	int64_t value;

	if (pit_parse_i64(arg, &value) || value < least || value > most)
		pit_cli_usage(state, "--%s=%s is not a number from %d to %d", option, arg, least, most);
	return value;
}

uint64_t pit_run_size(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t bytes;

	if (pit_parse_size(arg, &bytes) || !bytes || bytes == UINT64_MAX)
		pit_cli_usage(state, "--%s=%s is not a size; write bytes, or 512M, 64G", option, arg);
	return bytes;
}

int64_t pit_run_duration(struct argp_state *state, const char *option, const char *arg)
{
	int64_t ns;

	if (pit_parse_duration(arg, &ns) || ns > 7 * 86400 * 1000 * PIT_MS)
		pit_cli_usage(state, "--%s=%s is not a time of at most a week; write 500ms, 10s, 2min", option, arg);
	return ns;
}

double pit_run_cpus(struct argp_state *state, const char *option, const char *arg)
{
	size_t len = strlen(arg);
	bool percent = len && arg[len - 1] == '%';
	pit_auto_free char *number = strndup(arg, percent ? len - 1 : len);
	double cpus;

	if (!number || pit_parse_double(number, &cpus))
		cpus = NAN;
	if (percent)
		cpus /= 100;
	if (!(cpus >= 0.01 && cpus <= 65536))
		pit_cli_usage(state, "--%s=%s is not a number of CPUs; write 3.5 or 350%%", option, arg);
	return cpus;
}

int pit_run_signal(struct argp_state *state, const char *option, const char *arg)
{
	int number;

	if (pit_signal_parse(arg, &number))
		pit_cli_usage(state, "--%s=%s is not a signal; write TERM, USR1, RTMIN+1 ('kill -l' lists them)",
			      option, arg);
	if (number == SIGKILL || number == SIGSTOP)
		pit_cli_usage(state, "--%s=%s: no program can catch that signal; choose another", option, arg);
	return number;
}

static const struct {
	const char *word;
	int policy;
	bool priority; /* needed */
} policies[] = {
	{.word = "other", .policy = SCHED_OTHER},
	{.word = "batch", .policy = SCHED_BATCH},
	{.word = "fifo", .policy = SCHED_FIFO, .priority = true},
	{.word = "rr", .policy = SCHED_RR, .priority = true},
};

void pit_run_sched(struct argp_state *state, const char *arg, struct pit_job_options *o)
{
	size_t len = strcspn(arg, ":");
	uint64_t priority = 0;

	for (size_t i = 0; i < PIT_COUNT(policies); i++) {
		if (strncmp(arg, policies[i].word, len) != 0 || policies[i].word[len])
			continue;
		if (policies[i].priority != (arg[len] == ':'))
			break;
		if (policies[i].priority && (pit_parse_u64(arg + len + 1, &priority) || priority < 1 || priority > 99))
			pit_cli_usage(state, "--sched=%s: the priority goes from 1 to 99", arg);
		o->policy = policies[i].policy;
		o->priority = (int)priority;
		o->sched_set = true;
		return;
	}
	pit_cli_usage(state, "--sched=%s is not known; choose one of: other, batch, fifo:P, rr:P (P from 1 to 99)",
		      arg);
}

static size_t name_length(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return isdigit((unsigned char)*text) ? 0 : len;
}

static void add(struct argp_state *state, struct pit_strv *to, const char *arg)
{
	if (pit_strv_add(to, arg))
		pit_cli_usage(state, "out of memory");
}

void pit_run_env(struct argp_state *state, const char *arg, struct pit_job_options *o)
{
	const char *name = *arg == '-' ? arg + 1 : arg;
	size_t len = name_length(name);

	if (!len || (name[len] && (name[len] != '=' || name != arg)))
		pit_cli_usage(state, "--env=%s: write NAME=VALUE to set, NAME to pass on untouched, -NAME to remove",
			      arg);
	add(state, &o->env, arg);
}

static bool is_device(const char *word, size_t len)
{
	size_t major = strspn(word, "0123456789"), minor = major + 1;

	if (*word == '/')
		return len > 1;
	if (!major || word[major] != ':')
		return false;
	minor += strspn(word + minor, "0123456789");
	return minor == len && minor > major + 1;
}

/* "rbps=100M": a known key, and a size or "max". */
static bool is_io_limit(const char *word)
{
	static const char *const keys[] = {"rbps=", "wbps=", "riops=", "wiops=", NULL};
	uint64_t value;

	for (size_t i = 0; keys[i]; i++) {
		size_t len = strlen(keys[i]);

		if (!strncmp(word, keys[i], len))
			return !strcmp(word + len, "max") || (!pit_parse_size(word + len, &value) && value);
	}
	return false;
}

/* "DEVICE KEY=VALUE..." */
static bool is_io_line(const char *arg)
{
	pit_auto_strv struct pit_strv words = {0};
	bool good = !pit_strv_split(&words, arg, " \t") && words.count > 1 &&
		    is_device(words.item[0], strlen(words.item[0]));

	for (size_t i = 1; good && i < words.count; i++)
		good = is_io_limit(words.item[i]);
	return good;
}

static bool is_io_priority(const char *arg)
{
	static const char *const words[] = {
		"idle",          "best-effort:0", "best-effort:1", "best-effort:2", "best-effort:3",
		"best-effort:4", "best-effort:5", "best-effort:6", "best-effort:7", NULL};

	return pit_is_among(arg, words);
}

void pit_run_io(struct argp_state *state, const char *arg, struct pit_job_options *o)
{
	if (!is_io_priority(arg) && !is_io_line(arg))
		pit_cli_usage(state,
			      "--io=%s: write 'DEVICE KEY=VALUE...' with rbps, wbps, riops, wiops, as in "
			      "'/dev/nvme0n1 wbps=500M', or a priority: idle, best-effort:0 to best-effort:7",
			      arg);
	add(state, &o->io, arg);
}

void pit_run_gpus(struct argp_state *state, const char *arg, struct pit_job_options *o)
{
	struct pit_visible_list list = {0};
	struct pit_error err = PIT_ERROR_INIT;

	if (pit_visible_parse_strict(arg, &list, &err) == -EINVAL)
		pit_cli_usage(state, "--gpus=%s: %s", arg, err.text);
	pit_visible_free(&list);
	o->gpus = arg;
}
