/* SPDX-License-Identifier: MIT */
#include "base/parse.h"
#include "check/irq.h"

#include <inttypes.h>
#include <string.h>

#include "check/counters.h"
#include "check/irq_map.h"
#include "check/offenders.h"

int pit_softnet_parse(const char *text, struct pit_softnet *ret)
{
	struct pit_softnet s = {.worst_cpu = -1};
	int lines = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		unsigned processed, dropped, squeezed;

		if (*line == '\n')
			continue;
		if (sscanf(line, "%8x %8x %8x", &processed, &dropped, &squeezed) != 3)
			return -EBADMSG;
		s.processed += processed;
		s.dropped += dropped;
		s.squeezed += squeezed;
		if (dropped > s.worst_dropped) {
			s.worst_dropped = dropped;
			s.worst_cpu = lines;
		}
		lines++;
	}
	if (!lines)
		return -EBADMSG;
	*ret = s;
	return 0;
}

static int read_softnet(struct pit_facts *facts, struct pit_softnet *ret_first, struct pit_softnet *ret_now,
			double *ret_seconds, struct pit_error *err)
{
	const char *path = "/proc/net/softnet_stat", *first, *second;
	int rc = pit_two_readings(facts, path, &first, &second, ret_seconds);

	rc = rc ? rc : pit_softnet_parse(first, ret_first);
	rc = rc ? rc : pit_softnet_parse(second, ret_now);
	return rc ? pit_fail(err, -rc, "%s", path) : 0;
}

#define DROPS_SHARE 1e-5

int pit_irq_softnet_drops(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct pit_softnet then, now;
	double seconds, rate;
	char age[32];
	int rc = read_softnet(facts, &then, &now, &seconds, err);

	if (rc)
		return rc;
	rate = pit_growth(then.dropped, now.dropped, seconds);
	pit_want(out, "none, or below %g of the packets", DROPS_SHARE);
	pit_evidence(out, "/proc/net/softnet_stat", "%" PRIu64 " of %" PRIu64 " packets dropped in %s", now.dropped,
		     now.processed + now.dropped, pit_format_age(pit_uptime_or_0(facts), age, sizeof(age)));
	if (now.worst_cpu >= 0)
		pit_evidence(out, "/proc/net/softnet_stat", "line %d (one CPU) dropped %" PRIu64, now.worst_cpu + 1,
			     now.worst_dropped);
	if (rate > 0)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f packets per second", rate);
	if ((double)now.dropped > DROPS_SHARE * ((double)now.processed + (double)now.dropped))
		return pit_bad(out, "%" PRIu64 " since boot", now.dropped);
	return pit_pass(out, "%" PRIu64 " since boot", now.dropped);
}

#define SQUEEZED_HURTS 100
#define SQUEEZED_SHARE 0.001

int pit_irq_softnet_squeezed(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			     struct pit_error *err)
{
	struct pit_softnet then, now;
	double seconds, rate;
	char age[32];
	int rc = read_softnet(facts, &then, &now, &seconds, err);

	if (rc)
		return rc;
	rate = pit_growth(then.squeezed, now.squeezed, seconds);
	pit_want(out, "below %d per second", SQUEEZED_HURTS);
	pit_evidence(out, "/proc/net/softnet_stat", "%" PRIu64 " times out of budget for %" PRIu64 " packets in %s",
		     now.squeezed, now.processed, pit_format_age(pit_uptime_or_0(facts), age, sizeof(age)));
	if (rate >= SQUEEZED_HURTS)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f per second", rate);
	if (now.squeezed > 1000 && (double)now.squeezed > SQUEEZED_SHARE * (double)now.processed)
		return pit_bad(out, "%" PRIu64 " since boot", now.squeezed);
	return pit_pass(out, "%" PRIu64 " since boot", now.squeezed);
}

#define STORM 100000

int pit_irq_storm(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_irqs struct pit_irqs irqs = {0};
	struct pit_offenders bad = {0};
	const struct pit_irq *top = NULL;
	char action[64];
	int rc = pit_irqs_of_host(facts, &irqs, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < irqs.count; i++) {
		const struct pit_irq *q = &irqs.item[i];

		top = !top || q->rate > top->rate ? q : top;
		if (q->rate < STORM)
			continue;
		pit_irq_action(facts, q->irq, action, sizeof(action));
		pit_offenders_add(&bad, "irq %d %s: %.0f per second", q->irq, action, q->rate);
		pit_evidence(out, "/proc/stat", "irq %d %s: %.0f per second, %" PRIu64 " since boot", q->irq, action,
			     q->rate, q->count);
	}
	pit_want(out, "below %d per second each", STORM);
	if (!irqs.counted || !top || top->rate < 0)
		return pit_skip(out, "nothing counts the interrupts twice here");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "at most %.0f per second (irq %d)", top->rate, top->irq);
}

int pit_irq_unhandled(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const struct pit_kmsg *kmsg;
	const char *first = NULL;
	size_t lines = 0;
	int rc = pit_facts_kmsg(facts, &kmsg, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < kmsg->count; i++) {
		const char *text = kmsg->item[i].text;

		if (!strstr(text, ": nobody cared") && strncmp(text, "Disabling IRQ #", 15) != 0)
			continue;
		first = first ? first : text;
		lines++;
		pit_evidence(out, kmsg->source, "%s", text);
	}
	pit_want(out, "none");
	if (lines)
		return pit_bad(out, "%.60s", first);
	return pit_pass(out, "none");
}

int pit_irq_threaded(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const struct pit_strv *cmdline;
	int64_t rt = 0;
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	pit_want(out, "no threadirqs");
	if (!pit_cmdline_get(cmdline, "threadirqs"))
		return pit_pass(out, "not set");
	pit_evidence(out, "/proc/cmdline", "threadirqs");
	if (!pit_root_i64(pit_facts_root(facts), &rt, "/sys/kernel/realtime") && rt)
		return pit_pass(out, "threadirqs on a real-time kernel");
	return pit_bad(out, "threadirqs is set");
}
