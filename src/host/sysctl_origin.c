/* SPDX-License-Identifier: MIT */
#include "host/sysctl_origin.h"

#include <fnmatch.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "host/conf_files.h"
#include "host/origin.h"
#include "host/procfs.h"

#define KEY_MAX 256

/* sysctl.d(5), first wins. */
static const char *const dirs[] = {
	"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d", NULL,
};

/* Kernel command line arguments that set a sysctl under another name. */
static const struct {
	const char *key, *argument;
} arguments[] = {
	{"kernel/hung_task_panic", "hung_task_panic"},
	{"kernel/nmi_watchdog", "nmi_watchdog"},
	{"kernel/numa_balancing", "numa_balancing"},
	{"kernel/panic", "panic"},
	{"kernel/softlockup_panic", "softlockup_panic"},
	{"kernel/threads-max", "threads-max"},
	{"vm/nr_hugepages", "hugepages"},
};

/* "vm.swappiness" -> "vm/swappiness". When the first separator is a dot, dots and slashes change places, so that
 * "net.ipv4.conf.eth0/1.forwarding" names the interface eth0.1; else the key stands as it is. */
static void normalize(const char *key, char *ret, size_t size)
{
	bool swap = key[strcspn(key, "./")] == '.';

	snprintf(ret, size, "%s", key);
	for (char *c = ret; swap && *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
}

/* `pattern` as files have it, `key` with slashes. */
static bool is_meant(const char *pattern, const char *key)
{
	char normal[KEY_MAX];

	normalize(pattern + (*pattern == '-'), normal, sizeof(normal));
	return !fnmatch(normal, key, FNM_PATHNAME);
}

static bool is_glob(const char *pattern)
{
	return pattern[strcspn(pattern, "*?[")];
}

/* A name that is spelled out wins over patterns wherever it stands; of the same kind the last one wins. */
struct winners {
	struct pit_origin exact, glob;
	bool excluded; /* "-key" without a value: patterns leave it alone */
};

static void take_line(char *line, const char *file, int number, const char *key, struct winners *w)
{
	char *equal = strchr(line, '='), *value = equal ? equal + 1 + strspn(equal + 1, " \t") : NULL;
	struct pit_origin *to;

	if (*line == '#' || *line == ';')
		return;
	if (equal)
		*equal = '\0';
	for (size_t len = strlen(line); len && (line[len - 1] == ' ' || line[len - 1] == '\t');)
		line[--len] = '\0';
	if (!*line || !is_meant(line, key))
		return;
	if (!value) {
		w->excluded |= *line == '-' && !is_glob(line);
		return;
	}
	to = is_glob(line) ? &w->glob : &w->exact;
	snprintf(to->file, sizeof(to->file), "%s", file);
	snprintf(to->value, sizeof(to->value), "%s", value);
	to->line = number;
}

/* /etc/sysctl.d/99-sysctl.conf is a link to the file that people know. */
static const char *known_name(struct pit_root *root, const char *file)
{
	const char *target;

	if (!pit_root_link(root, &target, "%s", file) && !strcmp(target, "../sysctl.conf"))
		return "/etc/sysctl.conf";
	return file;
}

static void scan_file(struct pit_root *root, const char *file, const char *key, struct winners *w)
{
	struct pit_text text;
	char line[1024];
	const char *at;

	if (pit_root_read(root, &text, "%s", file))
		return;
	file = known_name(root, file);
	at = text.data;
	for (int number = 1; pit_conf_line(&at, line, sizeof(line)); number++)
		take_line(line, file, number, key, w);
}

/* systemd-sysctl reads sysctl.d only; procps reads sysctl.conf behind it. */
static bool has_systemd(struct pit_root *root)
{
	return !pit_root_exists(root, "/usr/lib/systemd/systemd-sysctl") ||
	       !pit_root_exists(root, "/lib/systemd/systemd-sysctl");
}

static void find_file(struct pit_root *root, const char *key, const char *after, struct pit_origin *ret)
{
	pit_auto_strv struct pit_strv files = {0};
	struct winners w = {0};

	if (pit_conf_files(root, dirs, ".conf", &files))
		return;
	for (size_t i = 0; i < files.count; i++)
		if (!after || strcmp(pit_base_name(files.item[i]), after) > 0)
			scan_file(root, files.item[i], key, &w);
	if (!has_systemd(root))
		scan_file(root, "/etc/sysctl.conf", key, &w);
	if (w.exact.file[0])
		*ret = w.exact;
	else if (!after && !w.excluded)
		*ret = w.glob;
}

/* The last "sysctl.KEY=value" or argument with another name, as it stands there. */
static void find_cmdline(struct pit_root *root, const char *key, char *ret, size_t size)
{
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;
	char name[KEY_MAX];

	if (pit_root_read(root, &text, "/proc/cmdline") || pit_cmdline_parse(text.data, &words))
		return;
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.item[i];

		if (strncmp(word, "sysctl.", 7) != 0 && strncmp(word, "sysctl/", 7) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 7, "="), word + 7);
		if (is_meant(name, key))
			snprintf(ret, size, "%s", word);
	}
	for (size_t i = 0; i < PIT_COUNT(arguments) && !*ret; i++) {
		const char *value =
			strcmp(arguments[i].key, key) ? NULL : pit_cmdline_get(&words, arguments[i].argument);

		if (value)
			snprintf(ret, size, "%s=%s", arguments[i].argument, value);
	}
}

