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

#define STAT(pid, comm)                                                                                                \
	{                                                                                                              \
		.path = "/proc/" pid "/stat",                                                                          \
		.text = pid " (" comm ") S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 1 1 1\n"                            \
	}
#define IRQ(n, cpus, action_)                                                                                          \
	{.path = "/proc/irq/" n "/smp_affinity_list", .text = cpus "\n"},                                              \
	{                                                                                                              \
		.path = "/sys/kernel/irq/" n "/actions", .text = action_ "\n"                                          \
	}
#define VECTOR(address, n)                                                                                             \
	{                                                                                                              \
		.path = PCI address "/msi_irqs/" n, .text = "msix\n"                                                   \
	}

#define NIC "0000:41:00.0"
#define NVME "0000:42:00.0"
#define GPU "0000:01:00.0"

/* Two nodes (CPUs 0-3 and 4-7); the NIC and the NVMe are on node 1, the GPU is on node 0. */
static const struct tree_file devices[] = {
	STAT("1", "systemd"),
	DEVICE(NIC, "0x020000", "0x15b3", "1", "4-7"),
	{.path = "/sys/class/net/eth0/device", .text = "-> ../../../bus/pci/devices/" NIC},
	VECTOR(NIC, "40"),
	VECTOR(NIC, "41"),
	VECTOR(NIC, "42"),
	IRQ("40", "0-7", "mlx5_async0@pci:0000:41:00.0"),
	IRQ("41", "5", "mlx5_comp0@pci:0000:41:00.0"),
	IRQ("42", "0-7", ""),
	DEVICE(NVME, "0x010802", "0x144d", "1", "4-7"),
	VECTOR(NVME, "50"),
	VECTOR(NVME, "51"),
	VECTOR(NVME, "52"),
	IRQ("50", "0", "nvme0q0"),
	IRQ("51", "0-3", "nvme0q1"),
	IRQ("52", "4-7", "nvme0q12"),
	DEVICE(GPU, "0x030200", "0x10de", "0", "0-3"),
	{.path = PCI GPU "/irq", .text = "60\n"},
	IRQ("60", "4-7", "nvidia"),
	{.path = NULL},
};

struct asked {
	struct tree tree;
	struct pit_scene *scene;
	struct pit_wishes wishes;
	struct pit_error err;
	int rc;
};

static struct asked ask(const struct tree_file *more, const char *which, const char *value, bool persist)
{
	struct tree_file all[160] = {{.path = NULL}};
	struct asked a = {.wishes = {.persist = persist, .txn = 3}, .err = PIT_ERROR_INIT};
	struct pit_setting s = {.which = (char *)which, .value = (char *)value};
	size_t n = 0;

	for (const struct tree_file *f = two_nodes; f->path; f++)
		all[n++] = *f;
	for (const struct tree_file *f = devices; f->path; f++)
		all[n++] = *f;
	for (const struct tree_file *f = more; f && f->path; f++)
		all[n++] = *f;
	a.tree = tree_open(all);
	assert_int_equal(pit_scene_new(a.tree.root, &a.scene, NULL), 0);
	a.rc = pit_resolve_irq(&s, a.scene, &a.wishes, &a.err);
	return a;
}

static void done(struct asked *a)
{
	pit_wishes_free(&a->wishes);
	pit_scene_free(a->scene);
	tree_close(&a->tree);
}

static const struct pit_wish *wish_of(const struct asked *a, int irq)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/irq/%d/smp_affinity_list", irq);
	for (size_t i = 0; i < a->wishes.wishes; i++)
		if (!strcmp(a->wishes.wish[i].cell.object, path))
			return &a->wishes.wish[i];
	return NULL;
}

static void assert_cpus(const struct asked *a, int irq, const char *cpus)
{
	const struct pit_wish *w = wish_of(a, irq);

	assert_non_null(w);
	assert_null(w->refuse);
	assert_string_equal(w->value, cpus);
	assert_int_equal(w->cell.kind, PIT_VALUE_CPUS);
}

static void assert_refused(const struct asked *a, int irq, const char *part)
{
	const struct pit_wish *w = wish_of(a, irq);

	assert_non_null(w);
	assert_null(w->value);
	assert_non_null(strstr(w->refuse, part));
}

