/* SPDX-License-Identifier: MIT */
#include "tune/boot_grub.h"

#include <ctype.h>
#include <string.h>

#include "base/path.h"
#include "tune/boot_args.h"

#define LINUX "GRUB_CMDLINE_LINUX"
#define DEFAULT "GRUB_CMDLINE_LINUX_DEFAULT"

/* "iommu|iommu=*" with each '-' and '_' standing for both. */
static void pattern(const char *name, struct pit_buf *out)
{
	for (int value = 0; value < 2; value++) {
		for (const char *p = name; *p; p++) {
			if (*p == '-' || *p == '_')
				pit_buf_puts(out, "[-_]");
			else
				pit_buf_putc(out, *p);
		}
		pit_buf_puts(out, value ? "=*" : "|");
	}
}

/* The last word of the argument wins; words of DEFAULT come after those of LINUX. */
static void fragment_last(const char *name, const char *word, struct pit_buf *out)
{
	static const char *const variables[] = {LINUX, DEFAULT};

	pit_buf_puts(out, "case $(set -f; last=\n");
	for (size_t i = 0; i < PIT_COUNT(variables); i++) {
		pit_buf_printf(out, "\tfor word in ${%s-}; do case $word in (", variables[i]);
		pattern(name, out);
		pit_buf_printf(out, ") last=%s$word ;; esac; done\n", i ? "default:" : "");
	}
	pit_buf_printf(out, "\tprintf %%s \"$last\") in\n('%s'|'default:%s') ;;\n", word, word);
	pit_buf_printf(out, "(default:*) " DEFAULT "=\"$" DEFAULT " %s\" ;;\n", word);
	pit_buf_printf(out, "(*) " LINUX "=\"${" LINUX ":+$" LINUX " }%s\" ;;\nesac", word);
}

static void fragment_any(const char *word, struct pit_buf *out)
{
	pit_buf_puts(out, "case $(set -f; printf ' %s ' ${" LINUX "-} ${" DEFAULT "-}) in\n");
	pit_buf_printf(out, "(*' %s '*) ;;\n(*) " LINUX "=\"${" LINUX ":+$" LINUX " }%s\" ;;\nesac", word, word);
}

static void fragment_without(const char *variable, const char *name, struct pit_buf *out)
{
	pit_buf_printf(out, "%s=$(set -f; kept=; for word in ${%s-}; do case $word in (", variable, variable);
	pattern(name, out);
	pit_buf_puts(out, ") ;; (*) kept=\"$kept $word\" ;; esac; done; printf %s \"${kept# }\")");
}

void pit_grub_fragment(const char *name, const char *word, struct pit_buf *out)
{
	if (!word) {
		fragment_without(LINUX, name, out);
		pit_buf_putc(out, '\n');
		fragment_without(DEFAULT, name, out);
	} else if (pit_boot_arg_adds_up(name)) {
		fragment_any(word, out);
	} else {
		fragment_last(name, word, out);
	}
}

/* The next line, from *at on, without blanks at its start; its length in *ret_len. NULL at the end. */
static const char *next_line(const char **at, size_t *ret_len)
{
	const char *line = *at + strspn(*at, " \t\r\n");

	if (!*line)
		return NULL;
	*ret_len = strcspn(line, "\n");
	*at = line + *ret_len;
	return line;
}

bool pit_grub_reads_d(const char *mkconfig)
{
	const char *line;

	for (size_t len; (line = next_line(&mkconfig, &len));)
		if (*line != '#' && memmem(line, len, "default/grub.d/", 15))
			return true;
	return false;
}

/* What follows the word `key` and blanks at the start of a line; NULL it is another. */
static const char *after(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || (line[len] != ' ' && line[len] != '\t'))
		return NULL;
	return line + len + strspn(line + len, " \t");
}

