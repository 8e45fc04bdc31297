/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launch/site_parts.h"
#include "topo_tree.h"

struct made {
	struct tree tree;
	struct pit_site s;
	struct pit_error err;
	int rc;
};

static struct made make(const struct tree_file *base, const struct tree_file *more, const struct pit_site_options *o)
{
	struct tree_file all[160] = {{.path = NULL}};
	static const struct pit_site_options none;
	struct made m = {.rc = 0};
	size_t n = 0;

	for (; base && base->path; base++)
		all[n++] = *base;
	for (; more && more->path; more++)
		all[n++] = *more;
	m.tree = tree_open(all);
	m.rc = pit_site_load(m.tree.root, o ? o : &none, &m.s, &m.err);
	return m;
}

static void drop(struct made *m)
{
	pit_site_free(&m->s);
	tree_close(&m->tree);
}
#define auto_made PIT_CLEANUP(drop) struct made

/* True when a note holds `part`. */
static bool notes(const struct pit_site *s, const char *part)
{
	for (size_t i = 0; i < s->notes.count; i++)
		if (strstr(s->notes.item[i], part))
			return true;
	return false;
}

static void sees_a_plain_machine(void **state)
{
	auto_made m = make(two_nodes, NULL, NULL);
	const struct pit_site *s = &m.s;

	assert_int_equal(m.rc, 0);
	assert_int_equal(s->cores, 4);
	assert_set(&s->core[3].cpus, "6-7");
	assert_int_equal(s->core[3].threads, 2);
	assert_int_equal(s->core[1].node_at, 0);
	assert_int_equal(s->core[2].node_at, 1);
	assert_int_equal(s->core[1].package, 0);
	assert_int_equal(s->core[2].package, 1);
	assert_false(s->core[0].irq);
	assert_int_equal(s->nodes, 2);
	assert_true(s->node[0].cpus && s->node[0].mem && s->node[1].cpus && s->node[1].mem);
	assert_int_equal(s->node[1].distance[0], 21);
	assert_set(&s->allowed, "0-7");
	assert_true(pit_idset_is_empty(&s->isolated));
	assert_false(s->narrowed);
	assert_int_equal(s->gpus, 0);
	assert_int_equal(s->nics, 0);
	assert_string_equal(s->gpus_why, "NVML and the PCI bus");
	assert_true(notes(s, "may use is not known"));
}

