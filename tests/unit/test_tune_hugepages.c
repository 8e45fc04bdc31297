/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "topo_tree.h"
#include "tune/resolve.h"

#define MM "/sys/kernel/mm/hugepages/hugepages-"
#define ON(n, kb) NODE "/node" n "/hugepages/hugepages-" kb "kB"
#define PAGES(dir, pages, unused)                                                                                      \
	{.path = dir "/nr_hugepages", .text = pages "\n"},                                                             \
	{                                                                                                              \
		.path = dir "/free_hugepages", .text = unused "\n"                                                     \
	}

/* 64 GiB on two nodes with pages of 2M and 1G, none reserved. */
static const struct tree_file machine[] = {
	{.path = "/proc/meminfo",
	 .text = "MemTotal: 67108864 kB\nMemAvailable: 62914560 kB\nHugepagesize:    2048 kB\n"},
	{.path = "/.pitcrew/fact/page-size", .text = "4096"},
	PAGES(MM "2048kB", "0", "0"),
	{.path = MM "2048kB/resv_hugepages", .text = "0\n"},
	PAGES(MM "1048576kB", "0", "0"),
	PAGES(ON("0", "2048"), "0", "0"),
	PAGES(ON("1", "2048"), "0", "0"),
	PAGES(ON("0", "1048576"), "0", "0"),
	PAGES(ON("1", "1048576"), "0", "0"),
	{.path = NULL},
};

struct asked {
	struct tree tree;
	struct pit_scene *scene;
	struct pit_wishes wishes;
	struct pit_error err;
	int rc;
};

static struct asked ask(const struct tree_file *more, const char *which, const char *value)
{
	struct tree_file all[160] = {{.path = NULL}};
	struct asked a = {.err = PIT_ERROR_INIT};
	struct pit_setting s = {.which = (char *)which, .value = (char *)value};
	size_t n = 0;

	for (const struct tree_file *f = two_nodes; f->path; f++)
		all[n++] = *f;
	for (const struct tree_file *f = machine; f->path; f++)
		all[n++] = *f;
	for (const struct tree_file *f = more; f && f->path; f++)
		all[n++] = *f;
	a.tree = tree_open(all);
	assert_int_equal(pit_scene_new(a.tree.root, &a.scene, NULL), 0);
	a.rc = pit_resolve_hugepages(&s, a.scene, &a.wishes, &a.err);
	return a;
}

static void done(struct asked *a)
{
	pit_wishes_free(&a->wishes);
	pit_scene_free(a->scene);
	tree_close(&a->tree);
}

static void assert_pages(const struct asked *a, const char *on_0, const char *on_1)
{
	assert_int_equal(a->rc, 0);
	assert_int_equal(a->wishes.wishes, 2);
	assert_null(a->wishes.wish[0].refuse);
	assert_string_equal(a->wishes.wish[0].value, on_0);
	assert_string_equal(a->wishes.wish[1].value, on_1);
}

static void assert_refused(const struct asked *a, const char *part, const char *other)
{
	assert_int_equal(a->rc, 0);
	assert_int_equal(a->wishes.wishes, 1);
	assert_null(a->wishes.wish[0].value);
	if (!strstr(a->wishes.wish[0].refuse, part) || !strstr(a->wishes.wish[0].refuse, other))
		fail_msg("%s", a->wishes.wish[0].refuse);
}

static void pages_are_spread_over_the_nodes(void **state)
{
	static const struct {
		const char *which, *value, *on_0, *on_1;
	} cases[] = {
		{"2M", "8192", "4096", "4096"}, {"2M", "3", "2", "1"},          {"2M", "0", "0", "0"},
		{NULL, "10", "5", "5"},         {"1G", "4", "2", "2"},          {"2M", "25% memory", "4096", "4096"},
		{"2M", "1G", "256", "256"},     {"2048K", ">=100", "50", "50"},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct asked a = ask(NULL, cases[i].which, cases[i].value);

		assert_pages(&a, cases[i].on_0, cases[i].on_1);
		done(&a);
	}
}

static void cells_are_the_files_of_each_node(void **state)
{
	struct asked a = ask(NULL, "2M", "8");

	assert_string_equal(a.wishes.wish[0].cell.object, ON("0", "2048") "/nr_hugepages");
	assert_string_equal(a.wishes.wish[1].cell.object, ON("1", "2048") "/nr_hugepages");
	assert_int_equal(a.wishes.wish[1].cell.target, PIT_TARGET_KERNEL);
	done(&a);
}

