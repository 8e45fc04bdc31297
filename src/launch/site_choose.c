/* SPDX-License-Identifier: MIT
 *
 * Which of the GPUs a job gets, and in which order: first by the variables that its libraries read, then by --gpus.
 */
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "launch/identity.h"
#include "launch/site_parts.h"

/* In the order in which they apply: ROCm's runtime numbers what HIP then chooses from, and HIP takes CUDA's variable
 * when its own is unset. */
static const struct variable {
	unsigned vendor;
	const char *name, *otherwise;
	bool renumbers; /* what it chooses is numbered from 0 for those who look later */
	bool dotted;    /* "1.0": a part of a GPU, which is not told apart here */
} variables[] = {
	{.vendor = PIT_PCI_NVIDIA, .name = "CUDA_VISIBLE_DEVICES"},
	{.vendor = PIT_PCI_AMD, .name = "ROCR_VISIBLE_DEVICES", .renumbers = true},
	{.vendor = PIT_PCI_AMD, .name = "HIP_VISIBLE_DEVICES", .otherwise = "CUDA_VISIBLE_DEVICES"},
	{.vendor = PIT_PCI_INTEL, .name = "ZE_AFFINITY_MASK", .dotted = true},
};

struct choice {
	const struct pit_cards *from;
	struct pit_cards to;
	const char *name; /* of the variable, or "--gpus" */
};

static bool begins(const char *text, const char *prefix)
{
	return *text && !strncasecmp(text, prefix, strlen(prefix));
}

/* "MIG-GPU-UUID/3/0": the GPU, its instance, and in that the compute instance. */
static bool is_old_mig(const struct pit_card *c, const char *text)
{
	char old[96];

	snprintf(old, sizeof(old), "MIG-%s/%d/%d", c->whole, c->gi, c->ci);
	return *c->whole && !strcasecmp(old, text);
}

static bool means(const struct pit_visible *v, const struct pit_card *c)
{
	switch (v->kind) {
	case PIT_VISIBLE_INDEX:
		return c->index == v->index;
	case PIT_VISIBLE_UUID:
		return begins(c->whole, v->text);
	case PIT_VISIBLE_MIG:
		return c->gpu.mig && (begins(c->gpu.uuid, v->text) || is_old_mig(c, v->text));
	default:
		return pit_same_pci(c->gpu.pci, v->text);
	}
}

static bool has_uuids(const struct pit_cards *cards)
{
	for (size_t i = 0; i < cards->count; i++)
		if (*cards->item[i].gpu.uuid)
			return true;
	return false;
}

/* "GPU-1, GPU-2, ..." in the words of `kind`. */
static void print_all(const struct pit_cards *cards, enum pit_visible_kind kind, struct pit_buf *out)
{
	enum { SHOWN = 4 };

	for (size_t i = 0; i < cards->count && i < SHOWN; i++) {
		const struct pit_site_gpu *g = &cards->item[i].gpu;

		pit_buf_printf(out, "%s%s", i ? ", " : "", kind == PIT_VISIBLE_PCI ? g->pci : g->uuid);
	}
	if (cards->count > SHOWN)
		pit_buf_printf(out, ", ... (%zu in all)", cards->count);
}

static int refuse_missing(const struct choice *c, const struct pit_visible *v, struct pit_error *err)
{
	const struct pit_cards *cards = c->from;
	pit_auto_buf struct pit_buf all = PIT_BUF_INIT;

	if (!cards->count)
		return pit_fail(err, EINVAL, "%s names GPU %s, and this job has no GPU", c->name, v->text);
	if (v->kind == PIT_VISIBLE_INDEX)
		return pit_fail(err, EINVAL, "%s names GPU %s, and there are only GPUs %d to %d", c->name, v->text,
				cards->item[0].index, cards->item[cards->count - 1].index);
	print_all(cards, v->kind, &all);
	return pit_fail(err, EINVAL, "%s names %s, and there are only %s", c->name, v->text, all.data);
}

/* Instances of one GPU stand for it together; several GPUs are too many. */
static int refuse_several(const struct choice *c, const struct pit_visible *v, struct pit_error *err)
{
	return pit_fail(err, EINVAL, "%s: '%s' fits several GPUs; give more of the UUID", c->name, v->text);
}

static bool is_chosen(const struct choice *c, const struct pit_card *card)
{
	for (size_t i = 0; i < c->to.count; i++)
		if (!strcmp(c->to.item[i].gpu.visible, card->gpu.visible) &&
		    !strcmp(c->to.item[i].gpu.pci, card->gpu.pci) && *card->gpu.visible)
			return true;
	return false;
}

/* Appends what `v` means among c->from; *ret_found: how many. */
static int take(struct choice *c, const struct pit_visible *v, size_t *ret_found, struct pit_error *err)
{
	const struct pit_card *first = NULL;
	size_t found = 0;

	for (size_t i = 0; i < c->from->count; i++) {
		const struct pit_card *card = &c->from->item[i];

		if (!means(v, card))
			continue;
		if (first && (card->gpu.parent != first->gpu.parent || v->kind == PIT_VISIBLE_MIG))
			return refuse_several(c, v, err);
		if (is_chosen(c, card))
			return pit_fail(err, EINVAL, "%s: '%s' names a GPU that is there already", c->name, v->text);
		if (pit_cards_add(&c->to, card))
			return -ENOMEM;
		first = card;
		found++;
	}
	*ret_found = found;
	return 0;
}

