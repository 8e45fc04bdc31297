/* SPDX-License-Identifier: MIT */
#include "host/platform.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/parse.h"
#include "host/mounts.h"
#include "host/procfs.h"

static int make_uname(const char *name, void *arg, struct pit_buf *out)
{
	struct utsname u;

	if (uname(&u))
		return -errno;
	pit_buf_printf(out, "release: %s\nmachine: %s\n", u.release, u.machine);
	return 0;
}

static int make_uid(const char *name, void *arg, struct pit_buf *out)
{
	pit_buf_printf(out, "%u\n", geteuid());
	return 0;
}

static int make_page_size(const char *name, void *arg, struct pit_buf *out)
{
	pit_buf_printf(out, "%ld\n", sysconf(_SC_PAGESIZE));
	return 0;
}

/* What the environment says of a container; no other variable is looked at. */
static int make_container_env(const char *name, void *arg, struct pit_buf *out)
{
	const char *manager = getenv("container");

	if (getenv("KUBERNETES_SERVICE_HOST"))
		pit_buf_puts(out, "kubernetes\n");
	else if (getenv("APPTAINER_CONTAINER") || getenv("SINGULARITY_CONTAINER"))
		pit_buf_puts(out, "apptainer\n");
	else if (manager)
		pit_buf_printf(out, "%.30s\n", manager);
	return 0;
}

struct word {
	const char *text;
	const char *means;
};

/* The meaning of the first word that occurs in `text`; NULL none. */
static const char *look_up(const struct word *words, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcasestr(text, words[i].text))
			return words[i].means;
	return NULL;
}
#define LOOK_UP(words, text) look_up(words, PIT_COUNT(words), text)

static void set_hypervisor(struct pit_platform *p, const char *name)
{
	p->virt = PIT_VIRT_VM;
	snprintf(p->hypervisor, sizeof(p->hypervisor), "%s", name);
}

/* Firmware names that only virtual machines have. A cloud's own name is not among them: its bare-metal hosts bear it
 * too. */
static bool virt_from_dmi(struct pit_root *root, struct pit_platform *p, bool *ret_seen)
{
	static const char *const files[] = {"product_name", "sys_vendor", "board_vendor", "bios_vendor"};
	static const struct word words[] = {
		{.text = "KVM", .means = "kvm"},
		{.text = "OpenStack", .means = "kvm"},
		{.text = "QEMU", .means = "qemu"},
		{.text = "Bochs", .means = "qemu"},
		{.text = "VMware", .means = "vmware"},
		{.text = "VMW", .means = "vmware"},
		{.text = "VirtualBox", .means = "virtualbox"},
		{.text = "innotek GmbH", .means = "virtualbox"},
		{.text = "Xen", .means = "xen"},
		{.text = "Parallels", .means = "parallels"},
		{.text = "BHYVE", .means = "bhyve"},
		{.text = "Apple Virtualization", .means = "apple"},
		{.text = "Virtual Machine", .means = "hyperv"},
		{.text = "Google Compute Engine", .means = "kvm"},
		{.text = "Alibaba Cloud ECS", .means = "kvm"},
	};
	char text[128];

	for (size_t i = 0; i < PIT_COUNT(files); i++) {
		const char *name;

		if (pit_root_str(root, text, sizeof(text), "/sys/class/dmi/id/%s", files[i]))
			continue;
		*ret_seen = true;
		name = LOOK_UP(words, text);
		if (name)
			set_hypervisor(p, name);
		if (name)
			return true;
	}
	return false;
}

/* The words behind "flags" of the first CPU; 1 a guest, 0 not one, -1 this CPU has no such list. */
static int guest_flag(const char *cpuinfo)
{
	const char *flags = !strncmp(cpuinfo, "flags", 5) ? cpuinfo : strstr(cpuinfo, "\nflags");
	const char *end, *hit;

	if (!flags)
		return -1;
	end = strchrnul(flags + 1, '\n');
	hit = strstr(flags, " hypervisor");
	return hit && hit < end;
}

static bool virt_from_xen(struct pit_root *root, struct pit_platform *p)
{
	char text[64];

	if (pit_root_str(root, text, sizeof(text), "/sys/hypervisor/type") || !*text)
		return false;
	set_hypervisor(p, text);
	if (!pit_root_str(root, text, sizeof(text), "/proc/xen/capabilities") && strstr(text, "control_d"))
		p->virt = PIT_VIRT_NONE; /* the first domain owns the hardware */
	return true;
}

