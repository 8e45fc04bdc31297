/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "feed/source_tar.h"
#include "feed/utf8.h"

struct group {
	struct pit_source *s;
	uint64_t *seen; /* for each key: the number + 1 of the sample that had it last */
	size_t seen_room;
	const char *name; /* of the sample under way, without its NUL; NULL: none */
	size_t name_len;
	struct pit_error *err;
};

/* How much of a member's name is the sample's: up to the first dot of the last component. 0: it belongs to no sample (a
 * hidden file, such as macOS puts beside others, or what webdataset keeps to itself: "__index__.json"). */
static size_t stem(const char *name)
{
	const char *base = pit_base_name(name);
	size_t len = strcspn(base, ".");

	if (len > 4 && !strncmp(base, "__", 2) && !strncmp(base + len - 2, "__", 2))
		return 0;
	return len ? (size_t)(base - name) + len : 0;
}

static bool is_next(const struct group *g, const char *name, size_t len)
{
	return !g->name || g->name_len != len || memcmp(g->name, name, len) != 0;
}

/* Notes that the sample under way has this key; false when it had it already. */
static int see(struct group *g, uint32_t key, bool *ret_twice)
{
	size_t room = g->seen_room;
	uint64_t *seen = g->seen;

	while (key >= room) {
		size_t old = room;

		seen = pit_source_room(seen, room, &room, sizeof(*seen));
		if (!seen)
			return -ENOMEM;
		g->seen = seen;
		memset(seen + old, 0, (room - old) * sizeof(*seen));
		g->seen_room = room;
	}
	*ret_twice = seen[key] == g->s->count;
	seen[key] = g->s->count;
	return 0;
}

static int add_member(struct group *g, uint32_t file, const struct pit_shard_index *x, size_t i)
{
	const struct pit_member *m = &x->members[i];
	const char *name = pit_shard_index_name(x, i);
	struct pit_source_part p = {.file = file, .offset = m->offset, .len = m->len};
	size_t len = stem(name);
	bool twice = false;

	if (!len)
		return 0;
	if (is_next(g, name, len)) {
		if (pit_source_add_sample(g->s, name, len))
			return -ENOMEM;
		g->name = name;
		g->name_len = len;
	}
	if (pit_source_add_key(g->s, name[len] ? name + len + 1 : "", &p.key) || see(g, p.key, &twice))
		return -ENOMEM;
	if (twice) {
		char file_name[300], shown[200];

		return pit_fail(g->err, EBADMSG, "%s: two members for one part of a sample: %s",
				pit_source_show(g->s, file, file_name, sizeof(file_name)),
				pit_utf8_show(name, shown, sizeof(shown)));
	}
	return pit_source_add_part(g->s, &p, m->sum);
}

/* Samples do not go over from one shard to the next. */
static int add_shards(struct group *g, const struct pit_shard_index *shards)
{
	int rc = 0;

	for (uint32_t f = 0; f < pit_source_files(g->s) && !rc; f++) {
		g->name = NULL;
		for (size_t i = 0; i < shards[f].count && !rc; i++)
			rc = add_member(g, f, &shards[f], i);
	}
	return rc == -ENOMEM ? pit_fail(g->err, ENOMEM, "out of memory") : rc;
}

int pit_source_fill_tar(struct pit_source *s, const struct pit_source_want *want, const struct pit_source_extra *extra,
			struct pit_error *err)
{
	struct group g = {.s = s, .err = err};
	struct pit_shard_index *shards = NULL;
	int rc = pit_shards_load(&s->files, want, extra, &shards, &s->index, err);

	if (rc)
		return rc;
	rc = add_shards(&g, shards);
	for (uint32_t f = 0; f < pit_source_files(s); f++)
		pit_shard_index_free(&shards[f]);
	free(shards);
	free(g.seen);
	return rc;
}
