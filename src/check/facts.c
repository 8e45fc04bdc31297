/* SPDX-License-Identifier: MIT */
#include "check/facts.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "check/env_names.h"
#include "host/nvml.h"

/* One fact: whether it was tried, and how that ended. */
struct
try {
	bool done;
	int rc;
	struct pit_error err;
};

struct pit_facts {
	struct pit_root *root;
	struct pit_facts_options options;
	char data[PATH_MAX], checkpoint[PATH_MAX]; /* of a recording, when not given */
	int64_t started;                           /* the last of the first readings that several rows share */
	bool deferring;
	struct try topo_try, platform_try, procs_try, mounts_try, cgroup_try, kmsg_try, cmdline_try, nvml_try,
		environ_try, holders_try;
	struct pit_topo *topo;
	struct pit_platform platform;
	struct pit_procs procs;
	struct pit_mounts mounts;
	struct pit_cgroup *cgroup;
	struct pit_kmsg kmsg;
	struct pit_strv cmdline;
	json_t *nvml;
	struct pit_strv environ;
	struct pit_idset holders;
};

const char *const pit_sampled_files[] = {
	"/proc/vmstat",      "/proc/stat", "/proc/net/dev", "/proc/net/softnet_stat", "/proc/net/snmp",
	"/proc/net/netstat", NULL};

/* The fact "options": what was judged when the recording was made. */
static int make_options(const char *name, void *arg, struct pit_buf *out)
{
	const struct pit_facts_options *o = arg;

	pit_buf_printf(out, "data=%s\ncheckpoint=%s\npid=%d\n", o->data ? o->data : "",
		       o->checkpoint ? o->checkpoint : "", o->pid);
	return 0;
}

static void recorded_path(const char *text, const char *key, char *kept, size_t size, const char **option)
{
	if (*option || pit_kv_str(text, key, kept, size) || *kept != '/')
		return;
	*option = kept;
}

/* Paths and process that are not named are those of the recording. */
static void fill_options(struct pit_facts *f)
{
	struct pit_text text;
	uint64_t pid;

	if (pit_root_fact(f->root, "options", make_options, &f->options, &text) || pit_root_is_live(f->root))
		return;
	recorded_path(text.data, "data", f->data, sizeof(f->data), &f->options.data);
	recorded_path(text.data, "checkpoint", f->checkpoint, sizeof(f->checkpoint), &f->options.checkpoint);
	if (!f->options.pid && !pit_kv_u64(text.data, "pid", &pid) && pid <= INT_MAX)
		f->options.pid = (int)pid;
}

int pit_facts_new(struct pit_root *root, const struct pit_facts_options *options, struct pit_facts **ret,
		  struct pit_error *err)
{
	struct pit_facts *f = calloc(1, sizeof(*f));
	struct pit_text text;

	if (!f)
		return pit_fail(err, ENOMEM, "out of memory");
	f->root = root;
	f->options = *options;
	if (!f->options.sample_ms)
		f->options.sample_ms = 30;
	fill_options(f);
	for (const char *const *path = pit_sampled_files; *path; path++)
		(void)pit_root_read(root, &text, "%s", *path);
	f->started = pit_now();
	*ret = f;
	return 0;
}

void pit_facts_free(struct pit_facts *f)
{
	if (!f)
		return;
	pit_topo_free(f->topo);
	pit_procs_free(&f->procs);
	pit_mounts_free(&f->mounts);
	pit_cgroup_free(f->cgroup);
	pit_kmsg_free(&f->kmsg);
	pit_strv_free(&f->cmdline);
	json_decref(f->nvml);
	pit_strv_free(&f->environ);
	pit_idset_free(&f->holders);
	free(f);
}

struct pit_root *pit_facts_root(struct pit_facts *f)
{
	return f->root;
}

const struct pit_facts_options *pit_facts_options(const struct pit_facts *f)
{
	return &f->options;
}

/* Runs `call` once for `name`, keeps its result and hands out `value`. */
#define ONCE(f, name, call, value)                                                                                     \
	do {                                                                                                           \
		struct try *t_ = &(f)->name##_try;                                                                     \
		if (!t_->done) {                                                                                       \
			t_->rc = (call);                                                                               \
			t_->done = true;                                                                               \
		}                                                                                                      \
		if (t_->rc) {                                                                                          \
			if (err)                                                                                       \
				*err = t_->err;                                                                        \
			return t_->rc;                                                                                 \
		}                                                                                                      \
		*ret = (value);                                                                                        \
		return 0;                                                                                              \
	} while (0)

