/* SPDX-License-Identifier: MIT
 *
 * Weights as a user has them: files, models in shards, directories; read singly, loaded whole, verified, and spoiled.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <xxhash.h>

#include "../tempdir.h"
#include "feed/ladder.h"
#include "feed/safetensors.h"
#include "feed/team.h"
#include "feed/weights_arena.h"
#include "feed/weights_plan.h"
#include "pitcrew/weights.h"

#define MOST 256

struct model { /* what a file is made of */
	unsigned count;
	struct pit_save_tensor t[MOST];
	uint64_t size[MOST];
	char name[MOST][32];
	bool sums;
	unsigned align;
};

/* Bytes that tell their tensor and their place. */
static unsigned char byte_of(unsigned long long seed, uint64_t at)
{
	uint64_t x = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (at / 7 * UINT64_C(0xbf58476d1ce4e5b9));

	return (unsigned char)(x >> 29 ^ at);
}

static void add(struct model *m, const char *name, uint64_t size)
{
	unsigned n = m->count++;
	unsigned char *data = malloc(size + 1);

	for (uint64_t i = 0; i < size; i++)
		data[i] = byte_of(XXH3_64bits(name, strlen(name)), i);
	snprintf(m->name[n], sizeof(m->name[n]), "%s", name);
	m->size[n] = size;
	m->t[n] = (struct pit_save_tensor){
		.tensor = {.name = m->name[n], .dtype = PIT_U8, .dims = 1, .shape = &m->size[n], .bytes = size},
		.data = data,
	};
}

static void model_free(struct model *m)
{
	for (unsigned i = 0; i < m->count; i++)
		free((void *)m->t[i].data);
	free(m);
}

/* Writes the header's own checksum into it. */
static void seal(struct pit_buf *b)
{
	static const char key[] = "\"pitcrew.header\":\"";
	char *digits = memmem(b->data, b->len, key, sizeof(key) - 1) + sizeof(key) - 1, text[17];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)XXH3_64bits(b->data, b->len));
	memcpy(digits, text, 16);
}

static void model_write(const struct model *m, const char *dir, const char *file)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	struct pit_save_text *texts = calloc(m->count + 1, sizeof(*texts));
	char(*keys)[64] = calloc(m->count + 1, 64), (*values)[20] = calloc(m->count + 1, 20);

	texts[0] = (struct pit_save_text){.key = "pitcrew.header", .value = "0000000000000000"};
	for (unsigned i = 0; i < m->count; i++) {
		snprintf(keys[i], 64, "pitcrew.xxh3.%s", m->name[i]);
		snprintf(values[i], 20, "%016llx", (unsigned long long)XXH3_64bits(m->t[i].data, m->size[i]));
		texts[i + 1] = (struct pit_save_text){.key = keys[i], .value = values[i]};
	}
	assert_int_equal(pit_safetensors_format(m->t, m->count, texts, m->sums ? m->count + 1 : 0, m->align, &b, NULL),
			 0);
	if (m->sums)
		seal(&b);
	for (unsigned i = 0; i < m->count; i++)
		pit_buf_add(&b, m->t[i].data, m->size[i]);
	assert_int_equal(tempdir_write(dir, file, b.data, b.len), 0);
	free(texts);
	free(keys);
	free(values);
}

struct place { /* a directory with files in it */
	char dir[64], path[128];
	struct pit_weights *w;
	struct pit_error err;
};

static struct place place(void)
{
	struct place p = {.w = NULL};
	const char *big = getenv("TMPDIR");

	tempdir_new_in(big ? big : "/tmp", p.dir, sizeof(p.dir));
	return p;
}

static void place_free(struct place *p)
{
	pit_weights_close(p->w);
	tempdir_remove(p->dir);
}

static const char *in(struct place *p, const char *file)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, file);
	return p->path;
}

static int open_it(struct place *p, const char *file)
{
	struct pit_weights *w = NULL;
	int rc;

	p->err = (struct pit_error)PIT_ERROR_INIT;
	rc = pit_weights_open(in(p, file), &w, &p->err);
	pit_weights_close(p->w);
	p->w = w;
	assert_int_equal(!rc, w != NULL);
	return rc;
}

static void says(const struct place *p, const char *text)
{
	if (!strstr(p->err.text, text))
		fail_msg("'%s' does not say '%s'", p->err.text, text);
}

static struct model *small(void)
{
	struct model *m = calloc(1, sizeof(*m));

