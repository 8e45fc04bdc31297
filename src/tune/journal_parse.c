/* SPDX-License-Identifier: MIT
 *
 * Journals back into records. A journal may be cut off, damaged, or made by an enemy: a record counts only when its sum
 * is right and it makes sense after those before it.
 */
#include "tune/journal.h"

#include <inttypes.h>
#include <string.h>

#include <xxhash.h>

#define SUM 17 /* sixteen digits and a blank */

struct replay {
	struct pit_record *r;
	size_t room;     /* of r->entry */
	int64_t changes; /* as the beginning announced them */
};

static int copy_text(const json_t *o, const char *key, char *out, size_t size)
{
	const json_t *j = json_object_get(o, key);

	if (!json_is_string(j) || json_string_length(j) >= size)
		return -EBADMSG;
	memcpy(out, json_string_value(j), json_string_length(j) + 1);
	return 0;
}

static int take_number(const json_t *o, const char *key, int64_t least, int64_t most, int64_t *ret)
{
	const json_t *j = json_object_get(o, key);
	int64_t n = json_integer_value(j);

	if (!json_is_integer(j) || n < least || n > most)
		return -EBADMSG;
	*ret = n;
	return 0;
}

static int take_bool(const json_t *o, const char *key, bool *ret)
{
	const json_t *j = json_object_get(o, key);

	if (!json_is_boolean(j))
		return -EBADMSG;
	*ret = json_is_true(j);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *from_hex(const char *hex)
{
	size_t len = strlen(hex) / 2;
	pit_auto_free char *text = strlen(hex) % 2 ? NULL : malloc(len + 1);

	for (size_t i = 0; text && i < len; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0 || !(high | low))
			return NULL;
		text[i] = (char)(high << 4 | low);
	}
	if (text)
		text[len] = '\0';
	return pit_take(text);
}

static int take_value(const json_t *o, const char *key, char **ret)
{
	const json_t *j = json_object_get(o, key), *hex = json_object_get(j, "hex");
	char *text = NULL;

	if (json_is_null(j)) {
		*ret = NULL;
		return 0;
	}
	if (json_is_string(j))
		text = strdup(json_string_value(j));
	else if (json_is_string(hex))
		text = from_hex(json_string_value(hex));
	if (!text)
		return -EBADMSG;
	*ret = text;
	return 0;
}

static int take_entry(struct replay *p, const json_t *o, struct pit_entry **ret)
{
	int64_t n;

	if (!p->r->ready || take_number(o, "n", 0, (int64_t)p->r->entries - 1, &n))
		return -EBADMSG;
	*ret = &p->r->entry[n];
	return 0;
}

static int on_begin(struct replay *p, const json_t *o)
{
	struct pit_record *r = p->r;
	int64_t version, txn;
	char *profile;

	if (r->txn || take_number(o, "version", 0, INT64_MAX, &version))
		return -EBADMSG;
	if (version != PIT_JOURNAL_VERSION)
		return -EPROTONOSUPPORT;
	if (take_number(o, "txn", 1, INT32_MAX, &txn) || copy_text(o, "boot", r->boot, sizeof(r->boot)) ||
	    take_number(o, "time", 0, INT64_MAX, &r->time) || copy_text(o, "tool", r->tool, sizeof(r->tool)) ||
	    copy_text(o, "kind", r->kind, sizeof(r->kind)) || take_bool(o, "persist", &r->persist) ||
	    take_number(o, "uid", 0, INT64_MAX, &r->uid) ||
	    take_number(o, "changes", 1, PIT_JOURNAL_MAX, &p->changes) || take_value(o, "profile", &profile))
		return -EBADMSG;
	r->profile = profile;
	r->txn = (int)txn;
	return 0;
}