static void nodes_without_cpus_get_none(void **state)
{
	static const struct tree_file more[] = {
		{.path = NODE "/online", .text = "0-2\n"},
		NODE_IN("2", "", "1000000", "21 21 10"),
		PAGES(ON("2", "2048"), "0", "0"),
		{.path = NULL},
	};
	struct asked a = ask(more, "2M", "8");

	assert_pages(&a, "4", "4");
	done(&a);
}

static void a_size_that_the_kernel_lacks_is_refused(void **state)
{
	static const struct tree_file grace[] = {
		{.path = "/.pitcrew/fact/page-size", .text = "65536"}, PAGES(MM "524288kB", "0", "0"), {.path = NULL}};
	struct asked a = ask(grace, "16G", "8");

	assert_refused(&a, "this kernel, with pages of 64K, has huge pages of 2M, 512M, 1G", "none of 16G");
	done(&a);
	a = ask(NULL, "512M", "8");
	assert_refused(&a, "with pages of 4K, has huge pages of 2M, 1G", "none of 512M");
	done(&a);
	a = ask(NULL, "big", "8");
	assert_int_equal(a.rc, -EINVAL);
	done(&a);
	a = ask(NULL, "2M", "lots");
	assert_int_equal(a.rc, -EINVAL);
	done(&a);
	a = ask(NULL, "2M", "-1");
	assert_int_equal(a.rc, -EINVAL);
	done(&a);
}

static void a_kernel_without_huge_pages_has_none(void **state)
{
	static const struct tree_file none[] = {{.path = "/proc/meminfo", .text = "MemTotal: 1 kB\n"}, {.path = NULL}};
	struct tree t = tree_open(none);
	struct pit_setting s = {.which = (char[]){"2M"}, .value = (char[]){"8"}};
	struct pit_scene *scene = NULL;
	struct pit_wishes w = {0};

	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	assert_int_equal(pit_resolve_hugepages(&s, scene, &w, NULL), 0);
	assert_int_equal(w.wishes, 0);
	assert_non_null(w.absent);
	pit_wishes_free(&w);
	pit_scene_free(scene);
	tree_close(&t);
}

static void the_rest_of_the_system_stays_alive(void **state)
{
	static const struct tree_file small[] = {
		{.path = "/proc/meminfo", .text = "MemTotal: 4194304 kB\nMemAvailable: 3145728 kB\n"}, {.path = NULL}};
	static const struct tree_file unknown[] = {{.path = "/proc/meminfo", .text = "MemTotal: 4194304 kB\n"},
						   {.path = NULL}};
	struct asked a = ask(NULL, "2M", "27444"); /* 60 GiB are available, a tenth of 64 must stay */

	assert_refused(&a, "53.6 GiB more for huge pages of the 60 GiB that are available", "less than the 6.4 GiB");
	done(&a);
	a = ask(NULL, "2M", "27440");
	assert_int_equal(a.wishes.wishes, 2);
	done(&a);
	a = ask(small, "2M", "1025"); /* of 3 GiB, a quarter of 4 must stay */
	assert_refused(&a, "of the 3 GiB that", "the 1 GiB that must stay");
	done(&a);
	a = ask(small, "2M", "1024");
	assert_pages(&a, "512", "512");
	done(&a);
	a = ask(unknown, "2M", "1");
	assert_refused(&a, "does not say", "");
	done(&a);
	a = ask(NULL, "2M", "18446744073709551615");
	assert_refused(&a, "far more for huge pages", "");
	done(&a);
}

static void pages_that_nobody_maps_are_not_added_to(void **state)
{
	static const struct tree_file idle[] = {
		PAGES(ON("0", "2048"), "512", "512"), PAGES(ON("1", "2048"), "512", "512"), {.path = NULL}};
	static const struct tree_file promised[] = {PAGES(ON("0", "2048"), "512", "512"),
						    PAGES(ON("1", "2048"), "512", "512"),
						    {.path = MM "2048kB/resv_hugepages", .text = "100\n"},
						    {.path = NULL}};
	struct asked a = ask(idle, "2M", "2048");

	assert_refused(&a, "1024 huge pages of 2M are reserved already", "no program maps one");
	done(&a);
	a = ask(idle, "2M", "0"); /* giving back is fine */
	assert_pages(&a, "0", "0");
	done(&a);
	a = ask(idle, "2M", "1024");
	assert_pages(&a, "512", "512");
	done(&a);
	a = ask(promised, "2M", "2048");
	assert_pages(&a, "1024", "1024");
	done(&a);
	a = ask(promised, "2M", "0");
	assert_pages(&a, "100", "0");
	done(&a);
}