int pit_facts_topo(struct pit_facts *f, const struct pit_topo **ret, struct pit_error *err)
{
	ONCE(f, topo, pit_topo_load(f->root, &f->topo, &f->topo_try.err), f->topo);
}

int pit_facts_platform(struct pit_facts *f, const struct pit_platform **ret, struct pit_error *err)
{
	ONCE(f, platform, pit_platform_load(f->root, &f->platform), &f->platform);
}

/* Their counters are read again, too: the time between counts from here. */
static int load_procs(struct pit_facts *f, struct pit_error *err)
{
	int rc = pit_procs_load(f->root, &f->procs, err);

	f->started = pit_now();
	return rc;
}

int pit_facts_procs(struct pit_facts *f, const struct pit_procs **ret, struct pit_error *err)
{
	ONCE(f, procs, load_procs(f, &f->procs_try.err), &f->procs);
}

const struct pit_proc *pit_facts_process(struct pit_facts *f, const char *comm)
{
	const struct pit_procs *procs;

	return pit_facts_procs(f, &procs, NULL) ? NULL : pit_procs_named(procs, comm);
}

int pit_facts_mounts(struct pit_facts *f, const struct pit_mounts **ret, struct pit_error *err)
{
	ONCE(f, mounts, pit_mounts_load(f->root, &f->mounts, &f->mounts_try.err), &f->mounts);
}

static int load_cgroup(struct pit_facts *f, struct pit_error *err)
{
	const struct pit_mounts *mounts;
	int rc = pit_facts_mounts(f, &mounts, err);

	return rc ? rc : pit_cgroup_load(f->root, mounts, 0, &f->cgroup, err);
}

int pit_facts_cgroup(struct pit_facts *f, const struct pit_cgroup **ret, struct pit_error *err)
{
	ONCE(f, cgroup, load_cgroup(f, &f->cgroup_try.err), f->cgroup);
}

int pit_facts_kmsg(struct pit_facts *f, const struct pit_kmsg **ret, struct pit_error *err)
{
	ONCE(f, kmsg, pit_kmsg_load(f->root, &f->kmsg, &f->kmsg_try.err), &f->kmsg);
}

static int load_cmdline(struct pit_facts *f, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(f->root, &text, "/proc/cmdline");

	return rc ? pit_fail(err, -rc, "/proc/cmdline") : pit_cmdline_parse(text.data, &f->cmdline);
}

int pit_facts_cmdline(struct pit_facts *f, const struct pit_strv **ret, struct pit_error *err)
{
	ONCE(f, cmdline, load_cmdline(f, &f->cmdline_try.err), &f->cmdline);
}

int pit_facts_nvml(struct pit_facts *f, const json_t **ret, struct pit_error *err)
{
	ONCE(f, nvml, pit_nvml_load(f->root, &f->nvml, &f->nvml_try.err), f->nvml);
}

/* Keeps the allowed names of an environment block whose entries end with NUL (or, recorded, with newline). */
static int keep_environ(const struct pit_text *text, struct pit_strv *ret)
{
	for (size_t at = 0; at < text->len;) {
		const char *entry = text->data + at;
		size_t len = strcspn(entry, "\n");
		size_t name = strcspn(entry, "=\n");
		int rc = 0;

		if (name < len && pit_env_is_kept(entry, name))
			rc = pit_strv_add_len(ret, entry, len);
		if (rc)
			return rc;
		at += len + 1;
	}
	return 0;
}

/* The fact "environ": the kept entries of /proc/PID/environ, one a line. The other values never leave this function. */
static int make_environ(const char *name, void *arg, struct pit_buf *out)
{
	const struct pit_facts *f = arg;
	pit_auto_strv struct pit_strv all = {0};
	char path[64];
	struct pit_text text;
	int rc;

	if (f->options.pid)
		snprintf(path, sizeof(path), "/proc/%d/environ", f->options.pid);
	else
		snprintf(path, sizeof(path), "/proc/self/environ");
	rc = pit_root_read_secret(f->root, path, out);
	if (rc)
		return rc;
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\n' || !out->data[i])
			out->data[i] = out->data[i] ? ' ' : '\n';
	text = (struct pit_text){out->data, out->len};
	rc = keep_environ(&text, &all);
	explicit_bzero(out->data, out->len);
	pit_buf_clear(out);
	for (size_t i = 0; i < all.count && !rc; i++)
		pit_buf_printf(out, "%s\n", all.item[i]);
	return rc;
}

static int load_environ(struct pit_facts *f, struct pit_error *err)
{
	struct pit_text text;
	char name[32];
	int rc;

	if (f->options.pid)
		snprintf(name, sizeof(name), "environ:%d", f->options.pid);
	else
		snprintf(name, sizeof(name), "environ");
	rc = pit_root_fact(f->root, name, make_environ, f, &text);
	if (rc)
		return pit_fail(err, -rc, "environment of process %d", f->options.pid);
	return keep_environ(&text, &f->environ);
}

