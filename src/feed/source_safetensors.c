/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "feed/safetensors.h"
#include "feed/source_body.h"
#include "feed/utf8.h"
#include "feed/weights_file.h"

#define SUM "pitcrew.xxh3." /* the key of a tensor's checksum: this and its name */

static int read_all(int fd, void *buf, uint64_t len, uint64_t offset, struct pit_error *err)
{
	for (uint64_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pit_fail(err, errno, "%s", strerror(errno));
		if (!n)
			return pit_fail(err, EIO, "it became shorter while it was read");
		done += (uint64_t)n;
	}
	return 0;
}

static int read_header(int fd, struct pit_safetensors *ret, struct pit_error *err)
{
	pit_auto_free char *json = NULL;
	unsigned char prefix[8] = {0};
	enum pit_safetensors_rule rule;
	uint64_t size, len = 0;
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return pit_fail(err, errno, "%s", strerror(errno));
	size = (uint64_t)st.st_size;
	rc = read_all(fd, prefix, size < sizeof(prefix) ? size : sizeof(prefix), 0, err);
	if (!rc)
		rc = pit_safetensors_length(prefix, size, &len, &rule, err);
	if (rc)
		return rc;
	json = malloc(len + 1);
	if (!json)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = read_all(fd, json, len, sizeof(prefix), err);
	return rc ? rc : pit_safetensors_parse(json, len, size, ret, &rule, err);
}

static int add_tensors(struct pit_source *s, uint32_t file, const struct pit_safetensors *st)
{
	struct pit_strmap sums = {0};
	int rc = 0;

	for (size_t i = 0; i < st->text_count && !rc; i++)
		if (!strncmp(st->texts[i].key, SUM, strlen(SUM)))
			rc = pit_strmap_put(&sums, st->texts[i].key + strlen(SUM), (void *)st->texts[i].value);
	for (size_t i = 0; i < st->count && !rc; i++) {
		const struct pit_tensor *t = &st->entries[i].tensor;
		const struct pit_source_part p = {
			.file = file, .offset = st->data + st->entries[i].begin, .len = t->bytes};
		const char *text = pit_strmap_get(&sums, t->name);
		uint64_t sum = 0;

		if (text && pit_parse_hex(text, &sum))
			sum = 0;
		rc = pit_source_add_sample(s, t->name, strlen(t->name));
		if (!rc)
			rc = pit_source_add_part(s, &p, sum);
	}
	pit_strmap_free(&sums, NULL);
	return rc;
}

static const struct pit_safetensors_entry *find(const struct pit_safetensors *st, const char *name)
{
	for (size_t i = 0; i < st->count; i++)
		if (!strcmp(st->entries[i].tensor.name, name))
			return &st->entries[i];
	return NULL;
}

static int check_rows(const struct pit_safetensors_entry *e, const char *name, uint64_t rows, struct pit_error *err)
{
	if (!e)
		return pit_fail(err, ENOENT, "no tensor \"%s\"", name);
	if (!e->tensor.dims)
		return pit_fail(err, EINVAL, "tensor \"%s\" is a scalar, which has no rows", name);
	if (e->tensor.shape[0] != rows)
		return pit_fail(err, EINVAL, "tensor \"%s\" has %" PRIu64 " rows, others have %" PRIu64, name,
				e->tensor.shape[0], rows);
	if (rows && e->tensor.bytes % rows)
		return pit_fail(err, EINVAL, "rows of tensor \"%s\" are no whole bytes", name);
	return 0;
}

static int add_column(struct pit_source *s, uint32_t file, uint64_t data, const struct pit_safetensors_entry *e)
{
	uint64_t rows = e->tensor.shape[0];
	struct pit_source_column c = {
		.file = file, .offset = data + e->begin, .stride = rows ? e->tensor.bytes / rows : 0};

	return pit_source_add_key(s, e->tensor.name, &c.key) || pit_source_add_column(s, &c) ? -ENOMEM : 0;
}

static int add_rows(struct pit_source *s, const struct pit_source_want *want, uint32_t file,
		    const struct pit_safetensors *st, struct pit_error *err)
{
	const struct pit_safetensors_entry *first = find(st, want->tensors[0]);
	uint64_t rows = first && first->tensor.dims ? first->tensor.shape[0] : 0;
	int rc = 0;

	for (size_t i = 0; i < want->tensor_count && !rc; i++)
		rc = check_rows(find(st, want->tensors[i]), want->tensors[i], rows, err);
	if (rc)
		return rc;
	rc = pit_source_add_shard(s, rows);
	for (size_t i = 0; i < want->tensor_count && !rc; i++)
		rc = add_column(s, file, st->data, find(st, want->tensors[i]));
	return rc;
}

static int add_file(struct pit_source *s, const struct pit_source_want *want, uint32_t file, struct pit_error *err)
{
	pit_auto_close int fd =
		TEMP_FAILURE_RETRY(openat(s->files.dir, pit_source_file(s, file), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	struct pit_safetensors st = {0};
	int rc;

	if (fd < 0)
		return pit_fail(err, errno, "%s", strerror(errno));
	rc = read_header(fd, &st, err);
	if (rc)
		return rc;
	rc = want->tensor_count ? add_rows(s, want, file, &st, err) : add_tensors(s, file, &st);
	pit_safetensors_free(&st);
	return rc;
}

/* A sharded model has all shards that its index tells. */
static int check_model(const char *dir, const struct pit_source_extra *extra, struct pit_error *err)
{
	pit_auto_strv struct pit_strv files = {0};
	pit_auto_buf struct pit_buf index = PIT_BUF_INIT;
	struct stat st;
	int rc = 0;

	if (pit_weights_list(dir, &files, &index, NULL) || !index.len)
		return 0; /* tensors of no model */
	for (size_t i = 0; i < files.count && !rc; i++) {
		char name[300];

		if (!stat(files.item[i], &st) || errno != ENOENT)
			continue;
		pit_utf8_show(files.item[i], name, sizeof(name));
		if (extra->bad)
			extra->bad(extra->arg, name, "it is in the model's index, but missing");
		else
			rc = pit_fail(err, ENOENT, "%s: it is in the model's index, but missing", name);
	}
	return rc;
}

static int check_models(const struct pit_source_want *want, const struct pit_source_extra *extra, struct pit_error *err)
{
	struct stat st;
	int rc = 0;

	for (size_t i = 0; i < want->path_count && !rc; i++)
		if (!stat(want->paths[i], &st) && S_ISDIR(st.st_mode) && !want->suffix_count)
			rc = check_model(want->paths[i], extra, err);
	return rc;
}

int pit_source_fill_safetensors(struct pit_source *s, const struct pit_source_want *want,
				const struct pit_source_extra *extra, struct pit_error *err)
{
	struct pit_error why = PIT_ERROR_INIT;
	char name[300];
	int bad = check_models(want, extra, err);

	for (uint32_t i = 0; i < pit_source_files(s) && !bad; i++) {
		int rc = add_file(s, want, i, &why);

		if (!rc || pit_source_tell(extra, rc, &s->files, i, &why))
			continue;
		return pit_fail(err, -rc, "%s: %s", pit_source_show(s, i, name, sizeof(name)),
				*why.text ? why.text : strerror(-rc));
	}
	return bad;
}
