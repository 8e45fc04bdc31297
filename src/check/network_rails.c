/* SPDX-License-Identifier: MIT */
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "check/offenders.h"

#define ROUTES_MAX 4096

struct connected {
	char nic[32];
	unsigned network, mask;
};

/* One line of /proc/net/route when it is a directly connected network. */
static bool read_connected(const char *line, struct connected *ret)
{
	struct connected c;
	unsigned gateway, flags;

	if (sscanf(line, "%31s %x %x %x %*s %*s %*s %x", c.nic, &c.network, &gateway, &flags, &c.mask) != 5)
		return false;
	if (gateway || !(flags & 1) || !c.mask || c.mask == 0xffffffff)
		return false;
	*ret = c;
	return true;
}

int pit_shared_subnets_parse(const char *text, struct pit_strv *ret)
{
	pit_auto_free struct connected *all = calloc(ROUTES_MAX, sizeof(*all));
	size_t n = 0;
	int rc = 0;

	if (!all)
		return -ENOMEM;
	for (const char *line = text; line && n < ROUTES_MAX; line = strchr(line, '\n')) {
		line += *line == '\n';
		n += read_connected(line, &all[n]);
	}
	for (size_t i = 0; i < n && !rc; i++) {
		bool shared = false;

		for (size_t j = 0; j < n && !shared; j++)
			shared = all[i].network == all[j].network && all[i].mask == all[j].mask &&
				 strcmp(all[i].nic, all[j].nic) != 0;
		if (shared && !pit_strv_has(ret, all[i].nic))
			rc = pit_strv_add(ret, all[i].nic);
	}
	return rc;
}

/* The links that are rails: fast or RDMA ones that share a network with another such one. */
static int load_rails(struct pit_facts *facts, struct pit_strv *ret, struct pit_error *err)
{
	pit_auto_links struct pit_links links = {0};
	pit_auto_strv struct pit_strv sharing = {0};
	struct pit_text text;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	rc = pit_root_read(pit_facts_root(facts), &text, "/proc/net/route");
	rc = rc ? rc : pit_shared_subnets_parse(text.data, &sharing);
	if (rc)
		return pit_fail(err, -rc, "/proc/net/route");
	for (size_t i = 0; i < links.count && !rc; i++)
		if ((pit_link_is_fast(&links.item[i]) || links.item[i].rdma) &&
		    pit_strv_has(&sharing, links.item[i].name))
			rc = pit_strv_add(ret, links.item[i].name);
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}

/* For these keys the larger of the values for "all" and for the interface is in force. */
static int effective(struct pit_root *root, const char *nic, const char *key, int64_t *ret)
{
	int64_t all, own;
	int rc = pit_root_i64(root, &all, "/proc/sys/net/ipv4/conf/all/%s", key);

	rc = rc ? rc : pit_root_i64(root, &own, "/proc/sys/net/ipv4/conf/%s/%s", nic, key);
	if (!rc)
		*ret = all > own ? all : own;
	return rc;
}

int pit_net_rail(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	const struct pit_net_rail *r = row->arg;
	pit_auto_strv struct pit_strv rails = {0};
	struct pit_offenders bad = {0};
	char path[96];
	int64_t value;
	int rc = load_rails(facts, &rails, err);

	if (rc)
		return rc;
	if (rails.count < 2)
		return pit_skip(out, "no two fast links in one network");
	if (r->loose)
		pit_want(out, "0 or 2");
	else
		pit_want(out, r->low == r->high ? "%d" : "%d or %d", r->low, r->high);
	for (size_t i = 0; i < rails.count; i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", rails.item[i], r->key);
		rc = effective(pit_facts_root(facts), rails.item[i], r->key, &value);
		if (rc)
			return pit_fail(err, -rc, "%s", path);
		if (r->loose ? value != 1 : value >= r->low && value <= r->high)
			continue;
		pit_offenders_add(&bad, "%s %" PRId64, rails.item[i], value);
		pit_evidence(out, path, "in force: %" PRId64, value);
	}
	if (!bad.count)
		return pit_pass(out, "right on %zu rails", rails.count);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/all/%s", r->key);
	pit_origin_of(facts, path, NULL, NULL, out);
	return pit_bad(out, "%s", pit_offenders_text(&bad));
}
