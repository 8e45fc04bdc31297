/* SPDX-License-Identifier: MIT
 *
 * Huge pages, reserved node by node: as many on each, and never so many that the rest of the system starves.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "host/procfs.h"
#include "tune/resolve.h"

#define SIZES "/sys/kernel/mm/hugepages"
#define NODES "/sys/devices/system/node"

/* What must stay available when pages are reserved. A quarter on small machines; from 8 GiB on, where a quarter is
 * 2 GiB, that much or a tenth. */
#define SMALL (UINT64_C(8) << 30)

struct place_for_pages {
	int id;         /* of the node; -1: the machine as a whole */
	uint64_t pages; /* reserved now */
	uint64_t used;  /* of them */
	uint64_t wanted;
};

struct reservation {
	struct pit_scene *scene;
	uint64_t size; /* bytes of one page */
	uint64_t page; /* bytes of an ordinary page; 0 unknown */
	struct place_for_pages *at;
	size_t places;
	uint64_t pages, used, promised; /* over all; promised: to mappings that have not touched them yet */
};

static struct pit_root *root_of(const struct reservation *r)
{
	return pit_scene_root(r->scene);
}

/* "2M" for sizes that are whole units, as a profile names them. */
static char *size_name(uint64_t bytes, char *out, size_t size)
{
	static const char units[] = "KMGT";
	uint64_t n = bytes / 1024;
	size_t unit = 0;

	while (n && n % 1024 == 0 && units[unit + 1]) {
		n /= 1024;
		unit++;
	}
	snprintf(out, size, "%" PRIu64 "%c", n, units[unit]);
	return out;
}

static char *page_dir(const struct reservation *r, int node, char *out, size_t size)
{
	if (node < 0)
		snprintf(out, size, SIZES "/hugepages-%" PRIu64 "kB", r->size / 1024);
	else
		snprintf(out, size, NODES "/node%d/hugepages/hugepages-%" PRIu64 "kB", node, r->size / 1024);
	return out;
}

static struct pit_cell cell_at(const struct reservation *r, int node, char *path, size_t size)
{
	char dir[160];

	snprintf(path, size, "%s/nr_hugepages", page_dir(r, node, dir, sizeof(dir)));
	return (struct pit_cell){.target = PIT_TARGET_KERNEL, .kind = PIT_VALUE_INT, .object = path};
}

/* The size that the setting names, else the kernel's default. */
static int read_size(const struct pit_setting *s, struct reservation *r, struct pit_error *err)
{
	struct pit_text text;
	int rc;

	if (s->which) {
		if (pit_parse_size(s->which, &r->size) || r->size < 1024)
			return pit_fail(err, EINVAL, "'%.40s' is not a size of pages such as 2M", s->which);
		return 0;
	}
	rc = pit_root_read(root_of(r), &text, "/proc/meminfo");
	rc = rc ? rc : pit_kv_u64(text.data, "Hugepagesize", &r->size);
	if (rc)
		return pit_fail(err, -rc, "/proc/meminfo does not say the default size of huge pages");
	r->size *= 1024;
	return 0;
}

/* Sizes that this kernel has, as a profile names them. */
static int list_sizes(const struct pit_strv *names, struct pit_buf *out)
{
	char number[32], name[32];
	uint64_t kb;

	for (size_t i = 0; i < names->count; i++)
		if (sscanf(names->item[i], "hugepages-%31[0-9]kB", number) == 1 && !pit_parse_u64(number, &kb))
			pit_buf_printf(out, "%s%s", out->len ? ", " : "", size_name(kb * 1024, name, sizeof(name)));
	return out->failed ? -ENOMEM : 0;
}