int pit_grub_cfg_args(const char *cfg, struct pit_strv *ret)
{
	static const char *const commands[] = {"linux", "linuxefi", "linux16"};
	const char *line;

	for (size_t len; (line = next_line(&cfg, &len));) {
		for (size_t i = 0; i < PIT_COUNT(commands); i++) {
			const char *rest = after(line, commands[i]);
			pit_auto_free char *args = NULL;

			if (!rest || rest >= line + len)
				continue;
			rest += strcspn(rest, " \t\n"); /* the kernel's file */
			args = strndup(rest, (size_t)(line + len - rest));
			return args ? pit_boot_args_split(args, ret) : -ENOMEM;
		}
	}
	return -ENOENT;
}

/* Adds the value of a variable of grubenv. */
static void expand(const char *env, const char *name, size_t len, struct pit_buf *out)
{
	const char *line;

	for (size_t n; (line = next_line(&env, &n));)
		if (n > len && !strncmp(line, name, len) && line[len] == '=')
			pit_buf_add(out, line + len + 1, n - len - 1);
}

static void add_options(const char *text, const char *env, struct pit_buf *out)
{
	size_t end = strcspn(text, "\n");

	for (const char *p = text; p < text + end;) {
		size_t len = 0;

		if (*p == '$')
			while (isalnum((unsigned char)p[1 + len]) || p[1 + len] == '_')
				len++;
		if (len)
			expand(env, p + 1, len, out);
		else
			pit_buf_putc(out, *p);
		p += 1 + len;
	}
	pit_buf_putc(out, ' ');
}

int pit_bls_args(const char *entry, const char *env, struct pit_strv *ret)
{
	pit_auto_buf struct pit_buf args = PIT_BUF_INIT;
	bool kernel = false;
	const char *line, *rest;

	for (size_t len; (line = next_line(&entry, &len));) {
		kernel |= after(line, "linux") || after(line, "efi");
		rest = after(line, "options");
		if (rest && rest < line + len)
			add_options(rest, env, &args);
	}
	if (args.failed)
		return -ENOMEM;
	return kernel ? pit_boot_args_split(args.data, ret) : -ENOENT;
}

/* True when the line assigns GRUB_CMDLINE_LINUX, or its DEFAULT, and the value does not name that variable. */
static bool drops(const char *line, size_t len, const char *variable)
{
	size_t n = strlen(variable);

	if (!strncmp(line, "export ", 7))
		line += 7, len -= 7;
	return len > n && !strncmp(line, variable, n) && line[n] == '=' && !memmem(line + n, len - n, variable, n);
}

static bool names(const char *line, size_t len, const char *name)
{
	for (const char *p = line; p < line + len; p++)
		if ((p == line || strchr(" \t\"'=", p[-1])) && pit_boot_arg_is(p, name))
			return true;
	return false;
}

int pit_grub_overrides(const char *text, const char *name)
{
	const char *start = text, *line;
	int number = 1;

	for (size_t len; (line = next_line(&text, &len));) {
		for (; start < line; start++)
			number += *start == '\n';
		if (*line != '#' && (drops(line, len, LINUX) ||
				     (memmem(line, len, LINUX, sizeof(LINUX) - 1) && names(line, len, name))))
			return number;
	}
	return 0;
}

/* The directory is read in the order of the locale; where C and the others disagree the file counts as later. */
static bool is_later(const char *name, const char *ours)
{
	const char *mine = pit_base_name(ours);

	return pit_ends_with(name, ".cfg") && !strstr(name, "-zz-pitcrew-") &&
	       (strcmp(name, mine) > 0 || strcasecmp(name, mine) > 0);
}

void pit_grub_later(struct pit_root *root, const char *ours, const char *name, char *ret, size_t size)
{
	static const char dir[] = "/etc/default/grub.d";
	const struct pit_strv *names_there;
	struct pit_text text;

	*ret = '\0';
	if (pit_root_list(root, &names_there, "%s", dir))
		return;
	for (size_t i = 0; i < names_there->count && !*ret; i++) {
		const char *file = names_there->item[i];
		int line;

		if (!is_later(file, ours) || pit_root_read(root, &text, "%s/%s", dir, file))
			continue;
		line = pit_grub_overrides(text.data, name);
		if (line)
			snprintf(ret, size, "%s/%s:%d", dir, file, line);
	}
}
