/* SPDX-License-Identifier: MIT
 *
 * From the settings of a profile to the ordered changes of one machine.
 */
#include "tune/plan.h"

#include <stdarg.h>
#include <string.h>

#include "base/words.h"
#include "host/sysctl_origin.h"
#include "tune/boot_loader.h"
#include "tune/plan_draft.h"

static void change_free(struct pit_change *c)
{
	pit_cell_free(&c->cell);
	free(c->old);
	free(c->new);
	free(c->origin);
	free(c->evidence);
}

void pit_plan_free(struct pit_plan *p)
{
	for (size_t i = 0; i < p->changes; i++)
		change_free(&p->change[i]);
	free(p->change);
	for (size_t i = 0; i < p->left_out; i++) {
		free(p->left[i].object);
		free(p->left[i].text);
	}
	free(p->left);
	pit_strv_free(&p->conflicts);
	pit_strv_free(&p->notes);
	pit_strv_free(&p->restarts);
	*p = (struct pit_plan){0};
}

void pit_draft_free(struct pit_draft *d)
{
	for (size_t i = 0; i < d->candidates; i++) {
		pit_cell_free(&d->candidate[i].cell);
		free(d->candidate[i].value);
		free(d->candidate[i].old);
	}
	free(d->candidate);
	for (size_t i = 0; i < d->lines; i++) {
		free(d->line[i].at.path);
		free(d->line[i].at.section);
		free(d->line[i].at.line);
	}
	free(d->line);
	pit_strmap_free(&d->cells, NULL);
}

int pit_draft_no_memory(const struct pit_draft *d)
{
	return pit_fail(d->err, ENOMEM, "out of memory");
}

bool pit_draft_is_file(const struct pit_cell *cell)
{
	return cell->target == PIT_TARGET_FILE || cell->target == PIT_TARGET_DIR || cell->target == PIT_TARGET_LINK;
}

int pit_draft_leave(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell,
		    enum pit_left_why why, const char *fmt, ...)
{
	struct pit_left_out *more = realloc(d->plan.left, (d->plan.left_out + 1) * sizeof(*more));
	struct pit_left_out *left;
	char name[512] = "", *text = NULL;
	va_list ap;

	if (!more)
		return pit_draft_no_memory(d);
	d->plan.left = more;
	left = &more[d->plan.left_out];
	if (cell)
		pit_cell_name(cell, name, sizeof(name));
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	*left = (struct pit_left_out){.knob = setting->knob, .setting = setting, .why = why, .text = text};
	left->object = strdup(name);
	if (!left->object || !text) {
		free(left->object);
		free(text);
		return pit_draft_no_memory(d);
	}
	d->plan.left_out++;
	return 0;
}

/* What could not be read, with the reason `text` ("" the errno's). */
int pit_draft_unknown(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell, int rc,
		      const char *text)
{
	if (rc == -ENOMEM)
		return pit_draft_no_memory(d);
	if (pit_draft_leave(d, setting, cell, PIT_LEFT_UNKNOWN, "%s", *text ? text : strerror(-rc)))
		return -ENOMEM;
	d->plan.left[d->plan.left_out - 1].state = pit_root_state(rc);
	return 0;
}

/* Who sets the value that is there now; NULL nobody that could be found. */
static char *find_origin(struct pit_root *root, const struct pit_cell *cell, const char *old_value)
{
	static const char *const kinds[] = {"ratio", "bytes"};
	char text[512], key[128];

	if (cell->target == PIT_TARGET_SYSCTL && !pit_sysctl_origin(root, cell->object, old_value, text, sizeof(text)))
		return strdup(text);
	if (cell->target == PIT_TARGET_KERNEL && !pit_sysfs_origin(root, cell->object, NULL, text, sizeof(text)))
		return strdup(text);
	for (size_t i = 0; cell->target == PIT_TARGET_DIRTY && i < PIT_COUNT(kinds); i++) {
		snprintf(key, sizeof(key), "%s_%s", cell->object, kinds[i]);
		if (!pit_sysctl_origin(root, key, NULL, text, sizeof(text)))
			return strdup(text);
	}
	return NULL;
}

/* What the checks say of the knob; NULL nothing. */
static char *find_evidence(const struct pit_plan_options *o, const struct pit_knob *knob)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	for (size_t i = 0; knob && i < o->evidences; i++)
		if (pit_words_have(o->evidence[i].knob, " ", knob->id))
			pit_buf_printf(&text, "%s%s: %s", text.len ? "; " : "", o->evidence[i].check,
				       o->evidence[i].text);
	return text.len ? pit_buf_take(&text) : NULL;
}

