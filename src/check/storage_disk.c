/* SPDX-License-Identifier: MIT
 *
 * Block devices: how the kernel queues for them, and what they say of themselves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/storage.h"

#define READAHEAD_KB 4096 /* tuned throughput-performance, hpc-compute, accelerator-performance */

int pit_probe_readahead(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_strv struct pit_strv disks = {0};
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders o = {0};
	int rc = pit_storage_tuned(facts, &disks, out, err);
	uint64_t kb = 0, last = 0;
	char path[160];

	if (rc)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; i < disks.count; i++) {
		snprintf(path, sizeof(path), "/sys/block/%s/queue/read_ahead_kb", disks.item[i]);
		if (pit_root_u64(root, &kb, "%s", path))
			continue;
		last = kb;
		pit_evidence(out, path, "%" PRIu64, kb);
		if (kb >= READAHEAD_KB)
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s: %" PRIu64 " KiB", disks.item[i], kb);
		if (!out->origin)
			pit_origin_of(facts, path, NULL, NULL, out);
		if (o.count == 1)
			pit_command(out, "echo %d > %s", READAHEAD_KB, path);
	}
	if (!out->evidences)
		return pit_skip(out, "no block device below it");
	pit_want(out, "at least %d KiB for big files read in order", READAHEAD_KB);
	return pit_offenders_judge(&o, out, "%" PRIu64 " KiB", last);
}

/* NULL when nothing is wrong with scheduler `name`. */
static const char *scheduler_fault(const char *disk, const char *name, bool rotational)
{
	bool nvme = !strncmp(disk, "nvme", 4), guest = !strncmp(disk, "vd", 2) || !strncmp(disk, "xvd", 3);

	if ((nvme || guest || !rotational) && !strcmp(name, "bfq"))
		return "costs CPU time for each request, and one lock holds all queues";
	if (nvme && !strcmp(name, "kyber"))
		return "holds back requests that the drive could take";
	if (rotational && !nvme && !guest && !strcmp(name, "none"))
		return "does not order requests for a disk that must move its head";
	return NULL;
}

int pit_probe_scheduler(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_strv struct pit_strv disks = {0};
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders o = {0};
	int rc = pit_storage_disks(root, &disks);
	char path[160], line[128], name[64] = "";
	size_t seen = 0;

	if (rc)
		return pit_fail(err, -rc, "/sys/block");
	for (size_t i = 0; i < disks.count; i++) {
		uint64_t rotational = 0;
		const char *fault;

		snprintf(path, sizeof(path), "/sys/block/%s/queue/scheduler", disks.item[i]);
		if (pit_root_str(root, line, sizeof(line), "%s", path))
			continue;
		seen++;
		(void)pit_root_u64(root, &rotational, "/sys/block/%s/queue/rotational", disks.item[i]);
		fault = scheduler_fault(disks.item[i], pit_bracketed(line, name, sizeof(name)), rotational);
		if (!fault)
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s: %s", disks.item[i], name);
		pit_evidence(out, path, "%s: %s", line, fault);
		if (!out->origin)
			pit_origin_of(facts, path, NULL, NULL, out);
		if (o.count == 1)
			pit_command(out, "echo %s > %s", rotational ? "mq-deadline" : "none", path);
	}
	if (!seen)
		return pit_skip(out, "no disk with a scheduler here");
	pit_want(out, "none or mq-deadline on flash, mq-deadline or bfq on disks");
	return pit_offenders_judge(&o, out, "%s%s", name, seen > 1 ? " and others, all fine" : "");
}

