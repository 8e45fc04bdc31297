/* SPDX-License-Identifier: MIT */
#include "check/network.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/counters.h"
#include "check/offenders.h"
#include "host/ethtool.h"

int pit_net_dev_parse(const char *text, const char *nic, struct pit_net_dev *ret)
{
	size_t len = strlen(nic);
	struct pit_net_dev d;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " ");
		if (strncmp(line, nic, len) != 0 || line[len] != ':')
			continue;
		if (sscanf(line + len + 1,
			   "%*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %*u %" SCNu64
			   " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %" SCNu64,
			   &d.rx_packets, &d.rx_errs, &d.rx_drop, &d.rx_fifo, &d.rx_frame, &d.tx_packets, &d.tx_errs,
			   &d.tx_drop, &d.tx_fifo, &d.tx_carrier) != 10)
			return -EBADMSG;
		*ret = d;
		return 0;
	}
	return -ENOENT;
}

static uint64_t errors_of(const struct pit_net_dev *d)
{
	return d->rx_errs + d->tx_errs;
}

static uint64_t drops_of(const struct pit_net_dev *d)
{
	return d->rx_drop + d->tx_drop;
}

/* Judges one counter of all physical links. */
struct dev_judge {
	uint64_t (*of)(const struct pit_net_dev *d);
	const char *what;
	double share; /* of packets, since boot */
	double hurts; /* per second */
};

static int judge_devices(const struct dev_judge *j, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	const char *path = "/proc/net/dev", *first, *second;
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders bad = {0};
	bool now = false;
	size_t judged = 0;
	double seconds;
	char age[32];
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	rc = pit_two_readings(facts, path, &first, &second, &seconds);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_format_age(pit_uptime_or_0(facts), age, sizeof(age));
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];
		struct pit_net_dev then, d;
		double rate, packets;

		if (!l->physical || pit_net_dev_parse(first, l->name, &then) || pit_net_dev_parse(second, l->name, &d))
			continue;
		judged++;
		rate = pit_growth(j->of(&then), j->of(&d), seconds);
		packets = (double)d.rx_packets + (double)d.tx_packets;
		if (rate < j->hurts && (double)j->of(&d) <= j->share * packets)
			continue;
		now |= rate >= j->hurts;
		pit_offenders_add(&bad, "%s %" PRIu64, l->name, j->of(&d));
		pit_evidence(out, path, "%s: %" PRIu64 " %s of %.0f packets in %s%s", l->name, j->of(&d), j->what,
			     packets, age, rate >= j->hurts ? ", growing now" : "");
	}
	if (!judged)
		return pit_skip(out, "no physical link is counted here");
	pit_want(out, "below %g of the packets, and none now", j->share);
	if (bad.count)
		return pit_judge(out, PIT_WARN, now ? PIT_HURTING : PIT_RISK, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "none that matter on %zu link%s", judged, judged > 1 ? "s" : "");
}

int pit_net_errors(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	static const struct dev_judge judge = {.of = errors_of, .what = "errors", .share = 1e-6, .hurts = 1};

	return judge_devices(&judge, facts, out, err);
}

int pit_net_drops(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	static const struct dev_judge judge = {.of = drops_of, .what = "drops", .share = 1e-3, .hurts = 100};

	return judge_devices(&judge, facts, out, err);
}

/* Packets that the adapter lost because its ring was full. */
static uint64_t missed_by(struct pit_root *root, const char *nic)
{
	uint64_t missed = 0, fifo = 0;

	(void)pit_root_u64(root, &missed, "/sys/class/net/%s/statistics/rx_missed_errors", nic);
	(void)pit_root_u64(root, &fifo, "/sys/class/net/%s/statistics/rx_fifo_errors", nic);
	return missed > fifo ? missed : fifo;
}

#define MISSED_SHARE 1e-6

int pit_net_rings(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_links struct pit_links links = {0};
	struct pit_offenders bad = {0};
	size_t judged = 0;
	int rc = pit_links_load(facts, &links, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < links.count; i++) {
		const struct pit_link *l = &links.item[i];
		struct pit_ethtool_ring ring;
		uint64_t missed, packets = 0;
		char source[64];

		if (!l->physical || l->carrier != 1)
			continue;
		missed = missed_by(root, l->name);
		(void)pit_root_u64(root, &packets, "/sys/class/net/%s/statistics/rx_packets", l->name);
		judged++;
		if ((double)missed <= MISSED_SHARE * (double)packets || pit_ethtool_ring(root, l->name, &ring, NULL) ||
		    ring.rx >= ring.rx_max)
			continue;
		pit_offenders_add(&bad, "%s %u of %u", l->name, ring.rx, ring.rx_max);
		snprintf(source, sizeof(source), "ethtool -g %s", l->name);
		pit_evidence(out, source, "receive ring %u of %u; %" PRIu64 " packets missed of %" PRIu64, ring.rx,
			     ring.rx_max, missed, packets);
		pit_command(out, "ethtool -G %s rx %u", l->name, ring.rx_max);
	}
	if (!judged)
		return pit_skip(out, "no physical link with carrier");
	pit_want(out, "no packets missed, or the largest ring");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "no adapter misses packets for want of ring");
}

/* The `index`th word of a line; NULL when there are fewer. */
static const char *nth_word(const char *line, int index)
{
	for (;; index--) {
		line += strspn(line, " ");
		if (!*line || *line == '\n')
			return NULL;
		if (!index)
			return line;
		line += strcspn(line, " \n");
	}
}

static bool is_word(const char *at, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(at, word, len) && (isspace((unsigned char)at[len]) || !at[len]);
}

/* The start of the next line that begins with `group`; NULL none. */
static const char *group_line(const char *text, const char *group)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (is_word(line, group))
			return line;
	return NULL;
}

