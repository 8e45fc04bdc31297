/* SPDX-License-Identifier: MIT */
#include "check/xid.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A PCI address of any length ("0000:65:00", "18:00.0", "10000:01:00.0") up to one of the bytes in `stops`. Returns
 * what follows, or NULL when it is none. */
static const char *take_pci(const char *at, const char *stops, struct pit_xid *x)
{
	size_t len = strspn(at, "0123456789abcdefABCDEF:.");

	while (len && (at[len - 1] == ':' || at[len - 1] == '.'))
		len--;
	if (len < 5 || len >= sizeof(x->pci) || !at[len] || !strchr(stops, at[len]) || !memchr(at, ':', len))
		return NULL;
	snprintf(x->pci, sizeof(x->pci), "%.*s", (int)len, at);
	for (char *c = x->pci; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return at + len;
}

/* "N" up to 99999, then a comma, a blank or the end. */
static const char *take_code(const char *at, struct pit_xid *x)
{
	size_t len = strspn(at, "0123456789");

	if (!len || len > 5 || (at[len] && !strchr(", \n", at[len])))
		return NULL;
	x->code = (unsigned)strtoul(at, NULL, 10);
	return x->code ? at + len : NULL;
}

static void take_process(const char *at, struct pit_xid *x)
{
	const char *pid = strstr(at, "pid="), *name = strstr(at, "name=");

	if (pid && isdigit((unsigned char)pid[4]))
		x->pid = (int)strtol(pid + 4, NULL, 10);
	if (name && name[5] != '<')
		snprintf(x->comm, sizeof(x->comm), "%.*s", (int)strcspn(name + 5, ",\n"), name + 5);
}

static void take_fatality(const char *at, struct pit_xid *x)
{
	x->fatal = -1;
	if (strstr(at, "Nonfatal") || strstr(at, "Non-fatal"))
		x->fatal = 0;
	else if (strstr(at, " Fatal"))
		x->fatal = 1;
}

/* "Xid (PCI:0000:05:00): 79, ..." behind `head`; older drivers leave out "PCI:". */
static int parse_numbered(const char *line, const char *head, enum pit_xid_kind kind, struct pit_xid *ret)
{
	struct pit_xid x = {.kind = kind};
	const char *at = strstr(line, head);

	if (!at)
		return -ENOENT;
	at += strlen(head);
	if (!strncmp(at, "PCI:", 4))
		at += 4;
	at = take_pci(at, ")", &x);
	if (!at || strncmp(at, "): ", 3) != 0)
		return -ENOENT;
	at = take_code(at + 3, &x);
	if (!at)
		return -ENOENT;
	take_process(at, &x);
	take_fatality(at, &x);
	*ret = x;
	return 0;
}

/* "NVRM: GPU 0000:29:00.0: GPU has fallen off the bus." and, in one record, "NVRM: The NVIDIA GPU 0000:b3:00.0 ...
 * fallen off the bus". In three records only the last says it, without an address. */
static int parse_lost(const char *line, struct pit_xid *ret)
{
	static const char *const heads[] = {"NVRM: GPU at PCI:", "NVRM: GPU ", "NVRM: The NVIDIA GPU "};
	struct pit_xid x = {.kind = PIT_XID_LOST, .fatal = -1};

	if (!strstr(line, "NVRM: ") || !strstr(line, "fallen off the bus"))
		return -ENOENT;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		const char *at = strstr(line, heads[i]);

		if (at && take_pci(at + strlen(heads[i]), ": \n(", &x))
			break;
	}
	*ret = x;
	return 0;
}

int pit_xid_parse(const char *line, struct pit_xid *ret)
{
	if (!strstr(line, "NVRM: ") && !strstr(line, "SXid ("))
		return -ENOENT;
	if (!parse_numbered(line, "NVRM: Xid (", PIT_XID_GPU, ret))
		return 0;
	if (strstr(line, "nvswitch") && !parse_numbered(line, ": SXid (", PIT_XID_SWITCH, ret))
		return 0;
	return strstr(line, "Xid (") ? -ENOENT : parse_lost(line, ret);
}

