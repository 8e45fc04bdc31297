/* SPDX-License-Identifier: MIT */
#include "base/words.h"
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

static int nth_number(const char *line, int word, uint64_t *ret)
{
	pit_auto_strv struct pit_strv words = {0};

	if (pit_strv_split(&words, line, " \t"))
		return -ENOMEM;
	if (words.count <= (size_t)word)
		return -EBADMSG;
	return pit_parse_u64(words.item[word], ret) ? -EBADMSG : 0;
}

static char *amount(const struct pit_net_setting *s, uint64_t n, char *out, size_t size)
{
	if (s->bytes)
		return pit_format_size(n, out, size);
	snprintf(out, size, "%" PRIu64, n);
	return out;
}

/* The line with word `word` replaced, as sysctl takes it. */
static void suggest(const struct pit_net_setting *s, const char *line, uint64_t want, struct pit_finding *out)
{
	pit_auto_strv struct pit_strv words = {0};
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT;
	char key[96];

	snprintf(key, sizeof(key), "%s", s->path + strlen("/proc/sys/"));
	for (char *c = key; *c; c++)
		*c = *c == '/' ? '.' : *c;
	if (pit_strv_split(&words, line, " \t"))
		return;
	for (size_t i = 0; i < words.count; i++) {
		if (i == (size_t)s->word)
			pit_buf_printf(&value, "%s%" PRIu64, i ? " " : "", want);
		else
			pit_buf_printf(&value, "%s%s", i ? " " : "", words.item[i]);
	}
	pit_command(out, "sysctl -w %s='%s'", key, value.data);
}

int pit_net_setting(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	const struct pit_net_setting *s = row->arg;
	char line[256], have[32], want[32];
	uint64_t value;
	bool low;
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), "%s", s->path);

	if (rc)
		return pit_fail(err, -rc, "%s", s->path);
	rc = nth_number(line, s->word, &value);
	if (rc)
		return pit_fail(err, -rc, "%s holds '%.60s'", s->path, line);
	amount(s, value, have, sizeof(have));
	pit_evidence(out, s->path, "%s", line);
	if (!pit_network_is_fast(facts))
		return pit_skip(out, "no link of 10 Gb/s or more is known here");
	low = value < s->least;
	pit_want(out, low || !s->most ? "at least %s" : "at most %s",
		 amount(s, low || !s->most ? s->least : s->most, want, sizeof(want)));
	if (!low && (!s->most || value <= s->most))
		return pit_pass(out, "%s", have);
	pit_origin_of(facts, s->path, line, NULL, out);
	suggest(s, line, low ? s->least : s->most, out);
	return pit_bad(out, "%s", have);
}

/* The value that a file of sysctl.d asks for, from the text "FILE:LINE (value)"; false: none does. */
static bool configured(const char *origin, char *ret, size_t size)
{
	const char *open = strchr(origin, '('), *close = open ? strchr(open, ')') : NULL;

	if (!close)
		return false;
	snprintf(ret, size, "%.*s", (int)(close - open - 1), open + 1);
	return true;
}