struct pit_change *pit_draft_change(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell,
				    const char *old_value, const char *new_value)
{
	struct pit_change *more = realloc(d->plan.change, (d->plan.changes + 1) * sizeof(*more)), *c;

	if (!more)
		return NULL;
	d->plan.change = more;
	c = &more[d->plan.changes];
	*c = (struct pit_change){
		.knob = setting ? setting->knob : NULL,
		.setting = setting,
		.old = old_value ? strdup(old_value) : NULL,
		.new = new_value ? strdup(new_value) : NULL,
	};
	if (pit_cell_set(&c->cell, cell->target, cell->kind, "%s", cell->object) || !c->old != !old_value ||
	    !c->new != !new_value) {
		change_free(c);
		return NULL;
	}
	c->origin = find_origin(d->root, cell, old_value);
	c->evidence = find_evidence(d->options, c->knob);
	d->plan.changes++;
	return c;
}

static int add_candidate(struct pit_draft *d, const struct pit_setting *setting, struct pit_wish *wish)
{
	struct pit_candidate *more = realloc(d->candidate, (d->candidates + 1) * sizeof(*more));

	if (!more)
		return pit_draft_no_memory(d);
	d->candidate = more;
	more[d->candidates++] =
		(struct pit_candidate){.setting = setting, .cell = wish->cell, .value = pit_take(wish->value)};
	wish->cell = (struct pit_cell){0};
	return 0;
}

static int add_line(struct pit_draft *d, const struct pit_setting *setting, struct pit_fragment *fragment)
{
	struct pit_draft_line *more = realloc(d->line, (d->lines + 1) * sizeof(*more));

	if (!more)
		return pit_draft_no_memory(d);
	d->line = more;
	more[d->lines++] = (struct pit_draft_line){.setting = setting, .at = *fragment};
	*fragment = (struct pit_fragment){0};
	return 0;
}

/* What is on disk does not belong to a plan that shall end with the next boot. */
static int leave_for_persist(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell)
{
	static const char *const until[] = {
		[PIT_TAKES_NOW] = "it is on disk and stays over a reboot",
		[PIT_TAKES_LOGIN] = "it is on disk, for sessions that begin later",
		[PIT_TAKES_RESTART] = "it is on disk, for services that start later",
		[PIT_TAKES_RESET] = "the device keeps it over a reboot",
		[PIT_TAKES_REBOOT] = "it is on disk, for the next boot",
	};

	return pit_draft_leave(d, setting, cell, PIT_LEFT_PERSIST, "%s", until[setting->knob->takes]);
}

/* The wishes of one setting, sorted into candidates and what is left out. */
static int take_wishes(struct pit_draft *d, const struct pit_setting *setting, struct pit_wishes *w)
{
	bool persist = d->options->persist;
	int rc = 0;

	if (w->absent)
		return pit_draft_leave(d, setting, NULL, PIT_LEFT_ABSENT, "%s", w->absent);
	for (size_t i = 0; i < w->wishes && !rc; i++) {
		struct pit_wish *wish = &w->wish[i];

		if (wish->refuse)
			rc = pit_draft_leave(d, setting, &wish->cell, PIT_LEFT_REFUSED, "%s", wish->refuse);
		else
			rc = add_candidate(d, setting, wish);
	}
	if (!rc && !persist && w->fragments && !w->wishes)
		rc = leave_for_persist(d, setting, NULL);
	if (!rc && !w->fragments && !w->wishes)
		rc = pit_draft_leave(d, setting, NULL, PIT_LEFT_RIGHT, "all that it could be set for has it");
	for (size_t i = 0; persist && i < w->fragments && !rc; i++)
		rc = add_line(d, setting, &w->fragment[i]);
	return rc;
}

/* The reason without "FILE:LINE: ID: " in front, which is there for values that make no sense. */
static const char *without_place(const struct pit_setting *s, const char *text)
{
	char place[512];
	size_t len = (size_t)snprintf(place, sizeof(place), "%s%s%s: ", s->where ? s->where : "", s->where ? ": " : "",
				      s->knob->id);

	return len < sizeof(place) && !strncmp(text, place, len) ? text + len : text;
}

static bool is_kernel_cmdline(const struct pit_cell *cell)
{
	return cell->target == PIT_TARGET_FILE && !strcmp(cell->object, PIT_KERNEL_CMDLINE);
}

/* The last candidate that writes it; -1 none. */
static ssize_t find_kernel_cmdline(const struct pit_draft *d)
{
	for (size_t i = d->candidates; i-- > 0;)
		if (d->candidate[i].state == PIT_CANDIDATE_OPEN && is_kernel_cmdline(&d->candidate[i].cell))
			return (ssize_t)i;
	return -1;
}