int pit_facts_environ(struct pit_facts *f, const struct pit_strv **ret, struct pit_error *err)
{
	ONCE(f, environ, load_environ(f, &f->environ_try.err), &f->environ);
}

const char *pit_facts_env(struct pit_facts *f, const char *name)
{
	const struct pit_strv *env;
	size_t len = strlen(name);

	if (pit_facts_environ(f, &env, NULL))
		return NULL;
	for (size_t i = 0; i < env->count; i++)
		if (!strncmp(env->item[i], name, len) && env->item[i][len] == '=')
			return env->item[i] + len + 1;
	return NULL;
}

static bool is_gpu_node(const char *target)
{
	return (!strncmp(target, "/dev/nvidia", 11) && isdigit((unsigned char)target[11])) ||
	       !strcmp(target, "/dev/kfd") || !strncmp(target, "/dev/dri/renderD", 16);
}

static bool holds_gpu(struct pit_facts *f, int pid)
{
	const struct pit_strv *fds;
	const char *target;

	if (pit_root_list(f->root, &fds, "/proc/%d/fd", pid))
		return false;
	for (size_t i = 0; i < fds->count; i++)
		if (!pit_root_link(f->root, &target, "/proc/%d/fd/%s", pid, fds->item[i]) && is_gpu_node(target))
			return true;
	return false;
}

static int load_holders(struct pit_facts *f, struct pit_error *err)
{
	const struct pit_procs *procs;
	int rc = 0;

	if (pit_root_exists(f->root, "/dev/nvidiactl") && pit_root_exists(f->root, "/dev/kfd") &&
	    pit_root_exists(f->root, "/dev/dri"))
		return 0;
	rc = pit_facts_procs(f, &procs, err);
	for (size_t i = 0; !rc && i < procs->count; i++)
		if (!(procs->item[i].flags & PIT_PF_KTHREAD) && holds_gpu(f, procs->item[i].pid))
			rc = pit_idset_add(&f->holders, (size_t)procs->item[i].pid);
	return rc;
}

int pit_facts_gpu_holders(struct pit_facts *f, const struct pit_idset **ret, struct pit_error *err)
{
	ONCE(f, holders, load_holders(f, &f->holders_try.err), &f->holders);
}

static int wait_since(struct pit_facts *f, int64_t since, int ms)
{
	int64_t least = ms > f->options.sample_ms ? ms : f->options.sample_ms;
	int64_t left = since + least * PIT_MS - pit_now();
	struct timespec t = {.tv_sec = left / (1000 * PIT_MS), .tv_nsec = left % (1000 * PIT_MS)};

	if (left <= 0 || !pit_root_is_live(f->root))
		return 0;
	if (f->deferring)
		return -EAGAIN;
	nanosleep(&t, NULL);
	return 0;
}

int pit_facts_wait(struct pit_facts *f, int ms)
{
	return wait_since(f, f->started, ms);
}

void pit_facts_defer(struct pit_facts *f)
{
	f->deferring = true;
}

void pit_facts_stop_deferring(struct pit_facts *f)
{
	f->deferring = false;
}

int pit_facts_again(struct pit_facts *f, const char *path, struct pit_text *ret_first, struct pit_text *ret_second,
		    int64_t *ret_ns, struct pit_error *err)
{
	struct pit_text first, second;
	int64_t ns;
	int rc = pit_root_read(f->root, &first, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	rc = wait_since(f, pit_root_when(f->root, path), 0);
	if (rc)
		return rc;
	rc = pit_root_again(f->root, path, &second, &ns);
	if (rc)
		return pit_fail(err, -rc, "a second reading of %s", path);
	*ret_first = first;
	*ret_second = second;
	*ret_ns = ns;
	return 0;
}

int pit_facts_rate(struct pit_facts *f, const char *path, const char *key, double *ret_per_second,
		   struct pit_error *err)
{
	struct pit_text first, second;
	uint64_t before, after;
	int64_t ns;
	int rc = pit_facts_again(f, path, &first, &second, &ns, err);

	if (rc)
		return rc;
	rc = pit_kv_u64(first.data, key, &before);
	if (!rc)
		rc = pit_kv_u64(second.data, key, &after);
	if (rc)
		return pit_fail(err, -rc, "%s in %s", key, path);
	*ret_per_second = after < before ? 0 : (double)(after - before) * 1e9 / (double)ns;
	return 0;
}