static void takes_only_what_is_allowed(void **state)
{
	static const struct tree_file files[] = {
		{.path = "/proc/self/mountinfo", .text = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
		{.path = "/proc/self/cgroup", .text = "0::/job\n"},
		{.path = "/sys/fs/cgroup/job/cpuset.cpus.effective", .text = "1-5,99\n"},
		{.path = "/sys/fs/cgroup/job/cpuset.mems.effective", .text = "1\n"},
		{.path = "/.pitcrew/fact/affinity", .text = "0-4"},
		{.path = NULL},
	};
	auto_made m = make(two_nodes, files, NULL);
	const struct pit_site *s = &m.s;

	assert_int_equal(m.rc, 0);
	assert_set(&s->allowed, "1-4");
	assert_true(s->narrowed);
	assert_string_equal(s->allowed_why, "affinity, cpuset /sys/fs/cgroup/job/cpuset.cpus.effective");
	assert_int_equal(s->cores, 3);
	assert_set(&s->core[0].cpus, "1"); /* half of a core */
	assert_int_equal(s->core[0].threads, 2);
	assert_set(&s->core[2].cpus, "4");
	assert_true(s->node[0].cpus && s->node[1].cpus);
	assert_false(s->node[0].mem);
	assert_true(s->node[1].mem);
	assert_int_equal(s->notes.count, 0);
}

static void leaves_isolated_cpus_alone(void **state)
{
	static const struct tree_file some[] = {
		{.path = CPU "/isolated", .text = "2-3,7\n"},
		{.path = "/.pitcrew/fact/affinity", .text = "0-7"},
		{.path = NULL},
	};
	static const struct tree_file all[] = {
		{.path = CPU "/isolated", .text = "2-7\n"},
		{.path = "/.pitcrew/fact/affinity", .text = "2-3,6"},
		{.path = NULL},
	};
	static const struct pit_site_options wanted = {.isolated = true};
	auto_made without = make(two_nodes, some, NULL);
	auto_made with = make(two_nodes, some, &wanted);
	auto_made only = make(two_nodes, all, NULL);

	assert_set(&without.s.allowed, "0-1,4-6");
	assert_set(&without.s.isolated, "2-3,7");
	assert_true(without.s.narrowed);
	assert_set(&with.s.allowed, "0-7");
	assert_set(&with.s.isolated, "");
	assert_set(&only.s.allowed, "2-3,6");
	assert_set(&only.s.isolated, "");
	assert_true(notes(&only.s, "all allowed CPUs (2-3,6) are isolated"));
}

static void fails_without_cpus(void **state)
{
	static const struct tree_file nothing[] = {{.path = "/etc/hostname", .text = "x"}, {.path = NULL}};
	static const struct tree_file other[] = {{.path = "/.pitcrew/fact/affinity", .text = "20-21"}, {.path = NULL}};
	auto_made none = make(nothing, NULL, NULL);
	auto_made elsewhere = make(two_nodes, other, NULL);

	assert_int_equal(none.rc, -ENODATA);
	assert_int_equal(none.s.cores, 0);
	assert_non_null(strstr(none.err.text, "which CPUs there are"));
	assert_int_equal(elsewhere.rc, -ENODATA);
	assert_non_null(strstr(elsewhere.err.text, "affinity"));
}

/* No lists of siblings, no nodes: each CPU is a core, and nothing else is made up. */
static void makes_nothing_up(void **state)
{
	static const struct tree_file files[] = {
		{.path = CPU "/online", .text = "0-2\n"},
		{.path = "/.pitcrew/fact/affinity", .text = "0-2"},
		{.path = NULL},
	};
	auto_made m = make(files, NULL, NULL);

	assert_int_equal(m.rc, 0);
	assert_int_equal(m.s.cores, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(m.s.core[i].threads, 1);
		assert_int_equal(m.s.core[i].node_at, -1);
		assert_int_equal(m.s.core[i].l3_at, -1);
		assert_int_equal(m.s.core[i].package, -1);
	}
	assert_int_equal(m.s.nodes, 0);
	assert_int_equal(m.s.l3s, 0);
	assert_true(notes(&m.s, "which core CPUs 0-2 belong to is not known"));
	assert_true(notes(&m.s, "NUMA nodes are not known"));
}

/* Guests whose nodes cut through cores. */
static void divides_cores_at_nodes(void **state)
{
	static const struct tree_file files[] = {
		{.path = CPU "/online", .text = "0-3\n"},
		CPU_IN("0", "0", "0,2"),
		CPU_IN("1", "0", "1,3"),
		CPU_IN("2", "0", "0,2"),
		CPU_IN("3", "0", "1,3"),
		NODE_IN("0", "0-1,3", "1000", "10 20"),
		NODE_IN("1", "2", "1000", "20 10"),
		{.path = NULL},
	};
	auto_made m = make(files, NULL, NULL);

	assert_int_equal(m.s.cores, 3);
	assert_set(&m.s.core[0].cpus, "0");
	assert_int_equal(m.s.core[0].node_at, 0);
	assert_int_equal(m.s.core[0].threads, 1);
	assert_set(&m.s.core[1].cpus, "1,3");
	assert_set(&m.s.core[2].cpus, "2");
	assert_int_equal(m.s.core[2].node_at, 1);
}

/* Grace: memory of a GPU, of CXL, and one of unknown kind are no memory for programs; sparse ids. */
static void knows_memory_for_programs(void **state)
{
	static const struct tree_file files[] = {
		{.path = CPU "/online", .text = "0-3\n"},
		NODE_IN("0", "0-3", "1000", "10 80 20 30"),
		NODE_IN("1", "", "1000", "80 10 90 90"),
		NODE_IN("2", "", "1000", "20 90 10 30"),
		NODE_IN("9", "", "1000", "30 90 30 10"),
		{.path = "/proc/driver/nvidia/gpus/0009:01:00.0/numa_status", .text = "Node: 1\nStatus: online\n"},
		{.path = "/sys/devices/platform/ACPI0017:00/root0/region0/dax0.0/target_node", .text = "2\n"},
		{.path = "/sys/bus/dax/devices/dax0.0",
		 .text = "-> ../../../devices/platform/ACPI0017:00/root0/region0/dax0.0"},
		{.path = NULL},
	};
	auto_made m = make(files, NULL, NULL);

	assert_int_equal(m.s.nodes, 4);
	assert_true(m.s.node[0].mem);
	for (size_t i = 1; i < 4; i++) {
		assert_false(m.s.node[i].mem);
		assert_false(m.s.node[i].cpus);
	}
	assert_int_equal(m.s.node[1].kind, PIT_NODE_GPU);
	assert_int_equal(m.s.node[3].id, 9);
	assert_int_equal(m.s.node[3].distance[1], 90);
}

/* ----- caches ----- */

struct cache_row {
	int level;
	const char *cpus;
};

/* l3_at of each core, "0 0 1", with these caches and 0-7 allowed but for CPU 0. */
static void assert_l3s(const struct cache_row *rows, size_t count, const char *expected)
{
	static const struct tree_file allowed[] = {{.path = "/.pitcrew/fact/affinity", .text = "1-7"}, {.path = NULL}};
	static const struct pit_site_options none;
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, allowed);
	PIT_CLEANUP(pit_site_free) struct pit_site s = {.cores = 0};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	for (size_t i = 0; i < l.t->caches; i++)
		pit_idset_free(&l.t->cache[i].cpus);
	free(l.t->cache);
	l.t->cache = calloc(count + 1, sizeof(*l.t->cache));
	for (size_t i = 0; i < count; i++) {
		l.t->cache[i].level = rows[i].level;
		assert_int_equal(pit_idset_parse(rows[i].cpus, &l.t->cache[i].cpus, NULL), 0);
	}
	l.t->caches = count;
	assert_int_equal(pit_site_load_cores(l.tree.root, l.t, &none, &s, NULL), 0);
	for (size_t i = 0; i < s.cores; i++)
		pit_buf_printf(&text, "%s%d", i ? " " : "", s.core[i].l3_at);
	pit_buf_printf(&text, " of %zu", s.l3s);
	assert_string_equal(text.data, expected);
}

