/* SPDX-License-Identifier: MIT */
#include "check/kernel.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "check/offenders.h"
#include "host/sysctl_origin.h"

/* Documentation/admin-guide/tainted-kernels.rst. Worst first; benign ones are normal on hosts with drivers of their
 * own. */
static const struct taint {
	unsigned bit;
	char letter;
	const char *meaning;
	enum { BENIGN, SUSPECT, BROKEN } grade;
} taints[] = {
	{7, 'D', "died: oops or BUG", BROKEN},
	{4, 'M', "machine check", BROKEN},
	{5, 'B', "bad page", BROKEN},
	{14, 'L', "soft lockup", SUSPECT},
	{9, 'W', "warned", SUSPECT},
	{1, 'F', "module forced in", SUSPECT},
	{3, 'R', "module forced out", SUSPECT},
	{2, 'S', "processor out of specification", SUSPECT},
	{6, 'U', "set by a user", SUSPECT},
	{8, 'A', "ACPI table overridden", SUSPECT},
	{11, 'I', "firmware workaround", BENIGN},
	{0, 'P', "proprietary module", BENIGN},
	{12, 'O', "module from outside", BENIGN},
	{13, 'E', "unsigned module", BENIGN},
	{10, 'C', "staging driver", BENIGN},
	{15, 'K', "live patched", BENIGN},
	{16, 'X', "distribution's own", BENIGN},
	{17, 'T', "structures randomised", BENIGN},
	{18, 'N', "in-kernel test", SUSPECT},
	{19, 'J', "userspace used a mutating debug call", SUSPECT},
};

char *pit_taint_format(uint64_t mask, char *ret, size_t size)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;

	for (size_t i = 0; i < PIT_COUNT(taints); i++)
		if (mask >> taints[i].bit & 1)
			pit_buf_printf(&b, "%s%c (%s)", b.len ? ", " : "", taints[i].letter, taints[i].meaning);
	snprintf(ret, size, "%s", b.data);
	return ret;
}