/* 1 the kernel has the size; 0 it does not, which `ret` says; -errno. */
static int has_size(const struct reservation *r, struct pit_wishes *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf sizes = PIT_BUF_INIT;
	const struct pit_strv *names;
	char dir[160], path[200], size[32], page[32];
	struct pit_cell cell = cell_at(r, -1, path, sizeof(path));
	int rc = pit_root_list(root_of(r), &names, SIZES);

	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_wishes_absent(ret, "this kernel has no huge pages to reserve");
	if (rc)
		return pit_fail(err, -rc, SIZES ": %s", pit_state_name(pit_root_state(rc)));
	page_dir(r, -1, dir, sizeof(dir));
	if (pit_strv_has(names, strrchr(dir, '/') + 1))
		return 1;
	if (list_sizes(names, &sizes))
		return pit_fail(err, ENOMEM, "out of memory");
	rc = pit_wish_refuse(ret, &cell, "this kernel, with pages of %s, has huge pages of %s, and none of %s",
			     r->page ? size_name(r->page, page, sizeof(page)) : "unknown size", sizes.data,
			     size_name(r->size, size, sizeof(size)));
	return rc ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static int add_place(struct reservation *r, int node, struct pit_error *err)
{
	struct place_for_pages *grown, p = {.id = node};
	uint64_t unused;
	char dir[160];
	int rc;

	page_dir(r, node, dir, sizeof(dir));
	rc = pit_root_u64(root_of(r), &p.pages, "%s/nr_hugepages", dir);
	rc = rc ? rc : pit_root_u64(root_of(r), &unused, "%s/free_hugepages", dir);
	if (rc)
		return pit_fail(err, -rc, "%s: %s", dir, pit_state_name(pit_root_state(rc)));
	p.used = p.pages > unused ? p.pages - unused : 0;
	grown = reallocarray(r->at, r->places + 1, sizeof(*grown));
	if (!grown)
		return pit_fail(err, ENOMEM, "out of memory");
	r->at = grown;
	grown[r->places++] = p;
	r->pages += p.pages;
	r->used += p.used;
	return 0;
}

/* Nodes with CPUs and memory: what belongs to GPUs or lies behind a slow link is not for huge pages of programs. */
static int find_places(struct reservation *r, struct pit_error *err)
{
	const struct pit_topo *topo;
	char dir[160];
	int rc = pit_scene_topo(r->scene, &topo, err);

	for (size_t i = 0; !rc && i < topo->nodes; i++) {
		const struct pit_node *n = &topo->node[i];

		if (!n->mem_only && n->mem_kb != 0 &&
		    !pit_root_exists(root_of(r), "%s", page_dir(r, n->id, dir, sizeof(dir))))
			rc = add_place(r, n->id, err);
	}
	if (!rc && !r->places)
		rc = add_place(r, -1, err);
	if (rc)
		return rc;
	(void)pit_root_u64(root_of(r), &r->promised, "%s/resv_hugepages", page_dir(r, -1, dir, sizeof(dir)));
	return 0;
}

/* The number of pages that the setting asks for: a number of pages, or a size or a share of the memory in bytes. */
static int pages_wanted(const struct pit_setting *s, const struct reservation *r, uint64_t *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	bool bytes = strpbrk(s->value, "%kKmMgGtT");
	char now[32];
	int rc;

	snprintf(now, sizeof(now), "%" PRIu64, bytes ? r->pages * r->size : r->pages);
	rc = pit_value_want(PIT_VALUE_INT, s->value, now, pit_scene_memory(r->scene), &text, err);
	if (rc)
		return rc;
	if (pit_parse_u64(text.data, ret))
		return pit_fail(err, EINVAL, "%s is not a number of pages", text.data);
	*ret /= bytes ? r->size : 1;
	return 0;
}

/* As many on each node, one more on the first where that does not come out even; never fewer than are in use. What is
 * promised to a mapping may come from any node, so it counts on top of what is used. */
static void spread(struct reservation *r, uint64_t wanted, bool as_they_lie)
{
	uint64_t sum = 0, least = r->used + r->promised;

	for (size_t i = 0; i < r->places; i++) {
		struct place_for_pages *p = &r->at[i];

		p->wanted = as_they_lie ? p->pages : wanted / r->places + (i < wanted % r->places);
		p->wanted = p->wanted < p->used ? p->used : p->wanted;
		sum += p->wanted;
	}
	for (size_t i = 0; sum < least && i < r->places; i++) { /* give back less where there is something to give */
		struct place_for_pages *p = &r->at[i];
		uint64_t keep = p->pages > p->wanted ? p->pages - p->wanted : 0;

		keep = keep > least - sum ? least - sum : keep;
		p->wanted += keep;
		sum += keep;
	}
}

static uint64_t growth(const struct place_for_pages *p)
{
	return p->wanted > p->pages ? p->wanted - p->pages : 0;
}

/* Bytes more than now, over all nodes; 0 when it becomes less, UINT64_MAX when that is no number. */
static uint64_t all_growth(const struct reservation *r)
{
	uint64_t wanted = 0, bytes;

	for (size_t i = 0; i < r->places; i++)
		if (__builtin_add_overflow(wanted, r->at[i].wanted, &wanted))
			return UINT64_MAX;
	if (wanted <= r->pages)
		return 0;
	return __builtin_mul_overflow(wanted - r->pages, r->size, &bytes) ? UINT64_MAX : bytes;
}

/* A refusal of the whole. 1, or -ENOMEM. */
static int refuse(const struct reservation *r, int node, struct pit_wishes *ret, const char *why)
{
	char path[200];
	struct pit_cell cell = cell_at(r, node, path, sizeof(path));

	return pit_wish_refuse(ret, &cell, "%s", why) ? -ENOMEM : 1;
}

/* 1 refused: nobody maps those that there are. */
static int check_use(const struct reservation *r, struct pit_wishes *ret)
{
	char why[256], size[32];

	if (!r->pages || r->used || r->promised)
		return 0;
	snprintf(why, sizeof(why),
		 "%" PRIu64
		 " huge pages of %s are reserved already and no program maps one of them; more would only be "
		 "taken from the rest",
		 r->pages, size_name(r->size, size, sizeof(size)));
	return refuse(r, r->at[0].id, ret, why);
}

/* 1 refused: the rest of the system would not have enough. */
static int check_rest(const struct reservation *r, uint64_t more, struct pit_wishes *ret)
{
	uint64_t memory = pit_scene_memory(r->scene), available = pit_scene_available(r->scene);
	uint64_t tenth = memory / 10, two = UINT64_C(2) << 30;
	uint64_t keep = memory < SMALL ? memory / 4 : tenth > two ? tenth : two;
	char why[320], a[32], b[32], c[32];

	if (!memory || !available)
		return refuse(r, r->at[0].id, ret, "this machine does not say how much memory is available");
	if (more <= available && available - more >= keep)
		return 0;
	snprintf(why, sizeof(why),
		 "%s more for huge pages of the %s that are available would leave less than the %s that must stay for "
		 "the rest",
		 more == UINT64_MAX ? "far" : pit_format_size(more, a, sizeof(a)),
		 pit_format_size(available, b, sizeof(b)), pit_format_size(keep, c, sizeof(c)));
	return refuse(r, r->at[0].id, ret, why);
}

/* Free memory of a node in bytes: all, and what lies in blocks of at least `size` (of the largest blocks when the
 * kernel keeps none of that size). False when the machine does not say. */
static bool free_blocks(const struct reservation *r, int node, uint64_t *ret_all, uint64_t *ret_large)
{
	uint64_t all = 0, large = 0;
	struct pit_text text;
	bool found = false;

	if (!r->page || pit_root_read(root_of(r), &text, "/proc/buddyinfo"))
		return false;
	for (const char *line = text.data; line && *line; line = strchr(line, '\n')) {
		uint64_t block = r->page;
		int id, at = 0;

		line += *line == '\n';
		if (sscanf(line, "Node %d, zone %*s%n", &id, &at) != 1 || !at || (node >= 0 && id != node))
			continue;
		found = true;
		for (const char *word = line + at + strspn(line + at, " "); *word && *word != '\n'; block *= 2) {
			char *end;
			uint64_t bytes = strtoull(word, &end, 10) * block;

			if (end == word)
				break;
			word = end + strspn(end, " ");
			all += bytes;
			large += block >= r->size || !*word || *word == '\n' ? bytes : 0;
		}
	}
	*ret_all = all;
	*ret_large = large;
	return found;
}

/* Bytes of the page cache of a node, which can be dropped; 0 unknown. */
static uint64_t cache_of(const struct reservation *r, int node)
{
	char name[64] = "/proc/meminfo", line[64];
	uint64_t sum = 0, kb;
	struct pit_text text;
	const char *at;

	if (node >= 0)
		snprintf(name, sizeof(name), NODES "/node%d/meminfo", node);
	if (pit_root_read(root_of(r), &text, "%s", name))
		return 0;
	for (int active = 0; active < 2; active++) {
		at = strstr(text.data, active ? " Active(file):" : "Inactive(file):");
		at = at || !active ? at : strstr(text.data, "\nActive(file):");
		if (!at)
			continue;
		at = strchr(at, ':') + 1;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at + strspn(at, " "), " \n"), at + strspn(at, " "));
		sum += pit_parse_u64(line, &kb) ? 0 : kb * 1024;
	}
	return sum;
}