static void groups_cores_by_cache(void **state)
{
	static const struct cache_row complexes[] = {
		{.level = 1, .cpus = "0-1"}, {.level = 3, .cpus = "4-7"}, {.level = 3, .cpus = "0-3"}};
	static const struct cache_row clusters[] = {{.level = 2, .cpus = "0-3"}, {.level = 2, .cpus = "4-7"}};
	static const struct cache_row private[] = {{.level = 2, .cpus = "0-1"}, {.level = 2, .cpus = "2-3"}};
	static const struct cache_row partly[] = {{.level = 3, .cpus = "4-7"}};

	assert_l3s(complexes, PIT_COUNT(complexes), "0 0 1 1 of 2");
	assert_l3s(clusters, PIT_COUNT(clusters), "0 0 1 1 of 2");
	assert_l3s(private, PIT_COUNT(private), "-1 -1 -1 -1 of 0");
	assert_l3s(partly, PIT_COUNT(partly), "-1 -1 0 0 of 1");
	assert_l3s(NULL, 0, "-1 -1 -1 -1 of 0");
}

/* ----- interrupts ----- */

static const struct tree_file interrupts[] = {
	{.path = "/proc/stat", .text = "cpu 1 2\nintr 99 900000000 5000000 3000000 2000000 10 900000\nctxt 1\n"},
	{.path = "/proc/irq/0/smp_affinity_list", .text = "0-7\n"}, /* timers, on every CPU */
	{.path = "/proc/irq/0/effective_affinity_list", .text = "\n"},
	{.path = "/proc/irq/1/effective_affinity_list", .text = "2\n"},
	{.path = "/proc/irq/2/smp_affinity_list", .text = "2\n"},
	{.path = "/proc/irq/3/effective_affinity_list", .text = "5\n"}, /* much, yet less than 4 times the mean */
	{.path = "/proc/irq/4/effective_affinity_list", .text = "7\n"},
	{.path = "/proc/irq/5/effective_affinity_list", .text = "6\n"},
	{.path = NULL},
};

static void knows_busy_cpus(void **state)
{
	static const struct pit_site_options alone = {.alone = true};
	static const struct tree_file spread[] = {
		{.path = "/proc/stat", .text = "intr 99 0 5000000 5000000 5000000 5000000\n"},
		{.path = "/proc/irq/1/effective_affinity_list", .text = "0\n"},
		{.path = "/proc/irq/2/effective_affinity_list", .text = "2\n"},
		{.path = "/proc/irq/3/effective_affinity_list", .text = "4\n"},
		{.path = "/proc/irq/4/effective_affinity_list", .text = "6\n"},
		{.path = NULL},
	};
	auto_made some = make(two_nodes, interrupts, NULL);
	auto_made none = make(two_nodes, interrupts, &alone);
	auto_made all = make(two_nodes, spread, NULL);

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(some.s.core[i].irq, i == 1);
		assert_false(none.s.core[i].irq);
		assert_false(all.s.core[i].irq);
	}
}

/* ----- GPUs of NVIDIA ----- */

#define GPU(n, bus, name)                                                                                              \
	"{\"index\":" n ",\"pci\":\"0000:" bus ":00.0\",\"uuid\":\"GPU-" n n n n "\",\"name\":\"" name "\"}"
#define H100 "NVIDIA H100"
#define NVML4                                                                                                          \
	"{\"driver\":\"550\",\"gpus\":[" GPU("0", "01", H100) "," GPU("1", "1a", H100) "," GPU(                        \
		"2", "81", H100) "," GPU("3", "c1", H100) "]}"

#define NVIDIA(bus, node)                                                                                              \
	DEVICE("0000:" bus ":00.0", "0x030200", "0x10de", node, "0-7"),                                                \
	{                                                                                                              \
		.path = PCI "0000:" bus ":00.0/driver", .text = "-> ../../../bus/pci/drivers/nvidia"                   \
	}

#define FOUR                                                                                                           \
	NVIDIA("01", "0"), NVIDIA("11", "0"), NVIDIA("1a", "0"), NVIDIA("81", "1"), NVIDIA("c1", "-1"),                \
	{                                                                                                              \
		.path = "/.pitcrew/fact/affinity", .text = "0-7"                                                       \
	}

static const struct tree_file four[] = {FOUR, {.path = "/.pitcrew/fact/nvml", .text = NVML4}, {.path = NULL}};
static const struct tree_file no_nvml[] = {FOUR, {.path = NULL}};

/* visible@node of each, then the refusal or a part of a note. */
struct choice_row {
	const char *cvd, *gpus;
	const char *expected; /* NULL: -EINVAL */
	const char *says;     /* a part of err.text, else of a note; NULL: no note */
	const char *why;
};

