/* SPDX-License-Identifier: MIT
 *
 * hwloc reads /sys by itself, so it runs in a helper process with a clean environment: a hostile tree cannot hang or
 * crash us, variables such as HWLOC_XMLFILE cannot lie, and its warnings do not reach our output. For a recording the
 * helper makes the tree its root directory first, so that no link leads out of it.
 */
#include <fcntl.h>
#include <hwloc.h>
#include <sched.h>
#include <sys/resource.h>

#include "host/try.h"
#include "topo/parts.h"

/* A sanitizer needs more address space than a limit would leave it; gcc and clang say so differently. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#define DEADLINE_MS 4000
#define ANSWER_MAX (32u << 20)

static void topology_free(hwloc_topology_t *t)
{
	if (*t)
		hwloc_topology_destroy(*t);
}

/* `xml` NULL: the machine, or the tree that HWLOC_FSROOT names. */
static int load(const char *xml, size_t len, hwloc_topology_t *ret)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;

	if (hwloc_topology_init(&t))
		return -ENOMEM;
	if (xml && hwloc_topology_set_xmlbuffer(t, xml, (int)len + 1))
		return -EBADMSG;
	/* x86 asks every CPU in turn, which costs seconds on big hosts and says what Linux says. */
	hwloc_topology_set_components(t, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
	hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	if (hwloc_topology_load(t))
		return -EIO;
	*ret = pit_take(t);
	return 0;
}

static void print_set(hwloc_const_bitmap_t set, struct pit_buf *out)
{
	char *text = NULL;

	if (set && hwloc_bitmap_weight(set) >= 0 && hwloc_bitmap_list_asprintf(&text, set) >= 0)
		pit_buf_puts(out, text);
	pit_buf_putc(out, '\n');
	free(text);
}

static void print_sets(hwloc_topology_t t, hwloc_obj_type_t type, const char *word, struct pit_buf *out)
{
	hwloc_obj_t o = NULL;

	while ((o = hwloc_get_next_obj_by_type(t, type, o))) {
		pit_buf_puts(out, word);
		print_set(o->cpuset, out);
	}
}

static void print_caches(hwloc_topology_t t, struct pit_buf *out)
{
	static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L5CACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE,
						 HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L1CACHE};

	for (size_t i = 0; i < PIT_COUNT(types); i++) {
		hwloc_obj_t o = NULL;

		while ((o = hwloc_get_next_obj_by_type(t, types[i], o))) {
			pit_buf_printf(out, "cache %u %llu ", o->attr->cache.depth,
				       (unsigned long long)o->attr->cache.size / 1024);
			print_set(o->cpuset, out);
		}
	}
}

static void print_shape(hwloc_topology_t t, struct pit_buf *out)
{
	hwloc_obj_t o = NULL;

	pit_buf_printf(out, "cores %d\n", hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_CORE));
	print_sets(t, HWLOC_OBJ_PACKAGE, "package ", out);
	print_sets(t, HWLOC_OBJ_CORE, "core ", out);
	while ((o = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_NUMANODE, o)))
		if (o->subtype)
			pit_buf_printf(out, "memory %u %s\n", o->os_index, o->subtype);
	print_caches(t, out);
}

int pit_hwloc_shape_of_xml(const char *xml, size_t len, struct pit_buf *out)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;
	int rc = load(xml, len, &t);

	if (!rc)
		print_shape(t, out);
	return rc;
}

/* What a child reads: XML, or a directory. */
struct tree {
	const char *text;
	size_t len;
};

/* The child reads foreign data: it gets a clean environment, little memory, and an end should we be killed. */
static void become_harmless(void)
{
#ifndef SANITIZED
	const struct rlimit memory = {.rlim_cur = 1ull << 30, .rlim_max = 1ull << 30};

	setrlimit(RLIMIT_AS, &memory);
#endif
	alarm(DEADLINE_MS / 1000 + 1);
	clearenv();
	setenv("HWLOC_HIDE_ERRORS", "2", 1);
}

static int make_live(const char *name, void *arg, struct pit_buf *out)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;
	char *xml = NULL;
	int len = 0;
	int rc;

	become_harmless();
	rc = load(NULL, 0, &t);
	if (rc)
		return rc;
	if (hwloc_topology_export_xmlbuffer(t, &xml, &len, 0))
		return -EIO;
	pit_buf_add(out, xml, len > 0 ? (size_t)len - 1 : 0);
	hwloc_free_xmlbuffer(t, xml);
	return 0;
}

static int make_of_xml(const char *name, void *arg, struct pit_buf *out)
{
	const struct tree *tree = arg;

	become_harmless();
	return pit_hwloc_shape_of_xml(tree->text, tree->len, out);
}

static int enter(const char *dir)
{
	pit_auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (geteuid() != 0 && unshare(CLONE_NEWUSER))
		return -errno;
	if (fchdir(fd) || chroot(".") || chdir("/"))
		return -errno;
	return 0;
}

static int make_of_dir(const char *name, void *arg, struct pit_buf *out)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;
	const struct tree *tree = arg;
	int rc;

	become_harmless();
	rc = enter(tree->text);
	if (rc)
		return rc;
	setenv("HWLOC_FSROOT", "/.", 1); /* any name but "/": that would be this machine */
	rc = load(NULL, 0, &t);
	if (!rc)
		print_shape(t, out);
	return rc;
}

static int in_child(pit_fact_fn make, struct tree tree, struct pit_buf *out)
{
	return pit_try_most(DEADLINE_MS, ANSWER_MAX, make, "", &tree, out);
}

int pit_hwloc_live_xml(struct pit_buf *out)
{
	return in_child(make_live, (struct tree){0}, out);
}

int pit_hwloc_shape_of_foreign_xml(const char *xml, size_t len, struct pit_buf *out)
{
	return in_child(make_of_xml, (struct tree){.text = xml, .len = len}, out);
}

int pit_hwloc_shape_of_dir(const char *dir, struct pit_buf *out)
{
	return in_child(make_of_dir, (struct tree){.text = dir}, out);
}
