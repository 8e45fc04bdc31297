/* SPDX-License-Identifier: MIT */
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/counters.h"
#include "check/offenders.h"

static void add_link_evidence(const struct pit_link *l, struct pit_finding *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s", l->name);
	pit_evidence(out, path, "%s, carrier %s, speed %" PRId64 " Mb/s, mtu %" PRId64 "%s%s", l->up ? "up" : "down",
		     l->carrier < 0 ? "unknown" : (l->carrier ? "1" : "0"), l->mbit, l->mtu, *l->model ? ", " : "",
		     l->model);
}

/* Whether a twin of the same model has a link: then one without was meant to have one too. */
static bool has_live_twin(const struct pit_links *links, const struct pit_link *l)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct pit_link *o = &links->item[i];

		if (o != l && o->physical && o->carrier == 1 && *l->model && !strcmp(o->model, l->model))
			return true;
	}
	return false;
}

int pit_net_link_down(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders down = {0};
	size_t judged = 0;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];

		if (!l->physical || !l->up)
			continue;
		judged++;
		if (l->carrier || (!l->rdma && !*l->master && !has_live_twin(&links, l)))
			continue;
		pit_offenders_add(&down, "%s", l->name);
		add_link_evidence(l, out);
	}
	if (!judged)
		return pit_skip(out, "no physical link that is up");
	pit_want(out, "a carrier on every adapter that is switched on");
	if (down.count)
		return pit_bad(out, "no carrier: %s", pit_offenders_text(&down));
	return pit_pass(out, "%zu link%s with carrier or alone", judged, judged > 1 ? "s" : "");
}

/* The best link of the same model. */
static const struct pit_link *best_twin(const struct pit_links *links, const struct pit_link *l)
{
	const struct pit_link *best = l;

	for (size_t i = 0; i < links->count; i++) {
		const struct pit_link *o = &links->item[i];

		if (o->physical && o->carrier == 1 && *l->model && !strcmp(o->model, l->model) && o->mbit > best->mbit)
			best = o;
	}
	return best;
}

int pit_net_speed(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders slow = {0};
	size_t judged = 0;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i], *best;

		if (!l->physical || l->carrier != 1 || l->mbit <= 0)
			continue;
		judged++;
		best = best_twin(&links, l);
		if (best == l)
			continue;
		pit_offenders_add(&slow, "%s %.4g Gb/s", l->name, (double)l->mbit / 1000);
		pit_evidence(out, "/sys/class/net", "%s runs at %" PRId64 " Mb/s, %s of the same model at %" PRId64,
			     l->name, l->mbit, best->name, best->mbit);
	}
	if (!judged)
		return pit_skip(out, "no link of known speed");
	pit_want(out, "one speed for adapters of one model");
	if (slow.count)
		return pit_bad(out, "%s", pit_offenders_text(&slow));
	return pit_pass(out, "no link slower than its twins");
}

int pit_net_duplex(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders half = {0};
	size_t judged = 0;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];
		char duplex[16], path[64];

		snprintf(path, sizeof(path), "/sys/class/net/%s/duplex", l->name);
		if (!l->physical || l->carrier != 1 ||
		    pit_root_str(pit_facts_root(facts), duplex, sizeof(duplex), "%s", path))
			continue;
		judged++;
		if (strcmp(duplex, "half") != 0)
			continue;
		pit_offenders_add(&half, "%s", l->name);
		pit_evidence(out, path, "half, at %" PRId64 " Mb/s", l->mbit);
	}
	if (!judged)
		return pit_skip(out, "no link that says its duplex");
	pit_want(out, "full");
	if (half.count)
		return pit_bad(out, "half: %s", pit_offenders_text(&half));
	return pit_pass(out, "no link at half duplex");
}

/* Fast links of one speed class are taken for rails of one network; members of a bond follow it. */
int pit_net_mtu(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders odd = {0};
	const struct pit_link *top = NULL;
	size_t fast = 0;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];

		if (!pit_link_is_fast(l) || l->mtu < 0 || l->type != 1)
			continue;
		fast++;
		if (!top || l->mbit > top->mbit || (l->mbit == top->mbit && l->mtu > top->mtu))
			top = l;
	}
	if (fast < 2)
		return pit_skip(out, "fewer than two Ethernet links of 10 Gb/s or more");
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];

		if (!pit_link_is_fast(l) || l->mtu < 0 || l->type != 1 || l->mbit != top->mbit || l->mtu == top->mtu)
			continue;
		pit_offenders_add(&odd, "%s %" PRId64, l->name, l->mtu);
		pit_evidence(out, "/sys/class/net", "%s has mtu %" PRId64 ", %s of the same speed %" PRId64, l->name,
			     l->mtu, top->name, top->mtu);
		pit_command(out, "ip link set dev %s mtu %" PRId64, l->name, top->mtu);
	}
	pit_want(out, "%" PRId64 " on all links of %" PRId64 " Mb/s", top->mtu, top->mbit);
	if (odd.count)
		return pit_bad(out, "%s", pit_offenders_text(&odd));
	return pit_pass(out, "%" PRId64 " on all", top->mtu);
}