static int grow(struct replay *p)
{
	size_t room = p->room ? p->room * 2 : 16;
	struct pit_entry *entry;

	if (p->r->entries < p->room)
		return 0;
	entry = realloc(p->r->entry, room * sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	p->r->entry = entry;
	p->room = room;
	return 0;
}

static int read_intent(const json_t *o, struct pit_entry *e)
{
	const char *object = json_string_value(json_object_get(o, "object"));
	const char *knob = json_string_value(json_object_get(o, "knob"));
	char target[16];
	int64_t kind;
	int which;

	if (!object || !knob || copy_text(o, "target", target, sizeof(target)) ||
	    take_number(o, "kind", 0, PIT_VALUE_TEXT, &kind) || take_bool(o, "companion", &e->companion))
		return -EBADMSG;
	which = pit_target_find(target);
	if (which < 0 || take_value(o, "old", &e->old) || take_value(o, "new", &e->new))
		return -EBADMSG;
	e->knob = strdup(knob);
	if (!e->knob)
		return -ENOMEM;
	return pit_cell_set(&e->cell, (enum pit_target_kind)which, (enum pit_value_kind)kind, "%s", object);
}

static int on_intend(struct replay *p, const json_t *o)
{
	struct pit_entry e = {0};
	int64_t n;
	int rc;

	if (!p->r->txn || p->r->ready || take_number(o, "n", 0, p->changes - 1, &n) || n != (int64_t)p->r->entries)
		return -EBADMSG;
	rc = grow(p);
	if (rc)
		return rc;
	rc = read_intent(o, &e);
	if (rc) {
		pit_entry_free(&e);
		return rc;
	}
	p->r->entry[p->r->entries++] = e;
	return 0;
}

static int on_ready(struct replay *p, const json_t *o)
{
	if (!p->r->txn || p->r->ready || (int64_t)p->r->entries != p->changes)
		return -EBADMSG;
	p->r->ready = true;
	p->r->state = PIT_TXN_INTERRUPTED;
	return 0;
}

static int on_set(struct replay *p, const json_t *o)
{
	struct pit_entry *e;
	char *now;

	if (take_entry(p, o, &e) || take_value(o, "now", &now))
		return -EBADMSG;
	free(e->now);
	e->now = now;
	e->set = true;
	return 0;
}

static int on_commit(struct replay *p, const json_t *o)
{
	if (p->r->state != PIT_TXN_INTERRUPTED)
		return -EBADMSG;
	p->r->state = PIT_TXN_APPLIED;
	return 0;
}

static int on_undo(struct replay *p, const json_t *o)
{
	struct pit_record *r = p->r;
	char why[sizeof(r->why)], boot[sizeof(r->undo_boot)];
	int64_t when;

	if (!r->ready || copy_text(o, "why", why, sizeof(why)) || copy_text(o, "boot", boot, sizeof(boot)) ||
	    take_number(o, "time", 0, INT64_MAX, &when))
		return -EBADMSG;
	memcpy(r->why, why, sizeof(r->why));
	memcpy(r->undo_boot, boot, sizeof(r->undo_boot));
	r->undo_time = when;
	r->state = PIT_TXN_UNDOING;
	return 0;
}

static int on_undone(struct replay *p, const json_t *o)
{
	struct pit_entry *e;
	char how[16];

	if (p->r->state != PIT_TXN_UNDOING || take_entry(p, o, &e) || copy_text(o, "how", how, sizeof(how)))
		return -EBADMSG;
	for (int u = PIT_UNDONE_RESTORED; u <= PIT_UNDONE_FAILED; u++) {
		if (strcmp(how, pit_undone_name((enum pit_undone)u)))
			continue;
		e->undone = (enum pit_undone)u;
		return 0;
	}
	return -EBADMSG;
}

static int on_reverted(struct replay *p, const json_t *o)
{
	if (p->r->state != PIT_TXN_UNDOING)
		return -EBADMSG;
	p->r->state = PIT_TXN_REVERTED;
	p->r->reverted = true;
	return 0;
}

/* Whether what was lost said "ready" is unknown, so what is known must be open to be undone. */
static void suppose_ready(struct pit_record *r)
{
	r->ready = true;
	if (r->state == PIT_TXN_EMPTY)
		r->state = PIT_TXN_INTERRUPTED;
}

static int on_damage(struct replay *p, const json_t *o)
{
	struct pit_record *r = p->r;
	char text[sizeof(r->damage)];

	if (!r->txn || copy_text(o, "text", text, sizeof(text)))
		return -EBADMSG;
	memcpy(r->damage, text, sizeof(r->damage));
	r->damaged = true;
	suppose_ready(r);
	return 0;
}

static const struct {
	const char *is;
	int (*on)(struct replay *p, const json_t *o);
} kinds[] = {
	{.is = "begin", .on = on_begin},   {.is = "intend", .on = on_intend}, {.is = "ready", .on = on_ready},
	{.is = "set", .on = on_set},       {.is = "commit", .on = on_commit}, {.is = "undo", .on = on_undo},
	{.is = "undone", .on = on_undone}, {.is = "damage", .on = on_damage}, {.is = "reverted", .on = on_reverted},
};

static int replay_json(struct replay *p, const char *json, size_t len)
{
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *is = json_string_value(json_object_get(o, "is"));
	int rc = -EBADMSG;

	for (size_t i = 0; is && i < PIT_COUNT(kinds); i++)
		if (!strcmp(is, kinds[i].is))
			rc = kinds[i].on(p, o);
	json_decref(o);
	return rc;
}

static bool sum_is_right(const char *line, size_t len)
{
	char sum[SUM + 1];

	if (len < SUM)
		return false;
	snprintf(sum, sizeof(sum), "%016" PRIx64 " ", (uint64_t)XXH3_64bits(line + SUM, len - SUM));
	return !memcmp(line, sum, SUM);
}

static void damage(struct pit_record *r, int line, const char *what)
{
	snprintf(r->damage, sizeof(r->damage), "line %d %s; what stands behind it was not used", line, what);
	r->damaged = true;
	if (r->txn)
		suppose_ready(r);
}

/* Uses line after line as long as they are good. */
static int replay(struct replay *p, const char *bytes, size_t len, struct pit_error *err)
{
	const char *at = bytes, *end = bytes + len, *newline;
	int rc;

	for (int line = 1; (newline = memchr(at, '\n', (size_t)(end - at))); line++) {
		size_t n = (size_t)(newline - at);

		if (!sum_is_right(at, n)) {
			if (newline + 1 < end)
				damage(p->r, line, "does not have its check sum");
			return 0;
		}
		rc = replay_json(p, at + SUM, n - SUM);
		if (rc == -ENOMEM)
			return pit_fail(err, ENOMEM, "out of memory");
		if (rc == -EPROTONOSUPPORT)
			return pit_fail(err, EBADMSG,
					"the journal is of another version than %d, which this pitcrew writes",
					PIT_JOURNAL_VERSION);
		if (rc) {
			damage(p->r, line, "has its check sum and makes no sense");
			return 0;
		}
		at = newline + 1;
		p->r->used = (size_t)(at - bytes);
	}
	return 0;
}

int pit_journal_parse(const char *bytes, size_t len, struct pit_record *ret, struct pit_error *err)
{
	struct pit_record r = {0};
	struct replay p = {.r = &r};
	int rc = replay(&p, bytes, len, err);

	if (!rc && r.damaged && !r.txn)
		rc = pit_fail(err, EBADMSG, "not one record of the journal can be used: %s", r.damage);
	if (rc) {
		pit_record_free(&r);
		return rc;
	}
	*ret = r;
	return 0;
}