	m->align = 8;
	add(m, "first", 1000);
	add(m, "empty", 0);
	add(m, "second", 70);
	add(m, "third", 64);
	return m;
}

/* ---- opening ---- */

static void test_file(void **state)
{
	struct place p = place();
	struct model *m = small();
	unsigned char bytes[1000];

	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(pit_weights_count(p.w), 4);
	assert_int_equal(pit_weights_bytes(p.w), 1134);
	assert_int_equal(pit_weights_files(p.w), 1);
	assert_string_equal(pit_weights_file(p.w, 0), p.path);
	assert_null(pit_weights_file(p.w, 1));
	assert_null(pit_weights_tensor(p.w, 4));
	assert_int_equal(pit_weights_find(p.w, "second"), 2);
	assert_int_equal(pit_weights_find(p.w, "fourth"), -ENOENT);
	assert_int_equal(pit_weights_offset(p.w, 2), pit_weights_offset(p.w, 0) + 1000);
	assert_int_equal(pit_weights_read(p.w, 2, 10, bytes, 60, NULL), 0);
	assert_memory_equal(bytes, (const char *)m->t[2].data + 10, 60);
	assert_int_equal(pit_weights_read(p.w, 1, 0, bytes, 0, NULL), 0);
	assert_int_equal(pit_weights_read(p.w, 2, 10, bytes, 61, &p.err), -EINVAL);
	says(&p, "tensor 'second' has 70 bytes; 61 from 10 on were asked for");
	assert_int_equal(pit_weights_read(p.w, 2, UINT64_MAX, bytes, 2, &p.err), -EINVAL);
	assert_int_equal(pit_weights_read(p.w, 4, 0, bytes, 1, &p.err), -EINVAL);
	model_free(m);
	place_free(&p);
}

static void test_metadata(void **state)
{
	struct place p = place();
	struct model *m = small();
	const char *key, *value;

	m->sums = true;
	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(pit_weights_metadata(p.w, 0, 0, &key, &value), 0);
	assert_string_equal(key, "pitcrew.header");
	assert_int_equal(pit_weights_metadata(p.w, 0, 5, &key, &value), -ENOENT);
	assert_int_equal(pit_weights_metadata(p.w, 1, 0, &key, &value), -ENOENT);
	assert_ptr_equal(pit_weights_metadata_of(p.w, 0, "pitcrew.header"), value);
	assert_null(pit_weights_metadata_of(p.w, 0, "other"));
	model_free(m);
	place_free(&p);
}

static void test_not_there(void **state)
{
	struct place p = place();

	assert_int_equal(open_it(&p, "none.safetensors"), -ENOENT);
	says(&p, "No such file");
	assert_int_equal(open_it(&p, ""), -ENOENT);
	says(&p, "holds no .safetensors file");
	mkfifo(in(&p, "pipe"), 0600);
	assert_int_equal(open_it(&p, "pipe"), -EOPNOTSUPP);
	says(&p, "not a regular file");
	tempdir_file(p.dir, "bad.safetensors", "\x02\0\0\0\0\0\0\0{}");
	assert_int_equal(open_it(&p, "bad.safetensors"), -EBADMSG);
	says(&p, "bad.safetensors breaks HeaderTooSmall: the file has 1 bytes");
	place_free(&p);
}

static struct model *shard(const char *a, const char *b)
{
	struct model *m = calloc(1, sizeof(*m));

	m->align = 8;
	add(m, a, 100);
	add(m, b, 200);
	return m;
}

static void write_shards(struct place *p)
{
	struct model *one = shard("a", "b"), *two = shard("c", "d");

	model_write(one, p->dir, "m-1.safetensors");
	model_write(two, p->dir, "m-2.safetensors");
	model_free(one);
	model_free(two);
}

