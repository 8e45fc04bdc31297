/* SPDX-License-Identifier: MIT
 *
 * A temporary directory with sources in it.
 */
#ifndef PIT_TESTS_SOURCE_PLACE_H
#define PIT_TESTS_SOURCE_PLACE_H

#include <inttypes.h>

#include "feed/source.h"
#include "tempdir.h"

struct place {
	char dir[64];
	char path[256]; /* DIR/what was opened last */
};

static inline int place_set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	tempdir_new(p->dir, sizeof(p->dir));
	*state = p;
	return 0;
}

static inline int place_tear_down(void **state)
{
	struct place *p = *state;

	tempdir_remove(p->dir);
	free(p);
	return 0;
}

/* Opens the source of the one path DIR/PATH. */
static inline int place_open(struct place *p, enum pit_source_kind kind, const char *path, struct pit_source **ret,
			     struct pit_error *err)
{
	const char *const paths[] = {p->path};
	const struct pit_source_want want = {.size = sizeof(want), .kind = kind, .paths = paths, .path_count = 1};

	snprintf(p->path, sizeof(p->path), "%s%s%s", p->dir, *path ? "/" : "", path);
	return pit_source_open(&want, ret, err);
}

/* All samples as lines NAME [KEY=OFFSET+LENGTH[*SUM]]..., in `out`. */
static inline const char *place_list(const struct pit_source *s, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (uint64_t i = 0; i < pit_source_count(s); i++) {
		n += (size_t)snprintf(out + n, size - n, "%s", pit_source_name(s, i));
		for (unsigned p = 0; p < pit_source_parts(s, i); p++) {
			struct pit_extent x;

			pit_source_extent(s, i, p, &x);
			n += (size_t)snprintf(out + n, size - n, " %s=%" PRIu64 "+%" PRIu64, pit_source_key(s, x.key),
					      x.offset, x.len);
			if (x.has_sum)
				n += (size_t)snprintf(out + n, size - n, "*%" PRIx64, x.sum);
		}
		n += (size_t)snprintf(out + n, size - n, "\n");
	}
	return out;
}

#endif
