/* SPDX-License-Identifier: MIT
 *
 * File systems that somebody else answers for: NFS, other network file systems, FUSE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/storage.h"

/* What statfs says of a mount whose server or daemon is gone; NULL for what is no sign of that. */
static const char *death(int rc)
{
	switch (-rc) {
	case ETIMEDOUT:
		return "does not answer";
	case ESTALE:
		return "is stale: the server no longer knows it";
	case ENOTCONN:
	case ECONNABORTED:
	case ECONNRESET:
		return "has lost its daemon or server";
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "cannot reach its server";
	case EIO:
	case EREMOTEIO:
		return "answers with I/O errors";
	default:
		return NULL;
	}
}

#define TIMEOUTS_MAX 8 /* time is lost at each: the rest is not asked */

int pit_probe_dead_mounts(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	size_t timeouts = 0, alive = 0;
	int rc = pit_storage_mounts(facts, pit_mount_is_remote, &mounts, err);

	if (rc)
		return rc;
	if (!mounts.count)
		return pit_skip(out, "no network or FUSE mount here");
	for (size_t i = 0; i < mounts.count && timeouts < TIMEOUTS_MAX; i++) {
		const struct pit_mount *m = mounts.item[i];
		struct pit_fsinfo fs;
		const char *says;

		rc = pit_root_statfs(pit_facts_root(facts), &fs, "%s", m->target);
		says = death(rc);
		timeouts += rc == -ETIMEDOUT;
		alive += !rc;
		if (!says)
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s %s", m->target, says);
		pit_evidence(out, m->target, "statfs: %s (%s from %s)", strerror(-rc), m->type, m->source);
	}
	pit_want(out, "every mount answers");
	if (!o.count && !alive)
		return pit_fail(err, rc ? -rc : ENODATA, "statfs of %s", mounts.item[0]->target);
	return pit_offenders_judge(&o, out, "%zu answer%s", alive, alive == 1 ? "s" : "");
}

/* Options of NFS that cost; `use` says for which mounts: 'a' all, 'c' that of --checkpoint. */
static const struct {
	const char *name, *value;
	char use;
	enum pit_impact impact;
	const char *says;
} nfs_faults[] = {
	{.name = "noac",
	 .use = 'a',
	 .impact = PIT_RISK,
	 .says = "every stat asks the server, every write is synchronous"},
	{.name = "sync", .use = 'a', .impact = PIT_RISK, .says = "every write waits for the server's disk"},
	{.name = "lookupcache",
	 .value = "none",
	 .use = 'a',
	 .impact = PIT_RISK,
	 .says = "every open asks the server again"},
	{.name = "actimeo", .value = "0", .use = 'a', .impact = PIT_RISK, .says = "every stat asks the server"},
	{.name = "acregmax", .value = "0", .use = 'a', .impact = PIT_RISK, .says = "every stat asks the server"},
	{.name = "soft", .use = 'c', .impact = PIT_RISK, .says = "a slow server turns into failed or torn writes"},
	{.name = "softerr", .use = 'c', .impact = PIT_RISK, .says = "a slow server turns into failed or torn writes"},
	{.name = "proto",
	 .value = "udp",
	 .use = 'a',
	 .impact = PIT_RISK,
	 .says = "one lost packet repeats a whole request"},
	{.name = "vers", .value = "2", .use = 'a', .impact = PIT_RISK, .says = "a protocol without files above 2 GiB"},
};

static bool is_used(char use, const struct pit_mount *m, const struct pit_mount *checkpoint)
{
	return use == 'a' || (use == 'c' && m == checkpoint);
}

static void judge_nfs(const struct pit_mount *m, const struct pit_mount *checkpoint, struct pit_offenders *o,
		      struct pit_finding *out)
{
	for (size_t i = 0; i < PIT_COUNT(nfs_faults); i++) {
		const char *value = nfs_faults[i].value;

		if (!is_used(nfs_faults[i].use, m, checkpoint) || !pit_mount_has(m, nfs_faults[i].name, value))
			continue;
		pit_offend(o, PIT_WARN, nfs_faults[i].impact, "%s: %s%s%s", m->target, nfs_faults[i].name,
			   value ? "=" : "", value ? value : "");
		pit_evidence(out, m->file, "%s from %s (%s): %s", m->target, m->source, m->super_options,
			     nfs_faults[i].says);
	}
}

/* The NFS mounts; 1 and a skip when there is none. */
static int list_nfs(struct pit_facts *facts, struct pit_mount_list *ret, struct pit_finding *out, struct pit_error *err)
{
	int rc = pit_storage_mounts(facts, pit_mount_is_nfs, ret, err);

	if (!rc && !ret->count) {
		pit_skip(out, "no NFS mount here");
		return 1;
	}
	return rc;
}

int pit_probe_nfs_options(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	struct pit_place place;
	bool given;
	int rc = list_nfs(facts, &mounts, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	given = !pit_place_checkpoint(facts, &place, NULL, NULL);
	for (size_t i = 0; i < mounts.count; i++)
		judge_nfs(mounts.item[i], given ? place.mount : NULL, &o, out);
	pit_want(out, "none of noac, sync, lookupcache=none, actimeo=0; no soft mount for checkpoints");
	return pit_offenders_judge(&o, out, "%zu NFS mount%s", mounts.count, mounts.count == 1 ? "" : "s");
}

static uint64_t option_number(const struct pit_mount *m, const char *name)
{
	const char *value;
	uint64_t number;
	char text[32];

	if (!pit_mount_option(m, name, &value))
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(value, ","), value);
	return pit_parse_u64(text, &number) ? 0 : number;
}

#define NFS_SIZE_MIN (UINT64_C(1) << 18) /* bytes; the client's maximum is 1 MiB, and servers offer it */

