/* SPDX-License-Identifier: MIT */
#include "feed/torch_parts.h"

#include <inttypes.h>
#include <string.h>

#include "feed/torch_tensor.h"
#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

void pit_torch_parts_free(struct pit_torch_parts *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->copy_count; i++)
		free(p->copies[i]);
	free(p->copies);
	pit_arena_free(p->arena);
	pit_weights_close(p->storages);
	free(p->lengths);
	free(p->storage_of);
	pit_torch_tree_free(&p->tree);
	pit_value_memory_free(p->values);
	pit_zip_free(&p->zip);
	free(p->top);
	free(p);
}

struct pit_torch_parts *pit_torch_parts(const char *path)
{
	struct pit_torch_parts *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->tree.text = (struct pit_buf)PIT_BUF_INIT;
	p->storages = calloc(1, sizeof(*p->storages));
	if (p->storages)
		p->storages->files = calloc(1, sizeof(*p->storages->files));
	if (p->storages && p->storages->files) {
		p->storages->file_count = 1;
		p->storages->files[0] = (struct pit_weights_file){.fd = -1, .path = strdup(path)};
		if (p->storages->files[0].path)
			return p;
	}
	pit_torch_parts_free(p);
	return NULL;
}

/* ---- finding ---- */

struct found {
	const struct pit_torch_storage *storage;
	const struct pit_zip_entry *entry;
};

static int find(const struct pit_torch_parts *p, const struct pit_torch_storage *s, struct found *ret,
		struct pit_error *err)
{
	pit_auto_free char *name = NULL;
	const struct pit_zip_entry *e;

	if (asprintf(&name, "%s/data/%s", p->top, s->key) < 0)
		return pit_fail(err, ENOMEM, "out of memory");
	e = pit_zip_find(&p->zip, name);
	if (!e)
		return pit_fail(err, EBADMSG, "storage '%s' is not in the archive", SHOW(s->key));
	if (e->bytes != s->bytes)
		return pit_fail(err, EBADMSG, "storage '%s' has %" PRIu64 " bytes, not the %" PRIu64 " of its elements",
				SHOW(s->key), e->bytes, s->bytes);
	*ret = (struct found){.storage = s, .entry = e};
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry; /* the archive has them sorted by offset */
}

static int add(struct pit_torch_parts *p, const struct found *found, size_t count, struct pit_error *err)
{
	struct pit_weights *w = p->storages;
	struct pit_safetensors *h = &w->files[0].header;

	h->entries = calloc(count + 1, sizeof(*h->entries));
	w->tensors = calloc(count + 1, sizeof(*w->tensors));
	w->names = calloc(count + 1, sizeof(*w->names));
	p->lengths = calloc(count + 1, sizeof(*p->lengths));
	if (!h->entries || !w->tensors || !w->names || !p->lengths)
		return pit_fail(err, ENOMEM, "no memory for the names of %zu storages", count);
	for (size_t i = 0; i < count; i++) {
		const struct pit_zip_entry *e = found[i].entry;

		if (i && found[i - 1].entry == e)
			continue;
		p->lengths[w->count] = e->bytes;
		h->entries[w->count] = (struct pit_safetensors_entry){
			.tensor = {.name = found[i].storage->key,
				   .dtype = PIT_U8,
				   .dims = 1,
				   .shape = &p->lengths[w->count],
				   .bytes = e->bytes},
			.begin = e->offset,
		};
		w->tensors[w->count] = (struct pit_weights_tensor){
			.entry = &h->entries[w->count],
			.has_sum = e->crc ? PIT_SUM_GIVEN : PIT_SUM_NONE,
			.sum = e->crc,
		};
		pit_name_set(&w->names[w->count], found[i].storage->key, w->count);
		w->bytes += e->bytes;
		w->count++;
	}
	h->count = w->count;
	pit_names_sort(w->names, w->count);
	return 0;
}

int pit_torch_storages(struct pit_torch_parts *p, struct pit_error *err)
{
	pit_auto_free struct found *found = calloc(p->tree.count + 1, sizeof(*found));
	size_t count = 0;
	int rc = 0;

	if (!found)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->tree.count && !rc; i++)
		if (pit_torch_tensor_bytes(p->tree.pieces[i].tensor))
			rc = find(p, p->tree.pieces[i].tensor->storage, &found[count++], err);
	if (rc)
		return rc;
	qsort(found, count, sizeof(*found), by_place);
	return add(p, found, count, err);
}

size_t pit_torch_storage_find(const struct pit_torch_parts *p, const struct pit_torch_storage *s)
{
	return pit_names_find(p->storages->names, p->storages->count, s->key)->number;
}

/* ---- reading ---- */

int pit_torch_parts_load(struct pit_torch_parts *p, const struct pit_io_want *io, struct pit_error *err)
{
	struct pit_weights_want want = {.size = sizeof(want), .io = *io};
	const struct pit_weights *w = p->storages;
	int rc = pit_weights_load(p->storages, &want, &p->arena, err);

	if (rc)
		return rc;
	p->copies = calloc(p->tree.count + 1, sizeof(*p->copies));
	if (!p->copies)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < w->count; i++)
		if (w->tensors[i].has_sum == PIT_SUM_GIVEN &&
		    pit_zip_crc(0, pit_arena_data(p->arena, i), w->tensors[i].entry->tensor.bytes) != w->tensors[i].sum)
			return pit_fail(err, EBADMSG, "%s: storage '%s' differs from its CRC", w->files[0].path,
					SHOW(w->tensors[i].entry->tensor.name));
	return 0;
}