static const struct choice_row with_nvml[] = {
	{.expected = "GPU-0000@0 GPU-1111@0 GPU-2222@1 GPU-3333@-1", .why = "NVML"},
	{.cvd = "3,1", .expected = "GPU-3333@-1 GPU-1111@0", .why = "CUDA_VISIBLE_DEVICES=3,1 (GPUs by NVML)"},
	{.cvd = "", .expected = "", .why = "CUDA_VISIBLE_DEVICES= (GPUs by NVML)"},
	{.cvd = "NoDevFiles", .expected = "", .why = "CUDA_VISIBLE_DEVICES=NoDevFiles (GPUs by NVML)"},
	{.cvd = "1,-1,2", .expected = "GPU-1111@0", .says = "ends at '-1'"},
	{.cvd = "GPU-22,GPU-0", .expected = "GPU-2222@1 GPU-0000@0"},
	{.cvd = "4", .says = "CUDA_VISIBLE_DEVICES names GPU 4, and there are only GPUs 0 to 3"},
	{.cvd = "GPU-9", .says = "CUDA_VISIBLE_DEVICES names GPU-9, and there are only GPU-0000, GPU-1111, GPU-2222"},
	{.cvd = "GPU-", .says = "'GPU-' fits several GPUs"},
	{.cvd = "1,1", .says = "CUDA_VISIBLE_DEVICES: '1' is there twice"},
	{.cvd = "GPU-1,GPU-11", .says = "names a GPU that is there already"},
	{.gpus = "none", .expected = "", .why = "--gpus none (GPUs by NVML)"},
	{.cvd = "7", .gpus = "none", .expected = "", .why = "--gpus none (GPUs by NVML)"},
	{.cvd = "1,1", .gpus = "none", .expected = ""},
	{.gpus = "2-3,0", .expected = "GPU-2222@1 GPU-3333@-1 GPU-0000@0"},
	{.gpus = "0000:1a:00.0", .expected = "GPU-1111@0"},
	{.gpus = "00000000:1A:00.0", .expected = "GPU-1111@0"},
	{.gpus = "c1:00.0,GPU-2", .expected = "GPU-3333@-1 GPU-2222@1"},
	{.gpus = "4", .says = "--gpus names GPU 4, and there are only GPUs 0 to 3"},
	{.gpus = "65:00.0", .says = "--gpus names 65:00.0, and there are only 0000:01:00.0, 0000:1a:00.0"},
	{.gpus = "0,GPU-0", .says = "'GPU-0' names a GPU that is there already"},
	{.gpus = "0,x", .says = "--gpus: 'x' is no GPU"},
	{.cvd = "3,1",
	 .gpus = "1,0",
	 .expected = "GPU-1111@0 GPU-3333@-1",
	 .why = "CUDA_VISIBLE_DEVICES=3,1, then --gpus 1,0 (GPUs by NVML)"},
	{.cvd = "3,1", .gpus = "2", .says = "--gpus names GPU 2, and there are only GPUs 0 to 1"},
	{.cvd = "3,1", .gpus = "GPU-3", .expected = "GPU-3333@-1"},
	{.cvd = "3,1",
	 .gpus = "GPU-2,0",
	 .expected = "GPU-2222@1 GPU-3333@-1",
	 .says = "--gpus takes GPU-2, which the environment of this job hides"},
	{.cvd = "", .gpus = "0", .says = "--gpus names GPU 0, and this job has no GPU"},
};

/* Nobody says that the GPU at 11 is hidden, so it counts. */
static const struct choice_row without_nvml[] = {
	{.expected = "0@0 1@0 2@0 3@1 4@-1", .says = "GPUs are taken from the PCI bus", .why = "the PCI bus"},
	{.cvd = "4,2", .expected = "4@-1 2@0", .says = "PCI bus"},
	{.cvd = "GPU-abcd",
	 .expected = "GPU-abcd@-1",
	 .says = "where GPU GPU-abcd of CUDA_VISIBLE_DEVICES is cannot be"},
	{.cvd = "MIG-1,MIG-2", .expected = "MIG-1@-1 MIG-2@-1", .says = "PCI bus"},
	{.gpus = "0000:1a:00.0", .expected = "2@0", .says = "PCI bus"},
};

static void assert_choice(const struct tree_file *files, const struct choice_row *row)
{
	char variable[128];
	char *block[] = {row->cvd ? variable : NULL, NULL};
	struct pit_site_options o = {.gpus = row->gpus, .environ = block};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	auto_made m = {.rc = 0};

	snprintf(variable, sizeof(variable), "CUDA_VISIBLE_DEVICES=%s", row->cvd ? row->cvd : "");
	m = make(two_nodes, files, &o);
	for (size_t i = 0; i < m.s.gpus; i++) {
		const struct pit_site_gpu *g = &m.s.gpu[i];

		pit_buf_printf(&text, "%s%s@%d", i ? " " : "", g->visible, g->node_at);
		assert_int_equal(g->vendor, 0x10de);
		assert_int_equal(g->source == PIT_NODE_FROM_NOTHING, g->node_at < 0);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(m.s.gpu[k].parent, g->parent);
	}
	if (m.rc != (row->expected ? 0 : -EINVAL) || strcmp(text.data, row->expected ? row->expected : "") != 0)
		fail_msg("'%s' and '%s' give %d %s, %s", variable, row->gpus, m.rc, text.data, m.err.text);
	if (row->says && !(row->expected ? notes(&m.s, row->says) : strstr(m.err.text, row->says) != NULL))
		fail_msg("'%s' and '%s' do not say '%s' but %s", variable, row->gpus, row->says, m.err.text);
	if (row->expected && row->why)
		assert_string_equal(m.s.gpus_why, row->why);
	assert_true(row->expected || !m.s.cores); /* *ret is left alone */
}

static void chooses_gpus(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(with_nvml); i++)
		assert_choice(four, &with_nvml[i]);
	for (size_t i = 0; i < PIT_COUNT(without_nvml); i++)
		assert_choice(no_nvml, &without_nvml[i]);
}