static void interrupts_go_to_the_node_of_their_device(void **state)
{
	struct asked a = ask(NULL, NULL, "local", false);

	assert_int_equal(a.rc, 0);
	assert_cpus(&a, 40, "4-7");
	assert_cpus(&a, 41, "5");     /* a queue with a CPU of its own keeps it */
	assert_null(wish_of(&a, 42)); /* nobody handles it */
	assert_cpus(&a, 50, "4-7");
	assert_cpus(&a, 60, "0-3");
	assert_int_equal(a.wishes.fragments, 0);
	done(&a);
}

static void what_the_kernel_places_is_left_out(void **state)
{
	struct asked a = ask(NULL, NULL, "local", false);

	assert_null(wish_of(&a, 51));
	assert_refused(&a, 52, "2 interrupts of 0000:42:00.0 are placed by the kernel");
	done(&a);
}

static void the_kernel_may_say_what_it_places(void **state)
{
	static const struct tree_file more[] = {
		{.path = "/sys/kernel/debug/irq/irqs/41", .text = "handler: x\ndstate: 0x1\n IRQD_AFFINITY_MANAGED\n"},
		{.path = "/sys/kernel/debug/irq/irqs/51", .text = "handler: x\ndstate: 0x1\n IRQD_AFFINITY_SET\n"},
		{.path = NULL},
	};
	struct asked a = ask(more, NULL, "local", false);

	assert_refused(&a, 41, "1 interrupt of eth0 is placed by the kernel");
	assert_cpus(&a, 51, "4-7");
	done(&a);
}

static void which_chooses_devices(void **state)
{
	static const char *const nics[] = {"eth0", "eth*", "nic", "0000:41:*"};

	for (size_t i = 0; i < PIT_COUNT(nics); i++) {
		struct asked a = ask(NULL, nics[i], "local", false);

		assert_int_equal(a.rc, 0);
		assert_int_equal(a.wishes.wishes, 2);
		assert_cpus(&a, 40, "4-7");
		done(&a);
	}
	{
		struct asked a = ask(NULL, "mlx5_*", "local", false);

		assert_int_equal(a.rc, 0);
		assert_int_equal(a.wishes.wishes, 0);
		assert_non_null(strstr(a.wishes.absent, "mlx5_*"));
		done(&a);
	}
}

static void queues_crowded_on_one_cpu_are_spread(void **state)
{
	static const struct tree_file more[] = {IRQ("40", "5", "a"), IRQ("41", "5", "b"), {.path = NULL}};
	struct asked a = ask(more, "eth0", "local", false);

	assert_cpus(&a, 40, "4-7");
	assert_cpus(&a, 41, "4-7");
	done(&a);
}

static void isolated_cpus_are_left_alone(void **state)
{
	static const struct tree_file some[] = {
		{.path = CPU "/isolated", .text = "5\n"}, {.path = CPU "/nohz_full", .text = "6\n"}, {.path = NULL}};
	static const struct tree_file node[] = {{.path = CPU "/isolated", .text = "4-7\n"},
						{.path = CPU "/nohz_full", .text = "(null)\n"},
						{.path = NULL}};
	static const struct tree_file all[] = {{.path = CPU "/isolated", .text = "0-7\n"}, {.path = NULL}};
	struct asked a = ask(some, NULL, "local", false);

	assert_cpus(&a, 40, "4,7");
	assert_cpus(&a, 41, "4,7"); /* it was on an isolated one */
	done(&a);
	a = ask(node, NULL, "local", false);
	assert_cpus(&a, 40, "0-3"); /* the nearest that has ordinary CPUs */
	done(&a);
	a = ask(all, NULL, "local", false);
	assert_refused(&a, 40, "no CPU is left");
	done(&a);
}

static void a_device_of_no_node_may_use_all(void **state)
{
	static const struct tree_file more[] = {DEVICE(NIC, "0x020000", "0x15b3", "-1", ""), {.path = NULL}};
	struct asked a = ask(more, "eth0", "local", false);

	assert_cpus(&a, 40, "0-7");
	assert_cpus(&a, 41, "5");
	done(&a);
}

#define BALANCER                                                                                                       \
	STAT("900", "irqbalance"), {.path = "/run/systemd/system/x", .text = ""},                                      \
	{                                                                                                              \
		.path = "/usr/lib/systemd/system/irqbalance.service",                                                  \
		.text = "[Service]\nExecStart=/usr/sbin/irqbalance --foreground $OPTIONS\n"                            \
	}