/* A UUID where nobody knows UUIDs is believed: a GPU at an unknown place. */
static int take_unseen(struct choice *c, const struct pit_visible *v, struct pit_site *s)
{
	struct pit_card card;

	pit_card_of_device(s, NULL, (int)c->to.count, &card);
	card.gpu.vendor = c->from->item[0].gpu.vendor;
	card.gpu.mig = v->kind == PIT_VISIBLE_MIG;
	card.gpu.parent = -2 - (int)c->to.count; /* of no known GPU */
	snprintf(card.gpu.uuid, sizeof(card.gpu.uuid), "%.63s", v->text);
	snprintf(card.gpu.visible, sizeof(card.gpu.visible), "%.63s", v->text);
	if (pit_cards_add(&c->to, &card))
		return -ENOMEM;
	return pit_strv_addf(&s->notes, "where GPU %s of %s is cannot be known: no GPU here tells its UUID", v->text,
			     c->name);
}

static int take_all(struct choice *c, const struct pit_visible_list *l, struct pit_site *s, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < l->count && !rc; i++) {
		const struct pit_visible *v = &l->item[i];
		bool by_uuid = v->kind == PIT_VISIBLE_UUID || v->kind == PIT_VISIBLE_MIG;
		size_t found = 0;

		if (by_uuid && c->from->count && !has_uuids(c->from)) {
			rc = take_unseen(c, v, s);
			continue;
		}
		rc = take(c, v, &found, err);
		if (!rc && !found)
			rc = refuse_missing(c, v, err);
	}
	return rc;
}

static void replace(struct pit_cards *cards, struct pit_cards *with)
{
	memcpy(with->from, cards->from, sizeof(with->from));
	pit_cards_free(cards);
	*cards = *with;
	*with = (struct pit_cards){0};
}

static void renumber(struct pit_cards *cards)
{
	for (size_t i = 0; i < cards->count; i++) {
		cards->item[i].index = (int)i;
		snprintf(cards->item[i].gpu.visible, sizeof(cards->item[i].gpu.visible), "%zu", i);
	}
}

/* CUDA numbers GPUs of different models by speed unless it is told otherwise. */
static int note_order(const struct pit_cards *cards, const struct pit_site_options *o, const char *what,
		      struct pit_site *s)
{
	const char *order = pit_environ_get(o->environ, "CUDA_DEVICE_ORDER"), *name = NULL;
	bool mixed = false;

	for (size_t i = 0; i < cards->count; i++) {
		const struct pit_site_gpu *g = &cards->item[i].gpu;

		if (g->vendor != PIT_PCI_NVIDIA || g->mig || !*g->name)
			continue;
		mixed |= name && strcmp(name, g->name) != 0;
		name = g->name;
	}
	if (!mixed || (order && !strcmp(order, "PCI_BUS_ID")))
		return 0;
	return pit_strv_addf(
		&s->notes,
		"GPUs are of different models: %s counts them by PCI address here, where CUDA puts the fastest "
		"first unless CUDA_DEVICE_ORDER=PCI_BUS_ID is set",
		what);
}

static bool has_indices(const struct pit_visible_list *l)
{
	return l->count && l->item[0].kind == PIT_VISIBLE_INDEX;
}

static int note_cut(const struct variable *v, const struct pit_visible_list *l, struct pit_site *s)
{
	if (!l->cut || !l->count)
		return 0;
	return pit_strv_addf(&s->notes, "%s ends at '%s', which is no device: what follows is not seen", v->name,
			     l->cut_at);
}

/* "0.1,1.0" without what follows the dots, no number twice. */
static void drop_parts(const char *text, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (const char *c = text; *c;) {
		size_t len = strcspn(c, ","), whole = strcspn(c, ".,");
		char word[16];

		snprintf(word, sizeof(word), "%.*s", (int)(whole < 15 ? whole : 15), c);
		if (!pit_words_have(out, ",", word) && used + whole + 2 < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "", word);
		c += len + (c[len] == ',');
	}
}

static void say_why(struct pit_site *s, const char *name, const char *text)
{
	size_t used = strlen(s->gpus_why);

	snprintf(s->gpus_why + used, sizeof(s->gpus_why) - used, "%s%s%s%.100s", used ? ", then " : "", name,
		 *name == '-' ? " " : "=", text);
}

static void say_source(struct pit_site *s, const char *from)
{
	size_t used = strlen(s->gpus_why);

	snprintf(s->gpus_why + used, sizeof(s->gpus_why) - used, " (GPUs by %s)", from);
}

