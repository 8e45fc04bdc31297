/* SPDX-License-Identifier: MIT */
#include "feed/torch_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "feed/torch_parts.h"
#include "feed/torch_pickle.h"
#include "feed/torch_tensor.h"
#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)
#define WORD_MAX 16 /* bytes of "little" and of the version */

/* A length of a header that fits 32 bits, and white space or a brace: no zip archive and no pickle goes on so. */
static bool may_be_safetensors(const unsigned char *head)
{
	return !memcmp(head + 4, "\0\0\0", 4) && head[8] && strchr("{ \t\r\n", head[8]);
}

enum pit_torch_form pit_torch_form(const char *path)
{
	static const unsigned char magic[] = {0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9};
	unsigned char head[512] = {0};
	pit_auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || TEMP_FAILURE_RETRY(read(fd, head, sizeof(head))) < 4 || may_be_safetensors(head))
		return PIT_TORCH_NONE;
	if (!memcmp(head, "PK\3\4", 4))
		return PIT_TORCH_ZIP;
	if (!memcmp(head, magic, sizeof(magic)) || !memcmp(head + 257, "ustar", 5))
		return PIT_TORCH_OLD;
	return head[0] == 0x80 && head[1] >= 1 && head[1] <= 5 ? PIT_TORCH_OLD : PIT_TORCH_NONE;
}

/* ---- the archive ---- */

static int read_at(void *arg, uint64_t offset, void *data, uint64_t len, struct pit_error *err)
{
	const struct pit_weights_file *f = arg;

	return pit_weights_file_read(f, f->fd, offset, data, len, err);
}

/* The directory that everything lies in: that of the one data.pkl. */
static int find_top(struct pit_torch_parts *p, struct pit_error *err)
{
	for (size_t i = 0; i < p->zip.count; i++) {
		const char *name = p->zip.entries[i].name, *slash = strchr(name, '/');

		if (slash && (!strcmp(slash, "/constants.pkl") || !strncmp(slash, "/code/", 6)))
			return pit_fail(err, ENOTSUP,
					"an archive of TorchScript, which is a program ('%s'): refused; save its "
					"state_dict()",
					SHOW(name));
		if (slash && !strcmp(slash, "/data.pkl")) {
			if (p->top)
				return pit_fail(err, EBADMSG, "the archive has two data.pkl");
			p->top = strndup(name, (size_t)(slash - name));
			if (!p->top)
				return pit_fail(err, ENOMEM, "out of memory");
		}
	}
	return p->top ? 0 : pit_fail(err, ENOTSUP, "a zip archive without data.pkl: torch.save() did not write it");
}

static int check_packed(const struct pit_torch_parts *p, struct pit_error *err)
{
	for (size_t i = 0; i < p->zip.count; i++)
		if (p->zip.entries[i].packed)
			return pit_fail(err, ENOTSUP, "'%s' in it is compressed, and torch.save() never does that",
					SHOW(p->zip.entries[i].name));
	return 0;
}

static const struct pit_zip_entry *entry_of(const struct pit_torch_parts *p, const char *name)
{
	pit_auto_free char *full = NULL;

	return asprintf(&full, "%s/%s", p->top, name) < 0 ? NULL : pit_zip_find(&p->zip, full);
}

static int check_order(const struct pit_torch_parts *p, struct pit_weights_file *f, struct pit_error *err)
{
	const struct pit_zip_entry *e = entry_of(p, "byteorder");
	char word[WORD_MAX + 1] = "";
	int rc = 0;

	if (!e)
		return 0; /* little endian: only torch since 2.1 says it */
	if (e->bytes <= WORD_MAX)
		rc = read_at(f, e->offset, word, e->bytes, err);
	if (rc || !strcmp(word, "little"))
		return rc;
	if (!strcmp(word, "big"))
		return pit_fail(err, ENOTSUP, "was written by a machine of the other byte order (big endian): refused");
	return pit_fail(err, EBADMSG, "its byteorder is neither little nor big");
}