#define FLAPS_PER_DAY 5

/* Times that the carrier went away; -1 unknown. */
static int64_t times_down(struct pit_root *root, const char *nic)
{
	int64_t n;

	if (!pit_root_i64(root, &n, "/sys/class/net/%s/carrier_down_count", nic))
		return n;
	if (!pit_root_i64(root, &n, "/sys/class/net/%s/carrier_changes", nic))
		return n / 2;
	return -1;
}

int pit_net_flaps(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	double days = pit_uptime_or_0(facts) / 86400;
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders bad = {0};
	size_t judged = 0;
	char age[32];
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	if (days <= 0)
		return pit_skip(out, "for how long this machine has been up is unknown");
	pit_format_age(days * 86400, age, sizeof(age));
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];
		int64_t n = l->physical ? times_down(pit_facts_root(facts), l->name) : -1;
		char path[64];

		judged += n >= 0;
		if (n <= FLAPS_PER_DAY || (days > 1 && (double)n <= FLAPS_PER_DAY * days))
			continue;
		pit_offenders_add(&bad, "%s %" PRId64 " times", l->name, n);
		snprintf(path, sizeof(path), "/sys/class/net/%s/carrier_changes", l->name);
		pit_evidence(out, path, "lost its carrier %" PRId64 " times in %s", n, age);
	}
	if (!judged)
		return pit_skip(out, "no physical link that counts its losses");
	pit_want(out, "at most %d losses of carrier a day", FLAPS_PER_DAY);
	if (bad.count)
		return pit_bad(out, "%s in %s", pit_offenders_text(&bad), age);
	return pit_pass(out, "none above %d a day", FLAPS_PER_DAY);
}

/* Adds what is wrong with one bond. */
static void judge_bond(struct pit_root *root, const char *bond, struct pit_offenders *bad, struct pit_finding *out)
{
	char members[512] = "", state[64], path[96];
	pit_auto_strv struct pit_strv names = {0};
	int64_t active;
	size_t up = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/bonding", bond);
	if (pit_root_str(root, members, sizeof(members), "%s/slaves", path) || pit_strv_split(&names, members, " ") ||
	    !names.count) {
		pit_offenders_add(bad, "%s has no members", bond);
		pit_evidence(out, path, "slaves: none");
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (pit_root_str(root, state, sizeof(state), "/sys/class/net/%s/bonding_slave/mii_status",
				 names.item[i]) ||
		    !strcmp(state, "up")) {
			up++;
			continue;
		}
		pit_offenders_add(bad, "%s: %s is %s", bond, names.item[i], state);
		pit_evidence(out, path, "member %s: mii_status %s", names.item[i], state);
	}
	if (!pit_root_i64(root, &active, "%s/ad_num_ports", path) && active > 0 && (size_t)active < up) {
		pit_offenders_add(bad, "%s: LACP joined %" PRId64 " of %zu", bond, active, up);
		pit_evidence(out, path, "ad_num_ports %" PRId64 ", %zu members up", active, up);
	}
}

int pit_net_bonding(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders bad = {0};
	size_t bonds = 0;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < links.count; i++) {
		if (pit_root_exists(root, "/sys/class/net/%s/bonding", links.item[i].name) || !links.item[i].up)
			continue;
		bonds++;
		judge_bond(root, links.item[i].name, &bad, out);
	}
	if (!bonds)
		return pit_skip(out, "no bond here");
	pit_want(out, "all members up and joined");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "%zu bond%s complete", bonds, bonds > 1 ? "s" : "");
}

int pit_net_loopback(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const char *path = "/sys/class/net/lo/flags";
	uint64_t flags;
	int rc = pit_root_hex(pit_facts_root(facts), &flags, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_want(out, "up");
	pit_evidence(out, path, "0x%" PRIx64, flags);
	if (flags & 1)
		return pit_pass(out, "up");
	return pit_bad(out, "down");
}
