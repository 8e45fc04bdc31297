/* SPDX-License-Identifier: MIT
 *
 * model.safetensors.index.json: {"metadata": ..., "weight_map": {TENSOR: FILE}}
 */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "feed/safetensors_scan.h"
#include "feed/utf8.h"
#include "feed/weights_file.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

struct place {
	const char *tensor, *file;
};

struct map {
	struct pit_scan scan;
	char *text; /* what the places point to */
	struct place *places;
	size_t count, room;
	bool found;
};

static void map_free(struct map *m)
{
	free(m->text);
	free(m->places);
}

static int one_text(struct map *m, const char **ret)
{
	size_t len;
	int rc = pit_scan_string(&m->scan, ret, &len);

	return !rc && strlen(*ret) != len ? pit_scan_fail(&m->scan, "a text with \\u0000") : rc;
}

static int add(struct map *m, const struct place *p)
{
	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 64;
		struct place *grown = reallocarray(m->places, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->places = grown;
		m->room = room;
	}
	m->places[m->count++] = *p;
	return 0;
}

static int read_map(struct map *m)
{
	bool first = true;
	int rc = pit_scan_char(&m->scan, '{');

	if (m->found)
		return pit_scan_fail(&m->scan, "weight_map comes twice");
	m->found = true;
	if (rc)
		return rc;
	while ((rc = pit_scan_next(&m->scan, '}', &first)) > 0) {
		struct place p = {0};

		rc = one_text(m, &p.tensor);
		if (!rc)
			rc = pit_scan_char(&m->scan, ':');
		if (!rc)
			rc = one_text(m, &p.file);
		if (!rc && (!*p.file || strchr(p.file, '/')))
			rc = pit_scan_fail(&m->scan,
					   "a name with a slash, or none, where that of a file beside belongs");
		if (!rc)
			rc = add(m, &p);
		if (rc)
			return rc;
	}
	return rc;
}

static int read_top(struct map *m)
{
	bool first = true;
	int rc = pit_scan_char(&m->scan, '{');

	if (rc)
		return rc;
	while ((rc = pit_scan_next(&m->scan, '}', &first)) > 0) {
		const char *key;
		size_t len;

		rc = pit_scan_key(&m->scan, &key, &len);
		if (!rc)
			rc = strcmp(key, "weight_map") ? pit_scan_skip(&m->scan, 1) : read_map(m);
		if (rc)
			return rc;
	}
	if (!rc && !m->found)
		rc = pit_scan_fail(&m->scan, "the index has no weight_map");
	return rc ? rc : pit_scan_finish(&m->scan);
}

static int parse(const struct pit_buf *index, struct map *m, struct pit_error *err)
{
	int rc;

	if (pit_utf8_valid(index->data, index->len) != index->len)
		return pit_fail(err, EINVAL, "the index is not UTF-8");
	m->text = malloc(index->len + 1);
	if (!m->text)
		return pit_fail(err, ENOMEM, "no memory for an index of %zu bytes", index->len);
	m->scan = (struct pit_scan){.at = index->data, .end = index->data + index->len, .text = m->text};
	rc = read_top(m);
	if (rc == -EBADMSG)
		return pit_fail(err, EINVAL, "byte %zu of the index: %s", (size_t)(m->scan.at - index->data),
				m->scan.why);
	return rc ? pit_fail(err, -rc, "no memory for an index of %zu bytes", index->len) : 0;
}

static int order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int pit_weights_index_files(const struct pit_buf *index, struct pit_strv *ret, struct pit_error *err)
{
	PIT_CLEANUP(map_free) struct map m = {.text = NULL};
	pit_auto_free const char **names = NULL;
	int rc = parse(index, &m, err);

	if (rc)
		return rc;
	names = reallocarray(NULL, m.count + 1, sizeof(*names));
	for (size_t i = 0; names && i < m.count; i++)
		names[i] = m.places[i].file;
	if (names)
		qsort(names, m.count, sizeof(*names), order);
	for (size_t i = 0; names && i < m.count; i++)
		if ((!i || strcmp(names[i - 1], names[i])) && pit_strv_add(ret, names[i]))
			return pit_fail(err, ENOMEM, "out of memory");
	return names ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

static const char *shard(const struct pit_weights *w, size_t i)
{
	return pit_base_name(w->files[w->tensors[i].file].path);
}

static int check_place(const struct pit_weights *w, const struct place *p, struct pit_error *err)
{
	const struct pit_name *n = pit_names_find(w->names, w->count, p->tensor);

	if (!n)
		return pit_fail(err, EINVAL, "the index says that tensor '%s' is in %s, and it is in none of the files",
				SHOW(p->tensor), p->file);
	if (strcmp(shard(w, n->number), p->file))
		return pit_fail(err, EINVAL, "the index says that tensor '%s' is in %s, and it is in %s",
				SHOW(p->tensor), p->file, shard(w, n->number));
	return 0;
}

/* Each name of the index is a tensor's; so when there are as many, all tensors are in it. */
static int check_missing(const struct pit_weights *w, const struct pit_name *names, size_t count, struct pit_error *err)
{
	for (size_t i = 0; i < w->count && count < w->count; i++)
		if (!pit_names_find(names, count, w->tensors[i].entry->tensor.name))
			return pit_fail(err, EINVAL, "tensor '%s' of %s is not in the index",
					SHOW(w->tensors[i].entry->tensor.name), shard(w, i));
	return 0;
}

int pit_weights_check_index(const struct pit_weights *w, const struct pit_buf *index, struct pit_error *err)
{
	PIT_CLEANUP(map_free) struct map m = {.text = NULL};
	pit_auto_free struct pit_name *names = NULL;
	const struct pit_name *twice;
	int rc = parse(index, &m, err);

	if (rc)
		return rc;
	names = reallocarray(NULL, m.count + 1, sizeof(*names));
	if (!names)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < m.count; i++)
		pit_name_set(&names[i], m.places[i].tensor, i);
	pit_names_sort(names, m.count);
	twice = pit_names_twice(names, m.count);
	if (twice)
		return pit_fail(err, EINVAL, "tensor '%s' comes twice in the index", SHOW(twice->name));
	for (size_t i = 0; i < m.count && !rc; i++)
		rc = check_place(w, &m.places[i], err);
	return rc ? rc : check_missing(w, names, m.count, err);
}