static int read_pickle(struct pit_torch_parts *p, struct pit_weights_file *f, struct pit_error *err)
{
	const struct pit_zip_entry *e = entry_of(p, "data.pkl");
	pit_auto_free char *text = NULL;
	struct pit_value *top;
	int rc;

	if (!e)
		return pit_fail(err, ENOMEM, "out of memory");
	if (e->bytes > PIT_PICKLE_MAX)
		return pit_fail(err, ENOTSUP, "its data.pkl has %" PRIu64 " bytes: more than %zu are refused", e->bytes,
				PIT_PICKLE_MAX);
	text = malloc(e->bytes + 1);
	if (!text)
		return pit_fail(err, ENOMEM, "no memory for a data.pkl of %" PRIu64 " bytes", e->bytes);
	rc = read_at(f, e->offset, text, e->bytes, err);
	if (rc)
		return rc;
	if (e->crc && pit_zip_crc(0, text, e->bytes) != e->crc)
		return pit_fail(err, EBADMSG, "its data.pkl differs from its CRC");
	rc = pit_pickle_read(text, e->bytes, &p->values, &top, err);
	if (rc == -EBADMSG)
		return pit_wrap(err, rc, "data.pkl");
	return rc ? rc : pit_torch_tree(top, &p->tree, err);
}

/* ---- tensors ---- */

static int add_tensor(struct pit_torch *t, const struct pit_torch_piece *piece, struct pit_error *err)
{
	const struct pit_torch_tensor *from = piece->tensor;
	uint64_t bytes = pit_torch_tensor_bytes(from);
	size_t i = t->count++;
	const struct pit_safetensors_entry *storage = NULL;

	t->parts->storage_of[i] = bytes ? pit_torch_storage_find(t->parts, from->storage) : 0;
	if (bytes)
		storage = t->parts->storages->tensors[t->parts->storage_of[i]].entry;
	t->tensors[i].tensor = (struct pit_tensor){
		.name = piece->name,
		.dtype = from->dtype,
		.dims = from->dims + from->pairs,
		.shape = from->shape,
		.bytes = bytes,
	};
	if (storage && pit_torch_tensor_is_plain(from))
		t->offsets[i] = storage->begin + from->offset;
	t->checked += !bytes || t->parts->storages->tensors[t->parts->storage_of[i]].has_sum == PIT_SUM_GIVEN;
	return __builtin_add_overflow(t->bytes, bytes, &t->bytes)
		       ? pit_fail(err, ENOTSUP, "holds more bytes of tensors than fit 64 bits: refused")
		       : 0;
}

static int add_tensors(struct pit_torch *t, struct pit_error *err)
{
	struct pit_torch_parts *p = t->parts;
	uint64_t size = (uint64_t)p->storages->files[0].st.st_size;
	int rc = 0;

	t->tensors = calloc(p->tree.count + 1, sizeof(*t->tensors));
	t->offsets = calloc(p->tree.count + 1, sizeof(*t->offsets));
	p->storage_of = calloc(p->tree.count + 1, sizeof(*p->storage_of));
	if (!t->tensors || !t->offsets || !p->storage_of)
		return pit_fail(err, ENOMEM, "no memory for the names of %zu tensors", p->tree.count);
	for (size_t i = 0; i < p->tree.count && !rc; i++)
		rc = add_tensor(t, &p->tree.pieces[i], err);
	if (!rc && t->bytes / PIT_TORCH_EXPAND_MAX > size + PIT_TORCH_EXPAND_FREE / PIT_TORCH_EXPAND_MAX)
		return pit_fail(err, ENOTSUP,
				"holds views that make %" PRIu64 " bytes of a file of %" PRIu64 ": refused", t->bytes,
				size);
	return rc;
}

