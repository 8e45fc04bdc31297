/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <sys/stat.h>

#include "host/runtime_cache.h"
#include "topo/view.h"
#include "topo_tree.h"

static void reads_two_nodes(void **state)
{
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, NULL);
	const struct pit_topo *t = l.t;

	assert_int_equal(t->cpus.count, 8);
	assert_set(&t->cpus.online, "0-7");
	assert_set(&t->cpus.possible, "0-15");
	assert_set(&t->cpus.offline, "");
	assert_int_equal(t->cpus.smt, 1);
	assert_int_equal(t->packages, 2);
	assert_int_equal(t->cores, 4);
	assert_int_equal(t->core_sets, 4);
	assert_set(&t->core[1], "2-3");
	assert_int_equal(t->package_sets, 2);
	assert_set(&t->package[1], "4-7");
	assert_true(t->nodes_known);
	assert_int_equal(t->nodes, 2);
	assert_set(&t->node[1].cpus, "4-7");
	assert_int_equal(t->node[0].mem_kb, 1000000);
	assert_int_equal(t->node[0].distance[1], 21);
	assert_int_equal(t->mem_kb, 1990000);
	assert_int_equal(t->contradictions.count, 0);
	assert_string_equal(t->allowed.source, "");
	assert_false(t->pci_known);
	assert_ptr_equal(pit_topo_node_of_cpu(t, 5), &t->node[1]);
	assert_null(pit_topo_node_of_cpu(t, 8));
	assert_null(pit_topo_node(t, 2));
}

static void knows_nothing_of_nothing(void **state)
{
	static const struct tree_file files[] = {{.path = "/etc/hostname", .text = "x"}, {.path = NULL}};
	PIT_CLEANUP(unload) struct loaded l = load(files, NULL);

	assert_int_equal(l.t->cpus.count, 0);
	assert_int_equal(l.t->cpus.smt, -1);
	assert_int_equal(l.t->packages, -1);
	assert_int_equal(l.t->cores, -1);
	assert_int_equal(l.t->mem_kb, -1);
	assert_false(l.t->nodes_known);
	assert_int_equal(l.t->caches, 0);
	assert_int_equal(l.t->contradictions.count, 0);
}