static void tells_of_hidden_gpus(void **state)
{
	auto_made m = make(two_nodes, four, NULL);

	assert_int_equal(m.s.gpus, 4);
	assert_int_equal(m.s.notes.count, 1);
	assert_string_equal(m.s.notes.item[0],
			    "1 of this host's 5 GPUs are hidden from this job (device cgroup or container)");
}

/* In the order of their addresses as numbers: 1a is behind 11. UUIDs from the driver's files. */
static void reads_the_drivers_files(void **state)
{
	static const struct tree_file files[] = {
		NVIDIA("1a", "1"),
		NVIDIA("11", "0"),
		DEVICE("0000:05:00.0", "0x030200", "0x10de", "0", "0-7"),
		{.path = PCI "0000:05:00.0/driver", .text = "-> ../../../bus/pci/drivers/vfio-pci"},
		{.path = "/proc/driver/nvidia/gpus/0000:11:00.0/information",
		 .text = "Model: \t\t NVIDIA A40\nIRQ:   \t\t 11\nGPU UUID: \t GPU-abcd-11\nDevice Minor: \t 0\n"},
		{.path = "/proc/driver/nvidia/gpus/0000:1a:00.0/information",
		 .text = "Model: \t\t NVIDIA A40\nGPU UUID: \t GPU-\?\?\?\?\?\?\?\?-\?\?\?\?\nDevice Minor: \t 1\n"},
		{.path = NULL},
	};
	auto_made m = make(two_nodes, files, NULL);

	assert_int_equal(m.s.gpus, 2);
	assert_string_equal(m.s.gpu[0].pci, "0000:11:00.0");
	assert_string_equal(m.s.gpu[0].uuid, "GPU-abcd-11");
	assert_string_equal(m.s.gpu[0].visible, "GPU-abcd-11");
	assert_string_equal(m.s.gpu[0].name, "NVIDIA A40");
	assert_string_equal(m.s.gpu[1].uuid, "");
	assert_string_equal(m.s.gpu[1].visible, "1");
	assert_true(notes(&m.s, "1 of this host's 3 NVIDIA GPUs are not for this job"));
}

/* A driver that is not loaded: NVML itself said so. */
static void leaves_gpus_without_driver(void **state)
{
	static const struct tree_file files[] = {
		FOUR,
		{.path = "/.pitcrew/format", .text = "1\n"},
		{.path = "/.pitcrew/missing", .text = "19 fact nvml\n"},
		{.path = NULL},
	};
	auto_made m = make(two_nodes, files, NULL);

	assert_int_equal(m.rc, 0);
	assert_int_equal(m.s.gpus, 0);
	assert_true(notes(&m.s, "5 NVIDIA GPUs cannot be used"));
}

static void tells_of_mixed_models(void **state)
{
	static const struct tree_file files[] = {
		NVIDIA("01", "0"),
		NVIDIA("02", "1"),
		{.path = "/.pitcrew/fact/nvml",
		 .text = "{\"gpus\":[" GPU("0", "01", H100) "," GPU("1", "02", "NVIDIA T4") "]}"},
		{.path = NULL},
	};
	const char *indices[] = {"CUDA_VISIBLE_DEVICES=1", NULL}, *uuids[] = {"CUDA_VISIBLE_DEVICES=GPU-11", NULL},
		   *ordered[] = {"CUDA_VISIBLE_DEVICES=1", "CUDA_DEVICE_ORDER=PCI_BUS_ID", NULL};
	struct pit_site_options by_index = {.environ = (char **)indices}, by_uuid = {.environ = (char **)uuids},
				by_order = {.environ = (char **)ordered};
	auto_made index = make(two_nodes, files, &by_index), uuid = make(two_nodes, files, &by_uuid),
		  order = make(two_nodes, files, &by_order), plain = make(two_nodes, files, NULL);

	assert_string_equal(index.s.gpu[0].visible, "GPU-1111");
	assert_true(notes(&index.s, "of different models: CUDA_VISIBLE_DEVICES counts them by PCI address"));
	assert_false(notes(&uuid.s, "different models"));
	assert_false(notes(&order.s, "different models"));
	assert_true(notes(&plain.s, "of different models: the job counts them"));
}

/* ----- MIG ----- */

#define MIG(uuid, gi, ci) "{\"uuid\":\"" uuid "\",\"name\":\"H100 MIG 3g.40gb\",\"gi\":" gi ",\"ci\":" ci "}"
#define NVML_MIG                                                                                                               \
	"{\"gpus\":[{\"index\":0,\"pci\":\"0000:01:00.0\",\"uuid\":\"GPU-0000\",\"name\":\"H100\",\"mig\":{"                   \
	"\"current\":1,\"devices\":[" MIG("MIG-aa", "1", "0") "," MIG(                                                         \
		"MIG-ab", "2",                                                                                                 \
		"0") "]}},"                                                                                                    \
		     "{\"index\":1,\"pci\":\"0000:02:00.0\",\"uuid\":\"GPU-1111\",\"name\":\"H100\",\"mig\":{\"current\":0}}," \
		     "{\"index\":2,\"pci\":\"0000:03:00.0\",\"uuid\":\"GPU-2222\",\"mig\":{\"current\":1,\"devices\":[]}},"    \
		     "{\"index\":3,\"error\":15}]}"

static const struct tree_file mig[] = {
	NVIDIA("01", "0"), NVIDIA("02", "1"), NVIDIA("03", "1"), {.path = "/.pitcrew/fact/nvml", .text = NVML_MIG},
	{.path = NULL},
};