static const char *hypervisor_of_clock(struct pit_root *root)
{
	static const struct word words[] = {
		{.text = "kvm-clock", .means = "kvm"},
		{.text = "hyperv", .means = "hyperv"},
		{.text = "xen", .means = "xen"},
	};
	char text[128];
	const char *name = NULL;

	if (!pit_root_str(root, text, sizeof(text),
			  "/sys/devices/system/clocksource/clocksource0/available_clocksource"))
		name = LOOK_UP(words, text);
	return name ? name : "";
}

/* Machines without firmware tables describe themselves by a device tree. */
static void virt_from_device_tree(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text compatible;
	char text[64];

	if (!pit_root_str(root, text, sizeof(text), "/proc/device-tree/hypervisor/compatible"))
		set_hypervisor(p, strstr(text, "kvm") ? "kvm" : strstr(text, "xen") ? "xen" : "");
	else if (!pit_root_read(root, &compatible, "/proc/device-tree/compatible")) {
		p->virt = PIT_VIRT_NONE;
		if (memmem(compatible.data, compatible.len, "dummy-virt", 10))
			set_hypervisor(p, "");
	}
}

static void load_virt(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text text;
	bool dmi = false;
	int flag = -1;

	if (strcasestr(p->kernel, "microsoft")) {
		p->virt = PIT_VIRT_WSL;
		snprintf(p->hypervisor, sizeof(p->hypervisor), "hyperv");
		return;
	}
	if (virt_from_xen(root, p) || virt_from_dmi(root, p, &dmi))
		return;
	if (!pit_root_read(root, &text, "/proc/cpuinfo"))
		flag = guest_flag(text.data);
	if (flag == 1)
		set_hypervisor(p, hypervisor_of_clock(root));
	else if (flag == 0 || dmi)
		p->virt = PIT_VIRT_NONE;
	else
		virt_from_device_tree(root, p);
}

static void set_container(struct pit_platform *p, const char *name)
{
	if (!*p->container)
		snprintf(p->container, sizeof(p->container), "%s", name);
}

static void container_from_cgroup(struct pit_root *root, struct pit_platform *p)
{
	static const struct word words[] = {
		{.text = "kubepods", .means = "kubernetes"},
		{.text = "/docker/", .means = "docker"},
		{.text = "/docker-", .means = "docker"},
		{.text = "libpod-", .means = "podman"},
		{.text = "/lxc/", .means = "lxc"},
		{.text = "/lxc.payload", .means = "lxc"},
		{.text = "/ecs/", .means = "docker"},
		{.text = "/machine.slice/machine-", .means = "systemd-nspawn"},
	};
	struct pit_text text;
	const char *name;

	if (pit_root_read(root, &text, "/proc/self/cgroup"))
		return;
	name = LOOK_UP(words, text.data);
	if (name)
		set_container(p, name);
}

/* "container=NAME" of the first process. Its environment may hold secrets: no other part of it is kept. */
static int make_container_init(const char *name, void *arg, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = pit_root_read_secret(arg, "/proc/1/environ", &text);

	if (rc)
		return rc;
	for (size_t i = 0; i < text.len; i += strlen(text.data + i) + 1)
		if (!strncmp(text.data + i, "container=", 10))
			pit_buf_printf(out, "%.30s\n", text.data + i + 10);
	return 0;
}

static void container_from_init(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text text;
	char name[32];

	if (!pit_root_str(root, name, sizeof(name), "/run/systemd/container") && *name)
		set_container(p, name);
	if (!pit_root_fact(root, "container-init", make_container_init, root, &text) && text.len)
		set_container(p, pit_first_line(text.data, name, sizeof(name)));
}

/* Images for virtual machines are made from container images and keep the mark. A machine sees its kernel's threads
 * and has the root of a disk as its own. */
static bool is_own_machine(struct pit_root *root, const struct pit_mount *slash)
{
	char comm[32];

	if (pit_root_str(root, comm, sizeof(comm), "/proc/2/comm") || strcmp(comm, "kthreadd") != 0)
		return false;
	return slash && !strncmp(slash->source, "/dev/", 5) && !strcmp(slash->root, "/");
}

static void container_from_marks(struct pit_root *root, const struct pit_mount *slash, struct pit_platform *p)
{
	static const struct word marks[] = {
		{.text = "/.singularity.d", .means = "apptainer"},
		{.text = "/.enroot", .means = "enroot"},
		{.text = "/run/.containerenv", .means = "podman"},
	};

	for (size_t i = 0; i < PIT_COUNT(marks); i++)
		if (!pit_root_exists(root, "%s", marks[i].text))
			set_container(p, marks[i].means);
	if (!pit_root_exists(root, "/.dockerenv") && !is_own_machine(root, slash))
		set_container(p, "docker");
	/* enroot unpacks images under a directory of its own and makes one of them the root. */
	if (slash && strstr(slash->root, "/enroot/"))
		set_container(p, "enroot");
}

