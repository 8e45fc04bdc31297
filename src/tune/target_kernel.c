/* SPDX-License-Identifier: MIT
 *
 * Values of the running kernel: sysctl keys, files under /sys and /proc/irq, and the dirty limits, of which the kernel
 * has two keys each.
 */
#include "tune/target.h"

#include <string.h>

/* The file of a sysctl key; a key whose first separator is a slash is a path already. */
static int sysctl_path(const char *key, char *path, size_t size, struct pit_error *err)
{
	bool dotted = key[strcspn(key, "./")] == '.';
	int n = snprintf(path, size, "/proc/sys/%s", key);

	if (n >= (int)size || strstr(key, "..") || *key == '/' || *key == '.')
		return pit_fail(err, EINVAL, "'%.80s' is no sysctl key", key);
	for (char *c = path + strlen("/proc/sys/"); dotted && *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return 0;
}

static int read_file(struct pit_root *root, const char *path, enum pit_value_kind kind, char **ret,
		     struct pit_error *err)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_text text;
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s: %s", path, strerror(-rc));
	rc = pit_value_canon(kind, text.data, &out, err);
	if (rc)
		return pit_wrap(err, rc, "%s", path);
	if (kind == PIT_VALUE_TEXT && out.len && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0'; /* the kernel's end of line is no part of the value */
	*ret = pit_buf_take(&out);
	return *ret ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

/* With a newline: an empty list would otherwise be a write of nothing. */
static int poke(struct pit_place *place, const char *path, const char *value, struct pit_error *err)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	if (!value)
		return pit_fail(err, EINVAL, "%s cannot be taken away from the kernel", path);
	pit_buf_printf(&line, "%s\n", value);
	if (line.failed)
		return pit_fail(err, ENOMEM, "out of memory");
	return pit_place_poke(place, path, line.data, err);
}

static int read_sysctl(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	char path[512];
	int rc = sysctl_path(cell->object, path, sizeof(path), err);

	return rc ? rc : read_file(root, path, cell->kind, ret, err);
}

static int write_sysctl(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	char path[512];
	int rc = sysctl_path(cell->object, path, sizeof(path), err);

	return rc ? rc : poke(place, path, value, err);
}

static void sysctl_line(const char *key, const char *value, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf word = PIT_BUF_INIT;

	pit_buf_printf(&word, "%s=%s", key, value);
	out->failed |= word.failed;
	pit_buf_puts(out, "sysctl -w ");
	pit_shell_quote(word.data, out);
	pit_buf_putc(out, '\n');
}

static void shell_sysctl(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	sysctl_line(cell->object, value, out);
}

const struct pit_target pit_target_sysctl = {
	.name = "sysctl",
	.runtime = true,
	.read = read_sysctl,
	.write = write_sysctl,
	.shell = shell_sysctl,
};

static int read_kernel(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	return read_file(root, cell->object, cell->kind, ret, err);
}

static int write_kernel(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	return poke(place, cell->object, value, err);
}

static void shell_kernel(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	bool plain = *value && !strpbrk(value, "\\\n") && !(*value == '-' && strchr("neE", value[1]));

	pit_buf_puts(out, plain ? "echo " : "printf '%s\\n' ");
	pit_shell_quote(value, out);
	pit_buf_puts(out, " > ");
	pit_shell_quote(cell->object, out);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_kernel = {
	.name = "kernel",
	.runtime = true,
	.read = read_kernel,
	.write = write_kernel,
	.shell = shell_kernel,
};

static int read_key(struct pit_root *root, const char *key, const char *unit, char **ret, struct pit_error *err)
{
	char path[512], name[128];
	int rc;

	snprintf(name, sizeof(name), "%.100s_%s", key, unit);
	rc = sysctl_path(name, path, sizeof(path), err);
	return rc ? rc : read_file(root, path, PIT_VALUE_INT, ret, err);
}

/* Bytes when these are set, as the kernel does it; else the share of memory. */
static int read_dirty(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	pit_auto_free char *bytes = NULL, *ratio = NULL;
	int rc = read_key(root, cell->object, "bytes", &bytes, err);

	rc = rc ? rc : read_key(root, cell->object, "ratio", &ratio, err);
	if (rc)
		return rc;
	if (strcmp(bytes, "0") != 0) {
		*ret = pit_take(bytes);
		return 0;
	}
	return asprintf(ret, "%s%%", ratio) < 0 ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

/* The keys to write, in their order, for a value: "20%" or bytes. Returns how many; 0: it is no such value.
 * Writing a ratio that the kernel already holds changes nothing, and it holds 0 while bytes are set: so 1 comes before
 * 0. Bytes of 0 are never written, the kernel refuses them. */
static size_t dirty_lines(const char *object, const char *value, char key[64], char number[2][32])
{
	size_t len = value ? strlen(value) : 0, digits = value ? strspn(value, "0123456789") : 0;
	bool ratio = len && value[len - 1] == '%';
	bool zero = value && strspn(value, "0") == digits;

	if (!digits || digits != len - ratio || digits > 20 || (zero && !ratio))
		return 0;
	snprintf(key, 64, "%.40s_%s", object, ratio ? "ratio" : "bytes");
	if (zero)
		snprintf(number[0], 32, "1");
	snprintf(number[zero], 32, "%.*s", (int)digits, value);
	return zero ? 2 : 1;
}

static int write_dirty(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	char key[64], number[2][32], path[512];
	size_t n = dirty_lines(cell->object, value, key, number);
	int rc;

	if (!n)
		return pit_fail(err, EINVAL, "%s: '%.40s' is neither a share such as 20%% nor a number of bytes",
				cell->object, value ? value : "");
	rc = sysctl_path(key, path, sizeof(path), err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = poke(place, path, number[i], err);
	return rc;
}

static void shell_dirty(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	char key[64], number[2][32];
	size_t n = dirty_lines(cell->object, value, key, number);

	for (size_t i = 0; i < n; i++)
		sysctl_line(key, number[i], out);
}

const struct pit_target pit_target_dirty = {
	.name = "dirty",
	.runtime = true,
	.read = read_dirty,
	.write = write_dirty,
	.shell = shell_dirty,
};