int pit_net_congestion(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const char *path = "/proc/sys/net/ipv4/tcp_congestion_control";
	const char *list = "/proc/sys/net/ipv4/tcp_available_congestion_control";
	char live[32], offered[256] = "", asked[32];
	int rc = pit_root_str(pit_facts_root(facts), live, sizeof(live), "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	(void)pit_root_str(pit_facts_root(facts), offered, sizeof(offered), "%s", list);
	pit_evidence(out, path, "%s", live);
	pit_evidence(out, list, "%s", offered);
	pit_origin_of(facts, path, NULL, NULL, out);
	if (!out->origin || !configured(out->origin, asked, sizeof(asked)) || !strcmp(asked, live)) {
		pit_want(out, "what the configuration asks for");
		if (*offered && !pit_words_have(offered, " \t", live))
			return pit_bad(out, "%s, which is not among the available ones", live);
		return pit_pass(out, "%s", live);
	}
	pit_want(out, "%s", asked);
	pit_evidence(out, out->origin, "asks for %s", asked);
	if (*offered && !pit_words_have(offered, " \t", asked))
		return pit_bad(out, "%s; '%s' was asked for and does not exist here", live, asked);
	return pit_bad(out, "%s; '%s' was asked for", live, asked);
}

int pit_net_qdisc(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	const char *path = "/proc/sys/net/core/default_qdisc";
	char qdisc[32], control[32] = "";
	int rc = pit_root_str(pit_facts_root(facts), qdisc, sizeof(qdisc), "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	(void)pit_root_str(pit_facts_root(facts), control, sizeof(control),
			   "/proc/sys/net/ipv4/tcp_congestion_control");
	pit_evidence(out, path, "%s", qdisc);
	pit_evidence(out, "/proc/sys/net/ipv4/tcp_congestion_control", "%s", control);
	if (!pit_network_is_fast(facts))
		return pit_skip(out, "no link of 10 Gb/s or more is known here");
	pit_want(out, "fq or fq_codel");
	if (!strncmp(qdisc, "fq", 2) && (strcmp(control, "bbr") != 0 || !strcmp(qdisc, "fq")))
		return pit_pass(out, "%s", qdisc);
	pit_origin_of(facts, path, qdisc, NULL, out);
	if (!strcmp(control, "bbr"))
		return pit_bad(out, "%s with bbr, which wants fq", qdisc);
	return pit_bad(out, "%s", qdisc);
}

#define PORTS_LEAST 16384

int pit_net_ports_range(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	const char *path = "/proc/sys/net/ipv4/ip_local_port_range";
	uint64_t low, high;
	char line[64];
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	rc = nth_number(line, 0, &low);
	rc = rc ? rc : nth_number(line, 1, &high);
	if (rc || high < low)
		return pit_fail(err, EBADMSG, "%s holds '%s'", path, line);
	pit_want(out, "at least %d ports", PORTS_LEAST);
	pit_evidence(out, path, "%" PRIu64 " to %" PRIu64, low, high);
	if (high - low + 1 >= PORTS_LEAST)
		return pit_pass(out, "%" PRIu64 " ports", high - low + 1);
	pit_origin_of(facts, path, line, NULL, out);
	return pit_bad(out, "%" PRIu64 " ports", high - low + 1);
}

/* Whether a line of /etc/hosts gives `name` an address of the loopback; the address then in `ret`. */
static bool is_on_loopback(const char *line, const char *name, char *ret, size_t size)
{
	pit_auto_strv struct pit_strv words = {0};
	char text[512];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n#"), line);
	if (pit_strv_split(&words, text, " \t") || words.count < 2)
		return false;
	if (strncmp(words.item[0], "127.", 4) != 0 && strcmp(words.item[0], "::1") != 0)
		return false;
	snprintf(ret, size, "%s", words.item[0]);
	for (size_t i = 1; i < words.count; i++)
		if (!strcmp(words.item[i], name))
			return true;
	return false;
}

int pit_net_hostname(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const char *path = "/etc/hosts";
	char name[128], address[64];
	struct pit_text text;
	int number = 0, rc = pit_root_str(root, name, sizeof(name), "/proc/sys/kernel/hostname");

	if (rc)
		return pit_fail(err, -rc, "/proc/sys/kernel/hostname");
	rc = pit_root_read(root, &text, "%s", path);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	if (!pit_network_is_fast(facts))
		return pit_skip(out, "no link of 10 Gb/s or more is known here");
	pit_want(out, "an address that other hosts can reach");
	for (const char *line = text.data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		number++;
		if (!is_on_loopback(line, name, address, sizeof(address)))
			continue;
		pit_origin(out, "%s:%d", path, number);
		pit_evidence(out, path, "line %d gives this host the address %s", number, address);
		return pit_bad(out, "%s", address);
	}
	return pit_pass(out, "not bound to the loopback");
}
