/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "cli/feed.h"
#include "feed/index.h"
#include "feed/manifest_lines.h"
#include "feed/source_read.h"

struct sums {
	uint64_t *sum; /* by sample */
	struct pit_cli_progress *progress;
	struct pit_error *err; /* of the first that cannot be read */
	int rc;
};

static void sum(void *arg, uint64_t sample, unsigned part, uint64_t value)
{
	struct sums *s = arg;

	s->sum[sample] = value;
}

static void bad(void *arg, const char *name, const char *why)
{
	struct sums *s = arg;

	if (!s->rc)
		s->rc = pit_fail(s->err, EIO, "%s: %s", name, why);
}

static void progress(void *arg, uint64_t done, uint64_t all)
{
	struct sums *s = arg;

	pit_cli_progress(s->progress, done, all);
}

/* What stands before the names, which are below `root`, in a manifest at `file`: nothing, or a path from there, or from
 * "/". */
static int prefix(const char *root, const char *file, char out[PATH_MAX + 1], struct pit_error *err)
{
	pit_auto_free char *dir = strndup(file, (size_t)(pit_base_name(file) - file));
	char below[PATH_MAX], above[PATH_MAX];
	size_t n;

	if (!dir)
		return pit_fail(err, ENOMEM, "out of memory");
	if (!realpath(root, below))
		return pit_fail(err, errno, "%s: %s", root, strerror(errno));
	if (!realpath(*dir ? dir : ".", above))
		return pit_fail(err, errno, "%s: %s", dir, strerror(errno));
	n = strlen(above);
	if (!strcmp(below, above))
		*out = '\0';
	else if (!strncmp(below, above, n) && below[n] == '/')
		snprintf(out, PATH_MAX + 1, "%s/", below + n + 1);
	else
		snprintf(out, PATH_MAX + 1, "%s/", below);
	return 0;
}

static int add_lines(const struct pit_source *s, const char *before, const char *index, const uint64_t *sums,
		     struct pit_buf *out, struct pit_error *err)
{
	pit_auto_buf struct pit_buf path = PIT_BUF_INIT;

	for (uint64_t i = 0; i < pit_source_count(s); i++) {
		struct pit_manifest_line line = {.has_range = sums != NULL, .has_sum = sums != NULL};
		struct pit_extent x;

		if (!*before && !strcmp(pit_source_name(s, i), pit_base_name(index)))
			continue; /* an older one */
		pit_source_extent(s, i, 0, &x);
		pit_buf_clear(&path);
		pit_buf_puts(&path, before);
		pit_buf_puts(&path, pit_source_name(s, i));
		line.path = path.data;
		line.path_len = path.len;
		line.len = x.len;
		line.sum = sums ? sums[i] : 0;
		if (pit_manifest_lines_add(out, &line))
			return pit_fail(err, EINVAL, "'%s' has a tab or a newline in its name: no manifest can say it",
					pit_source_name(s, i));
	}
	return path.failed || out->failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

int pit_cli_write_manifest(struct pit_source *s, const struct pit_source_want *want, bool checksums,
			   struct pit_cli_progress *p, struct pit_error *err)
{
	pit_auto_free uint64_t *sums = calloc(pit_source_count(s), sizeof(*sums));
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct sums all = {.sum = sums, .progress = p, .err = err};
	struct pit_source_read r = {.bad = bad, .sum = sum, .progress = progress, .arg = &all};
	char before[PATH_MAX + 1];
	struct stat st;
	int rc = sums ? 0 : pit_fail(err, ENOMEM, "out of memory");

	if (!rc && (want->path_count != 1 || stat(want->paths[0], &st) || !S_ISDIR(st.st_mode)))
		rc = pit_fail(err, EINVAL, "a manifest can be made of one directory");
	if (!rc)
		rc = prefix(want->paths[0], want->index, before, err);
	if (!rc && checksums)
		rc = pit_source_read_all(s, &r, err);
	if (!rc)
		rc = all.rc;
	if (!rc)
		rc = add_lines(s, before, want->index, checksums ? sums : NULL, &out, err);
	return rc ? rc : pit_shard_index_write(AT_FDCWD, want->index, &out, err);
}
