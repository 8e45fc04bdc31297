/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "topo_tree.h"

static void finds_the_node_of_devices(void **state)
{
	static const struct {
		const char *pci;
		enum pit_device_class cls;
		int node;
		enum pit_node_source source;
		const char *cpus;
	} expected[] = {
		{"0000:01:00.0", PIT_DEVICE_GPU, 1, PIT_NODE_FROM_SYSFS, "4-7"},
		{"0000:02:00.0", PIT_DEVICE_GPU, 0, PIT_NODE_FROM_CPUS, "0-3"},
		{"0000:04:00.0", PIT_DEVICE_NIC, 1, PIT_NODE_FROM_BRIDGE, "4-7"},
		{"0000:05:00.0", PIT_DEVICE_GPU, -1, PIT_NODE_FROM_NOTHING, ""},
		{"0000:06:00.0", PIT_DEVICE_NVME, 0, PIT_NODE_FROM_CPUS, "0-1"},
		{"10000:01:00.0", PIT_DEVICE_NVME, 0, PIT_NODE_FROM_SYSFS, "0-3"},
	};
	static const struct tree_file files[] = {
		DEVICE("0000:01:00.0", "0x030200", "0x10de", "1", "4-7"),
		DEVICE("0000:02:00.0", "0x030000", "0x1002", "-1", "0-3"),
		{.path = "/sys/devices/pci0000:00/numa_node", .text = "0\n"},
		{.path = "/sys/devices/pci0000:00/0000:00:03.0/numa_node", .text = "1\n"},
		{.path = "/sys/devices/pci0000:00/0000:00:03.0/0000:04:00.0/class", .text = "0x020000\n"},
		{.path = "/sys/devices/pci0000:00/0000:00:03.0/0000:04:00.0/vendor", .text = "0x15b3\n"},
		{.path = "/sys/devices/pci0000:00/0000:00:03.0/0000:04:00.0/numa_node", .text = "-1\n"},
		{.path = "/sys/devices/pci0000:00/0000:00:03.0/0000:04:00.0/local_cpulist", .text = "0-7\n"},
		{.path = PCI "0000:04:00.0", .text = "-> ../../../devices/pci0000:00/0000:00:03.0/0000:04:00.0"},
		DEVICE("0000:05:00.0", "0x030200", "0x10de", "-1", "0-7"),
		DEVICE("0000:06:00.0", "0x010802", "0x144d", "5", "0-1"),
		DEVICE("10000:01:00.0", "0x010802", "0x144d", "0", "0-3"),
		DEVICE("0000:07:00.0", "0x030000", "0x1a03", "0", "0-3"), /* display of a BMC */
		DEVICE("0000:08:00.0", "0x120000", "0x1b36", "0", "0-3"), /* test device of QEMU */
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, files);

	assert_true(l.t->pci_known);
	assert_int_equal(l.t->devices, PIT_COUNT(expected));
	for (size_t i = 0; i < PIT_COUNT(expected); i++) {
		const struct pit_device *d = &l.t->device[i];

		assert_string_equal(d->pci, expected[i].pci);
		assert_int_equal(d->cls, expected[i].cls);
		assert_int_equal(d->node, expected[i].node);
		assert_int_equal(d->node_source, expected[i].source);
		assert_set(&d->cpus, expected[i].cpus);
	}
	assert_string_equal(l.t->device[0].name, "NVIDIA H100 SXM5 80GB");
	assert_true(says(l.t, "0000:06:00.0 says node 5, which does not exist"));
}

static void asks_nvml_last(void **state)
{
	static const struct tree_file files[] = {
		DEVICE("0000:05:00.0", "0x030200", "0x10de", "-1", "0-7"),
		{.path = "/.pitcrew/fact/nvml",
		 .text = "{\"driver\":\"550.54\",\"gpus\":[{\"pci\":\"0000:05:00.0\",\"name\":\"NVIDIA H100\",\"uuid\":"
			 "\"GPU-1\",\"minor\":3,\"cpus\":\"4-7\"}]}"},
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, files);
	const struct pit_device *d = &l.t->device[0];

	assert_int_equal(d->node, 1);
	assert_int_equal(d->node_source, PIT_NODE_FROM_NVML);
	assert_string_equal(d->name, "NVIDIA H100");
	assert_string_equal(d->uuid, "GPU-1");
	assert_string_equal(d->handle, "nvidia3");
}