static void irqbalance_is_not_fought(void **state)
{
	static const struct tree_file more[] = {BALANCER, {.path = NULL}};
	struct asked a = ask(more, NULL, "local", false);

	assert_int_equal(a.rc, 0);
	assert_refused(&a, 40, "irqbalance runs and would move it again");
	assert_refused(&a, 60, "--persist");
	assert_cpus(&a, 41, "5"); /* in place: nothing to do */
	assert_refused(&a, 52, "placed by the kernel");
	assert_int_equal(a.wishes.fragments, 0);
	done(&a);
}

static void irqbalance_is_told_through_its_ban_list(void **state)
{
	static const struct tree_file more[] = {BALANCER, {.path = NULL}};
	struct asked a = ask(more, "eth0", "local", true);

	assert_int_equal(a.rc, 0);
	assert_cpus(&a, 40, "4-7");
	assert_int_equal(a.wishes.fragments, 1);
	assert_string_equal(a.wishes.fragment[0].path,
			    "/etc/systemd/system/irqbalance.service.d/99-zz-pitcrew-0003.conf");
	assert_string_equal(a.wishes.fragment[0].section, "Service");
	assert_string_equal(a.wishes.fragment[0].line,
			    "ExecStart=\nExecStart=/bin/sh -c 'for d in 0000:41:00.0; do for i in "
			    "/sys/bus/pci/devices/$$d/msi_irqs/*; do [ -e $$i ] && b=\"$$b --banirq=$${i##*/}\"; done; "
			    "done; exec /usr/sbin/irqbalance --foreground $$OPTIONS $$b'");
	done(&a);
}

static void irqbalance_that_was_told_is_left_alone(void **state)
{
	static const struct tree_file more[] = {
		BALANCER,
		{.path = "/etc/systemd/system/irqbalance.service.d/99-zz-pitcrew-0001.conf",
		 .text = "[Service]\nExecStart=\nExecStart=/bin/sh -c 'for d in 0000:41:00.0; do b=--banirq=; done'\n"},
		{.path = NULL},
	};
	struct asked a = ask(more, "eth0", "local", false);

	assert_cpus(&a, 40, "4-7");
	assert_int_equal(a.wishes.fragments, 0);
	done(&a);
	a = ask(more, "gpu", "local", false); /* that device was not */
	assert_refused(&a, 60, "irqbalance");
	done(&a);
}

static void a_strange_command_of_irqbalance_is_not_rewritten(void **state)
{
	static const struct tree_file more[] = {
		BALANCER,
		{.path = "/etc/systemd/system/irqbalance.service",
		 .text = "[Service]\nExecStart=-/opt/irqbalance \"--policyscript=/x y\"\n"},
		{.path = NULL},
	};
	struct asked a = ask(more, NULL, "local", true);

	assert_int_equal(a.rc, -EOPNOTSUPP);
	assert_non_null(strstr(a.err.text, "irqbalance.service"));
	done(&a);
}

static void hidden_processes_are_unknown(void **state)
{
	static const struct tree_file more[] = {
		STAT("77", "bash"), {.path = "/proc/1/stat", .text = ""}, {.path = NULL}};
	struct asked a = ask(more, NULL, "local", false);

	assert_int_equal(a.rc, -EACCES);
	done(&a);
}

static void other_values_are_refused(void **state)
{
	struct asked a = ask(NULL, NULL, "everywhere", false);

	assert_int_equal(a.rc, -EINVAL);
	assert_non_null(strstr(a.err.text, "'local'"));
	done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupts_go_to_the_node_of_their_device),
		cmocka_unit_test(what_the_kernel_places_is_left_out),
		cmocka_unit_test(the_kernel_may_say_what_it_places),
		cmocka_unit_test(which_chooses_devices),
		cmocka_unit_test(queues_crowded_on_one_cpu_are_spread),
		cmocka_unit_test(isolated_cpus_are_left_alone),
		cmocka_unit_test(a_device_of_no_node_may_use_all),
		cmocka_unit_test(irqbalance_is_not_fought),
		cmocka_unit_test(irqbalance_is_told_through_its_ban_list),
		cmocka_unit_test(irqbalance_that_was_told_is_left_alone),
		cmocka_unit_test(a_strange_command_of_irqbalance_is_not_rewritten),
		cmocka_unit_test(hidden_processes_are_unknown),
		cmocka_unit_test(other_values_are_refused),
	};

	return cmocka_run_group_tests_name("tune_irq", tests, NULL, NULL);
}