int pit_kernel_taint(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const char *path = "/proc/sys/kernel/tainted";
	uint64_t mask, known = 0, bad = 0;
	bool broken = false;
	char text[256];
	int rc = pit_root_u64(pit_facts_root(facts), &mask, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	for (size_t i = 0; i < PIT_COUNT(taints); i++) {
		uint64_t bit = UINT64_C(1) << taints[i].bit;

		known |= bit;
		if (taints[i].grade != BENIGN)
			bad |= mask & bit;
		broken |= taints[i].grade == BROKEN && (mask & bit);
	}
	pit_want(out, "no taint but drivers of their own");
	pit_evidence(out, path, "%" PRIu64 "%s%s", mask, mask & known ? ": " : "",
		     pit_taint_format(mask, text, sizeof(text)));
	bad |= mask & ~known;
	if (!bad)
		return pit_pass(out, "%s", mask ? pit_taint_format(mask, text, sizeof(text)) : "none");
	if (!(bad & known))
		return pit_judge(out, PIT_WARN, PIT_RISK, "unknown taint, mask %" PRIu64, mask);
	return pit_judge(out, broken ? PIT_FAIL : PIT_WARN, PIT_RISK, "%s", pit_taint_format(bad, text, sizeof(text)));
}

int pit_kernel_pstore(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	static const char *const dirs[] = {"/sys/fs/pstore", "/var/lib/systemd/pstore"};
	size_t total = 0, seen = 0;
	int rc = 0;

	for (size_t i = 0; i < PIT_COUNT(dirs); i++) {
		const struct pit_strv *names;
		int one = pit_root_list(pit_facts_root(facts), &names, "%s", dirs[i]);

		rc = one && pit_root_state(one) != PIT_STATE_ABSENT ? one : rc;
		if (one)
			continue;
		seen++;
		total += names->count;
		if (names->count)
			pit_evidence(out, dirs[i], "%zu entries, first %s", names->count, names->item[0]);
	}
	pit_want(out, "no record of a crash");
	if (total)
		return pit_bad(out, "%zu record%s of crashes", total, total > 1 ? "s" : "");
	if (rc)
		return pit_fail(err, -rc, "%s", dirs[0]);
	if (!seen)
		return pit_skip(out, "this machine keeps no records of crashes");
	return pit_pass(out, "none");
}

int pit_kernel_feature(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_kernel_feature *f = row->arg;
	int rc = pit_root_exists(pit_facts_root(facts), "%s", f->path);

	if (rc && (pit_root_state(rc) != PIT_STATE_ABSENT || pit_root_exists(pit_facts_root(facts), "%s", f->beside)))
		return pit_fail(err, -rc, "%s", f->path);
	pit_want(out, "%s exists", f->path);
	pit_evidence(out, f->path, rc ? "does not exist" : "exists");
	if (rc)
		return pit_bad(out, "no %s", f->path);
	return pit_pass(out, "available");
}

/* The file stands for a whole set of debugging options that distributions switch on together. */
int pit_kernel_debug(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const char *path = "/proc/lockdep", *beside = "/proc/version";
	int rc = pit_root_exists(pit_facts_root(facts), "%s", path);

	if (rc && (pit_root_state(rc) != PIT_STATE_ABSENT || pit_root_exists(pit_facts_root(facts), "%s", beside)))
		return pit_fail(err, -rc, "%s (nor is there %s)", path, beside);
	pit_want(out, "no %s", path);
	pit_evidence(out, path, rc ? "does not exist" : "exists");
	return rc ? pit_pass(out, "no %s", path) : pit_bad(out, "%s exists", path);
}

int pit_kernel_psi(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	const char *path = "/proc/pressure/memory";
	struct pit_text text;
	struct pit_psi psi;
	int rc = pit_root_read(pit_facts_root(facts), &text, "%s", path);

	pit_want(out, "pressure stall information");
	if (!rc && !pit_psi_parse(text.data, &psi, NULL)) {
		pit_evidence(out, path, "%.*s", (int)strcspn(text.data, "\n"), text.data);
		return pit_pass(out, "available");
	}
	if (pit_root_state(rc) == PIT_STATE_ABSENT && pit_root_exists(pit_facts_root(facts), "/proc/vmstat"))
		return pit_fail(err, -rc, "%s", path);
	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT && pit_root_state(rc) != PIT_STATE_UNSUPPORTED)
		return pit_fail(err, -rc, "%s", path);
	pit_evidence(out, path, rc ? "%s" : "makes no sense", pit_state_name(pit_root_state(rc)));
	return pit_bad(out, rc == -EOPNOTSUPP ? "built in, switched off" : "not available");
}

int pit_kernel_lockdown(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	const char *path = "/sys/kernel/security/lockdown";
	char line[64], mode[32];
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), "%s", path);

	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_skip(out, "this kernel has no lockdown");
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_bracketed(line, mode, sizeof(mode));
	pit_want(out, "none or integrity");
	pit_evidence(out, path, "%s", line);
	if (strcmp(mode, "confidentiality") != 0)
		return pit_pass(out, "%s", mode);
	return pit_bad(out, "%s", mode);
}

/* Settings that other programs change by design while the machine runs. */
static bool is_expected_to_move(const char *key)
{
	static const char *const keys[] = {"kernel.printk", "fs.binfmt_misc.", "kernel.random."};

	for (size_t i = 0; i < PIT_COUNT(keys); i++)
		if (!strncmp(key, keys[i], strlen(keys[i])))
			return true;
	return false;
}

/* The key of a line of sysctl.d in `ret`; false for comments, patterns and exclusions. */
static bool sysctl_key(const char *line, char *ret, size_t size)
{
	size_t len;

	line += strspn(line, " \t");
	if (*line == '-')
		line++;
	len = strcspn(line, " \t=\n");
	snprintf(ret, size, "%.*s", (int)len, line);
	return len && len < size && strcspn(line, "=") < strcspn(line, "\n") && !strchr("#;", *line) &&
	       !strpbrk(ret, "*?[");
}