/* A queue so short that the drive idles between requests. */
static void judge_queue(struct pit_root *root, const char *disk, struct pit_offenders *o, struct pit_finding *out)
{
	uint64_t requests, depth, rotational = 0;
	char path[160];

	(void)pit_root_u64(root, &rotational, "/sys/block/%s/queue/rotational", disk);
	snprintf(path, sizeof(path), "/sys/block/%s/queue/nr_requests", disk);
	if (!pit_root_u64(root, &requests, "%s", path) && requests < 31) {
		pit_offend(o, PIT_WARN, PIT_RISK, "%s: %" PRIu64 " requests", disk, requests);
		pit_evidence(out, path, "%" PRIu64, requests);
	}
	snprintf(path, sizeof(path), "/sys/block/%s/device/queue_depth", disk);
	if (!strncmp(disk, "sd", 2) && !rotational && !pit_root_u64(root, &depth, "%s", path) && depth < 8) {
		pit_offend(o, PIT_WARN, PIT_RISK, "%s: queue depth %" PRIu64, disk, depth);
		pit_evidence(out, path, "%" PRIu64 " (command queueing is off)", depth);
	}
}

int pit_probe_queue(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	pit_auto_strv struct pit_strv disks = {0};
	struct pit_offenders o = {0};
	int rc = pit_storage_disks(pit_facts_root(facts), &disks);

	if (rc)
		return pit_fail(err, -rc, "/sys/block");
	if (!disks.count)
		return pit_skip(out, "no disk here");
	for (size_t i = 0; i < disks.count; i++)
		judge_queue(pit_facts_root(facts), disks.item[i], &o, out);
	pit_want(out, "at least 31 requests, queue depth at least 8");
	return pit_offenders_judge(&o, out, "%zu disk%s", disks.count, disks.count == 1 ? "" : "s");
}

