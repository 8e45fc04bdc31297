/* SPDX-License-Identifier: MIT */
#include "tune/boot_args.h"

#include <ctype.h>
#include <string.h>

#include "base/words.h"

/* The next word from *at on, which moves behind it; its length, 0 at the end. Blanks inside double quotes belong to the
 * word. */
static size_t next_word(const char **at, const char **ret)
{
	bool quoted = false;
	const char *p = *at;

	while (isspace((unsigned char)*p))
		p++;
	*ret = p;
	for (; *p && (quoted || !isspace((unsigned char)*p)); p++)
		quoted ^= *p == '"';
	*at = p;
	return (size_t)(p - *ret);
}

static bool ends_kernel(const char *word, size_t len)
{
	return len == 2 && !strncmp(word, "--", 2);
}

int pit_boot_args_split(const char *line, struct pit_strv *ret)
{
	const char *word;
	int rc = 0;

	for (size_t len; !rc && (len = next_word(&line, &word)) && !ends_kernel(word, len);)
		rc = pit_strv_add_len(ret, word, len);
	return rc;
}

bool pit_boot_arg_is(const char *word, const char *name)
{
	word += *word == '"';
	for (; *name; name++, word++)
		if (*word != *name && !(strchr("-_", *name) && *word && strchr("-_", *word)))
			return false;
	return !*word || *word == '=' || isspace((unsigned char)*word);
}

int pit_boot_arg_check(const char *word, struct pit_error *err)
{
	for (const char *p = word; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (isalnum(c) || strchr("_.,:=/+@%~-", c))
			continue;
		return isgraph(c) ? pit_fail(err, EINVAL, "'%c' cannot stand in the kernel's command line", c)
				  : pit_fail(err, EINVAL, "byte 0x%02x cannot stand in the kernel's command line", c);
	}
	return *word ? 0 : pit_fail(err, EINVAL, "an argument of the kernel's command line must not be empty");
}

int pit_boot_arg_word(const char *name, const char *value, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_buf struct pit_buf word = PIT_BUF_INIT;
	int rc;

	if (!strcmp(value, "absent"))
		return 0;
	pit_buf_puts(&word, name);
	if (strcmp(value, "present") != 0)
		pit_buf_printf(&word, "=%s", value);
	rc = pit_boot_arg_check(word.data, err);
	if (rc)
		return pit_wrap(err, rc, "%s=%s", name, value);
	pit_buf_puts(out, word.data);
	return 0;
}

bool pit_boot_arg_adds_up(const char *name)
{
	return !strcmp(name, "pci");
}

/* "pci=noaer,realloc" holds "pci=realloc". */
static bool lists(const char *words, const char *word)
{
	const char *a = strchr(words, '='), *b = strchr(word, '=');

	return a && b && pit_words_have(a + 1, ",", b + 1);
}

bool pit_boot_arg_holds(const struct pit_strv *words, const char *name, const char *word)
{
	const char *last = NULL;

	for (size_t i = 0; i < words->count; i++) {
		if (!pit_boot_arg_is(words->item[i], name))
			continue;
		last = words->item[i];
		if (word && pit_boot_arg_adds_up(name) && (!strcmp(last, word) || lists(last, word)))
			return true;
	}
	return last && word ? !strcmp(last, word) : !last && !word;
}

void pit_boot_arg_of(const struct pit_strv *words, const char *name, struct pit_buf *out)
{
	size_t before = out->len;

	for (size_t i = 0; i < words->count; i++)
		if (pit_boot_arg_is(words->item[i], name))
			pit_buf_printf(out, "%s%s", out->len > before ? " " : "", words->item[i]);
}

/* `line` without the words of `name`, each with the blanks before it (at the start: behind it). */
static void without(const char *line, const char *name, struct pit_buf *out)
{
	const char *at = line, *from = line, *word;

	for (size_t len; (len = next_word(&at, &word)) && !ends_kernel(word, len);) {
		if (pit_boot_arg_is(word, name)) {
			if (word == line)
				while (*at == ' ')
					at++;
		} else {
			pit_buf_add(out, from, (size_t)(at - from));
		}
		from = at;
	}
	pit_buf_puts(out, from);
}

/* Where the last word of the kernel ends. */
static size_t end_of_words(const char *line)
{
	const char *at = line, *word;
	size_t end = 0;

	for (size_t len; (len = next_word(&at, &word)) && !ends_kernel(word, len);)
		end = (size_t)(at - line);
	return end;
}

void pit_boot_arg_edit(const char *line, const char *name, const char *word, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf rest = PIT_BUF_INIT;
	size_t end;

	if (word && pit_boot_arg_adds_up(name))
		pit_buf_puts(&rest, line);
	else
		without(line, name, &rest);
	if (!word) {
		pit_buf_puts(out, rest.data);
		return;
	}
	end = end_of_words(rest.data);
	pit_buf_add(out, rest.data, end);
	pit_buf_printf(out, "%s%s%s", end ? " " : "", word,
		       end || !*rest.data || isspace((unsigned char)*rest.data) ? "" : " ");
	pit_buf_puts(out, rest.data + end);
}
