/* SPDX-License-Identifier: MIT
 *
 * Tensors to be saved, and a reader of safetensors files of its own: what pitcrew writes is looked at by other code.
 */
#ifndef PIT_TESTS_SAVE_WORLD_H
#define PIT_TESTS_SAVE_WORLD_H

#include <endian.h>
#include <jansson.h>
#include <xxhash.h>

#include "../tempdir.h"
#include "pitcrew/checkpoint.h"

/* A tensor of `n` bytes; names, data and shape live as long as their owners. */
static inline struct pit_save_tensor bytes_tensor(const char *name, const void *data, const uint64_t *n)
{
	return (struct pit_save_tensor){
		.tensor = {.name = name, .dtype = PIT_U8, .dims = 1, .shape = n, .bytes = *n},
		.data = data,
	};
}

static inline void fill_bytes(void *data, size_t len, uint64_t seed)
{
	unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		p[i] = (unsigned char)(seed >> 56);
	}
}

static inline char *slurp(const char *path, size_t *ret_len)
{
	pit_auto_fclose FILE *f = fopen(path, "re");
	char *data;
	long len;

	if (!f || fseek(f, 0, SEEK_END))
		return NULL;
	len = ftell(f);
	rewind(f);
	data = malloc((size_t)len + 1);
	if (fread(data, 1, (size_t)len, f) != (size_t)len)
		abort();
	data[len] = '\0';
	*ret_len = (size_t)len;
	return data;
}

struct other_reader {
	char *file;
	size_t len;
	uint64_t header; /* 8 + N */
	json_t *json;
};

static inline int other_open(const char *path, struct other_reader *r)
{
	uint64_t n;

	r->file = slurp(path, &r->len);
	if (!r->file || r->len < 8)
		return -1;
	memcpy(&n, r->file, 8);
	r->header = le64toh(n) + 8;
	if (r->header > r->len)
		return -1;
	r->json = json_loadb(r->file + 8, r->header - 8, JSON_REJECT_DUPLICATES, NULL);
	return r->json ? 0 : -1;
}

static inline void other_close(struct other_reader *r)
{
	json_decref(r->json);
	free(r->file);
}

static inline const char *other_text(const struct other_reader *r, const char *key)
{
	return json_string_value(json_object_get(json_object_get(r->json, "__metadata__"), key));
}

static inline const char *other_tensor(const struct other_reader *r, const char *name, size_t *ret_len)
{
	json_t *offsets = json_object_get(json_object_get(r->json, name), "data_offsets");
	uint64_t begin = (uint64_t)json_integer_value(json_array_get(offsets, 0));
	uint64_t end = (uint64_t)json_integer_value(json_array_get(offsets, 1));

	if (!offsets || end < begin || r->header + end > r->len)
		return NULL;
	*ret_len = end - begin;
	return r->file + r->header + begin;
}

/* What the checksums promise: 0 when all are there and right. */
static inline int other_check_sums(const struct other_reader *r)
{
	const char *said = other_text(r, "pitcrew.header"), *name;
	char is[17], *copy, *digits;
	json_t *value;

	if (!said || strlen(said) != 16)
		return -1;
	copy = memcpy(malloc(r->header), r->file, r->header);
	digits = memmem(copy, r->header, said, 16);
	memset(digits, '0', 16);
	snprintf(is, sizeof(is), "%016llx", (unsigned long long)XXH3_64bits(copy, r->header));
	free(copy);
	if (strcmp(is, said))
		return -2;
	json_object_foreach(r->json, name, value)
	{
		char key[400];
		size_t len;
		const char *data;

		if (!strcmp(name, "__metadata__"))
			continue;
		snprintf(key, sizeof(key), "pitcrew.xxh3.%s", name);
		data = other_tensor(r, name, &len);
		if (!data || !other_text(r, key))
			return -3;
		snprintf(is, sizeof(is), "%016llx", (unsigned long long)XXH3_64bits(data, len));
		if (strcmp(is, other_text(r, key)))
			return -4;
	}
	return 0;
}

static inline unsigned count_entries(const char *dir)
{
	pit_auto_closedir DIR *d = opendir(dir);
	unsigned n = 0;

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	return n;
}

#endif