static void test_shards(void **state)
{
	static const struct {
		const char *map;
		int rc;
		const char *says;
	} rows[] = {
		{.map = "\"a\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\",\"d\":\"m-2.safetensors\""},
		{.map = "\"a\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"",
		 .rc = -EINVAL,
		 .says = "tensor 'd' of m-2.safetensors is not in the index"},
		{.map = "\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\",\"c\":\"m-2.safetensors\",\"d\":\"m-2.safetensors\"",
		 .rc = -EINVAL,
		 .says = "says that tensor 'b' is in m-2.safetensors, and it is in m-1.safetensors"},
		{.map = "\"a\":\"m-1.safetensors\",\"e\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\"",
		 .rc = -EINVAL,
		 .says = "tensor 'e' is in m-1.safetensors, and it is in none of the files"},
		{.map = "\"a\":\"m-1.safetensors\",\"e\":\"m-3.safetensors\"",
		 .rc = -EINVAL,
		 .says = "a shard is missing: cannot open"},
		{.map = "\"a\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\",\"\\u0061\":\"m-1.safetensors\"",
		 .rc = -EINVAL,
		 .says = "tensor 'a' comes twice in the index"},
		{.map = "\"a\":\"../m-1.safetensors\"", .rc = -EINVAL, .says = "a name with a slash"},
		{.map = "\"a\":\"/etc/passwd\"", .rc = -EINVAL, .says = "a name with a slash"},
		{.map = "\"a\":\"\"", .rc = -EINVAL, .says = "or none"},
		{.map = "\"a\":1", .rc = -EINVAL, .says = "a string must begin here"},
		{.map = "\"a\"", .rc = -EINVAL, .says = "a colon must come here"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct place p = place();
		char index[1024];

		write_shards(&p);
		snprintf(index, sizeof(index), "{\"metadata\":{\"total_size\":600.0},\"weight_map\":{%s}}\n",
			 rows[i].map);
		tempdir_file(p.dir, "model.safetensors.index.json", index);
		if (open_it(&p, "model.safetensors.index.json") != rows[i].rc)
			fail_msg("%s: %s", rows[i].map, p.err.text);
		if (rows[i].rc)
			says(&p, rows[i].says);
		assert_int_equal(open_it(&p, ""), rows[i].rc); /* the directory is the same */
		if (!rows[i].rc) {
			assert_int_equal(pit_weights_count(p.w), 4);
			assert_int_equal(pit_weights_files(p.w), 2);
			assert_int_equal(pit_weights_file_of(p.w, pit_weights_find(p.w, "c")), 1);
		}
		place_free(&p);
	}
}

static void test_index_texts(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{.text = "", .says = "too early"},
		{.text = "{}", .says = "the index has no weight_map"},
		{.text = "{\"weight_map\":{},\"weight_map\":{}}", .says = "comes twice"},
		{.text = "{\"weight_map\":{}} x", .says = "something comes behind"},
		{.text = "{\"weight_map\":[]}", .says = "object"},
		{.text = "\xff", .says = "not UTF-8"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct place p = place();

		tempdir_file(p.dir, "x.safetensors.index.json", rows[i].text);
		assert_int_equal(open_it(&p, "x.safetensors.index.json"), -EINVAL);
		says(&p, rows[i].says);
		place_free(&p);
	}
}

static void test_directory(void **state)
{
	struct place p = place();
	struct model *again = shard("c", "x");

	write_shards(&p);
	tempdir_file(p.dir, "config.json", "{}");
	assert_int_equal(open_it(&p, ""), 0);
	assert_int_equal(pit_weights_files(p.w), 2);
	assert_string_equal(pit_weights_tensor(p.w, 0)->name, "a"); /* files sorted by name */
	model_write(again, p.dir, "m-0.safetensors");
	assert_int_equal(open_it(&p, ""), -EINVAL);
	says(&p, "tensor 'c' is in ");
	says(&p, "m-0.safetensors and in ");
	tempdir_file(p.dir, "a.safetensors.index.json", "{\"weight_map\":{}}");
	tempdir_file(p.dir, "b.safetensors.index.json", "{\"weight_map\":{}}");
	assert_int_equal(open_it(&p, ""), -EINVAL);
	says(&p, "holds 2 indexes");
	model_free(again);
	place_free(&p);
}

/* ---- loading ---- */

/* Sizes that leave no tensor where the disk would put it, and one of several requests. */
static struct model *large(bool odd, bool sums, unsigned align)
{
	struct model *m = calloc(1, sizeof(*m));
	char name[32];

	m->align = align;
	m->sums = sums;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		add(m, name, i == 7 ? 20000000U + odd : odd ? i * 37 % 5000 : 64 * (i % 50));
	}
	return m;
}