const struct pit_xid_meaning *pit_xid_meaning(unsigned code)
{
	for (const struct pit_xid_meaning *m = pit_xid_meanings; m->code; m++)
		if (m->code == code)
			return m;
	return NULL;
}

/* The same device: one address may lack the function or the domain. */
static bool same_device(const char *a, const char *b)
{
	size_t la = strcspn(a, "."), lb = strcspn(b, ".");
	size_t tail = la < lb ? la : lb;

	return tail >= 5 && !strncmp(a + la - tail, b + lb - tail, tail);
}

/* A code whose lines say how bad it was goes by that; a lost GPU is lost. */
static enum pit_xid_class classify(const struct pit_xid *x)
{
	const struct pit_xid_meaning *m = pit_xid_meaning(x->code);

	if (x->kind == PIT_XID_LOST)
		return PIT_XID_REBOOT;
	if (x->kind == PIT_XID_SWITCH)
		return x->fatal == 1 ? PIT_XID_REBOOT : PIT_XID_WATCH;
	if (x->fatal == 0)
		return PIT_XID_WATCH;
	return m ? m->cls : PIT_XID_WATCH;
}

static struct pit_xid_event *find_event(struct pit_xid_events *e, const struct pit_xid *x)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct pit_xid *have = &e->item[i].first;

		if (have->kind == x->kind && have->code == x->code && have->fatal == x->fatal &&
		    (same_device(have->pci, x->pci) || (!have->pci[0] && !x->pci[0])))
			return &e->item[i];
	}
	return NULL;
}

static bool is_consequence(const struct pit_xid_events *e, const struct pit_xid *x)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct pit_xid *before = &e->item[i].first;
		bool lost = before->kind == PIT_XID_LOST || (before->kind == PIT_XID_GPU && before->code == 79);

		if (before->kind == PIT_XID_SWITCH || x->kind == PIT_XID_SWITCH || !same_device(before->pci, x->pci))
			continue;
		if (lost || x->code == 45 || x->code == 154)
			return true;
	}
	return false;
}

static int add_event(struct pit_xid_events *e, const struct pit_xid *x, const struct pit_kmsg_line *line)
{
	struct pit_xid_event *grown, *known = find_event(e, x);

	if (known) {
		known->count++;
		known->last_usec = line->usec;
		return 0;
	}
	grown = reallocarray(e->item, e->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	e->item = grown;
	grown[e->count] = (struct pit_xid_event){.first = *x,
						 .count = 1,
						 .first_usec = line->usec,
						 .last_usec = line->usec,
						 .line = line->text,
						 .cls = classify(x),
						 .follows = is_consequence(e, x)};
	e->count++;
	return 0;
}

/* The address of "NVRM: The NVIDIA GPU 0000:b3:00.0", which later lines refer to. */
static void remember_address(const char *line, struct pit_xid *last)
{
	const char *at = strstr(line, "NVRM: The NVIDIA GPU ");

	if (at && !take_pci(at + 21, " \n", last))
		snprintf(last->pci, sizeof(last->pci), "%.*s", (int)strcspn(at + 21, " \n"), at + 21);
}

int pit_xid_collect(const struct pit_kmsg *log, struct pit_xid_events *ret)
{
	struct pit_xid_events e = {0};
	struct pit_xid last = {0}, x;

	for (size_t i = 0; i < log->count; i++) {
		const struct pit_kmsg_line *line = &log->item[i];

		if (!strstr(line->text, "NVRM") && !strstr(line->text, "SXid"))
			continue;
		if (pit_xid_parse(line->text, &x)) {
			remember_address(line->text, &last);
			continue;
		}
		if (x.kind == PIT_XID_LOST && !x.pci[0])
			memcpy(x.pci, last.pci, sizeof(x.pci));
		if (add_event(&e, &x, line)) {
			pit_xid_events_free(&e);
			return -ENOMEM;
		}
	}
	*ret = e;
	return 0;
}

void pit_xid_events_free(struct pit_xid_events *e)
{
	free(e->item);
	*e = (struct pit_xid_events){0};
}
