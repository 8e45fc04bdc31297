/* SPDX-License-Identifier: MIT
 *
 * The home directory of the user who runs pitcrew, the umask, and /tmp. Of secrets only the mode is looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check/access.h"
#include "check/security.h"
#include "check/offenders.h"

/* $HOME. -ENOENT: not known. */
static int home_of(struct pit_facts *facts, char *ret, size_t size, struct pit_error *err)
{
	const char *home = pit_facts_env(facts, "HOME");

	if (!home || *home != '/')
		return pit_fail(err, ENODATA, "HOME in the environment");
	snprintf(ret, size, "%s", home);
	return 0;
}

static const struct {
	const char *path, *what;
} secrets[] = {
	{.path = ".cache/huggingface/token", .what = "Hugging Face token"},
	{.path = ".cache/huggingface/stored_tokens", .what = "Hugging Face tokens"},
	{.path = ".huggingface/token", .what = "Hugging Face token"},
	{.path = ".netrc", .what = "passwords (Weights & Biases, git)"},
	{.path = ".git-credentials", .what = "git passwords"},
	{.path = ".config/wandb/settings", .what = "Weights & Biases settings"},
	{.path = ".kaggle/kaggle.json", .what = "Kaggle key"},
	{.path = ".aws/credentials", .what = "AWS keys"},
	{.path = ".config/gcloud/application_default_credentials.json", .what = "Google Cloud key"},
	{.path = ".azure/msal_token_cache.json", .what = "Azure token"},
	{.path = ".docker/config.json", .what = "registry passwords"},
	{.path = ".config/enroot/.credentials", .what = "registry passwords"},
	{.path = ".kube/config", .what = "Kubernetes credentials"},
	{.path = ".ssh/id_rsa", .what = "SSH key"},
	{.path = ".ssh/id_ed25519", .what = "SSH key"},
	{.path = ".config/rclone/rclone.conf", .what = "rclone passwords"},
	{.path = ".s3cfg", .what = "S3 keys"},
};

/* The classes of users (bits of the mode) to whom the directories above `path` are open; 0 when one is not seen. */
static unsigned open_above(struct pit_root *root, const char *home, const char *path)
{
	unsigned classes = 044;
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s", path);
	while (strlen(dir) >= strlen(home) && strrchr(dir, '/') != dir) {
		struct pit_stat st;

		*strrchr(dir, '/') = '\0';
		if (strlen(dir) < strlen(home) || pit_root_stat(root, &st, "%s", dir))
			break;
		classes &= (st.mode & 010 ? 040u : 0) | (st.mode & 001 ? 004u : 0);
	}
	return classes;
}

/* Users other than the owner who may read it: "everybody", a group's name, or NULL. */
static const char *readers(struct pit_root *root, const char *home, const char *path, const struct pit_stat *st,
			   char *group, size_t size)
{
	unsigned bits = (unsigned)st->mode & open_above(root, home, path);
	char owner[64];

	if (bits & 004)
		return "everybody";
	if (!(bits & 040) || st->gid < 0)
		return NULL;
	pit_name_of(root, "passwd", st->uid, owner, sizeof(owner));
	pit_name_of(root, "group", st->gid, group, size);
	return strcmp(owner, group) != 0 && st->gid != 0 ? group : NULL;
}

/* 0, or -errno when it could not be looked at; what is not there is fine. */
static int judge_secret(struct pit_root *root, const char *home, size_t i, struct pit_offenders *o,
			struct pit_finding *out, size_t *seen)
{
	char path[4096], group[64];
	struct pit_stat st;
	const char *who;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", home, secrets[i].path);
	rc = pit_root_stat(root, &st, "%s", path);
	if (rc || !S_ISREG(st.mode))
		return pit_root_state(rc) == PIT_STATE_ABSENT ? 0 : rc;
	(*seen)++;
	who = readers(root, home, path, &st, group, sizeof(group));
	if (!who)
		return 0;
	pit_offend(o, PIT_WARN, PIT_RISK, "~/%s: %s may read it", secrets[i].path, who);
	pit_evidence(out, path, "mode %04o: %s", st.mode & 07777, secrets[i].what);
	if (o->count == 1)
		pit_command(out, "chmod 600 '%s'", path);
	return 0;
}