static int resolve(struct pit_draft *d, const struct pit_setting *setting)
{
	struct pit_wishes w = {.txn = d->options->txn, .persist = d->options->persist};
	struct pit_error why = PIT_ERROR_INIT;
	ssize_t before = find_kernel_cmdline(d);
	int rc;

	if (before >= 0)
		w.kernel_cmdline = d->candidate[before].value;
	rc = pit_knob_wishes(setting, d->scene, &w, &why);
	if (!rc)
		rc = take_wishes(d, setting, &w);
	else if (rc == -EINVAL)
		rc = pit_fail(d->err, EBADMSG, "%s", why.text);
	else
		rc = pit_draft_unknown(d, setting, NULL, rc, without_place(setting, why.text));
	if (before >= 0 && find_kernel_cmdline(d) > before)
		d->candidate[before].state = PIT_CANDIDATE_DROPPED; /* the later one holds both arguments */
	pit_wishes_free(&w);
	return rc;
}

/* A reboot does not end it. */
static bool stays(const struct pit_candidate *c)
{
	return !pit_target(c->cell.target)->runtime || c->setting->knob->lasts == PIT_LASTS_DRIVER;
}

static int read_candidate(struct pit_draft *d, struct pit_candidate *c)
{
	struct pit_error why = PIT_ERROR_INIT;
	int rc = pit_cell_read(d->root, &c->cell, &c->old, &why);

	if (rc == -ENODATA && pit_draft_is_file(&c->cell)) /* a recording that was not asked for a file of ours */
		rc = 0;
	if (!rc && !pit_value_equal(c->cell.kind, c->old, c->value)) {
		c->state = d->options->persist || !stays(c) ? PIT_CANDIDATE_CHANGE : PIT_CANDIDATE_DROPPED;
		return c->state == PIT_CANDIDATE_CHANGE ? 0 : leave_for_persist(d, c->setting, &c->cell);
	}
	c->state = rc ? PIT_CANDIDATE_DROPPED : PIT_CANDIDATE_RIGHT;
	if (!rc)
		return pit_draft_leave(d, c->setting, &c->cell, PIT_LEFT_RIGHT, "%s", c->old ? c->old : "absent");
	if (rc == -ENOENT)
		return pit_draft_leave(d, c->setting, &c->cell, PIT_LEFT_ABSENT, "%s",
				       why.text[0] ? why.text : strerror(-rc));
	return pit_draft_unknown(d, c->setting, &c->cell, rc, why.text);
}

static int read_open(struct pit_draft *d)
{
	int rc = 0;

	for (size_t i = 0; i < d->candidates && !rc; i++)
		if (d->candidate[i].state == PIT_CANDIDATE_OPEN)
			rc = read_candidate(d, &d->candidate[i]);
	return rc;
}

/* What pit_persist() adds to the wishes of the setting that count: lines, and links. */
static int take_persistent(struct pit_draft *d, const struct pit_setting *setting, struct pit_wishes *w)
{
	size_t count = w->wishes;
	int rc = pit_persist(setting, d->scene, w, d->err);

	for (size_t i = count; i < w->wishes && !rc; i++)
		rc = add_candidate(d, setting, &w->wish[i]);
	for (size_t i = 0; i < w->fragments && !rc; i++)
		rc = add_line(d, setting, &w->fragment[i]);
	return rc;
}

static int persist(struct pit_draft *d, const struct pit_setting *setting)
{
	struct pit_wishes w = {.txn = d->options->txn, .persist = true};
	int rc = 0;

	for (size_t i = 0; i < d->candidates && !rc; i++) {
		const struct pit_candidate *c = &d->candidate[i];

		if (c->setting == setting && (c->state == PIT_CANDIDATE_CHANGE || c->state == PIT_CANDIDATE_RIGHT) &&
		    pit_wish_add(&w, &c->cell, c->value))
			rc = pit_draft_no_memory(d);
	}
	if (!rc && w.wishes)
		rc = take_persistent(d, setting, &w);
	pit_wishes_free(&w);
	return rc;
}

/* The setting's cells that are no files, companions before them: so they are put back last. */
static int add_changes(struct pit_draft *d, const struct pit_setting *setting, bool runtime)
{
	bool first = true;
	int rc = 0;

	for (size_t i = 0; i < d->candidates && !rc; i++) {
		const struct pit_candidate *c = &d->candidate[i];

		if (c->setting != setting || c->state != PIT_CANDIDATE_CHANGE || pit_draft_is_file(&c->cell) ||
		    pit_target(c->cell.target)->runtime != runtime)
			continue;
		if (first)
			rc = pit_draft_companions(d, setting);
		first = false;
		if (!rc && !pit_draft_change(d, setting, &c->cell, c->old, c->value))
			rc = pit_draft_no_memory(d);
	}
	return rc;
}

