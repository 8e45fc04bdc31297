/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "cli/ckpt.h"
#include "feed/checkpoint_dir.h"

int64_t pit_ckpt_step(struct argp_state *state, const char *arg)
{
	uint64_t step;

	if (pit_parse_u64(arg, &step) || step > INT64_MAX)
		pit_cli_usage(state, "--step=%s is no number of a step", arg);
	return (int64_t)step;
}

void pit_ckpt_close(struct pit_ckpt_place *p)
{
	pit_manifest_close(p->manifest);
	pit_strv_free(&p->files);
	pit_torch_close(p->torch);
	p->torch = NULL;
	p->manifest = NULL;
}

static int take_manifest(struct pit_ckpt_place *p, struct pit_manifest *m)
{
	const char *name;

	p->manifest = m;
	for (size_t i = 0; (name = pit_manifest_file(m, i, NULL)); i++)
		if (pit_strv_addf(&p->files, "%s/%s", pit_manifest_path(m), name))
			return -ENOMEM;
	return 0;
}

static int take_weights(struct pit_ckpt_place *p, const char *path, struct pit_error *err)
{
	pit_auto_weights struct pit_weights *w = NULL;
	const char *name;
	int rc;

	if (pit_torch_form(path) != PIT_TORCH_NONE) {
		rc = pit_torch_open(path, &p->torch, err);
		return !rc && pit_strv_add(&p->files, path) ? pit_fail(err, ENOMEM, "out of memory") : rc;
	}
	rc = pit_weights_open(path, &w, err);
	for (size_t i = 0; !rc && (name = pit_weights_file(w, i)); i++)
		if (pit_strv_add(&p->files, name))
			return pit_fail(err, ENOMEM, "out of memory");
	return rc;
}

/* A directory that is called as a checkpoint is has a manifest, or is none. */
static bool should_have_manifest(const char *path)
{
	char name[PIT_STEP_NAME_MAX + 1];
	size_t len = strlen(path), end;
	uint64_t step;

	while (len && path[len - 1] == '/')
		len--;
	for (end = len; len && path[len - 1] != '/';)
		len--;
	snprintf(name, sizeof(name), "%.*s", (int)(end - len), path + len);
	return pit_step_parse(name, PIT_STEP_COMPLETE, &step);
}

int pit_ckpt_open(const char *path, int64_t step, struct pit_ckpt_place *ret, struct pit_error *err)
{
	pit_auto_ckpt struct pit_ckpt_place p = {0};
	struct pit_manifest *m = NULL;
	struct stat st;
	int rc;

	if (stat(path, &st))
		return pit_fail(err, errno, "%s: %s", path, strerror(errno));
	rc = S_ISDIR(st.st_mode) ? pit_manifest_open(path, step, &m, err) : -ENOENT;
	if (rc && rc != -ENOENT)
		return rc;
	if (rc && S_ISDIR(st.st_mode) && should_have_manifest(path))
		return pit_fail(err, EBADMSG, "%s: the manifest is missing", path);
	if (rc && step >= 0)
		return pit_fail(err, ENOENT, "%s: there is no step %lld", path, (long long)step);
	if (rc)
		rc = take_weights(&p, path, err);
	else if (take_manifest(&p, m))
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		return rc;
	*ret = p;
	p = (struct pit_ckpt_place){0};
	return 0;
}