static void pages_in_use_are_never_taken_away(void **state)
{
	static const struct tree_file used[] = {
		PAGES(ON("0", "2048"), "512", "100"), PAGES(ON("1", "2048"), "512", "512"), {.path = NULL}};
	struct asked a = ask(used, "2M", "0");

	assert_pages(&a, "412", "0");
	done(&a);
	a = ask(used, "2M", "200");
	assert_pages(&a, "412", "100");
	done(&a);
	a = ask(used, "2M", ">=1000"); /* there are, as they lie */
	assert_pages(&a, "512", "512");
	done(&a);
}

static void pages_on_one_node_are_spread_unless_any_will_do(void **state)
{
	static const struct tree_file uneven[] = {
		PAGES(ON("0", "2048"), "1024", "0"), PAGES(ON("1", "2048"), "0", "0"), {.path = NULL}};
	static const struct tree_file unused[] = {
		PAGES(ON("0", "2048"), "1024", "1024"), PAGES(ON("1", "2048"), "0", "0"), {.path = NULL}};
	struct asked a = ask(uneven, "2M", ">=1024");

	assert_pages(&a, "1024", "0");
	done(&a);
	a = ask(unused, "2M", "1024");
	assert_pages(&a, "512", "512");
	done(&a);
}

#define ZONES(first, second)                                                                                           \
	"Node 0, zone      DMA      1      0      0      0      0      0      0      0      0      0      0 \n"        \
	"Node 0, zone   Normal   " first "\nNode 1, zone   Normal   " second "\n"

static void memory_in_pieces_is_refused(void **state)
{
	static const struct tree_file pieces[] = {
		{.path = "/proc/buddyinfo", .text = ZONES("1000 0 0 0 0 0 0 0 0 10 20", "1048576 0 0 0 0 0 0 0 0 0 0")},
		{.path = NULL},
	};
	static const struct tree_file cache[] = {
		{.path = "/proc/buddyinfo", .text = ZONES("1000 0 0 0 0 0 0 0 0 10 20", "1048576 0 0 0 0 0 0 0 0 0 0")},
		{.path = NODE "/node0/meminfo",
		 .text = "Node 0 MemTotal: 1000000 kB\nNode 0 Active(file):   2097152 kB\nNode 0 Inactive(file): "
			 "2097152 kB\n"},
		{.path = NULL},
	};
	struct asked a = ask(pieces, "2M", "100"); /* 50 pages lie ready on node 0; pieces of node 1 can be joined */

	assert_pages(&a, "50", "50");
	done(&a);
	a = ask(pieces, "2M", "200");
	assert_refused(&a, "100 more huge pages of 2M are too many for node 0", "100 MiB are free in blocks");
	assert_string_equal(a.wishes.wish[0].cell.object, ON("0", "2048") "/nr_hugepages");
	done(&a);
	a = ask(cache, "2M", "200"); /* files that are cached there can go */
	assert_pages(&a, "100", "100");
	done(&a);
	a = ask(cache, "2M", "4096");
	assert_refused(&a, "for node 0", "2.1 GiB when smaller ones are joined");
	done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_spread_over_the_nodes),
		cmocka_unit_test(cells_are_the_files_of_each_node),
		cmocka_unit_test(nodes_without_cpus_get_none),
		cmocka_unit_test(a_size_that_the_kernel_lacks_is_refused),
		cmocka_unit_test(a_kernel_without_huge_pages_has_none),
		cmocka_unit_test(the_rest_of_the_system_stays_alive),
		cmocka_unit_test(pages_that_nobody_maps_are_not_added_to),
		cmocka_unit_test(pages_in_use_are_never_taken_away),
		cmocka_unit_test(pages_on_one_node_are_spread_unless_any_will_do),
		cmocka_unit_test(memory_in_pieces_is_refused),
	};

	return cmocka_run_group_tests_name("tune_hugepages", tests, NULL, NULL);
}