int pit_probe_rotational(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	struct pit_place place;
	char disk[PIT_DISK_NAME];
	uint64_t rotational;
	int rc = pit_place_data(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (pit_mount_disk(root, place.mount, disk, sizeof(disk)))
		return pit_skip(out, "no block device of this machine below %s", place.path);
	rc = pit_root_u64(root, &rotational, "/sys/block/%s/queue/rotational", disk);
	if (rc)
		return pit_fail(err, -rc, "/sys/block/%s/queue/rotational", disk);
	pit_evidence(out, "/sys/block/*/queue/rotational", "%s: %" PRIu64 " (holds %s)", disk, rotational, place.path);
	pit_want(out, "flash");
	return rotational ? pit_bad(out, "%s is a spinning disk", disk) : pit_pass(out, "%s is flash", disk);
}

/* PCI address of NVMe controller `name`; -ENODEV for one over a network or not on PCI. */
static int nvme_address(struct pit_root *root, const char *name, char *ret, size_t size)
{
	char transport[32] = "pcie";

	(void)pit_root_str(root, transport, sizeof(transport), "/sys/class/nvme/%s/transport", name);
	if (strcmp(transport, "pcie") != 0)
		return -ENODEV;
	return pit_root_str(root, ret, size, "/sys/class/nvme/%s/address", name);
}

static int list_nvme(struct pit_root *root, const struct pit_strv **ret, struct pit_finding *out)
{
	int rc = pit_root_list(root, ret, "/sys/class/nvme");

	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	if (rc || !(*ret)->count) {
		pit_skip(out, "no NVMe drive here");
		return 1;
	}
	return 0;
}

struct link {
	uint64_t width, width_max;
	double speed, speed_max; /* GT/s */
};

static double read_speed(struct pit_root *root, const char *dir, const char *file)
{
	char text[64];
	double speed;

	if (pit_root_str(root, text, sizeof(text), "%s/%s", dir, file))
		return 0;
	text[strcspn(text, " ")] = '\0';
	return pit_parse_double(text, &speed) ? 0 : speed;
}

/* What the drive runs at, and the most that both it and the port above allow. -ENOENT when it does not say. */
static int read_link(struct pit_root *root, const char *pci, struct link *ret)
{
	char dir[128], port[300];
	const char *target;
	uint64_t above;
	struct link l;

	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s", pci);
	if (pit_root_u64(root, &l.width, "%s/current_link_width", dir) ||
	    pit_root_u64(root, &l.width_max, "%s/max_link_width", dir) || !l.width || l.width == 255)
		return -ENOENT;
	l.speed = read_speed(root, dir, "current_link_speed");
	l.speed_max = read_speed(root, dir, "max_link_speed");
	if (!pit_root_link(root, &target, "%s", dir) && strrchr(target, '/')) {
		double speed;

		while (!strncmp(target, "../", 3))
			target += 3;
		snprintf(port, sizeof(port), "/sys/%.*s", (int)(strrchr(target, '/') - target), target);
		if (!pit_root_u64(root, &above, "%s/max_link_width", port) && above && above < l.width_max)
			l.width_max = above;
		speed = read_speed(root, port, "max_link_speed");
		if (speed > 0 && speed < l.speed_max)
			l.speed_max = speed;
	}
	*ret = l;
	return 0;
}

/* Requests in flight on the namespaces of a controller. */
static bool is_busy(struct pit_root *root, const char *controller)
{
	unsigned long long reads, writes;
	char text[64];

	if (pit_root_str(root, text, sizeof(text), "/sys/block/%sn1/inflight", controller))
		return false;
	return sscanf(text, "%llu %llu", &reads, &writes) == 2 && reads + writes;
}

static void judge_link(struct pit_root *root, const char *name, const struct link *l, struct pit_offenders *o,
		       struct pit_finding *out)
{
	bool busy = is_busy(root, name);

	pit_evidence(out, "/sys/bus/pci/devices/*/current_link_*", "%s: x%" PRIu64 " of x%" PRIu64 ", %g of %g GT/s%s",
		     name, l->width, l->width_max, l->speed, l->speed_max, busy ? ", requests in flight" : ", idle");
	if (l->width < l->width_max)
		pit_offend(o, PIT_WARN, busy ? PIT_HURTING : PIT_RISK, "%s: x%" PRIu64 " of x%" PRIu64, name, l->width,
			   l->width_max);
	else if (busy && l->speed > 0 && l->speed < l->speed_max)
		pit_offend(o, PIT_WARN, PIT_HURTING, "%s: %g of %g GT/s under load", name, l->speed, l->speed_max);
}

int pit_probe_nvme_link(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	struct pit_offenders o = {0};
	size_t seen = 0;
	int rc = list_nvme(root, &names, out);

	if (rc)
		return rc < 0 ? pit_fail(err, -rc, "/sys/class/nvme") : 0;
	for (size_t i = 0; i < names->count; i++) {
		struct link l;
		char pci[32];

		if (nvme_address(root, names->item[i], pci, sizeof(pci)) || read_link(root, pci, &l))
			continue;
		judge_link(root, names->item[i], &l, &o, out);
		seen++;
	}
	if (!seen)
		return pit_skip(out, "no drive says how its PCIe link runs");
	pit_want(out, "as wide as drive and slot allow; as fast, under load");
	return pit_offenders_judge(&o, out, "%zu link%s at full width", seen, seen == 1 ? "" : "s");
}

static void judge_health(struct pit_root *root, const char *name, struct pit_offenders *o, struct pit_finding *out)
{
	const struct pit_strv *sensors;
	char state[32], path[160];
	uint64_t alarm = 0;

	snprintf(path, sizeof(path), "/sys/class/nvme/%s/state", name);
	if (pit_root_str(root, state, sizeof(state), "%s", path))
		return;
	if (strcmp(state, "live") != 0) {
		pit_offend(o, PIT_FAIL, PIT_HURTING, "%s is %s", name, state);
		if (o->count == 1)
			pit_command(out, "nvme smart-log /dev/%s", name);
		pit_evidence(out, path, "%s", state);
		return;
	}
	/* Linux 5.5 hangs the sensor on the PCI device, later ones on the controller. */
	if (pit_root_list(root, &sensors, "/sys/class/nvme/%s/device/hwmon", name) &&
	    pit_root_list(root, &sensors, "/sys/class/nvme/%s", name))
		return;
	for (size_t i = 0; i < sensors->count; i++) {
		if (strncmp(sensors->item[i], "hwmon", 5) != 0 || !strcmp(sensors->item[i], "hwmon"))
			continue;
		snprintf(path, sizeof(path), "/sys/class/hwmon/%.32s/temp1_alarm", sensors->item[i]);
		if (pit_root_u64(root, &alarm, "%s", path) || !alarm)
			continue;
		pit_offend(o, PIT_FAIL, PIT_HURTING, "%s reports a temperature alarm", name);
		if (o->count == 1)
			pit_command(out, "nvme smart-log /dev/%s", name);
		pit_evidence(out, path, "1: critical warning of the drive's SMART log");
	}
}

int pit_probe_nvme_health(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	const struct pit_strv *names;
	struct pit_offenders o = {0};
	int rc = list_nvme(pit_facts_root(facts), &names, out);

	if (rc)
		return rc < 0 ? pit_fail(err, -rc, "/sys/class/nvme") : 0;
	for (size_t i = 0; i < names->count; i++)
		judge_health(pit_facts_root(facts), names->item[i], &o, out);
	pit_want(out, "live, no alarm");
	return pit_offenders_judge(&o, out, "%zu drive%s live", names->count, names->count == 1 ? "" : "s");
}

int pit_probe_io_timeout(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	char vendor[64] = "";
	uint64_t seconds;
	int rc;

	rc = pit_root_str(root, vendor, sizeof(vendor), "/sys/class/dmi/id/sys_vendor");
	if (rc || strncmp(vendor, "Amazon", 6) != 0)
		return pit_skip(out, "not a machine of Amazon EC2");
	rc = pit_root_u64(root, &seconds, "/sys/module/nvme_core/parameters/io_timeout");
	if (rc)
		return pit_fail(err, -rc, "/sys/module/nvme_core/parameters/io_timeout");
	pit_evidence(out, "/sys/module/nvme_core/parameters/io_timeout", "%" PRIu64, seconds);
	pit_want(out, "4294967295 s (volumes come over a network)");
	if (seconds < 240)
		return pit_bad(out, "%" PRIu64 " s", seconds);
	return pit_pass(out, "%" PRIu64 " s", seconds);
}

/* The kernel sends no flush when it believes "write through", so a drive's own write cache is lost with the power. */
static void judge_cache(struct pit_root *root, const char *disk, struct pit_offenders *o, struct pit_finding *out,
			size_t *seen)
{
	const struct pit_strv *targets;
	char kernel[32], drive[64], path[200];

	if (pit_root_str(root, kernel, sizeof(kernel), "/sys/block/%s/queue/write_cache", disk) ||
	    pit_root_list(root, &targets, "/sys/block/%s/device/scsi_disk", disk) || !targets->count)
		return;
	snprintf(path, sizeof(path), "/sys/block/%s/device/scsi_disk/%s/cache_type", disk, targets->item[0]);
	if (pit_root_str(root, drive, sizeof(drive), "%s", path))
		return;
	(*seen)++;
	if (strcmp(kernel, "write through") != 0 || strncmp(drive, "write back", 10) != 0)
		return;
	pit_offend(o, PIT_WARN, PIT_RISK, "%s: cache on, flushes off", disk);
	pit_evidence(out, path, "%s, but /sys/block/%s/queue/write_cache says %s", drive, disk, kernel);
	pit_command(out, "echo 'write back' > /sys/block/%s/queue/write_cache", disk);
}

int pit_probe_write_cache(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_strv struct pit_strv disks = {0};
	struct pit_offenders o = {0};
	size_t seen = 0;
	int rc = pit_storage_disks(pit_facts_root(facts), &disks);

	if (rc)
		return pit_fail(err, -rc, "/sys/block");
	for (size_t i = 0; i < disks.count; i++)
		judge_cache(pit_facts_root(facts), disks.item[i], &o, out, &seen);
	if (!seen)
		return pit_skip(out, "no SCSI or SATA disk that says how it caches");
	pit_want(out, "flushes sent to every drive with a write cache");
	return pit_offenders_judge(&o, out, "%zu disk%s", seen, seen == 1 ? "" : "s");
}