/* `format`, where tied tensors are, and the structure. Our own keys are no paths. */
static int add_texts(struct pit_torch *t, struct pit_error *err)
{
	const struct pit_torch_tree *tree = &t->parts->tree;
	struct pit_strmap seen = {0};

	t->tree = tree->text.data;
	t->texts = calloc(tree->tied.count + 2, sizeof(*t->texts));
	if (!t->texts)
		return pit_fail(err, ENOMEM, "out of memory");
	if (t->count)
		t->texts[t->text_count++] = (struct pit_save_text){.key = "format", .value = "pt"};
	for (size_t i = 0; i < tree->tied.count; i++) {
		const char *path = tree->tied.item[i];

		if (!strcmp(path, "format") || !strncmp(path, "pitcrew", 7) || pit_strmap_get(&seen, path))
			continue;
		if (pit_strmap_put(&seen, path, t)) {
			pit_strmap_free(&seen, NULL);
			return pit_fail(err, ENOMEM, "out of memory");
		}
		t->texts[t->text_count++] = (struct pit_save_text){.key = path, .value = tree->names.item[i]};
	}
	pit_strmap_free(&seen, NULL);
	t->texts[t->text_count++] = (struct pit_save_text){.key = PIT_TORCH_TREE_KEY, .value = t->tree};
	return 0;
}

/* ---- all of it ---- */

void pit_torch_close(struct pit_torch *t)
{
	if (!t)
		return;
	pit_torch_parts_free(t->parts);
	free(t->tensors);
	free(t->offsets);
	free(t->texts);
	free(t);
}

static void cleanup_torch(struct pit_torch **t)
{
	pit_torch_close(*t);
}

static int read_all(struct pit_torch *t, const char *path, struct pit_error *err)
{
	struct pit_torch_parts *p = t->parts;
	struct pit_weights_file *f = p->storages->files;
	int rc = pit_weights_file_open(path, &f->fd, &f->st, err);

	if (rc)
		return rc;
	rc = pit_zip_open(read_at, f, (uint64_t)f->st.st_size, &p->zip, err);
	if (!rc)
		rc = find_top(p, err);
	if (!rc)
		rc = check_packed(p, err);
	if (!rc)
		rc = check_order(p, f, err);
	if (!rc)
		rc = read_pickle(p, f, err);
	if (!rc)
		rc = pit_torch_storages(p, err);
	if (!rc)
		rc = add_tensors(t, err);
	if (!rc)
		rc = add_texts(t, err);
	return pit_wrap(err, rc, "%s", path);
}

int pit_torch_open(const char *path, struct pit_torch **ret, struct pit_error *err)
{
	PIT_CLEANUP(cleanup_torch) struct pit_torch *t = calloc(1, sizeof(*t));
	enum pit_torch_form form = pit_torch_form(path);
	int rc;

	if (form == PIT_TORCH_OLD)
		return pit_fail(err, ENOTSUP,
				"%s: a pickle or an archive as torch wrote before 1.6: refused; torch.load() it where "
				"you trust it, and save it again",
				path);
	if (t)
		t->parts = pit_torch_parts(path);
	if (!t || !t->parts)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = read_all(t, path, err);
	if (!rc)
		*ret = pit_take(t);
	return rc;
}

int pit_torch_load(struct pit_torch *t, const struct pit_io_want *io, struct pit_error *err)
{
	int rc = pit_torch_parts_load(t->parts, io, err);

	for (size_t i = 0; i < t->count && !rc; i++) {
		const struct pit_torch_tensor *from = t->parts->tree.pieces[i].tensor;
		char *storage = NULL, *copy;

		if (!t->tensors[i].tensor.bytes)
			continue;
		storage = pit_arena_data(t->parts->arena, t->parts->storage_of[i]);
		t->tensors[i].data = storage + from->offset;
		if (t->offsets[i])
			continue;
		copy = malloc(t->tensors[i].tensor.bytes);
		if (!copy)
			return pit_fail(err, ENOMEM, "no memory for tensor '%s' of %" PRIu64 " bytes",
					SHOW(t->tensors[i].tensor.name), t->tensors[i].tensor.bytes);
		pit_torch_tensor_gather(from, storage, copy);
		t->tensors[i].data = t->parts->copies[t->parts->copy_count++] = copy;
	}
	return rc;
}