/* What the distribution ships is a default that anybody may override; what an administrator wrote is an intention. */
static bool is_vendors(const char *origin)
{
	return !strncmp(origin, "/usr/lib/", 9) || !strncmp(origin, "/lib/", 5);
}

struct drift {
	struct pit_facts *facts;
	struct pit_finding *out;
	struct pit_strv keys; /* seen already */
	struct pit_offenders bad;
};

static void judge_key(struct drift *d, const char *key)
{
	struct pit_root *root = pit_facts_root(d->facts);
	char path[192], live[256], text[512];
	bool slashes = strchr(key, '/') && (!strchr(key, '.') || strchr(key, '/') < strchr(key, '.'));

	snprintf(path, sizeof(path), "/proc/sys/%s", key);
	for (char *c = path + strlen("/proc/sys/"); *c && !slashes; c++)
		*c = *c == '.' ? '/' : (*c == '/' ? '.' : *c);
	if (is_expected_to_move(key) || pit_root_str(root, live, sizeof(live), "%s", path) ||
	    pit_sysctl_origin(root, path + strlen("/proc/sys/"), live, text, sizeof(text)) ||
	    !strstr(text, " is live") || is_vendors(text))
		return;
	pit_offenders_add(&d->bad, "%s", key);
	pit_evidence(d->out, key, "%s", text);
}

static int judge_file(struct drift *d, const char *path)
{
	struct pit_text text;
	char key[160];
	int rc = 0;

	if (pit_root_read(pit_facts_root(d->facts), &text, "%s", path))
		return 0;
	for (const char *line = text.data; line && !rc; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!sysctl_key(line, key, sizeof(key)) || pit_strv_has(&d->keys, key))
			continue;
		rc = pit_strv_add(&d->keys, key);
		if (!rc)
			judge_key(d, key);
	}
	return rc;
}

static int judge_dir(struct drift *d, const char *dir)
{
	const struct pit_strv *names;
	char path[256];
	int rc = 0;

	if (pit_root_list(pit_facts_root(d->facts), &names, "%s", dir))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names->item[i]);
		rc = judge_file(d, path);
	}
	return rc;
}

int pit_kernel_drift(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	static const char *const dirs[] = {"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
					   "/usr/lib/sysctl.d"};
	struct drift d = {.facts = facts, .out = out};
	size_t keys;
	int rc = judge_file(&d, "/etc/sysctl.conf");

	for (size_t i = 0; i < PIT_COUNT(dirs) && !rc; i++)
		rc = judge_dir(&d, dirs[i]);
	keys = d.keys.count;
	pit_strv_free(&d.keys);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	pit_want(out, "the live values that sysctl.d asks for");
	if (d.bad.count)
		return pit_bad(out, "%zu differ: %s", d.bad.count, pit_offenders_text(&d.bad));
	if (!keys)
		return pit_skip(out, "no sysctl.d here");
	return pit_pass(out, "%zu settings as configured", keys);
}

#define FLOOD 20

int pit_kernel_flood(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const struct pit_kmsg *log;
	const char *last = NULL;
	size_t found = 0;
	int rc = pit_facts_kmsg(facts, &log, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < log->count; i++) {
		if (!strstr(log->item[i].text, "callbacks suppressed") &&
		    !strstr(log->item[i].text, "messages suppressed"))
			continue;
		found++;
		last = log->item[i].text;
	}
	pit_want(out, "fewer than %d messages about suppressed messages", FLOOD);
	if (last)
		pit_evidence(out, log->source, "%zu such messages of %zu, the last: %.120s", found, log->count, last);
	if (found >= FLOOD)
		return pit_bad(out, "%zu times suppressed", found);
	return pit_pass(out, "%zu times suppressed", found);
}