#define SWITCH "/sys/devices/pci0000:10/0000:10:01.0/0000:11:00.0/"

static void names_devices_by_class(void **state)
{
	static const struct tree_file files[] = {
		{.path = SWITCH "0000:12:00.0/class", .text = "0x020000\n"},
		{.path = SWITCH "0000:12:00.0/vendor", .text = "0x15b3\n"},
		{.path = SWITCH "0000:12:00.0/device", .text = "0x1021\n"},
		{.path = SWITCH "0000:13:00.0/class", .text = "0x030200\n"},
		{.path = SWITCH "0000:13:00.0/vendor", .text = "0x1002\n"},
		{.path = PCI "0000:12:00.0",
		 .text = "-> ../../../devices/pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:00.0"},
		{.path = PCI "0000:13:00.0",
		 .text = "-> ../../../devices/pci0000:10/0000:10:01.0/0000:11:00.0/0000:13:00.0"},
		{.path = "/sys/class/net/eth5",
		 .text = "-> ../../devices/pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:00.0/net/eth5"},
		{.path = "/sys/class/net/lo", .text = "-> ../../devices/virtual/net/lo"},
		{.path = "/sys/class/infiniband/mlx5_0",
		 .text = "-> ../../devices/pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:00.0/infiniband/mlx5_0"},
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, files);
	const struct pit_device *nic = pit_topo_device_at(l.t, PIT_DEVICE_NIC, "0000:12:00.0");
	const struct pit_device *ib = pit_topo_device_at(l.t, PIT_DEVICE_IB, "0000:12:00.0");
	const struct pit_device *gpu = pit_topo_device_at(l.t, PIT_DEVICE_GPU, "0000:13:00.0");

	assert_int_equal(l.t->devices, 3);
	assert_string_equal(nic->handle, "eth5");
	assert_string_equal(ib->handle, "mlx5_0");
	assert_string_equal(ib->name, "ConnectX-7");
	assert_string_equal(gpu->bridges, "pci0000:10/0000:10:01.0/0000:11:00.0");
	assert_int_equal(pit_topo_shared_bridges(l.t, gpu, ib), 3);
	assert_int_equal(pit_topo_count(l.t, PIT_DEVICE_IB), 1);
}

static void finds_cpus_for_gpu_memory(void **state)
{
	static const struct tree_file files[] = {
		NODE_IN("0", "0-3", "1000000", "10 40 80"),
		NODE_IN("1", "4-7", "1000000", "40 10 120"),
		NODE_IN("2", "", "1000000", "80 120 10"),
		DEVICE("0000:01:00.0", "0x030200", "0x10de", "2", ""),
		{.path = NULL},
	};
	PIT_CLEANUP(unload) struct loaded l = load(two_nodes, files);

	assert_int_equal(l.t->device[0].node, 2);
	assert_true(says(l.t, "on node 2, which has no CPUs; the nearest CPUs are on node 0"));
}

static void knows_pci_addresses(void **state)
{
	assert_true(pit_is_pci_address("0000:65:00.0", 12));
	assert_true(pit_is_pci_address("10000:e1:1f.7", 13));
	assert_false(pit_is_pci_address("0000:65:00", 10));
	assert_false(pit_is_pci_address("pci0000:00", 10));
	assert_false(pit_is_pci_address("0000:65:00.0x", 13));
	assert_false(pit_is_pci_address("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_node_of_devices), cmocka_unit_test(asks_nvml_last),
		cmocka_unit_test(names_devices_by_class),    cmocka_unit_test(finds_cpus_for_gpu_memory),
		cmocka_unit_test(knows_pci_addresses),
	};

	return cmocka_run_group_tests_name("topo_device", tests, NULL, NULL);
}
