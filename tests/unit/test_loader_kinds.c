/* SPDX-License-Identifier: MIT
 *
 * The loader over each kind of source, against bytes that are known without it.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "feed/loader.h"
#include "feed_world.h"

#define RECORD 4096
#define RECORDS 300 /* in a file */
#define SHARDS 4

static struct pit_source *open_source(const char *path, enum pit_source_kind kind, uint64_t record, uint64_t header)
{
	const char *const paths[] = {path};
	struct pit_source_want want = {
		.size = sizeof(want),
		.kind = kind,
		.paths = paths,
		.path_count = 1,
		.record_bytes = record,
		.header_bytes = header,
	};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;

	if (pit_source_open(&want, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void write_records(struct feed_world *w, uint64_t record, uint64_t header, unsigned shards)
{
	unsigned char *buf = malloc(header + RECORDS * record);

	assert_non_null(buf);
	tempdir_new_in("/var/tmp", w->dir, sizeof(w->dir));
	for (unsigned s = 0; s < shards; s++) {
		char name[32];

		memset(buf, 'h', header);
		for (unsigned i = 0; i < RECORDS; i++)
			feed_fill(s * RECORDS + i, buf + header + i * record, record);
		snprintf(name, sizeof(name), "/r%04u.bin", s);
		assert_int_equal(tempdir_write(w->dir, name, buf, header + RECORDS * record), 0);
	}
	free(buf);
	w->source = open_source(w->dir, PIT_SOURCE_RECORDS, record, header);
	assert_int_equal(pit_source_count(w->source), RECORDS * shards);
}

/* Each batch is one array. */
static void take_records(struct pit_loader *l, uint64_t record, unsigned count)
{
	uint64_t *order = calloc(count, sizeof(*order));
	struct pit_batch *b = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	unsigned n = 0;
	int rc;

	while ((rc = pit_loader_next(l, &b, &err)) == 1) {
		size_t len, stride;
		const unsigned char *data = pit_batch_array(b, &len, &stride);

		assert_non_null(data);
		assert_int_equal(len, record);
		for (uint32_t i = 0; i < pit_batch_count(b); i++) {
			order[n] = pit_batch_sample(b, i);
			assert_true(feed_is(order[n++], data + i * stride, record));
		}
		pit_batch_release(b);
	}
	if (rc)
		fail_msg("%s", err.text);
	assert_int_equal(n, count);
	assert_true(feed_is_permutation(order, n));
	free(order);
}

static void loads_records(void **state)
{
	static const struct {
		uint64_t record, header;
		enum pit_io_cache cache;
		enum pit_shuffle shuffle;
	} rows[] = {
		{.record = 4096, .cache = PIT_IO_BUFFERED},
		{.record = 4096, .cache = PIT_IO_DIRECT},
		{.record = 4096, .cache = PIT_IO_DIRECT, .shuffle = PIT_SHUFFLE_NONE},
		{.record = 4096, .cache = PIT_IO_BUFFERED, .shuffle = PIT_SHUFFLE_BLOCKS},
		{.record = 1000, .header = 77, .cache = PIT_IO_BUFFERED},
		{.record = 1000, .header = 77, .cache = PIT_IO_CACHE_AUTO, .shuffle = PIT_SHUFFLE_NONE},
		{.record = 1, .cache = PIT_IO_BUFFERED},
	};

	for (unsigned i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_loader_want want = {
			.size = sizeof(want),
			.batch = 37,
			.shuffle = rows[i].shuffle,
			.io = {.cache = rows[i].cache},
			.memory = 64000000,
		};
		struct feed_world w;
		struct pit_loader *l = NULL;

		write_records(&w, rows[i].record, rows[i].header, SHARDS);
		if (!pit_loader_open(w.source, &want, &l, NULL))
			take_records(l, rows[i].record, RECORDS * SHARDS);
		else
			assert_int_equal(rows[i].cache, PIT_IO_DIRECT);
		pit_loader_close(l);
		feed_close(&w);
	}
}

/* More shards than may be open at once. */
static void lives_with_few_descriptors(void **state)
{
	struct rlimit before, few = {.rlim_cur = 64};
	struct feed_world w;
	struct pit_loader *l;

	write_records(&w, 100, 0, 90);
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	l = feed_open(&w,
		      (struct pit_loader_want){.batch = 64, .memory = 4000000, .io = {.engine = PIT_ENGINE_THREADS}});
	take_records(l, 100, RECORDS * 90);
	pit_loader_close(l);
	/* And with none left at all: what is open has to do. */
	l = feed_open(&w, (struct pit_loader_want){.batch = 64, .memory = 4000000});
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	{
		struct pit_batch *b = NULL;
		int rc = pit_loader_next(l, &b, NULL);

		assert_true(rc == 1 || rc == -EMFILE);
		if (rc == 1)
			pit_batch_release(b);
	}
	pit_loader_close(l);
	setrlimit(RLIMIT_NOFILE, &before);
	feed_close(&w);
}

static void splits_big_files(void **state)
{
	const size_t len = (9 << 20) + 77;
	unsigned char *buf = malloc(len);
	struct feed_world w = {0};

	assert_non_null(buf);
	tempdir_new_in("/var/tmp", w.dir, sizeof(w.dir));
	for (unsigned i = 0; i < 3; i++) {
		char name[16];

		feed_fill(i, buf, len);
		snprintf(name, sizeof(name), "/%u", i);
		assert_int_equal(tempdir_write(w.dir, name, buf, len), 0);
	}
	w.source = open_source(w.dir, PIT_SOURCE_FILES, 0, 0);
	for (unsigned way = 0; way < 2; way++) {
		struct pit_loader_want want = {
			.size = sizeof(want), .batch = 1, .io = {.cache = way ? PIT_IO_DIRECT : PIT_IO_BUFFERED}};
		struct pit_loader *l = NULL;

		if (pit_loader_open(w.source, &want, &l, NULL))
			continue;
		take_records(l, len, 3);
		pit_loader_close(l);
	}
	free(buf);
	feed_close(&w);
}

static void add_member(unsigned char *tar, size_t *at, const char *name, const void *data, size_t len)
{
	unsigned char *h = tar + *at;
	unsigned sum = 0;

	memset(h, 0, 512);
	snprintf((char *)h, 100, "%s", name);
	memcpy(h + 100, "0000644", 8);
	snprintf((char *)h + 124, 12, "%011zo", len);
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	h[156] = '0';
	memset(h + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	memcpy(h + 512, data, len);
	*at += 512 + (len + 511) / 512 * 512;
}

/* Samples of two parts: the bytes, and the number as text. */
static void write_tars(struct feed_world *w, unsigned shards, unsigned each)
{
	unsigned char *tar = calloc(1, each * 24000 + 1024), data[20000];

	assert_non_null(tar);
	tempdir_new_in("/var/tmp", w->dir, sizeof(w->dir));
	for (unsigned s = 0; s < shards; s++) {
		char name[64], text[16];
		size_t at = 0;

		for (unsigned i = 0; i < each; i++) {
			unsigned sample = s * each + i;

			feed_fill(sample, data, feed_len(sample));
			snprintf(name, sizeof(name), "%06u.bin", sample);
			add_member(tar, &at, name, data, feed_len(sample));
			snprintf(name, sizeof(name), "%06u.cls", sample);
			add_member(tar, &at, name, text, snprintf(text, sizeof(text), "%u", sample));
		}
		memset(tar + at, 0, 1024);
		snprintf(name, sizeof(name), "/s%02u.tar", s);
		assert_int_equal(tempdir_write(w->dir, name, tar, at + 1024), 0);
	}
	free(tar);
	w->source = open_source(w->dir, PIT_SOURCE_TAR, 0, 0);
	assert_int_equal(pit_source_count(w->source), shards * each);
}

static void check_pair(const struct pit_batch *b, uint32_t i)
{
	uint64_t sample = pit_batch_sample(b, i);
	struct pit_part data, number;
	char text[16];

	assert_int_equal(pit_batch_parts(b, i), 2);
	assert_int_equal(pit_batch_part(b, i, 0, &data), 0);
	assert_int_equal(pit_batch_part(b, i, 1, &number), 0);
	assert_string_equal(data.key, "bin");
	assert_string_equal(number.key, "cls");
	assert_int_equal(data.len, feed_len(sample));
	assert_true(feed_is(sample, data.data, data.len));
	snprintf(text, sizeof(text), "%llu", (unsigned long long)sample);
	assert_int_equal(number.len, strlen(text));
	assert_memory_equal(number.data, text, number.len);
}

/* All parts at once are those that are had one by one, and no more are written than there is room for. */
static void check_list(const struct pit_batch *b)
{
	uint32_t count = pit_batch_count(b);
	struct pit_part all[14], some[14] = {0}, one;
	size_t firsts[8];

	assert_int_equal(pit_batch_list(b, firsts, all, PIT_COUNT(all)), 2 * count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(firsts[i], 2 * i);
		for (unsigned part = 0; part < 2; part++) {
			assert_int_equal(pit_batch_part(b, i, part, &one), 0);
			assert_memory_equal(&one, all + firsts[i] + part, sizeof(one));
		}
	}
	assert_int_equal(firsts[count], 2 * count);
	assert_int_equal(pit_batch_list(b, NULL, some, 1), 2 * count);
	assert_memory_equal(some, all, sizeof(some[0]));
	assert_null(some[1].key);
}

static void loads_tar_shards(void **state)
{
	struct feed_world w;

	write_tars(&w, 3, 60);
	for (unsigned way = 0; way < 12; way++) {
		struct pit_loader_want want = {
			.size = sizeof(want),
			.batch = 7,
			.shuffle = way % 3,
			.block = 8,
			.window = 3,
			.io = {.cache = way / 3 % 2 ? PIT_IO_DIRECT : PIT_IO_BUFFERED},
			.cache_bytes = way < 6 ? 0 : 500000,
			.memory = 1000000,
		};
		struct pit_loader *l = NULL;
		struct pit_batch *b = NULL;
		unsigned n = 0;

		if (pit_loader_open(w.source, &want, &l, NULL))
			continue;
		for (uint64_t epoch = 0; epoch < 2; epoch++) {
			assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
			while (pit_loader_next(l, &b, NULL) == 1) {
				for (uint32_t i = 0; i < pit_batch_count(b); i++, n++)
					check_pair(b, i);
				check_list(b);
				pit_batch_release(b);
			}
		}
		assert_int_equal(n, 360);
		pit_loader_close(l);
	}
	feed_close(&w);
}

/* The samples of this rank, one behind the other, in `ret`. */
static unsigned take_order(struct pit_loader *l, uint64_t *ret)
{
	struct pit_batch *b = NULL;
	unsigned n = 0;

	while (pit_loader_next(l, &b, NULL) == 1) {
		for (uint32_t i = 0; i < pit_batch_count(b); i++) {
			check_pair(b, i);
			ret[n++] = pit_batch_sample(b, i);
		}
		pit_batch_release(b);
	}
	return n;
}

/* Runs of small samples are read at once, and dealt to batches from there: that changes neither order nor bytes. */
static void reads_whole_windows(void **state)
{
	struct feed_world w;
	uint64_t order[240], again[240];

	write_tars(&w, 4, 60);
	for (unsigned way = 0; way < 12; way++) {
		struct pit_loader_want want = {
			.batch = 5,
			.world = 1 + way % 3,
			.rank = way % 3 / 2,
			.shuffle = PIT_SHUFFLE_BLOCKS,
			.block = 8,
			.window = 4,
			.memory = 8000000,
			.io = {.cache = PIT_IO_BUFFERED, .depth = way / 3 + 1},
			.cache_bytes = way < 6 ? 0 : 1000000,
		};
		struct pit_loader *l = feed_open(&w, want), *plain;
		struct pit_loader_stats s = {.size = sizeof(s)};
		struct pit_batch *b = NULL;
		char text[512];
		unsigned n;

		assert_non_null(l->reader.stages);
		want.memory = 200000;
		plain = feed_open(&w, want);
		assert_null(plain->reader.stages);
		n = take_order(plain, order);
		assert_int_equal(take_order(l, again), n);
		assert_memory_equal(order, again, n * sizeof(*order));
		pit_loader_stats(l, &s);
		if (way < 6)
			assert_in_range(s.reads, 1, n / 2);
		assert_in_range(s.read_bytes, s.bytes, s.bytes * 3);
		/* Left in the middle of a window, and gone on with. */
		for (uint64_t epoch = 1; epoch < 4; epoch++) {
			assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
			for (uint64_t i = 0; i < epoch; i++) {
				assert_int_equal(pit_loader_next(l, &b, NULL), 1);
				pit_batch_release(b);
			}
		}
		assert_true(pit_loader_state(l, text, sizeof(text), NULL) > 0);
		n = take_order(l, order);
		assert_int_equal(pit_loader_resume(l, text, NULL), 0);
		assert_int_equal(take_order(l, again), n);
		assert_memory_equal(order, again, n * sizeof(*order));
		assert_int_equal(pit_loader_epoch(l, 0, NULL), 0);
		pit_loader_close(plain);
		pit_loader_close(l);
	}
	feed_close(&w);
}

/* A shard that was cut: only the samples behind the cut are lost. */
static void loses_only_what_is_cut(void **state)
{
	struct feed_world w;
	char path[128];

	write_tars(&w, 2, 40);
	snprintf(path, sizeof(path), "%s/s01.tar", w.dir);
	assert_int_equal(truncate(path, 200000), 0);
	for (unsigned shuffle = 0; shuffle < 3; shuffle++) {
		struct pit_loader *l = feed_open(&w, (struct pit_loader_want){
							     .batch = 10,
							     .on_error = PIT_ERROR_SKIP,
							     .shuffle = shuffle,
							     .block = 10,
							     .window = 3,
						     });
		uint64_t order[80];
		unsigned n = take_order(l, order);

		assert_in_range(n, 45, 75);
		assert_non_null(strstr(pit_loader_failed(l, 0),
				       "s01.tar is shorter than when it was listed: it ends at byte 200000"));
		pit_loader_close(l);
	}
	feed_close(&w);
}

static void loads_tensors(void **state)
{
	static const char header[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[3,5],\"data_offsets\":[0,15]},"
				     "\"b\":{\"dtype\":\"I16\",\"shape\":[3],\"data_offsets\":[15,21]}}   ";
	static const char *const names[] = {"a", "b"};
	struct pit_source_want want = {.size = sizeof(want), .kind = PIT_SOURCE_SAFETENSORS, .path_count = 1};
	unsigned char file[8 + sizeof(header) - 1 + 21];
	uint64_t len = sizeof(header) - 1;
	const char *paths[1];
	struct pit_error err = PIT_ERROR_INIT;
	struct feed_world w = {0};

	tempdir_new_in("/var/tmp", w.dir, sizeof(w.dir));
	memcpy(file, &len, 8);
	memcpy(file + 8, header, len);
	for (unsigned i = 0; i < 21; i++)
		file[8 + len + i] = i;
	assert_int_equal(tempdir_write(w.dir, "/x.safetensors", file, sizeof(file)), 0);
	paths[0] = w.dir;
	want.paths = paths;
	want.tensors = names;
	for (want.tensor_count = 0; want.tensor_count <= 2; want.tensor_count += 2) {
		struct pit_loader *l;
		struct pit_batch *b = NULL;
		struct pit_part part;

		if (pit_source_open(&want, &w.source, &err))
			fail_msg("%s", err.text);
		l = feed_open(&w, (struct pit_loader_want){.batch = 8, .shuffle = PIT_SHUFFLE_NONE});
		assert_int_equal(pit_loader_next(l, &b, NULL), 1);
		assert_int_equal(pit_batch_count(b), want.tensor_count ? 3 : 2);
		assert_int_equal(pit_batch_part(b, 1, 0, &part), 0);
		if (want.tensor_count) { /* row 1 of a */
			assert_int_equal(part.len, 5);
			assert_int_equal(*(const unsigned char *)part.data, 5);
			assert_int_equal(pit_batch_part(b, 2, 1, &part), 0);
			assert_string_equal(part.key, "b");
			assert_int_equal(*(const unsigned char *)part.data, 19);
		} else { /* all of b */
			assert_int_equal(part.len, 6);
			assert_int_equal(*(const unsigned char *)part.data, 15);
		}
		pit_batch_release(b);
		pit_loader_close(l);
		pit_source_close(w.source);
	}
	tempdir_remove(w.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_records),       cmocka_unit_test(lives_with_few_descriptors),
		cmocka_unit_test(splits_big_files),    cmocka_unit_test(loads_tar_shards),
		cmocka_unit_test(reads_whole_windows), cmocka_unit_test(loses_only_what_is_cut),
		cmocka_unit_test(loads_tensors),
	};

	return cmocka_run_group_tests_name("loader_kinds", tests, NULL, NULL);
}