/* 1 refused: what is free there lies in pieces. The kernel can move and drop pages to join pieces; that it gets half of
 * them is taken for granted, more is luck (inference). */
static int check_pieces(const struct reservation *r, const struct place_for_pages *p, struct pit_wishes *ret)
{
	uint64_t all, large, more = growth(p) * r->size, joined;
	char why[320], size[32], a[32], b[32], node[32] = "the machine";

	if (!growth(p) || !free_blocks(r, p->id, &all, &large) || more <= large)
		return 0;
	joined = large + (all - large + cache_of(r, p->id)) / 2;
	if (more <= joined)
		return 0;
	if (p->id >= 0)
		snprintf(node, sizeof(node), "node %d", p->id);
	snprintf(why, sizeof(why),
		 "%" PRIu64
		 " more huge pages of %s are too many for %s: %s are free in blocks of that size, and %s when "
		 "smaller ones are joined; reserve them at boot",
		 growth(p), size_name(r->size, size, sizeof(size)), node, pit_format_size(large, a, sizeof(a)),
		 pit_format_size(joined, b, sizeof(b)));
	return refuse(r, p->id, ret, why);
}

/* 1 refused, 0 fine, -ENOMEM. */
static int guard(const struct reservation *r, struct pit_wishes *ret)
{
	uint64_t more = all_growth(r);
	int rc = more ? check_use(r, ret) : 0;

	if (!rc && more)
		rc = check_rest(r, more, ret);
	for (size_t i = 0; i < r->places && !rc; i++)
		rc = check_pieces(r, &r->at[i], ret);
	return rc;
}

