/* SPDX-License-Identifier: MIT
 *
 * What kernel settings, filters and security modules refuse to jobs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "check/access.h"
#include "check/security.h"
#include "check/offenders.h"
#include "host/try.h"

int pit_probe_io_uring_sysctl(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	int64_t disabled, group = -1;
	int rc = pit_root_i64(root, &disabled, "/proc/sys/kernel/io_uring_disabled");
	char name[64];

	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_skip(out, "this kernel has no switch for it (since Linux 6.6)");
	if (rc)
		return pit_fail(err, -rc, "/proc/sys/kernel/io_uring_disabled");
	pit_evidence(out, "/proc/sys/kernel/io_uring_disabled", "%" PRId64, disabled);
	pit_want(out, "0, or 1 with the jobs' group");
	if (disabled <= 0)
		return pit_pass(out, "allowed");
	pit_origin_of(facts, "/proc/sys/kernel/io_uring_disabled", NULL, NULL, out);
	if (disabled >= 2)
		return pit_bad(out, "switched off for all");
	(void)pit_root_i64(root, &group, "/proc/sys/kernel/io_uring_group");
	if (group < 0)
		return pit_bad(out, "switched off for users without CAP_SYS_ADMIN");
	pit_evidence(out, "/proc/sys/kernel/io_uring_group", "%" PRId64, group);
	return pit_pass(out, "only for group %s", pit_name_of(root, "group", group, name, sizeof(name)));
}

static int make_mempolicy(const char *name, void *arg, struct pit_buf *out)
{
	int mode;

	errno = 0;
	(void)syscall(SYS_get_mempolicy, &mode, NULL, 0UL, NULL, 0UL);
	pit_buf_printf(out, "errno %d\n", errno);
	return 0;
}

static int try_mempolicy(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(300, make_mempolicy, name, arg, out);
}

int pit_probe_mempolicy(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_text text = {.data = "errno 1\n"};
	uint64_t code;
	int rc = pit_root_fact(pit_facts_root(facts), "get_mempolicy", try_mempolicy, NULL, &text);

	if (rc && rc != -EPERM)
		return pit_fail(err, -rc, "a call of get_mempolicy()");
	if (pit_kv_u64(text.data, "errno", &code) || code > 4095)
		return pit_fail(err, EBADMSG, "what get_mempolicy() said");
	pit_evidence(out, "get_mempolicy()", "%s", code ? strerror((int)code) : "works");
	pit_want(out, "allowed");
	if (code == ENOSYS)
		return pit_skip(out, "this kernel has no NUMA policies");
	return code ? pit_bad(out, "refused: %s", strerror((int)code)) : pit_pass(out, "allowed");
}

/* Apptainer and Singularity can be installed with a SUID starter, which needs no user namespace. */
static bool has_starter(struct pit_root *root, const char *name)
{
	static const char *const dirs[] = {"/usr/libexec", "/usr/local/libexec", "/usr/lib/x86_64-linux-gnu",
					   "/usr/lib/aarch64-linux-gnu"};

	for (size_t i = 0; i < PIT_COUNT(dirs); i++)
		if (!pit_root_exists(root, "%s/%s/bin/starter-suid", dirs[i], name))
			return true;
	return false;
}

/* A container runtime that needs user namespaces; NULL none. */
static const char *find_rootless(struct pit_root *root)
{
	static const char *const names[] = {"enroot", "apptainer", "singularity", "podman", "charliecloud", "ch-run"};
	static const char *const dirs[] = {"/usr/bin", "/usr/local/bin"};

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		for (size_t j = 0; j < PIT_COUNT(dirs); j++)
			if (!pit_root_exists(root, "%s/%s", dirs[j], names[i]) && !has_starter(root, names[i]))
				return names[i];
	return NULL;
}

/* Settings that close user namespaces to users, with the value that does. */
static const struct {
	const char *key;
	int64_t closed;
	const char *says;
} userns[] = {
	{.key = "user/max_user_namespaces", .closed = 0, .says = "no user namespaces at all"},
	{.key = "kernel/unprivileged_userns_clone", .closed = 0, .says = "no user namespaces for users"},
	{.key = "kernel/apparmor_restrict_unprivileged_userns",
	 .closed = 1,
	 .says = "user namespaces only with an AppArmor profile"},
};

int pit_probe_user_namespaces(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const char *runtime = find_rootless(root);
	struct pit_offenders o = {0};
	size_t seen = 0;

	if (!runtime)
		return pit_skip(out, "no container runtime here that needs user namespaces");
	for (size_t i = 0; i < PIT_COUNT(userns); i++) {
		bool profile = i == 2 && !pit_root_exists(root, "/etc/apparmor.d/%s", runtime);
		int64_t value;
		char path[96];

		snprintf(path, sizeof(path), "/proc/sys/%s", userns[i].key);
		if (pit_root_i64(root, &value, "%s", path))
			continue;
		seen++;
		if (value != userns[i].closed || profile)
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s", userns[i].says);
		pit_evidence(out, path, "%" PRId64 ", and %s is installed", value, runtime);
		pit_origin_of(facts, path, NULL, NULL, out);
	}
	if (!seen)
		return pit_fail(err, ENOENT, "sysctls of user namespaces");
	pit_want(out, "open to users, for %s", runtime);
	return pit_offenders_judge(&o, out, "open, for %s", runtime);
}

int pit_probe_hidepid(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *m;
	const char *value;
	int rc = pit_facts_mounts(facts, &mounts, err);

	if (rc)
		return rc;
	m = pit_mounts_find(mounts, "/proc");
	if (!m || strcmp(m->type, "proc") != 0)
		return pit_skip(out, "no /proc in the mounts");
	pit_want(out, "not hidden, or a group for monitors (gid=)");
	if (!pit_mount_option(m, "hidepid", &value) || !strncmp(value, "0", 1) || !strncmp(value, "off", 3))
		return pit_pass(out, "not hidden");
	pit_evidence(out, m->file, "/proc: %s; %s", m->options, m->super_options);
	if (pit_mount_option(m, "gid", NULL))
		return pit_pass(out, "hidden, with a group that sees all");
	return pit_bad(out, "hidepid=%.*s", (int)strcspn(value, ","), value);
}

/* Denials that stop jobs; others are everyday noise (snaps, printing). */
static const char *const denied[] = {"nvidia",   "/dev/kfd",      "/dev/dri",      "infiniband",   "uverbs",
				     "io_uring", "userns_create", "comm=\"python", "comm=\"torch", "/dev/shm"};

static bool is_denial(const char *text)
{
	if (!strstr(text, "apparmor=\"DENIED\"") && !strstr(text, "avc:  denied"))
		return false;
	for (size_t i = 0; i < PIT_COUNT(denied); i++)
		if (strstr(text, denied[i]))
			return true;
	return false;
}

int pit_probe_denials(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const struct pit_kmsg *k;
	const char *last = NULL;
	size_t n = 0;
	int rc = pit_facts_kmsg(facts, &k, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < k->count; i++) {
		if (!is_denial(k->item[i].text))
			continue;
		last = k->item[i].text;
		n++;
	}
	pit_want(out, "none");
	if (!n)
		return pit_pass(out, "none in the kernel's messages");
	pit_evidence(out, k->source, "%s", last);
	return pit_bad(out, "%zu denial%s since boot", n, n == 1 ? "" : "s");
}
