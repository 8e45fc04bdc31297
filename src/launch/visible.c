/* SPDX-License-Identifier: MIT */
#include "launch/visible.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#define ENTRIES_MAX 1024 /* more GPUs than any host has; what follows is not looked at */

void pit_visible_free(struct pit_visible_list *l)
{
	pit_cleanup_free(&l->item);
	*l = (struct pit_visible_list){0};
}

static int append(struct pit_visible_list *l, const struct pit_visible *v)
{
	struct pit_visible *grown = reallocarray(l->item, l->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	l->item = grown;
	grown[l->count++] = *v;
	return 0;
}

static bool is_same(const struct pit_visible *a, const struct pit_visible *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == PIT_VISIBLE_INDEX ? a->index == b->index : !strcasecmp(a->text, b->text);
}

/* The item that means the same as `v`; NULL none. */
static const struct pit_visible *find(const struct pit_visible_list *l, const struct pit_visible *v)
{
	for (size_t i = 0; i < l->count; i++)
		if (is_same(&l->item[i], v))
			return &l->item[i];
	return NULL;
}

/* The next word up to a comma, without blanks around it, in `out`; false when it is too long for an entry. Moves *text
 * behind the comma; NULL at the end. */
static bool next_word(const char **text, char *out, size_t size)
{
	const char *start = *text, *end = start + strcspn(start, ",");

	*text = *end ? end + 1 : NULL;
	while (start < end && isspace((unsigned char)*start))
		start++;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	snprintf(out, size, "%.*s", (int)(end - start < (ptrdiff_t)size ? end - start : (ptrdiff_t)size - 1), start);
	return end - start < (ptrdiff_t)size;
}

/* The digits at the start; -1 none or too many. *ret_rest: what follows them. */
static int leading_number(const char *text, const char **ret_rest)
{
	int n = 0;

	*ret_rest = text;
	if (!isdigit((unsigned char)*text))
		return -1;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *text - '0', &n))
			return -1;
	*ret_rest = text;
	return n;
}

/* False when it means no device. What follows digits is ignored, as strtoul() does and so CUDA. */
static bool classify(const char *word, struct pit_visible *ret)
{
	const char *rest;

	*ret = (struct pit_visible){.index = -1};
	snprintf(ret->text, sizeof(ret->text), "%s", word);
	if (!strncmp(word, "GPU-", 4)) {
		ret->kind = PIT_VISIBLE_UUID;
		return true;
	}
	if (!strncmp(word, "MIG-", 4)) {
		ret->kind = PIT_VISIBLE_MIG;
		return true;
	}
	ret->kind = PIT_VISIBLE_INDEX;
	ret->index = leading_number(word, &rest);
	return ret->index >= 0;
}

static int refuse_twice(const char *word, struct pit_error *err)
{
	return pit_fail(err, EINVAL, "'%.96s' is there twice", word);
}

int pit_visible_parse(const char *text, struct pit_visible_list *ret, struct pit_error *err)
{
	PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.set = text != NULL};
	const char *rest = text && text[strspn(text, " \t\n")] ? text : NULL;
	struct pit_visible v;
	char word[sizeof(v.text)];

	while (rest && !l.cut) {
		bool fits = next_word(&rest, word, sizeof(word));

		l.cut = !fits || !classify(word, &v) || l.count == ENTRIES_MAX || (l.count && v.kind != l.item[0].kind);
		if (l.cut) {
			snprintf(l.cut_at, sizeof(l.cut_at), "%s", word);
			break;
		}
		if (find(&l, &v))
			return refuse_twice(word, err);
		if (append(&l, &v))
			return pit_fail(err, ENOMEM, "out of memory");
	}
	*ret = l;
	l = (struct pit_visible_list){0};
	return 0;
}

/* "65:00.0", with or without a domain of four to eight digits. */
static bool is_pci(const char *word)
{
	size_t hex = strspn(word, "0123456789abcdefABCDEF");

	if (word[hex] == ':' && hex >= 4 && hex <= 8 && word[hex + 1] && word[hex + 2] && word[hex + 3] == ':')
		word += hex + 1;
	return isxdigit((unsigned char)word[0]) && isxdigit((unsigned char)word[1]) && word[2] == ':' &&
	       isxdigit((unsigned char)word[3]) && isxdigit((unsigned char)word[4]) && word[5] == '.' &&
	       isdigit((unsigned char)word[6]) && !word[7];
}

static int add_strict(struct pit_visible_list *l, const struct pit_visible *v, const char *word, struct pit_error *err)
{
	if (find(l, v))
		return refuse_twice(v->kind == PIT_VISIBLE_INDEX ? v->text : word, err);
	if (l->count == ENTRIES_MAX)
		return pit_fail(err, EINVAL, "more than %d GPUs", ENTRIES_MAX);
	return append(l, v) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

/* "3" or "0-3". */
static int add_range(struct pit_visible_list *l, const char *word, struct pit_error *err)
{
	const char *rest;
	int first = leading_number(word, &rest), last = first, rc = 0;

	if (first >= 0 && *rest == '-')
		last = leading_number(rest + 1, &rest);
	if (first < 0 || last < first || *rest)
		return pit_fail(err, EINVAL, "'%.96s' is no GPU: give positions (0-3,6), UUIDs, PCI addresses or none",
				word);
	for (int i = first; i <= last && !rc; i++) {
		struct pit_visible v = {.kind = PIT_VISIBLE_INDEX, .index = i};

		snprintf(v.text, sizeof(v.text), "%d", i);
		rc = add_strict(l, &v, word, err);
	}
	return rc;
}

static int add_word(struct pit_visible_list *l, const char *word, struct pit_error *err)
{
	struct pit_visible v;

	if (is_pci(word)) {
		v = (struct pit_visible){.kind = PIT_VISIBLE_PCI, .index = -1};
		snprintf(v.text, sizeof(v.text), "%s", word);
		return add_strict(l, &v, word, err);
	}
	if (classify(word, &v) && v.kind != PIT_VISIBLE_INDEX)
		return add_strict(l, &v, word, err);
	return add_range(l, word, err);
}

int pit_visible_parse_strict(const char *text, struct pit_visible_list *ret, struct pit_error *err)
{
	PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.set = true};
	const char *rest = strcmp(text, "none") ? text : NULL;
	char word[sizeof(l.item->text)];
	int rc = 0;

	while (rest && !rc)
		rc = next_word(&rest, word, sizeof(word)) ? add_word(&l, word, err)
							  : pit_fail(err, EINVAL, "'%s...' is no GPU", word);
	if (rc)
		return rc;
	*ret = l;
	l = (struct pit_visible_list){0};
	return 0;
}