void pit_sysctl_file(struct pit_root *root, const char *key, const char *after, struct pit_origin *ret)
{
	char normal[KEY_MAX];

	*ret = (struct pit_origin){0};
	normalize(key, normal, sizeof(normal));
	find_file(root, normal, after, ret);
}

void pit_tuned_sysctl(struct pit_root *root, const char *key, struct pit_origin *ret)
{
	char normal[KEY_MAX];

	normalize(key, normal, sizeof(normal));
	pit_tuned_find(root, "sysctl", normal, is_meant, ret);
	if (!ret->file[0] && !strncmp(normal, "vm/", 3))
		pit_tuned_find(root, "vm", normal + 3, NULL, ret);
}

int pit_sysctl_origin(struct pit_root *root, const char *key, const char *live, char *ret, size_t size)
{
	struct pit_origin file = {0}, tuned = {0};
	char normal[KEY_MAX], cmdline[256] = "";

	normalize(key, normal, sizeof(normal));
	find_file(root, normal, NULL, &file);
	find_cmdline(root, normal, cmdline, sizeof(cmdline));
	pit_tuned_sysctl(root, key, &tuned);
	return pit_origin_print(&file, &tuned, cmdline, live, ret, size);
}

/* True when the value, as a file has it, is what the kernel shows: the same words, numbers compared as numbers. */
static bool is_live(const char *value, const char *live)
{
	pit_auto_strv struct pit_strv a = {0}, b = {0};
	double x, y;
	bool at_least = *value == '>';

	if (pit_strv_split(&a, value + at_least, " \t\"") || pit_strv_split(&b, live, " \t\n") || a.count != b.count)
		return false;
	for (size_t i = 0; i < a.count; i++) {
		bool numbers = !pit_parse_double(a.item[i], &x) && !pit_parse_double(b.item[i], &y);

		if (numbers ? (at_least ? y < x : y < x || y > x) : strcmp(a.item[i], b.item[i]) != 0)
			return false;
	}
	return true;
}

static void print_tuned(const struct pit_origin *tuned, const char *head, struct pit_buf *out)
{
	pit_buf_printf(out, "%stuned profile %s sets %s (%s:%d)", head, tuned->profile, tuned->value, tuned->file,
		       tuned->line);
}

/* Two setters, or one that is not what the kernel shows. */
static void print_all(const struct pit_origin *file, const struct pit_origin *tuned, const char *live,
		      struct pit_buf *out)
{
	bool file_live = file->file[0] && (!live || is_live(file->value, live));
	bool tuned_live = tuned->file[0] && (!live || is_live(tuned->value, live));

	if (file->file[0] && file_live)
		pit_buf_printf(out, "%s:%d (%s)", file->file, file->line, file->value);
	else if (file->file[0])
		pit_buf_printf(out, "%s:%d sets %s", file->file, file->line, file->value);
	if (tuned->file[0])
		print_tuned(tuned, !file->file[0] ? "" : file_live ? "; " : ", and ", out);
	if (tuned->file[0] && tuned_live && !file_live && file->file[0])
		pit_buf_puts(out, ", which is live");
	if (!file_live && !tuned_live)
		pit_buf_printf(out, ", but %s is live: not applied, or changed since", live);
}

int pit_origin_print(const struct pit_origin *file, const struct pit_origin *tuned, const char *cmdline,
		     const char *live, char *ret, size_t size)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	if (file->file[0] || tuned->file[0])
		print_all(file, tuned, live, &out);
	else if (*cmdline)
		pit_buf_printf(&out, "kernel command line: %s", cmdline);
	if (out.failed)
		return -ENOMEM;
	if (!out.len)
		return -ENOENT;
	snprintf(ret, size, "%s", out.data);
	return 0;
}