static int wish_all(const struct reservation *r, struct pit_wishes *ret)
{
	int rc = 0;

	for (size_t i = 0; i < r->places && !rc; i++) {
		char path[200], value[32];
		struct pit_cell cell = cell_at(r, r->at[i].id, path, sizeof(path));

		snprintf(value, sizeof(value), "%" PRIu64, r->at[i].wanted);
		rc = pit_wish_add(ret, &cell, value);
	}
	return rc;
}

static int resolve(const struct pit_setting *s, struct reservation *r, struct pit_wishes *ret, struct pit_error *err)
{
	uint64_t wanted;
	int rc = read_size(s, r, err);

	rc = rc ? rc : has_size(r, ret, err);
	if (rc <= 0)
		return rc;
	rc = find_places(r, err);
	rc = rc ? rc : pages_wanted(s, r, &wanted, err);
	if (rc)
		return rc;
	spread(r, wanted, wanted == r->pages && strpbrk(s->value, "<>"));
	rc = guard(r, ret);
	rc = rc ? rc : wish_all(r, ret);
	return rc < 0 ? pit_fail(err, -rc, "out of memory") : 0;
}

int pit_resolve_hugepages(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
			  struct pit_error *err)
{
	const int64_t page = pit_scene_platform(scene)->page_size;
	struct reservation r = {.scene = scene, .page = page > 0 ? (uint64_t)page : 0};
	int rc = resolve(setting, &r, ret, err);

	free(r.at);
	return rc;
}