static const struct {
	const char *variable, *gpus, *expected;
} mig_rows[] = {
	{.expected = "MIG-aa MIG-ab GPU-1111"},
	{.variable = "CUDA_VISIBLE_DEVICES=0", .expected = "MIG-aa MIG-ab"},
	{.variable = "CUDA_VISIBLE_DEVICES=1", .expected = "GPU-1111"},
	{.variable = "CUDA_VISIBLE_DEVICES=GPU-0000", .expected = "MIG-aa MIG-ab"},
	{.variable = "CUDA_VISIBLE_DEVICES=MIG-ab", .expected = "MIG-ab"},
	{.variable = "CUDA_VISIBLE_DEVICES=MIG-ab,MIG-aa", .expected = "MIG-ab MIG-aa"},
	{.variable = "CUDA_VISIBLE_DEVICES=MIG-GPU-0000/2/0", .expected = "MIG-ab"},
	{.gpus = "1,2", .expected = "MIG-ab GPU-1111"},
	{.gpus = "01:00.0", .expected = "MIG-aa MIG-ab"},
	{.gpus = "GPU-1", .expected = "GPU-1111"},
	{.variable = "CUDA_VISIBLE_DEVICES=MIG-a", .expected = NULL},
	{.variable = "CUDA_VISIBLE_DEVICES=MIG-GPU-0000/3/0", .expected = NULL},
	{.variable = "CUDA_VISIBLE_DEVICES=2", .expected = NULL},
};

static void takes_instances_apart(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(mig_rows); i++) {
		char *block[] = {(char *)mig_rows[i].variable, NULL};
		struct pit_site_options o = {.environ = block, .gpus = mig_rows[i].gpus};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		auto_made m = make(two_nodes, mig, &o);

		for (size_t k = 0; k < m.s.gpus; k++) {
			const struct pit_site_gpu *g = &m.s.gpu[k];

			pit_buf_printf(&text, "%s%s", k ? " " : "", g->visible);
			assert_int_equal(g->mig, !strncmp(g->uuid, "MIG-", 4));
			assert_int_equal(g->parent, g->mig ? 0 : 1);
			assert_int_equal(g->node_at, g->parent);
		}
		if (m.rc != (mig_rows[i].expected ? 0 : -EINVAL) ||
		    (!m.rc && strcmp(text.data, mig_rows[i].expected) != 0))
			fail_msg("%s %s gives %d %s %s", mig_rows[i].variable, mig_rows[i].gpus, m.rc, text.data,
				 m.err.text);
		assert_true(m.rc || notes(&m.s, "GPU 2 (0000:03:00.0) is in MIG mode and has no instance"));
		assert_true(m.rc || notes(&m.s, "GPU 3 cannot be asked (NVML error 15)"));
	}
}

/* ----- GPUs of AMD and others ----- */

#define KFD "/sys/class/kfd/kfd/topology/nodes/"
#define KFD_NODE(n, simd, location, unique)                                                                            \
	{                                                                                                              \
		.path = KFD n "/properties", .text = "cpu_cores_count 0\nsimd_count " simd "\nlocation_id " location   \
						     "\ndomain 0\nunique_id " unique "\nvendor_id 4098\n"              \
	}

/* The driver's order is not that of the addresses; the card at 02 is divided in two. */
static const struct tree_file amd[] = {
	DEVICE("0000:01:00.0", "0x120000", "0x1002", "0", "0-3"),
	DEVICE("0000:02:00.0", "0x120000", "0x1002", "1", "4-7"),
	DEVICE("0000:00:02.0", "0x030000", "0x8086", "0", "0-7"),
	KFD_NODE("0", "0", "0", "0"),
	KFD_NODE("1", "304", "512", "777"),
	KFD_NODE("2", "304", "512", "777"),
	KFD_NODE("10", "304", "256", "888"),
	{.path = NULL},
};

static const struct {
	const char *environ[3];
	const char *expected; /* visible@node */
} amd_rows[] = {
	{.environ = {NULL}, .expected = "0@1 1@1 2@0"},
	{.environ = {"HIP_VISIBLE_DEVICES=2,0"}, .expected = "2@0 0@1"},
	{.environ = {"CUDA_VISIBLE_DEVICES=2"}, .expected = "2@0"},
	{.environ = {"CUDA_VISIBLE_DEVICES=2", "HIP_VISIBLE_DEVICES=1"}, .expected = "1@1"},
	{.environ = {"ROCR_VISIBLE_DEVICES=2,1"}, .expected = "0@0 1@1"},
	{.environ = {"ROCR_VISIBLE_DEVICES=2,1", "HIP_VISIBLE_DEVICES=1"}, .expected = "1@1"},
	{.environ = {"ROCR_VISIBLE_DEVICES=GPU-0000000000000378"}, .expected = "0@0"},
	{.environ = {"ROCR_VISIBLE_DEVICES=0", "HIP_VISIBLE_DEVICES=1"}, .expected = NULL},
};

static void numbers_as_rocm_does(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(amd_rows); i++) {
		struct pit_site_options o = {.environ = (char **)amd_rows[i].environ};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		auto_made m = make(two_nodes, amd, &o);

		for (size_t k = 0; k < m.s.gpus; k++)
			pit_buf_printf(&text, "%s%s@%d", k ? " " : "", m.s.gpu[k].visible, m.s.gpu[k].node_at);
		if (m.rc != (amd_rows[i].expected ? 0 : -EINVAL) ||
		    (!m.rc && strcmp(text.data, amd_rows[i].expected) != 0))
			fail_msg("row %zu gives %d %s %s", i, m.rc, text.data, m.err.text);
	}
}