int pit_net_group_parse(const char *text, const char *group, const char *name, uint64_t *ret)
{
	const char *names = group_line(text, group), *values, *at;
	char number[32];

	values = names ? strchr(names, '\n') : NULL;
	values = values ? group_line(values + 1, group) : NULL;
	if (!values)
		return -ENOENT;
	for (int i = 1; (at = nth_word(names, i)); i++) {
		if (!is_word(at, name))
			continue;
		at = nth_word(values, i);
		if (!at)
			return -EBADMSG;
		snprintf(number, sizeof(number), "%.*s", (int)strcspn(at, " \n"), at);
		return pit_parse_u64(number, ret) ? -EBADMSG : 0;
	}
	return -ENOENT;
}

static int read_group(struct pit_facts *facts, const char *path, const char *group, const char *name, uint64_t *ret,
		      double *ret_rate)
{
	const char *first, *second;
	uint64_t then, now;
	double seconds;
	int rc = pit_two_readings(facts, path, &first, &second, &seconds);

	rc = rc ? rc : pit_net_group_parse(first, group, name, &then);
	rc = rc ? rc : pit_net_group_parse(second, group, name, &now);
	if (rc)
		return rc;
	*ret = now;
	*ret_rate = pit_growth(then, now, seconds);
	return 0;
}

int pit_net_protocol(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const struct pit_net_counter *c = row->arg;
	double rate, whole_rate = 0, share;
	uint64_t part, whole = 0;
	char age[32];
	int rc = read_group(facts, c->path, c->group, c->part, &part, &rate);

	if (!rc && c->whole_path)
		rc = read_group(facts, c->whole_path, c->whole_group, c->whole, &whole, &whole_rate);
	if (rc)
		return pit_fail(err, -rc, "%s%s in %s", c->group, c->part, c->path);
	share = whole ? (double)part / (double)whole : 0;
	pit_format_age(pit_uptime_or_0(facts), age, sizeof(age));
	if (c->whole_path) {
		pit_want(out, "at most %g %% of %s", c->share * 100, c->whole);
		pit_evidence(out, c->path, "%s %" PRIu64 ", %s %" PRIu64 " in %s", c->part, part, c->whole, whole, age);
	} else {
		pit_want(out, "none");
		pit_evidence(out, c->path, "%s %" PRIu64 " in %s", c->part, part, age);
	}
	if (rate >= (double)c->least && (!c->whole_path || rate > c->share * whole_rate)) {
		pit_evidence(out, c->path, "%s grows by %.0f per second", c->part, rate);
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f per second", rate);
	}
	if (part < c->least || (c->whole_path && share <= c->share))
		return pit_pass(out, "%" PRIu64 " since boot", part);
	return pit_bad(out, "%" PRIu64 " in %s", part, age);
}

/* The last message that holds `part`; NULL none or not to be seen. */
static const char *last_message(struct pit_facts *facts, const char *part, const char **ret_source)
{
	const struct pit_kmsg *kmsg;

	if (pit_facts_kmsg(facts, &kmsg, NULL))
		return NULL;
	*ret_source = kmsg->source;
	for (size_t i = kmsg->count; i > 0; i--)
		if (strstr(kmsg->item[i - 1].text, part))
			return kmsg->item[i - 1].text;
	return NULL;
}

#define FILL_MAX 0.75

/* A table of the kernel that is full refuses newcomers. */
static int judge_fill(struct pit_facts *facts, uint64_t used, uint64_t max, const char *where, const char *message,
		      struct pit_finding *out)
{
	const char *source = NULL, *text = last_message(facts, message, &source);
	double fill = max ? (double)used / (double)max : 0;

	pit_want(out, "at most %.0f%% of %" PRIu64, FILL_MAX * 100, max);
	pit_evidence(out, where, "%" PRIu64 " of %" PRIu64, used, max);
	if (text)
		pit_evidence(out, source, "%s", text);
	if (fill >= 0.99)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%" PRIu64 " of %" PRIu64 ", full", used, max);
	if (text || fill > FILL_MAX)
		return pit_bad(out, "%" PRIu64 " of %" PRIu64 "%s", used, max, text ? ", was full before" : "");
	return pit_pass(out, "%" PRIu64 " of %" PRIu64, used, max);
}

int pit_net_conntrack(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const char *count = "/proc/sys/net/netfilter/nf_conntrack_count";
	const char *limit = "/proc/sys/net/netfilter/nf_conntrack_max";
	uint64_t used, max;
	int rc = pit_root_u64(pit_facts_root(facts), &used, "%s", count);

	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_skip(out, "connection tracking is not loaded");
	rc = rc ? rc : pit_root_u64(pit_facts_root(facts), &max, "%s", limit);
	if (rc)
		return pit_fail(err, -rc, "%s", count);
	pit_origin_of(facts, limit, NULL, NULL, out);
	return judge_fill(facts, used, max, count, "nf_conntrack: table full", out);
}

int pit_net_neighbours(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const char *limit = "/proc/sys/net/ipv4/neigh/default/gc_thresh3";
	struct pit_text arp;
	uint64_t max, lines = 0;
	int rc = pit_root_u64(pit_facts_root(facts), &max, "%s", limit);

	if (rc)
		return pit_fail(err, -rc, "%s", limit);
	rc = pit_root_read(pit_facts_root(facts), &arp, "/proc/net/arp");
	if (rc)
		return pit_fail(err, -rc, "/proc/net/arp");
	for (const char *c = arp.data; *c; c++)
		lines += *c == '\n';
	pit_origin_of(facts, limit, NULL, NULL, out);
	return judge_fill(facts, lines ? lines - 1 : 0, max, "/proc/net/arp", "neighbor table overflow", out);
}
