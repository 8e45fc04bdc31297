/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/platform.h"
#include "../tempdir.h"

struct vector {
	const char *what;
	const char *files; /* "PATH=TEXT" parted by "|"; \n stands for itself */
	enum pit_virt virt;
	const char *hypervisor, *container, *arch, *kernel;
};

#define X86 "/proc/cpuinfo=processor\t: 0\nflags\t\t: fpu lm sse2\n"
#define X86_GUEST "/proc/cpuinfo=processor\t: 0\nflags\t\t: fpu lm hypervisor\n"

static const struct vector vectors[] = {
	{.what = "nothing", .files = "/etc/hostname=x", .virt = PIT_VIRT_UNKNOWN},
	{.what = "bare metal", .files = X86, .virt = PIT_VIRT_NONE, .arch = "x86_64"},
	{.what = "guest by flag alone", .files = X86_GUEST, .virt = PIT_VIRT_VM, .arch = "x86_64"},
	{.what = "guest of KVM by its clock",
	 .files = X86_GUEST "|/sys/devices/system/clocksource/clocksource0/available_clocksource=tsc kvm-clock",
	 .virt = PIT_VIRT_VM,
	 .hypervisor = "kvm",
	 .arch = "x86_64"},
	{.what = "VMware",
	 .files = "/sys/class/dmi/id/sys_vendor=VMware, Inc.",
	 .virt = PIT_VIRT_VM,
	 .hypervisor = "vmware"},
	{.what = "bare metal in a cloud",
	 .files = X86 "|/sys/class/dmi/id/sys_vendor=Amazon EC2|/sys/class/dmi/id/product_name=p5.metal",
	 .virt = PIT_VIRT_NONE,
	 .arch = "x86_64"},
	{.what = "Microsoft as a vendor is no guest",
	 .files = X86 "|/sys/class/dmi/id/sys_vendor=Microsoft Corporation|/sys/class/dmi/id/product_name=C2110",
	 .virt = PIT_VIRT_NONE,
	 .arch = "x86_64"},
	{.what = "Hyper-V",
	 .files = X86_GUEST "|/sys/class/dmi/id/product_name=Virtual Machine",
	 .virt = PIT_VIRT_VM,
	 .hypervisor = "hyperv",
	 .arch = "x86_64"},
	{.what = "first domain of Xen",
	 .files = "/sys/hypervisor/type=xen|/proc/xen/capabilities=control_d",
	 .virt = PIT_VIRT_NONE,
	 .hypervisor = "xen"},
	{.what = "WSL",
	 .files = X86_GUEST "|/proc/version=Linux version 5.15.153.1-microsoft-standard-WSL2 (root@x) #1 SMP",
	 .virt = PIT_VIRT_WSL,
	 .hypervisor = "hyperv",
	 .arch = "x86_64",
	 .kernel = "5.15.153.1-microsoft-standard-WSL2"},
	{.what = "Arm server",
	 .files = "/sys/class/dmi/id/sys_vendor=NVIDIA|/proc/cpuinfo=CPU architecture: 8\n",
	 .virt = PIT_VIRT_NONE,
	 .arch = "aarch64"},
	{.what = "Arm guest by device tree",
	 .files = "/proc/device-tree/compatible=linux,dummy-virt",
	 .virt = PIT_VIRT_VM},
	{.what = "pod", .files = "/proc/self/cgroup=0::/kubepods.slice/x", .container = "kubernetes"},
	{.what = "docker on v1", .files = "/proc/self/cgroup=4:memory:/docker/0123\n", .container = "docker"},
	{.what = "systemd service of docker", .files = "/proc/self/cgroup=0::/system.slice/docker.service"},
	{.what = "podman", .files = "/run/.containerenv=", .container = "podman"},
	{.what = "mark of docker", .files = "/.dockerenv=", .container = "docker"},
	{.what = "machine made from an image of docker",
	 .files = "/.dockerenv=|/proc/2/comm=kthreadd|/proc/self/mountinfo=1 0 8:1 / / rw - ext4 /dev/vda rw\n"},
	{.what = "privileged container with all processes",
	 .files = "/.dockerenv=|/proc/2/comm=kthreadd|/proc/self/mountinfo=1 0 0:9 / / rw - overlay overlay rw\n",
	 .container = "docker"},
	{.what = "enroot",
	 .files = "/proc/self/mountinfo=1 0 8:1 /var/lib/enroot/data/u/c / rw - ext4 /dev/sda1 rw\n",
	 .container = "enroot"},
	{.what = "apptainer", .files = "/.singularity.d/env=", .container = "apptainer"},
	{.what = "kernel with a short text", .files = "/proc/version=Linux", .kernel = ""},
};

static void add_files(const char *dir, const char *files)
{
	char text[1024], *save = NULL;

	snprintf(text, sizeof(text), "%s", files);
	for (char *file = strtok_r(text, "|", &save); file; file = strtok_r(NULL, "|", &save)) {
		char *value = strchr(file, '=');

		*value = '\0';
		tempdir_file(dir, file, value + 1);
	}
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void recognises(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];
		pit_auto_root struct pit_root *root = NULL;
		struct pit_platform p;
		char dir[64];

		tempdir_new(dir, sizeof(dir));
		add_files(dir, v->files);
		assert_int_equal(pit_root_open(dir, &root, NULL), 0);
		assert_int_equal(pit_platform_load(root, &p), 0);
		tempdir_remove(dir);
		if (p.virt != v->virt || strcmp(p.hypervisor, or_empty(v->hypervisor)) ||
		    strcmp(p.container, or_empty(v->container)) || strcmp(p.arch, or_empty(v->arch)) ||
		    strcmp(p.kernel, or_empty(v->kernel)))
			fail_msg("%s: virt %d '%s', container '%s', arch '%s', kernel '%s'", v->what, p.virt,
				 p.hypervisor, p.container, p.arch, p.kernel);
		assert_false(p.root);
	}
}

static void reads_the_rest(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_platform p;
	char dir[64];

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/.pitcrew/fact/uname", "release: 6.8.0-64k\nmachine: aarch64\n");
	tempdir_file(dir, "/.pitcrew/fact/page-size", "65536\n");
	tempdir_file(dir, "/.pitcrew/fact/uid", "0\n");
	tempdir_file(dir, "/etc/os-release", "NAME=x\nPRETTY_NAME=\"Ubuntu 24.04 LTS\"\n");
	tempdir_file(dir, "/proc/sys/kernel/hostname", "gpu-7\n");
	assert_int_equal(pit_root_open(dir, &root, NULL), 0);
	assert_int_equal(pit_platform_load(root, &p), 0);
	tempdir_remove(dir);
	assert_string_equal(p.kernel, "6.8.0-64k");
	assert_string_equal(p.arch, "aarch64");
	assert_int_equal(p.kernel_major, 6);
	assert_int_equal(p.kernel_minor, 8);
	assert_int_equal(p.page_size, 65536);
	assert_true(p.root);
	assert_string_equal(p.distro, "Ubuntu 24.04 LTS");
	assert_string_equal(p.hostname, "gpu-7");
	assert_string_equal(p.boot_id, "");
}

static void knows_this_machine(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_platform p;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(pit_platform_load(root, &p), 0);
	assert_int_equal(p.page_size, sysconf(_SC_PAGESIZE));
	assert_int_equal(p.root, geteuid() == 0);
	assert_true(p.kernel_major >= 4);
	assert_true(*p.arch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recognises),
		cmocka_unit_test(reads_the_rest),
		cmocka_unit_test(knows_this_machine),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