static void check_arena(const struct pit_weights *w, const struct pit_arena *a, const struct model *m,
			const bool *wanted)
{
	for (size_t i = 0; i < m->count; i++) {
		const char *data = pit_arena_data(a, i);

		assert_string_equal(pit_weights_tensor(w, i)->name, m->name[i]);
		if (wanted && !wanted[i]) {
			assert_null(data);
			continue;
		}
		assert_non_null(data);
		if (!m->size[i])
			continue;
		assert_int_equal((uintptr_t)data % 64, 0);
		if (memcmp(data, m->t[i].data, m->size[i]) != 0)
			fail_msg("tensor %zu differs", i);
	}
	assert_null(pit_arena_data(a, m->count));
	assert_true(pit_arena_bytes(a) >= 1);
}

static const enum pit_io_engine engines[] = {PIT_ENGINE_AUTO, PIT_ENGINE_URING, PIT_ENGINE_THREADS};
static const enum pit_io_cache caches[] = {PIT_IO_CACHE_AUTO, PIT_IO_DIRECT, PIT_IO_DONTCACHE, PIT_IO_BUFFERED};

static void load_all_ways(struct place *p, const struct model *m, unsigned *refused)
{
	for (size_t e = 0; e < PIT_COUNT(engines); e++)
		for (size_t c = 0; c < PIT_COUNT(caches); c++)
			for (unsigned depth = 1; depth <= 8; depth += 7) {
				struct pit_weights_want want = {
					.size = sizeof(want),
					.io = {.engine = engines[e], .cache = caches[c], .depth = depth},
					.verify = m->sums,
				};
				struct pit_arena *a = NULL;
				int rc = pit_weights_load(p->w, &want, &a, &p->err);

				if (rc && (engines[e] || caches[c])) { /* not here */
					++*refused;
					continue;
				}
				if (rc)
					fail_msg("%s", p->err.text);
				check_arena(p->w, a, m, NULL);
				assert_non_null(pit_ladder_taken(pit_arena_ladder(a), "engine"));
				assert_non_null(pit_ladder_taken(pit_arena_ladder(a), "cache"));
				assert_non_null(pit_ladder_taken(pit_arena_ladder(a), "pages"));
				pit_arena_free(a);
			}
}

static void test_load(void **state)
{
	unsigned refused = 0;

	for (int odd = 0; odd < 2; odd++)
		for (unsigned align = 8; align <= 4096; align *= 512) {
			struct place p = place();
			struct model *m = large(odd, odd, align);

			model_write(m, p.dir, "a.safetensors");
			assert_int_equal(open_it(&p, "a.safetensors"), 0);
			load_all_ways(&p, m, &refused);
			model_free(m);
			place_free(&p);
		}
	print_message("# %u loads by ways that do not work here\n", refused);
}

static void test_load_some(void **state)
{
	static const size_t only[] = {199, 7, 3, 3, 150, 0};
	struct place p = place();
	struct model *m = large(true, true, 8);
	struct pit_weights_want want = {
		.size = sizeof(want), .only = only, .only_count = PIT_COUNT(only), .verify = true};
	struct pit_arena *a = NULL;
	bool wanted[MOST] = {false};

	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(pit_weights_load(p.w, &want, &a, NULL), 0);
	for (size_t i = 0; i < PIT_COUNT(only); i++)
		wanted[only[i]] = true;
	pit_weights_close(p.w); /* arenas stay valid */
	p.w = NULL;
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	check_arena(p.w, a, m, wanted);
	pit_arena_free(a);
	want.only = (const size_t[]){200};
	want.only_count = 1;
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), -EINVAL);
	says(&p, "there is no tensor 200");
	want.only_count = 0; /* none at all */
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), 0);
	assert_null(pit_arena_data(a, 0));
	pit_arena_free(a);
	model_free(m);
	place_free(&p);
}

static void test_load_nothing(void **state)
{
	struct place p = place();
	struct model *m = calloc(1, sizeof(*m));
	struct pit_arena *a = NULL;

	m->align = 8;
	model_write(m, p.dir, "none.safetensors");
	assert_int_equal(open_it(&p, "none.safetensors"), 0);
	assert_int_equal(pit_weights_load(p.w, NULL, &a, &p.err), 0);
	pit_arena_free(a);
	add(m, "empty", 0);
	model_write(m, p.dir, "empty.safetensors");
	assert_int_equal(open_it(&p, "empty.safetensors"), 0);
	assert_int_equal(pit_weights_load(p.w, NULL, &a, &p.err), 0);
	assert_non_null(pit_arena_data(a, 0));
	pit_arena_free(a);
	model_free(m);
	place_free(&p);
}