int pit_probe_secrets(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_offenders o = {0};
	char home[1024];
	size_t seen = 0;
	int rc = home_of(facts, home, sizeof(home), err), last = 0;

	if (rc)
		return rc;
	for (size_t i = 0; i < PIT_COUNT(secrets) && last != -ETIMEDOUT; i++) {
		rc = judge_secret(pit_facts_root(facts), home, i, &o, out, &seen);
		last = rc && rc != -ENODATA ? rc : last;
	}
	if (last && !seen)
		return pit_fail(err, -last, "files in %s", home);
	pit_want(out, "readable by their owner only");
	return pit_offenders_judge(&o, out, seen ? "%zu file%s, closed to others" : "none there", seen,
				   seen == 1 ? "" : "s");
}

int pit_probe_ssh_home(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	static const char *const names[] = {"", "/.ssh", "/.ssh/authorized_keys"};
	struct pit_offenders o = {0};
	struct pit_stat st;
	char home[1024];
	int rc = home_of(facts, home, sizeof(home), err);

	if (rc)
		return rc;
	if (pit_root_stat(pit_facts_root(facts), &st, "%s/.ssh/authorized_keys", home))
		return pit_skip(out, "no key is authorized to log in here");
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		if (pit_root_stat(pit_facts_root(facts), &st, "%s%s", home, names[i]) || !(st.mode & 022))
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s%s: others may write it", *names[i] ? "~" : home,
			   names[i]);
		pit_evidence(out, "stat", "%s%s: mode %04o", home, names[i], st.mode & 07777);
		if (o.count == 1)
			pit_command(out, "chmod go-w '%s%s'", home, names[i]);
	}
	pit_want(out, "home, ~/.ssh and authorized_keys writable by their owner only");
	return pit_offenders_judge(&o, out, "writable by the owner only");
}

int pit_probe_umask(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	struct pit_text text;
	char value[16];
	unsigned mask;
	int rc = pit_root_read(pit_facts_root(facts), &text, "/proc/self/status");

	if (!rc)
		rc = pit_kv_str(text.data, "Umask", value, sizeof(value));
	if (!rc && sscanf(value, "%o", &mask) != 1)
		rc = -EBADMSG;
	if (rc)
		return pit_fail(err, -rc, "Umask in /proc/self/status");
	pit_evidence(out, "/proc/self/status", "Umask: %s", value);
	pit_want(out, "0022, 0002 or stricter");
	return mask & 002 ? pit_pass(out, "%04o", mask)
			  : pit_bad(out, "%04o: new files are writable by everybody", mask);
}

int pit_probe_tmp_noexec(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	static const char *const variables[] = {"TMPDIR", "TRITON_CACHE_DIR", "TORCH_EXTENSIONS_DIR"};
	const char *paths[PIT_COUNT(variables) + 1];
	struct pit_offenders o = {0};
	const struct pit_mounts *mounts;
	size_t n = 0;
	int rc = pit_facts_mounts(facts, &mounts, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < PIT_COUNT(variables); i++) {
		const char *value = pit_facts_env(facts, variables[i]);

		if (value && *value == '/')
			paths[n++] = value;
		else if (!i)
			paths[n++] = "/tmp";
	}
	for (size_t i = 0; i < n; i++) {
		const struct pit_mount *m = pit_mounts_find(mounts, paths[i]);

		if (!m || !pit_mount_option(m, "noexec", NULL))
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s is on a noexec mount", paths[i]);
		pit_evidence(out, m->file, "%s %s: %s", m->target, m->type, m->options);
		if (o.count == 1)
			pit_command(out, "export TMPDIR=$HOME/tmp; mkdir -p \"$TMPDIR\"");
	}
	pit_want(out, "no noexec where programs are compiled");
	return pit_offenders_judge(&o, out, "%s may hold programs", paths[0]);
}