static void tells_parts_of_a_card(void **state)
{
	auto_made m = make(two_nodes, amd, NULL);

	assert_int_equal(m.s.gpus, 3);
	assert_int_equal(m.s.gpu[0].vendor, 0x1002);
	assert_int_equal(m.s.gpu[0].parent, m.s.gpu[1].parent);
	assert_int_not_equal(m.s.gpu[0].parent, m.s.gpu[2].parent);
	assert_string_equal(m.s.gpu[2].uuid, "GPU-0000000000000378");
	assert_string_equal(m.s.gpus_why, "the amdkfd driver");
}

static void finds_other_gpus(void **state)
{
	static const struct tree_file intel[] = {
		DEVICE("0000:00:02.0", "0x030000", "0x8086", "0", "0-7"),
		DEVICE("0000:1a:00.0", "0x038000", "0x8086", "1", "4-7"),
		DEVICE("0000:11:00.0", "0x038000", "0x8086", "0", "0-3"),
		{.path = NULL},
	};
	const char *tiles[] = {"ZE_AFFINITY_MASK=1.0,1.1,0", NULL};
	struct pit_site_options o = {.environ = (char **)tiles};
	auto_made all = make(two_nodes, intel, NULL);
	auto_made some = make(two_nodes, intel, &o);

	assert_int_equal(all.s.gpus, 2);
	assert_string_equal(all.s.gpu[0].pci, "0000:11:00.0");
	assert_string_equal(all.s.gpu[1].visible, "1");
	assert_int_equal(some.s.gpus, 2);
	assert_string_equal(some.s.gpu[0].pci, "0000:1a:00.0");
	assert_string_equal(some.s.gpu[1].pci, "0000:11:00.0");
}

static void bears_variables_without_gpus(void **state)
{
	const char *block[] = {"CUDA_VISIBLE_DEVICES=0,1", NULL};
	struct pit_site_options o = {.environ = (char **)block}, wanted = {.environ = (char **)block, .gpus = "0"};
	auto_made m = make(two_nodes, NULL, &o);
	auto_made refused = make(two_nodes, NULL, &wanted);

	assert_int_equal(m.rc, 0);
	assert_int_equal(m.s.gpus, 0);
	assert_true(notes(&m.s, "CUDA_VISIBLE_DEVICES is 0,1, and this job has no GPU"));
	assert_int_equal(refused.rc, -EINVAL);
	assert_string_equal(refused.err.text, "--gpus names GPU 0, and this job has no GPU");
}

/* ----- network cards ----- */

#define BELOW(root, bridge, address) "/sys/devices/pci" root "/" bridge "/" address
#define ON_BRIDGE(root, bridge, address, class_, vendor_, node_)                                                       \
	{.path = BELOW(root, bridge, address) "/class", .text = class_ "\n"},                                          \
		{.path = BELOW(root, bridge, address) "/vendor", .text = vendor_ "\n"},                                \
		{.path = BELOW(root, bridge, address) "/numa_node", .text = node_ "\n"},                               \
	{                                                                                                              \
		.path = PCI address, .text = "-> ../../../devices/pci" root "/" bridge "/" address                     \
	}
#define RDMA(name, root, bridge, address, state_)                                                                      \
	{.path = BELOW(root, bridge, address) "/infiniband/" name "/ports/1/state", .text = state_ "\n"},              \
	{                                                                                                              \
		.path = "/sys/class/infiniband/" name,                                                                 \
		.text = "-> ../../devices/pci" root "/" bridge "/" address "/infiniband/" name                         \
	}

static const struct tree_file fabric[] = {
	ON_BRIDGE("0000:00", "0000:00:01.0", "0000:01:00.0", "0x030200", "0x10de", "0"),
	ON_BRIDGE("0000:00", "0000:00:01.0", "0000:02:00.0", "0x030200", "0x10de", "0"),
	ON_BRIDGE("0000:80", "0000:80:01.0", "0000:81:00.0", "0x030200", "0x10de", "1"),
	ON_BRIDGE("0000:c0", "0000:c0:01.0", "0000:c1:00.0", "0x030200", "0x10de", "1"),
	ON_BRIDGE("0000:40", "0000:40:01.0", "0000:41:00.0", "0x030200", "0x10de", "-1"),
	ON_BRIDGE("0000:00", "0000:00:01.0", "0000:03:00.0", "0x020700", "0x15b3", "0"),
	ON_BRIDGE("0000:00", "0000:00:01.0", "0000:04:00.0", "0x020700", "0x15b3", "0"),
	ON_BRIDGE("0000:80", "0000:80:02.0", "0000:82:00.0", "0x020700", "0x15b3", "1"),
	ON_BRIDGE("0000:c0", "0000:c0:01.0", "0000:c2:00.0", "0x020700", "0x15b3", "1"),
	RDMA("mlx5_0", "0000:00", "0000:00:01.0", "0000:03:00.0", "4: ACTIVE"),
	RDMA("mlx5_1", "0000:00", "0000:00:01.0", "0000:04:00.0", "4: ACTIVE"),
	RDMA("mlx5_2", "0000:80", "0000:80:02.0", "0000:82:00.0", "4: ACTIVE"),
	RDMA("mlx5_3", "0000:c0", "0000:c0:01.0", "0000:c2:00.0", "1: DOWN"),
	{.path = NULL},
};