static void test_load_shards(void **state)
{
	struct place p = place();
	struct pit_arena *a = NULL;

	for (unsigned i = 0; i < 150; i++) { /* more than are kept open */
		char one[32], two[32], file[48];
		struct model *m;

		snprintf(one, sizeof(one), "a%03u", i);
		snprintf(two, sizeof(two), "b%03u", i);
		snprintf(file, sizeof(file), "m-%03u.safetensors", i);
		m = shard(one, two);
		model_write(m, p.dir, file);
		model_free(m);
	}
	assert_int_equal(open_it(&p, ""), 0);
	assert_int_equal(pit_weights_load(p.w, NULL, &a, &p.err), 0);
	for (size_t i = 0; i < 300; i++) {
		const struct pit_tensor *t = pit_weights_tensor(p.w, i);
		const unsigned char *data = pit_arena_data(a, i);
		unsigned char single[200];

		assert_int_equal(pit_weights_read(p.w, i, 0, single, t->bytes, NULL), 0);
		assert_memory_equal(data, single, t->bytes);
		for (uint64_t k = 0; k < t->bytes; k++)
			assert_int_equal(data[k], byte_of(XXH3_64bits(t->name, strlen(t->name)), k));
	}
	pit_arena_free(a);
	place_free(&p);
}

struct told {
	unsigned calls, stop_at;
	uint64_t last, all;
};

static int tell(void *arg, uint64_t done, uint64_t all)
{
	struct told *t = arg;

	assert_true(done >= t->last && done <= all);
	t->last = done;
	t->all = all;
	return ++t->calls == t->stop_at;
}

static void test_progress(void **state)
{
	struct place p = place();
	struct model *m = large(false, false, 8);
	struct told t = {.calls = 0};
	struct pit_weights_want want = {.size = sizeof(want), .io = {.depth = 1}, .progress = tell, .arg = &t};
	struct pit_arena *a = NULL;

	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), 0);
	assert_true(t.calls >= 1);
	assert_int_equal(t.last, t.all);
	assert_true(t.all >= pit_weights_bytes(p.w));
	pit_arena_free(a);
	t = (struct told){.stop_at = 1};
	a = NULL;
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), -ECANCELED);
	assert_null(a);
	model_free(m);
	place_free(&p);
}

/* ---- damage ---- */

static void flip(struct place *p, const char *file, uint64_t at)
{
	pit_auto_close int fd = open(in(p, file), O_RDWR | O_CLOEXEC);
	unsigned char c;

	assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
	c ^= 0x10;
	assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
}

static int verify(struct place *p, struct pit_verify_result *r)
{
	return pit_weights_verify(p->w, NULL, r, &p->err);
}

static void test_verify(void **state)
{
	struct place p = place();
	struct model *m = large(true, true, 64);
	struct pit_weights_want want = {.size = sizeof(want), .verify = true};
	struct pit_verify_result r;
	struct pit_arena *a = NULL;
	uint64_t at;

	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(verify(&p, &r), 0);
	assert_int_equal(r.tensors, 200);
	assert_int_equal(r.checked, 200);
	assert_int_equal(r.bytes, pit_weights_bytes(p.w));
	assert_int_equal(r.damaged, 0);
	assert_string_equal(r.first, "");
	at = pit_weights_offset(p.w, 7) + 20000000; /* the last byte of the large one */
	flip(&p, "a.safetensors", at);
	flip(&p, "a.safetensors", pit_weights_offset(p.w, 150));
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(verify(&p, &r), -EBADMSG);
	assert_int_equal(r.damaged, 2);
	assert_string_equal(r.first, "t7");
	says(&p, "2 of 200 tensors differ from their checksums; the first is 't7'");
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), -EBADMSG);
	says(&p, "differs from its checksum");
	want.verify = false;
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), 0);
	pit_arena_free(a);
	want = (struct pit_weights_want){
		.size = sizeof(want), .verify = true, .only = (const size_t[]){6}, .only_count = 1};
	assert_int_equal(pit_weights_load(p.w, &want, &a, &p.err), 0); /* the others are not looked at */
	pit_arena_free(a);
	model_free(m);
	place_free(&p);
}