static void load_container(struct pit_root *root, struct pit_platform *p)
{
	PIT_CLEANUP(pit_mounts_free) struct pit_mounts mounts = {0};
	const struct pit_mount *slash = NULL;
	struct pit_text env;
	char name[32];

	if (!pit_mounts_load(root, &mounts, NULL))
		slash = pit_mounts_find(&mounts, "/");
	if (!pit_root_fact(root, "container-env", make_container_env, NULL, &env) && env.len)
		set_container(p, pit_first_line(env.data, name, sizeof(name)));
	container_from_cgroup(root, p);
	container_from_marks(root, slash, p);
	container_from_init(root, p);
	if (!strcmp(p->container, "wsl"))
		*p->container = '\0';
}

static void load_arch(struct pit_root *root, struct pit_platform *p)
{
	static const struct word words[] = {
		{.text = "x86_64", .means = "x86_64"},
		{.text = "amd64", .means = "x86_64"},
		{.text = "aarch64", .means = "aarch64"},
		{.text = "arm64", .means = "aarch64"},
	};
	const char *arch = LOOK_UP(words, p->kernel);
	struct pit_text text;

	if (!arch && !pit_root_read(root, &text, "/proc/cpuinfo")) {
		if (strstr(text.data, "CPU architecture: 8"))
			arch = "aarch64";
		else if (guest_flag(text.data) >= 0 && strstr(text.data, " lm "))
			arch = "x86_64";
	}
	snprintf(p->arch, sizeof(p->arch), "%s", arch ? arch : "");
}

/* "Linux version 6.1.0-18-amd64 (...)": the third word. */
static void kernel_from_version(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text text;

	if (!pit_root_read(root, &text, "/proc/version") && sscanf(text.data, "Linux version %95s", p->kernel) != 1)
		*p->kernel = '\0';
}

static void load_kernel(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text text;

	if (!pit_root_fact(root, "uname", make_uname, NULL, &text)) {
		pit_kv_str(text.data, "release", p->kernel, sizeof(p->kernel));
		pit_kv_str(text.data, "machine", p->arch, sizeof(p->arch));
	}
	if (!*p->kernel && pit_root_str(root, p->kernel, sizeof(p->kernel), "/proc/sys/kernel/osrelease"))
		kernel_from_version(root, p);
	if (!*p->arch)
		load_arch(root, p);
	if (sscanf(p->kernel, "%d.%d", &p->kernel_major, &p->kernel_minor) != 2)
		p->kernel_major = p->kernel_minor = 0;
}

/* PRETTY_NAME="..." of os-release(5). */
static void load_distro(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text text;
	char name[128], *start = name;

	if (pit_root_read(root, &text, "/etc/os-release") && pit_root_read(root, &text, "/usr/lib/os-release"))
		return;
	if (pit_kv_str(text.data, "PRETTY_NAME", name, sizeof(name)))
		return;
	if (*start == '"' || *start == '\'') {
		start++;
		start[strcspn(start, "\"'")] = '\0';
	}
	snprintf(p->distro, sizeof(p->distro), "%s", start);
}

static void load_numbers(struct pit_root *root, struct pit_platform *p)
{
	struct pit_text text;
	int64_t value;

	if (!pit_root_fact(root, "page-size", make_page_size, NULL, &text) && !pit_parse_i64(text.data, &value) &&
	    value > 0)
		p->page_size = value;
	else if (!strcmp(p->arch, "x86_64"))
		p->page_size = 4096; /* the architecture has no other base page */
	if (!pit_root_fact(root, "uid", make_uid, NULL, &text) && !pit_parse_i64(text.data, &value))
		p->root = value == 0;
}

int pit_platform_load(struct pit_root *root, struct pit_platform *ret)
{
	struct pit_platform p = {.virt = PIT_VIRT_UNKNOWN};

	load_kernel(root, &p);
	load_virt(root, &p);
	load_container(root, &p);
	load_distro(root, &p);
	load_numbers(root, &p);
	if (pit_root_str(root, p.hostname, sizeof(p.hostname), "/proc/sys/kernel/hostname"))
		*p.hostname = '\0';
	if (pit_root_str(root, p.boot_id, sizeof(p.boot_id), "/proc/sys/kernel/random/boot_id"))
		*p.boot_id = '\0';
	*ret = p;
	return 0;
}