static void finds_the_nearest_card(void **state)
{
	static const struct {
		const char *pci, *nic, *why;
	} expected[] = {
		{.pci = "0000:01:00.0", .nic = "mlx5_0", .why = "below the same PCI bridge (2 shared)"},
		{.pci = "0000:02:00.0", .nic = "mlx5_1", .why = "below the same PCI bridge (2 shared)"},
		{.pci = "0000:41:00.0", .nic = NULL, .why = ""},
		{.pci = "0000:81:00.0", .nic = "mlx5_2", .why = "on the same PCI root"},
		{.pci = "0000:c1:00.0", .nic = "mlx5_2", .why = "on the same node"}, /* mlx5_3 is down */
	};
	auto_made m = make(two_nodes, fabric, NULL);

	assert_int_equal(m.s.nics, 3);
	assert_true(m.s.nic[0].rdma);
	assert_int_equal(m.s.nic[2].node_at, 1);
	assert_int_equal(m.s.gpus, PIT_COUNT(expected));
	for (size_t i = 0; i < m.s.gpus; i++) {
		const struct pit_site_gpu *g = &m.s.gpu[i];

		assert_string_equal(g->pci, expected[i].pci);
		assert_int_equal(g->nic_at < 0, !expected[i].nic);
		if (expected[i].nic)
			assert_string_equal(m.s.nic[g->nic_at].handle, expected[i].nic);
		assert_string_equal(g->nic_why, expected[i].why);
	}
}

static void falls_back_on_ethernet(void **state)
{
	static const struct tree_file files[] = {
		DEVICE("0000:01:00.0", "0x030200", "0x10de", "0", "0-3"),
		DEVICE("0000:02:00.0", "0x020000", "0x8086", "1", "4-7"),
		DEVICE("0000:03:00.0", "0x020000", "0x8086", "1", "4-7"),
		{.path = "/sys/devices/x/0000:02:00.0/net/eth0/operstate", .text = "up\n"},
		{.path = "/sys/class/net/eth0", .text = "-> ../../devices/x/0000:02:00.0/net/eth0"},
		{.path = "/sys/devices/x/0000:03:00.0/net/eth1/operstate", .text = "down\n"},
		{.path = "/sys/class/net/eth1", .text = "-> ../../devices/x/0000:03:00.0/net/eth1"},
		{.path = NULL},
	};
	auto_made m = make(two_nodes, files, NULL);

	assert_int_equal(m.s.nics, 1);
	assert_string_equal(m.s.nic[0].handle, "eth0");
	assert_false(m.s.nic[0].rdma);
	assert_int_equal(m.s.gpu[0].nic_at, 0);
	assert_string_equal(m.s.gpu[0].nic_why, "on the nearest node that has one (distance 21)");
}

/* ----- this machine ----- */

static void sees_this_machine(void **state)
{
	extern char **environ;
	pit_auto_root struct pit_root *root = NULL;
	PIT_CLEANUP(pit_site_free) struct pit_site s = {.cores = 0};
	pit_auto_idset struct pit_idset all = {0};
	struct pit_site_options o = {.environ = environ};

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(pit_site_load(root, &o, &s, NULL), 0);
	assert_true(s.cores > 0);
	for (size_t i = 0; i < s.cores; i++) {
		assert_false(pit_idset_is_empty(&s.core[i].cpus));
		assert_true(s.core[i].threads >= pit_idset_count(&s.core[i].cpus));
		assert_false(pit_idset_intersects(&all, &s.core[i].cpus));
		assert_int_equal(pit_idset_unite(&all, &s.core[i].cpus), 0);
		assert_true(!i || pit_idset_next(&s.core[i].cpus, 0) > pit_idset_next(&s.core[i - 1].cpus, 0));
	}
	assert_true(pit_idset_equal(&all, &s.allowed));
	pit_site_free(&s);
	assert_int_equal(s.cores, 0);
	assert_null(s.core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_a_plain_machine),
		cmocka_unit_test(takes_only_what_is_allowed),
		cmocka_unit_test(leaves_isolated_cpus_alone),
		cmocka_unit_test(fails_without_cpus),
		cmocka_unit_test(makes_nothing_up),
		cmocka_unit_test(divides_cores_at_nodes),
		cmocka_unit_test(knows_memory_for_programs),
		cmocka_unit_test(groups_cores_by_cache),
		cmocka_unit_test(knows_busy_cpus),
		cmocka_unit_test(chooses_gpus),
		cmocka_unit_test(tells_of_hidden_gpus),
		cmocka_unit_test(reads_the_drivers_files),
		cmocka_unit_test(leaves_gpus_without_driver),
		cmocka_unit_test(tells_of_mixed_models),
		cmocka_unit_test(takes_instances_apart),
		cmocka_unit_test(numbers_as_rocm_does),
		cmocka_unit_test(tells_parts_of_a_card),
		cmocka_unit_test(finds_other_gpus),
		cmocka_unit_test(bears_variables_without_gpus),
		cmocka_unit_test(finds_the_nearest_card),
		cmocka_unit_test(falls_back_on_ethernet),
		cmocka_unit_test(sees_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