/* No byte of a file can change without being found: in the header, in the padding, in the data. */
static void test_every_byte(void **state)
{
	struct place p = place();
	struct model *m = small();
	struct pit_verify_result r;
	struct stat st;

	m->sums = true;
	m->align = 256;
	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(stat(in(&p, "a.safetensors"), &st), 0);
	for (off_t at = 0; at < st.st_size; at += at < 2000 ? 1 : 13) {
		flip(&p, "a.safetensors", (uint64_t)at);
		if (!open_it(&p, "a.safetensors") && verify(&p, &r) != -EBADMSG)
			fail_msg("byte %lld is not found", (long long)at);
		flip(&p, "a.safetensors", (uint64_t)at);
	}
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(verify(&p, &r), 0);
	model_free(m);
	place_free(&p);
}

static void test_no_sums(void **state)
{
	struct place p = place();
	struct model *m = small();
	struct pit_verify_result r;

	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	assert_int_equal(verify(&p, &r), 0);
	assert_int_equal(r.tensors, 4);
	assert_int_equal(r.checked, 0);
	model_free(m);
	place_free(&p);
}

/* ---- files that change under way ---- */

static void spoil(struct place *p, const char *file, int how)
{
	struct model *other = small();

	switch (how) {
	case 0:
		assert_int_equal(truncate(in(p, file), 5000000), 0);
		break;
	case 1:
		assert_int_equal(unlink(in(p, file)), 0);
		break;
	case 2:
		assert_int_equal(unlink(in(p, file)), 0);
		model_write(other, p->dir, file);
		break;
	case 3: /* as long as before, and other bytes */
		assert_int_equal(
			utimensat(AT_FDCWD, in(p, file), (const struct timespec[2]){{.tv_sec = 1}, {.tv_sec = 1}}, 0),
			0);
		break;
	}
	model_free(other);
}

static void test_spoiled(void **state)
{
	static const char *const why[] = {"got shorter", "cannot open", "got shorter", "was written to"};

	for (int how = 0; how < 4; how++) {
		struct place p = place();
		struct model *m = large(false, false, 8);
		struct pit_arena *a = NULL;
		struct pit_verify_result r;

		model_write(m, p.dir, "a.safetensors");
		assert_int_equal(open_it(&p, "a.safetensors"), 0);
		spoil(&p, "a.safetensors", how);
		p.err = (struct pit_error)PIT_ERROR_INIT;
		assert_int_equal(pit_weights_load(p.w, NULL, &a, &p.err), -EIO);
		says(&p, why[how]);
		assert_int_equal(verify(&p, &r), -EIO);
		if (!how) {
			char byte;

			assert_int_equal(pit_weights_read(p.w, 199, 0, &byte, 1, &p.err), -EIO);
			says(&p, "got shorter");
		}
		model_free(m);
		place_free(&p);
	}
}