/* Narrows `cards` to what one variable leaves. */
static int apply(const struct variable *v, const struct pit_site_options *o, struct pit_cards *cards,
		 struct pit_site *s, struct pit_error *err)
{
	PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.count = 0};
	struct choice c = {.from = cards, .name = v->name};
	const char *text = pit_environ_get(o->environ, v->name);
	char whole[512];
	int rc;

	if (!text && v->otherwise) {
		c.name = v->otherwise;
		text = pit_environ_get(o->environ, v->otherwise);
	}
	if (!text)
		return 0;
	say_why(s, c.name, text);
	if (v->dotted) {
		drop_parts(text, whole, sizeof(whole));
		text = whole;
	}
	rc = pit_wrap(err, pit_visible_parse(text, &l, err), "%s", c.name);
	if (!rc)
		rc = note_cut(v, &l, s);
	if (!rc && has_indices(&l))
		rc = note_order(cards, o, c.name, s);
	if (!rc)
		rc = take_all(&c, &l, s, err);
	if (!rc)
		replace(cards, &c.to);
	if (!rc && v->renumbers)
		renumber(cards);
	pit_cards_free(&c.to);
	return rc;
}

static int copy_cards(const struct pit_cards *from, struct pit_cards *ret)
{
	int rc = 0;

	for (size_t i = 0; i < from->count && !rc; i++)
		rc = pit_cards_add(ret, &from->item[i]);
	return rc;
}

/* --gpus: positions among what the variables left; what is named by itself may be any GPU of the host. */
static int take_named(struct choice *c, const struct pit_cards *all, const struct pit_visible *v, struct pit_site *s,
		      struct pit_error *err)
{
	const struct pit_cards *left = c->from;
	size_t found = 0;
	int rc = take(c, v, &found, err);

	if (rc || found)
		return rc;
	if (v->kind != PIT_VISIBLE_INDEX) {
		c->from = all;
		rc = take(c, v, &found, err);
		if (!rc && found)
			rc = pit_strv_addf(&s->notes, "%s takes %s, which the environment of this job hides", c->name,
					   v->text);
	}
	if (!rc && !found)
		rc = refuse_missing(c, v, err);
	c->from = left;
	return rc;
}

static int apply_option(const char *text, const struct pit_cards *all, struct pit_cards *cards, struct pit_site *s,
			struct pit_error *err)
{
	PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.count = 0};
	struct choice c = {.from = cards, .name = "--gpus"};
	int rc = pit_wrap(err, pit_visible_parse_strict(text, &l, err), "--gpus");

	say_why(s, "--gpus", text);
	for (size_t i = 0; i < cards->count; i++)
		cards->item[i].index = (int)i;
	for (size_t i = 0; i < l.count && !rc; i++)
		rc = take_named(&c, all, &l.item[i], s, err);
	if (!rc)
		replace(cards, &c.to);
	s->no_gpus = !rc && !l.count;
	pit_cards_free(&c.to);
	return rc;
}

/* Without a GPU a variable has nothing to choose from: many set one in their profile. */
static int note_idle_variables(const struct pit_site_options *o, struct pit_site *s)
{
	int rc = 0;

	for (size_t i = 0; i < PIT_COUNT(variables) && !rc; i++) {
		PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.count = 0};
		const char *text = pit_environ_get(o->environ, variables[i].name);

		if (text && !pit_visible_parse(text, &l, NULL) && l.count)
			rc = pit_strv_addf(&s->notes, "%s is %.60s, and this job has no GPU", variables[i].name, text);
	}
	return rc;
}

static int keep(const struct pit_cards *cards, struct pit_site *s)
{
	s->gpu = calloc(cards->count + 1, sizeof(*s->gpu));
	if (!s->gpu)
		return -ENOMEM;
	for (size_t i = 0; i < cards->count; i++)
		s->gpu[s->gpus++] = cards->item[i].gpu;
	return 0;
}

/* Then what variables say does not matter, also when they name a GPU that is not there. */
static bool wants_none(const char *gpus)
{
	PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.count = 0};

	return gpus && !pit_visible_parse_strict(gpus, &l, NULL) && !l.count;
}

int pit_site_choose(struct pit_cards *cards, const struct pit_site_options *o, struct pit_site *s,
		    struct pit_error *err)
{
	pit_auto_cards struct pit_cards all = {.count = 0};
	unsigned vendor = cards->count ? cards->item[0].gpu.vendor : 0;
	bool none = wants_none(o->gpus);
	int rc = copy_cards(cards, &all);

	if (!rc && !cards->count && !none)
		rc = note_idle_variables(o, s);
	for (size_t i = 0; i < PIT_COUNT(variables) && vendor && !rc && !none; i++)
		if (variables[i].vendor == vendor)
			rc = apply(&variables[i], o, cards, s, err);
	if (!rc && !none && !*s->gpus_why)
		rc = note_order(cards, o, "the job", s);
	if (!rc && o->gpus)
		rc = apply_option(o->gpus, &all, cards, s, err);
	if (*s->gpus_why && *cards->from)
		say_source(s, cards->from);
	else if (!*s->gpus_why)
		snprintf(s->gpus_why, sizeof(s->gpus_why), "%s", *cards->from ? cards->from : "NVML and the PCI bus");
	return rc ? rc : keep(cards, s);
}
