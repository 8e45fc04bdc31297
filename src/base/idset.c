/* SPDX-License-Identifier: MIT */
#include "base/idset.h"

#include <ctype.h>
#include <string.h>

void pit_idset_free(struct pit_idset *s)
{
	int saved = errno;

	free(s->word);
	*s = (struct pit_idset){0};
	errno = saved;
}

static int grow(struct pit_idset *s, size_t words)
{
	uint64_t *grown;

	if (words <= s->words)
		return 0;
	grown = reallocarray(s->word, words, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + s->words, 0, (words - s->words) * sizeof(*grown));
	s->word = grown;
	s->words = words;
	return 0;
}

int pit_idset_add(struct pit_idset *s, size_t id)
{
	if (id >= PIT_IDSET_MAX)
		return -ERANGE;
	if (grow(s, id / 64 + 1))
		return -ENOMEM;
	s->word[id / 64] |= UINT64_C(1) << (id % 64);
	return 0;
}

void pit_idset_remove(struct pit_idset *s, size_t id)
{
	if (id / 64 < s->words)
		s->word[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

bool pit_idset_has(const struct pit_idset *s, size_t id)
{
	return id / 64 < s->words && (s->word[id / 64] >> (id % 64) & 1);
}

size_t pit_idset_count(const struct pit_idset *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->words; i++)
		n += (size_t)__builtin_popcountll(s->word[i]);
	return n;
}

bool pit_idset_is_empty(const struct pit_idset *s)
{
	return pit_idset_next(s, 0) < 0;
}

int pit_idset_next(const struct pit_idset *s, size_t from)
{
	size_t i = from / 64;
	uint64_t bits;

	if (i >= s->words)
		return -1;
	bits = s->word[i] >> (from % 64) << (from % 64);
	while (!bits && ++i < s->words)
		bits = s->word[i];
	return bits ? (int)(i * 64 + (size_t)__builtin_ctzll(bits)) : -1;
}

int pit_idset_copy(struct pit_idset *to, const struct pit_idset *from)
{
	if (to->words)
		memset(to->word, 0, to->words * sizeof(*to->word));
	return pit_idset_unite(to, from);
}

int pit_idset_unite(struct pit_idset *to, const struct pit_idset *with)
{
	if (grow(to, with->words))
		return -ENOMEM;
	for (size_t i = 0; i < with->words; i++)
		to->word[i] |= with->word[i];
	return 0;
}

void pit_idset_intersect(struct pit_idset *to, const struct pit_idset *with)
{
	for (size_t i = 0; i < to->words; i++)
		to->word[i] &= i < with->words ? with->word[i] : 0;
}

void pit_idset_subtract(struct pit_idset *to, const struct pit_idset *with)
{
	for (size_t i = 0; i < to->words && i < with->words; i++)
		to->word[i] &= ~with->word[i];
}

bool pit_idset_equal(const struct pit_idset *a, const struct pit_idset *b)
{
	return pit_idset_is_subset(a, b) && pit_idset_is_subset(b, a);
}

bool pit_idset_intersects(const struct pit_idset *a, const struct pit_idset *b)
{
	for (size_t i = 0; i < a->words && i < b->words; i++)
		if (a->word[i] & b->word[i])
			return true;
	return false;
}

bool pit_idset_is_subset(const struct pit_idset *inner, const struct pit_idset *outer)
{
	for (size_t i = 0; i < inner->words; i++)
		if (inner->word[i] & ~(i < outer->words ? outer->word[i] : 0))
			return false;
	return true;
}

/* One decimal number at *text, which moves behind it. */
static int number(const char **text, size_t *ret)
{
	size_t value = 0;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	for (; isdigit((unsigned char)**text); (*text)++) {
		value = value * 10 + (size_t)(**text - '0');
		if (value >= PIT_IDSET_MAX)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

struct region {
	size_t first, last, used, group;
};

/* "a", "a-b" or "a-b:used/group" at *text. */
static int read_region(const char **text, struct region *r)
{
	int rc = number(text, &r->first);

	r->last = r->first;
	r->used = r->group = 1;
	if (rc || **text != '-')
		return rc;
	(*text)++;
	rc = number(text, &r->last);
	if (!rc && r->last < r->first)
		rc = -EINVAL;
	if (rc || **text != ':')
		return rc;
	(*text)++;
	rc = number(text, &r->used);
	if (rc)
		return rc;
	if (*(*text)++ != '/')
		return -EINVAL;
	rc = number(text, &r->group);
	if (!rc && (!r->group || r->used > r->group || !r->used))
		rc = -EINVAL;
	return rc;
}

static bool is_separator(char c)
{
	return c == ',' || isspace((unsigned char)c);
}

static int read_list(const char *text, struct pit_idset *s)
{
	struct region r;

	for (;;) {
		int rc;

		while (is_separator(*text))
			text++;
		if (!*text)
			return 0;
		rc = read_region(&text, &r);
		if (!rc && *text && !is_separator(*text))
			rc = -EINVAL;
		for (size_t id = r.first; !rc && id <= r.last; id++)
			if ((id - r.first) % r.group < r.used)
				rc = pit_idset_add(s, id);
		if (rc)
			return rc;
	}
}

int pit_idset_parse(const char *text, struct pit_idset *ret, struct pit_error *err)
{
	struct pit_idset s = {0};
	int rc = read_list(text, &s);

	if (rc) {
		pit_idset_free(&s);
		return pit_fail(err, -rc, "'%.60s' is not a list of ids such as 0-3,8", text);
	}
	*ret = s;
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* From the end: digits fill words of 32 bits, a comma starts the next word. */
static int read_mask(const char *text, size_t len, struct pit_idset *s)
{
	size_t word = 0, digit = 0;

	for (size_t i = len; i--;) {
		int v = hex_value(text[i]);

		if (text[i] == ',' && digit) {
			word++;
			digit = 0;
			continue;
		}
		if (v < 0 || digit == 8)
			return -EINVAL;
		for (size_t bit = 0; bit < 4; bit++) {
			int rc = v >> bit & 1 ? pit_idset_add(s, word * 32 + digit * 4 + bit) : 0;

			if (rc)
				return rc;
		}
		digit++;
	}
	return digit ? 0 : -EINVAL;
}

int pit_idset_parse_mask(const char *text, struct pit_idset *ret, struct pit_error *err)
{
	struct pit_idset s = {0};
	const char *start = text;
	size_t len;
	int rc;

	while (isspace((unsigned char)*start))
		start++;
	if (start[0] == '0' && start[1] == 'x')
		start += 2;
	len = strlen(start);
	while (len && isspace((unsigned char)start[len - 1]))
		len--;
	rc = read_mask(start, len, &s);
	if (rc) {
		pit_idset_free(&s);
		return pit_fail(err, -rc, "'%.60s' is not a mask such as ff,00000000", text);
	}
	*ret = s;
	return 0;
}

void pit_idset_print(const struct pit_idset *s, struct pit_buf *out)
{
	const char *comma = "";

	for (int first = pit_idset_next(s, 0); first >= 0;) {
		int last = first;

		while (pit_idset_has(s, (size_t)last + 1))
			last++;
		pit_buf_printf(out, last > first ? "%s%d-%d" : "%s%d", comma, first, last);
		comma = ",";
		first = pit_idset_next(s, (size_t)last + 1);
	}
}

char *pit_idset_format(const struct pit_idset *s, char *out, size_t size)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_idset_print(s, &text);
	if (snprintf(out, size, "%s", text.data) >= (int)size && size > 3)
		memcpy(out + size - 4, "...", 4);
	return out;
}