/* True when the setting changes something: a value, or a line of a file. */
static bool is_in_plan(const struct pit_draft *d, const struct pit_setting *setting)
{
	for (size_t i = 0; i < d->plan.changes; i++)
		if (d->plan.change[i].setting == setting)
			return true;
	for (size_t i = 0; i < d->lines; i++)
		if (d->line[i].setting == setting && !d->line[i].there)
			return true;
	return false;
}

static int add_restart(struct pit_draft *d, const struct pit_knob *knob)
{
	char text[512];

	switch (knob->takes) {
	case PIT_TAKES_LOGIN:
		snprintf(text, sizeof(text), "%s: log in anew", knob->id);
		break;
	case PIT_TAKES_RESTART:
		snprintf(text, sizeof(text), "%s: restart %s", knob->id,
			 knob->service ? knob->service : "what uses it");
		break;
	case PIT_TAKES_RESET:
		snprintf(text, sizeof(text), "%s: reset the GPU (nvidia-smi --gpu-reset), or reboot", knob->id);
		break;
	case PIT_TAKES_REBOOT:
		d->plan.needs_reboot = true;
		return 0;
	default:
		return 0;
	}
	return pit_strv_has(&d->plan.restarts, text) ? 0 : pit_strv_add(&d->plan.restarts, text);
}

static int add_restarts(struct pit_draft *d)
{
	int rc = 0;

	for (size_t i = 0; i < d->profile->settings && !rc; i++)
		if (is_in_plan(d, &d->profile->setting[i]))
			rc = add_restart(d, d->profile->setting[i].knob);
	return rc ? pit_draft_no_memory(d) : 0;
}

typedef int each_fn(struct pit_draft *d, const struct pit_setting *setting);

static int each_setting(struct pit_draft *d, each_fn *fn)
{
	int rc = 0;

	for (size_t i = 0; i < d->profile->settings && !rc; i++)
		rc = fn(d, &d->profile->setting[i]);
	return rc;
}

static int add_runtime(struct pit_draft *d, const struct pit_setting *setting)
{
	return add_changes(d, setting, true);
}

static int add_on_disk(struct pit_draft *d, const struct pit_setting *setting)
{
	return add_changes(d, setting, false);
}

static int make(struct pit_draft *d)
{
	int rc = each_setting(d, resolve);

	rc = rc ? rc : pit_draft_choose(d);
	rc = rc ? rc : pit_draft_exclude(d);
	rc = rc ? rc : read_open(d);
	if (!rc && d->options->persist)
		rc = each_setting(d, persist);
	rc = rc ? rc : pit_draft_choose(d);
	rc = rc ? rc : read_open(d);
	rc = rc ? rc : each_setting(d, add_runtime);
	rc = rc ? rc : each_setting(d, add_on_disk);
	rc = rc ? rc : pit_draft_files(d);
	rc = rc ? rc : add_restarts(d);
	return rc ? rc : pit_plan_conflicts(d->scene, &d->plan, d->err);
}

#define DOUBT "profile %s is not to be trusted, and apply refuses it: %s"

int pit_plan_make(struct pit_scene *scene, const struct pit_profile *profile, const struct pit_plan_options *options,
		  struct pit_plan *ret, struct pit_error *err)
{
	struct pit_draft d = {
		.scene = scene,
		.root = pit_scene_root(scene),
		.profile = profile,
		.options = options,
		.plan = {.profile = profile, .persist = options->persist, .txn = options->txn},
		.err = err,
	};
	int rc = make(&d);

	if (!rc && profile->doubt && pit_strv_addf(&d.plan.notes, DOUBT, profile->name, profile->doubt))
		rc = pit_draft_no_memory(&d);
	pit_draft_free(&d);
	if (rc)
		pit_plan_free(&d.plan);
	else
		*ret = d.plan;
	return rc;
}

void pit_plan_counts(const struct pit_plan *p, struct pit_plan_counts *ret)
{
	*ret = (struct pit_plan_counts){0};
	for (size_t i = 0; i < p->changes; i++) {
		if (p->change[i].companion)
			ret->companions++;
		else if (pit_draft_is_file(&p->change[i].cell))
			ret->files++;
		else
			ret->values++;
	}
	for (size_t i = 0; i < p->left_out; i++) {
		if (p->left[i].why == PIT_LEFT_RIGHT)
			ret->right++;
		else
			ret->left++;
	}
}

bool pit_plan_is_empty(const struct pit_plan *p)
{
	struct pit_plan_counts n;

	pit_plan_counts(p, &n);
	return !n.values && !n.files;
}