/* Another process cuts the file off and puts it back, over and over: an error or the right bytes, never a signal. */
static void test_cut_under_way(void **state)
{
	struct place p = place();
	struct model *m = large(false, false, 8);
	unsigned failed = 0;
	pid_t child;
	int status;

	model_write(m, p.dir, "a.safetensors");
	assert_int_equal(open_it(&p, "a.safetensors"), 0);
	child = fork();
	if (!child) {
		struct stat st;

		stat(in(&p, "a.safetensors"), &st);
		for (int i = 0; i < 100; i++) {
			(void)!truncate(p.path, 4000000 + i * 100000);
			usleep(1000);
			(void)!truncate(p.path, st.st_size);
			usleep(1000);
		}
		_exit(0);
	}
	for (int i = 0; i < 30; i++) {
		struct pit_arena *a = NULL;

		p.err = (struct pit_error)PIT_ERROR_INIT;
		if (pit_weights_load(p.w, NULL, &a, &p.err)) {
			assert_int_equal(p.err.code, EIO);
			failed++;
		}
		pit_arena_free(a);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	print_message("# %u of 30 loads failed with a reason\n", failed);
	model_free(m);
	place_free(&p);
}

/* ---- parts ---- */

/* Whatever the alignment: every tensor at a multiple of 64, none over another one, nor over bytes that come later. */
static void test_place(void **state)
{
	uint64_t seed = 1;

	for (unsigned round = 0; round < 2000; round++) {
		struct pit_lane_piece pieces[20] = {{0}};
		struct pit_lane lane = {.pieces = pieces, .count = 20};
		uint64_t side = 0, end, at = round * 8 % 512, mem = round % 3 == 0 ? 4 : round % 3 == 1 ? 512 : 4096;

		for (size_t i = 0; i < lane.count; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			pieces[i].at = at;
			pieces[i].len = 1 + (round % 5 ? seed >> 33 & 511 : (seed >> 33 & 7) * 64 + 63);
			at += pieces[i].len;
		}
		lane.reads.bytes = (at + 511) & ~UINT64_C(511);
		end = pit_lane_place(&lane, 1000, (uint32_t)mem, &side);
		assert_true(lane.base >= 1000 && lane.base % mem == 0);
		assert_int_equal(end, lane.base + lane.reads.bytes);
		at = 1000;
		for (size_t i = 0; i < lane.count; i++) {
			uint64_t to = pieces[i].to & ~PIT_LANE_SIDE, comes = lane.base + pieces[i].at;

			assert_int_equal(to % 64, 0);
			if (pieces[i].to & PIT_LANE_SIDE) {
				assert_true(to + pieces[i].len <= side);
				continue;
			}
			assert_true(to >= at && to <= comes && comes - to < 64);
			at = to + pieces[i].len;
		}
	}
}

/* With memory aligned to 4 bytes nothing of a usual file moves. */
static void test_place_shift(void **state)
{
	struct pit_lane_piece pieces[] = {{.at = 72, .len = 640}, {.at = 712, .len = 64}};
	struct pit_lane lane = {.pieces = pieces, .count = 2, .reads = {.bytes = 1024}};
	uint64_t side = 0;

	pit_lane_place(&lane, 0, 4, &side);
	assert_false(lane.moves);
	assert_int_equal(side, 0);
	pit_lane_place(&lane, 0, 512, &side);
	assert_true(lane.moves);
}

struct counted {
	struct pit_team_task task;
	int *sum;
};

static void count(struct pit_team_task *task)
{
	__atomic_add_fetch(((struct counted *)task)->sum, 1, __ATOMIC_SEQ_CST);
}

/* With threads and without any. */
static void test_team(void **state)
{
	struct counted tasks[100];

	for (unsigned threads = 0; threads < 5; threads += 4) {
		struct pit_team *t = pit_team_open(threads, NULL, NULL);
		int sum = 0;

		assert_non_null(t);
		for (size_t i = 0; i < PIT_COUNT(tasks); i++) {
			tasks[i] = (struct counted){.task = {.fn = count}, .sum = &sum};
			pit_team_do(t, &tasks[i].task);
		}
		pit_team_finish(t);
		assert_int_equal(sum, 100);
	}
	pit_team_finish(NULL);
}

/* What is there already stays, and the rest becomes present without being read into. */
static void test_touch(void **state)
{
	const uint64_t size = UINT64_C(96) << 20;
	const struct pit_io_want want = {.pages = PIT_PAGES_PLAIN, .lock = PIT_LOCK_NONE};
	struct pit_arena *a = calloc(1, sizeof(*a));
	struct pit_error err = PIT_ERROR_INIT;
	unsigned char present = 0;
	char *data, *last;

	assert_non_null(a);
	a->map.fd = -1;
	assert_int_equal(pit_arena_map(a, size, &want, &err), 0);
	data = a->map.base;
	last = data + a->map.size - a->map.page;
	data[size / 2] = data[size - size / 8] = 'x';
	pit_arena_touch(a);
	for (int i = 0; i < 3000 && a->map.behind && !present; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		assert_int_equal(mincore(last, a->map.page, &present), 0);
		present &= 1;
	}
	if (a->map.behind)
		assert_int_equal(present, 1);
	assert_int_equal(pit_arena_lock(a, PIT_LOCK_NONE, &err), 0);
	assert_null(a->map.behind);
	assert_int_equal(data[size / 2], 'x');
	assert_int_equal(data[size - size / 8], 'x');
	assert_int_equal(data[size - 1], 0);
	pit_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),         cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_not_there),    cmocka_unit_test(test_shards),
		cmocka_unit_test(test_index_texts),  cmocka_unit_test(test_directory),
		cmocka_unit_test(test_load),         cmocka_unit_test(test_load_some),
		cmocka_unit_test(test_load_nothing), cmocka_unit_test(test_load_shards),
		cmocka_unit_test(test_progress),     cmocka_unit_test(test_verify),
		cmocka_unit_test(test_every_byte),   cmocka_unit_test(test_no_sums),
		cmocka_unit_test(test_spoiled),      cmocka_unit_test(test_cut_under_way),
		cmocka_unit_test(test_place),        cmocka_unit_test(test_place_shift),
		cmocka_unit_test(test_team),         cmocka_unit_test(test_touch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