int pit_probe_nfs_size(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	int rc = list_nfs(facts, &mounts, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; i < mounts.count; i++) {
		const struct pit_mount *m = mounts.item[i];
		uint64_t r = option_number(m, "rsize"), w = option_number(m, "wsize");

		if ((!r || r >= NFS_SIZE_MIN) && (!w || w >= NFS_SIZE_MIN))
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s: rsize %" PRIu64 ", wsize %" PRIu64, m->target, r, w);
		pit_evidence(out, m->file, "%s from %s (%s)", m->target, m->source, m->super_options);
	}
	pit_want(out, "rsize and wsize of 1048576, at least 262144");
	return pit_offenders_judge(&o, out, "%zu NFS mount%s", mounts.count, mounts.count == 1 ? "" : "s");
}

int pit_probe_nfs_connections(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_place place;
	uint64_t n;
	int rc = pit_place_data(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (!pit_mount_is_nfs(place.mount))
		return pit_skip(out, "%s is not on NFS", place.path);
	if (pit_mount_has(place.mount, "proto", "rdma"))
		return pit_pass(out, "RDMA");
	n = option_number(place.mount, "nconnect");
	pit_evidence(out, place.mount->file, "%s (%s)", place.mount->target, place.mount->super_options);
	pit_want(out, "nconnect of 4 to 16");
	if (n > 1)
		return pit_pass(out, "nconnect=%" PRIu64, n);
	return pit_bad(out, "one TCP connection for %s", place.mount->target);
}

#define NFS_READAHEAD_KB 4096 /* 15 x rsize was the kernel's default before 5.4; Azure's images set 15380 */

int pit_probe_nfs_readahead(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	uint64_t kb = 0;
	int rc = list_nfs(facts, &mounts, out, err), last = -ENOENT;
	char path[96];

	if (rc)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; i < mounts.count; i++) {
		const struct pit_mount *m = mounts.item[i];

		snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", m->major, m->minor);
		rc = pit_root_u64(pit_facts_root(facts), &kb, "%s", path);
		last = rc ? rc : last;
		if (rc)
			continue;
		pit_evidence(out, path, "%" PRIu64 " (%s)", kb, m->target);
		if (kb >= NFS_READAHEAD_KB)
			continue;
		pit_offend(&o, row->otherwise, row->impact, "%s: %" PRIu64 " KiB", m->target, kb);
		if (o.count == 1)
			pit_command(out, "echo 15380 > %s", path);
	}
	if (!out->evidences)
		return pit_fail(err, -last, "read-ahead of NFS mounts under /sys/class/bdi");
	pit_want(out, "at least %d KiB", NFS_READAHEAD_KB);
	return pit_offenders_judge(&o, out, "%zu NFS mount%s", mounts.count, mounts.count == 1 ? "" : "s");
}

static bool is_fuse(const struct pit_mount *m)
{
	return !strcmp(m->type, "fuse") || !strncmp(m->type, "fuse.", 5);
}

/* Requests that wait for the daemon of one FUSE mount. */
static int judge_waiting(struct pit_root *root, const struct pit_mount *m, struct pit_offenders *o,
			 struct pit_finding *out)
{
	uint64_t waiting, most, congested = UINT64_MAX;
	char dir[96];
	int rc;

	snprintf(dir, sizeof(dir), "/sys/fs/fuse/connections/%u", m->minor);
	rc = pit_root_u64(root, &waiting, "%s/waiting", dir);
	rc = rc ? rc : pit_root_u64(root, &most, "%s/max_background", dir);
	if (rc)
		return rc;
	(void)pit_root_u64(root, &congested, "%s/congestion_threshold", dir);
	pit_evidence(out, dir, "%s: waiting %" PRIu64 ", max_background %" PRIu64, m->target, waiting, most);
	if (waiting * 5 >= most * 4 || (congested != UINT64_MAX && waiting * 10 >= congested * 9))
		pit_offend(o, PIT_WARN, PIT_HURTING, "%s: %" PRIu64 " of %" PRIu64 " requests wait", m->target, waiting,
			   most);
	return 0;
}

int pit_probe_fuse_limits(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	size_t seen = 0;
	int rc = pit_storage_mounts(facts, is_fuse, &mounts, err), last = -ENOENT;

	if (rc)
		return rc;
	if (!mounts.count)
		return pit_skip(out, "no FUSE mount here");
	for (size_t i = 0; i < mounts.count; i++) {
		rc = judge_waiting(pit_facts_root(facts), mounts.item[i], &o, out);
		last = rc ? rc : last;
		seen += !rc;
	}
	if (!seen)
		return pit_fail(err, -last, "/sys/fs/fuse/connections (its files are for root and the mount's owner)");
	pit_want(out, "less than 80%% of max_background waiting");
	return pit_offenders_judge(&o, out, "%zu FUSE mount%s keep%s up", seen, seen == 1 ? "" : "s",
				   seen == 1 ? "s" : "");
}

int pit_probe_fuse_background(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_place place;
	uint64_t most;
	char path[96];
	int rc = pit_place_data(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (!is_fuse(place.mount))
		return pit_skip(out, "%s is not on FUSE", place.path);
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/max_background", place.mount->minor);
	rc = pit_root_u64(pit_facts_root(facts), &most, "%s", path);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_evidence(out, path, "%" PRIu64 " (%s)", most, place.mount->target);
	pit_want(out, "more than 12 (the kernel's default)");
	if (most > 12)
		return pit_pass(out, "%" PRIu64, most);
	pit_command(out, "echo 64 > %s", path);
	return pit_bad(out, "%" PRIu64 " requests in the background", most);
}