static void counts_without_lists(void **state)
{
	static const struct tree_file files[] = {
		CPU_IN("0", "-1", "0-1"),
		CPU_IN("1", "-1", "0-1"),
		CPU_IN("2", "-1", "2"),
		CPU_IN("3", "-1", "3"),
		{.path = CPU "/cpu1/online", .text = ""}, /* empty: online */
		{.path = CPU "/cpu2/online", .text = "1\n"},
		{.path = CPU "/cpu3/online", .text = "0\n"},
		{.path = CPU "/cpu0/topology/core_siblings", .text = "00000003\n"},
		{.path = CPU "/cpu1/topology/core_siblings", .text = "00000003\n"},
		{.path = CPU "/cpu2/topology/core_siblings", .text = "0000000c\n"},
		{.path = CPU "/cpufreq/x", .text = ""},
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(files, NULL);

	assert_set(&l.t->cpus.online, "0-2");
	assert_set(&l.t->cpus.offline, "3");
	assert_int_equal(l.t->packages, 2);
	assert_int_equal(l.t->package_sets, 2);
	assert_set(&l.t->package[0], "0-1");
	assert_set(&l.t->package[1], "2"); /* 3 is offline */
	assert_int_equal(l.t->cores, 2);
	assert_int_equal(l.t->core_sets, 2);
	assert_set(&l.t->core[0], "0-1");
	assert_int_equal(l.t->cpus.smt, 1);
	assert_false(l.t->nodes_known);
}

/* Siblings that overlap, as broken firmware tells them: no CPU is in two cores. The lists of the kernel hold offline
 * CPUs too when they were recorded while those went away. */
static void puts_no_cpu_into_two_cores(void **state)
{
	static const struct tree_file files[] = {
		{.path = CPU "/online", .text = "0-3,5\n"},
		CPU_IN("0", "0", "0,2"),
		CPU_IN("1", "0", "1,3-4"),
		CPU_IN("2", "0", "0,2-3"),
		CPU_IN("3", "0", "1,3"),
		{.path = NULL}, /* CPU 5 tells nothing */
	};
	PIT_CLEANUP(unload) struct loaded l = load(files, NULL);

	assert_int_equal(l.t->core_sets, 2);
	assert_set(&l.t->core[0], "0,2");
	assert_set(&l.t->core[1], "1,3");
	assert_int_equal(l.t->package_sets, 1);
	assert_set(&l.t->package[0], "0-3");
}

/* hwloc's answer is all that is recorded. */
static void takes_cores_from_hwloc(void **state)
{
	static const struct tree_file files[] = {
		{.path = "/.pitcrew/format", .text = "1\n"},
		{.path = "/.pitcrew/fact/hwloc.xml",
		 .text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
			 "<topology version=\"2.0\"><object type=\"Machine\" os_index=\"0\" cpuset=\"0xf\" "
			 "complete_cpuset=\"0xf\" allowed_cpuset=\"0xf\" nodeset=\"0x1\" complete_nodeset=\"0x1\" "
			 "allowed_nodeset=\"0x1\"><object type=\"NUMANode\" os_index=\"0\" cpuset=\"0xf\" "
			 "complete_cpuset=\"0xf\" nodeset=\"0x1\" complete_nodeset=\"0x1\" local_memory=\"1000\"/>"
			 "<object type=\"Package\" os_index=\"0\" cpuset=\"0xf\" complete_cpuset=\"0xf\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\">"
			 "<object type=\"Core\" os_index=\"0\" cpuset=\"0x5\" complete_cpuset=\"0x5\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\">"
			 "<object type=\"PU\" os_index=\"0\" cpuset=\"0x1\" complete_cpuset=\"0x1\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\"/>"
			 "<object type=\"PU\" os_index=\"2\" cpuset=\"0x4\" complete_cpuset=\"0x4\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\"/></object>"
			 "<object type=\"Core\" os_index=\"1\" cpuset=\"0xa\" complete_cpuset=\"0xa\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\">"
			 "<object type=\"PU\" os_index=\"1\" cpuset=\"0x2\" complete_cpuset=\"0x2\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\"/>"
			 "<object type=\"PU\" os_index=\"3\" cpuset=\"0x8\" complete_cpuset=\"0x8\" "
			 "nodeset=\"0x1\" complete_nodeset=\"0x1\"/></object></object></object></topology>\n"},
		{.path = NULL},
	};
	static const struct tree_file online[] = {{.path = CPU "/online", .text = "0-2\n"}, {.path = NULL}};
	PIT_CLEANUP(unload) struct loaded all = load(files, NULL), some = load(files, online);

	assert_int_equal(all.t->cores, 2);
	assert_int_equal(all.t->core_sets, 2);
	assert_set(&all.t->core[0], "0,2");
	assert_set(&all.t->core[1], "1,3");
	assert_set(&all.t->package[0], "0-3");
	assert_set(&some.t->core[1], "1");
}

/* Ids 0, 4, 7, 9; 7 has neither CPUs nor memory, so the fourth distance belongs to node 9. */
static void reads_unusual_nodes(void **state)
{
	static const struct tree_file files[] = {
		{.path = CPU "/online", .text = "0-3\n"}, NODE_IN("0", "0-1", "1000", "10 12 40 28"),
		NODE_IN("4", "2-3", "0", "12 10 40 17"),  NODE_IN("7", "", "0", "40 40 10 40"),
		NODE_IN("9", "", "5000", "28 17 40 10"),  {.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(files, NULL);
	const struct pit_node *last = &l.t->node[2];

	assert_int_equal(l.t->nodes, 3);
	assert_int_equal(last->id, 9);
	assert_true(last->mem_only);
	assert_int_equal(last->kind, PIT_NODE_UNKNOWN);
	assert_int_equal(l.t->node[1].mem_kb, 0);
	assert_false(l.t->node[1].mem_only);
	assert_int_equal(l.t->node[0].distance[2], 28);
	assert_int_equal(pit_topo_nearest_cpus(l.t, 9)->id, 4);
	assert_int_equal(pit_topo_nearest_cpus(l.t, 4)->id, 4);
	assert_null(pit_topo_nearest_cpus(l.t, 7));
	assert_int_equal(l.t->mem_kb, 6000);
}

static void tells_kinds_of_memory(void **state)
{
	static const struct tree_file files[] = {
		{.path = CPU "/online", .text = "0-3\n"},
		NODE_IN("0", "0-3", "1000", "10 80 20 30"),
		NODE_IN("1", "", "1000", "80 10 90 90"),
		NODE_IN("2", "", "1000", "20 90 10 30"),
		NODE_IN("3", "", "1000", "30 90 30 10"),
		{.path = "/proc/driver/nvidia/gpus/0009:01:00.0/numa_status", .text = "Node: 1\nStatus: online\n"},
		{.path = "/sys/devices/platform/ACPI0017:00/root0/region0/dax0.0/target_node", .text = "2\n"},
		{.path = "/sys/bus/dax/devices/dax0.0",
		 .text = "-> ../../../devices/platform/ACPI0017:00/root0/region0/dax0.0"},
		{.path = "/sys/devices/ndbus0/region1/dax1.0/target_node", .text = "3\n"},
		{.path = "/sys/bus/dax/devices/dax1.0", .text = "-> ../../../devices/ndbus0/region1/dax1.0"},
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(files, NULL);

	assert_int_equal(l.t->node[1].kind, PIT_NODE_GPU);
	assert_int_equal(l.t->node[2].kind, PIT_NODE_CXL);
	assert_int_equal(l.t->node[3].kind, PIT_NODE_PMEM);
}

static void reads_allowed_sets(void **state)
{
	static const struct tree_file v2[] = {
		{.path = "/proc/self/mountinfo", .text = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
		{.path = "/proc/self/cgroup", .text = "0::/job\n"},
		{.path = "/sys/fs/cgroup/job/cpuset.cpus.effective", .text = "2-5,99\n"},
		{.path = "/sys/fs/cgroup/job/cpuset.mems.effective", .text = "1,7\n"},
		{.path = NULL},
	};
	static const struct tree_file v1[] = {
		{.path = "/proc/self/mountinfo",
		 .text = "30 1 0:26 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"},
		{.path = "/proc/self/cgroup", .text = "3:cpuset:/job\n"},
		{.path = "/sys/fs/cgroup/cpuset/job/cpuset.cpus", .text = "4-7\n"},
		{.path = "/sys/fs/cgroup/cpuset/job/cpuset.mems", .text = "1\n"},
		{.path = "/.pitcrew/fact/affinity", .text = "0-6\n"},
		{.path = NULL},
	};
	static const struct tree_file status[] = {
		{.path = "/proc/self/status", .text = "Name:\tcat\nCpus_allowed_list:\t1\nMems_allowed_list:\t0-1\n"},
		{.path = NULL},
	};
	static const struct {
		const struct tree_file *files;
		const char *cpus, *mems, *source;
	} vectors[] = {
		{v2, "2-5", "1", "cpuset /sys/fs/cgroup/job/cpuset.cpus.effective"},
		{v1, "4-6", "1", "affinity, cpuset /sys/fs/cgroup/cpuset/job/cpuset.cpus"},
		{status, "1", "0-1", "/proc/self/status"},
	};

	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		PIT_CLEANUP(unload) struct loaded l = load(two_nodes, vectors[i].files);

		assert_set(&l.t->allowed.cpus, vectors[i].cpus);
		assert_set(&l.t->allowed.mems, vectors[i].mems);
		assert_string_equal(l.t->allowed.source, vectors[i].source);
	}
}

static void reports_contradictions(void **state)
{
	static const struct {
		struct tree_file file;
		const char *part;
	} vectors[] = {
		{{.path = NODE "/node0/cpulist", .text = "0-1,4-5\n"}, "cuts across a package"},
		{{.path = NODE "/node0/cpulist", .text = "0-4\n"}, "claim the same CPUs"},
		{{.path = NODE "/node0/cpulist", .text = "0-2\n"}, "CPUs 3 are online and in no node"},
		{{.path = NODE "/node0/distance", .text = "10 31\n"}, "node 1 calls node 0 21 away"},
		{{.path = NODE "/node0/distance", .text = "10\n"}, "1 of 2 nodes have no usable distances"},
		{{.path = NODE "/node0/distance", .text = "10 x\n"}, "1 of 2 nodes have no usable distances"},
		{{.path = NODE "/node0/distance", .text = "20 21\n"}, "calls itself 20 away"},
		{{.path = "/proc/meminfo", .text = "MemTotal: 3000000 kB\n"}, "the nodes hold 2000000 kB"},
		{{.path = CPU "/smt/active", .text = "0\n"}, "SMT is called off, and 8 CPUs share 4 cores"},
		{{.path = NODE "/online", .text = "0-2\n"}, "nodes 0-2 are listed as online"},
		{{.path = PCI "0000:01:00.0/numa_node", .text = "0\n"}, "says node 0 (CPUs 0-3), and that CPUs 4-7"},
		{{.path = PCI "0000:01:00.0/numa_node", .text = "9\n"}, "says node 9, which does not exist"},
	};
	static const struct tree_file gpu[] = {
		DEVICE("0000:01:00.0", "0x030200", "0x1002", "1", "4-7"),
		{.path = NULL},
	};

	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		struct tree_file more[8] = {{.path = NULL}};
		PIT_CLEANUP(unload) struct loaded l = {.t = NULL};

		memcpy(more, gpu, sizeof(gpu));
		more[PIT_COUNT(gpu) - 1] = vectors[i].file;
		l = load(two_nodes, more);
		if (!says(l.t, vectors[i].part))
			fail_msg("not said: %s (but %s)", vectors[i].part,
				 l.t->contradictions.count ? l.t->contradictions.item[0] : "nothing");
	}
}

/* A link out of the tree must not bring this machine in, and a device that never ends must not hang us. */
static void survives_hostile_trees(void **state)
{
	static const struct tree_file files[] = {
		{.path = "/sys/devices/system", .text = "-> /sys/devices/system"},
		{.path = "/proc/meminfo", .text = "-> ../../../../../../../../proc/meminfo"},
		{.path = "/proc/cpuinfo", .text = "-> /dev/zero"},
		{.path = "/sys/bus/pci/devices", .text = "-> ../pci/devices"},
		{.path = "/sys/class/net/a", .text = "-> a"},
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(files, NULL);

	assert_int_equal(l.t->cpus.count, 0);
	assert_int_equal(l.t->mem_kb, -1);
	assert_int_equal(l.t->caches, 0);
	assert_int_equal(l.t->devices, 0);
}

static void parses_shapes(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} vectors[] = {
		{"cores 4\npackage 0-3\ncore 0-1\ncore 2-3\ncache 3 32768 0-3\nmemory 2 HBM\n", 0},
		{"", 0},
		{"cores x\n", -EBADMSG},
		{"core x\n", -EBADMSG},
		{"package a-b\n", -EBADMSG},
		{"cache 3 0-3\n", -EBADMSG},
		{"cache 99 1 0\n", -EBADMSG},
		{"memory -1 HBM\n", -EBADMSG},
		{"nonsense\n", -EBADMSG},
	};

	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		PIT_CLEANUP(pit_shape_free) struct pit_shape s = {.packages = -7};

		assert_int_equal(pit_shape_parse(vectors[i].text, &s, NULL), vectors[i].rc);
		if (vectors[i].rc)
			assert_int_equal(s.packages, -7);
	}
}

static void keeps_only_what_is_ours(void **state)
{
	char dir[] = "/tmp/pitcrew-cache-XXXXXX", path[256];
	struct pit_buf out = PIT_BUF_INIT;

	uid_t user = geteuid();

	if (!user)
		assert_int_equal(seteuid(65534), 0); /* root has one place, which this test leaves alone */
	assert_non_null(mkdtemp(dir));
	setenv("XDG_RUNTIME_DIR", dir, 1);
	assert_int_equal(pit_runtime_cache_get("x", "key", &out), -ENOENT);
	assert_int_equal(pit_runtime_cache_put("x", "key", "text", 4), 0);
	assert_int_equal(pit_runtime_cache_get("x", "key", &out), 0);
	assert_string_equal(out.data, "text");
	assert_int_equal(pit_runtime_cache_get("x", "other", &out), -ENOENT);
	snprintf(path, sizeof(path), "%s/pitcrew/x", dir);
	chmod(path, 0644);
	assert_int_equal(pit_runtime_cache_get("x", "key", &out), -ENOENT);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(pit_runtime_cache_get("x", "key", &out), -ENOENT);
	unlink(path);
	snprintf(path, sizeof(path), "%s/pitcrew", dir);
	chmod(path, 0755);
	assert_int_equal(pit_runtime_cache_put("x", "key", "text", 4), -ENOENT);
	rmdir(path);
	rmdir(dir);
	pit_buf_free(&out);
	assert_int_equal(seteuid(user), 0);
}

static void prints_json_and_text(void **state)
{
	static const struct tree_file files[] = {
		DEVICE("0000:05:00.0", "0x030200", "0x10de", "-1", "0-7"),
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, files);
	pit_auto_buf struct pit_buf json = PIT_BUF_INIT, text = PIT_BUF_INIT;
	json_t *all, *device, *node;

	assert_int_equal(pit_topo_json(l.t, &json), 0);
	all = json_loads(json.data, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	device = json_array_get(json_object_get(all, "devices"), 0);
	node = json_array_get(json_object_get(all, "nodes"), 1);
	assert_true(json_is_null(json_object_get(device, "node")));
	assert_true(json_is_null(json_object_get(device, "cpus")));
	assert_string_equal(json_string_value(json_object_get(device, "node_source")), "unknown");
	assert_string_equal(json_string_value(json_object_get(device, "vendor")), "10de");
	assert_true(json_is_null(json_object_get(json_object_get(all, "allowed"), "cpus")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(node, "distances"), "0")), 21);
	json_decref(all);
	pit_topo_draw(l.t, &text);
	assert_non_null(strstr(text.data, "8 CPUs (SMT on), 4 cores, 2 packages, 2 NUMA nodes"));
	assert_non_null(strstr(text.data, "node unknown"));
	assert_non_null(strstr(text.data, "allowed  unknown"));
	for (const char *line = text.data; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
}

static void knows_this_machine(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_topo *t = NULL;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(pit_topo_load(root, &t, NULL), 0);
	assert_int_equal(t->cpus.count, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(t->cores >= 1 && t->cores <= t->cpus.count);
	assert_true(t->mem_kb > 0);
	assert_false(pit_idset_is_empty(&t->allowed.cpus));
	pit_topo_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_two_nodes),        cmocka_unit_test(knows_nothing_of_nothing),
		cmocka_unit_test(counts_without_lists),   cmocka_unit_test(puts_no_cpu_into_two_cores),
		cmocka_unit_test(takes_cores_from_hwloc), cmocka_unit_test(reads_unusual_nodes),
		cmocka_unit_test(tells_kinds_of_memory),  cmocka_unit_test(reads_allowed_sets),
		cmocka_unit_test(reports_contradictions), cmocka_unit_test(survives_hostile_trees),
		cmocka_unit_test(parses_shapes),          cmocka_unit_test(keeps_only_what_is_ours),
		cmocka_unit_test(prints_json_and_text),   cmocka_unit_test(knows_this_machine),
	};

	return cmocka_run_group_tests_name("topo", tests, NULL, NULL);
}
