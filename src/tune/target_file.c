/* SPDX-License-Identifier: MIT
 *
 * What lies on disk: configuration files whole, directories, symbolic links.
 */
#include "tune/target.h"

#include <string.h>
#include <sys/stat.h>

#define FILE_MODE 0644

static bool is_absent(int rc)
{
	return rc == -ENOENT || rc == -ENOTDIR;
}

static int copy(const char *text, char **ret, struct pit_error *err)
{
	char *copied = strdup(text);

	if (!copied)
		return pit_fail(err, ENOMEM, "out of memory");
	*ret = copied;
	return 0;
}

static int read_whole(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	struct pit_text text;
	const char *target;
	int rc;

	if (!pit_root_link(root, &target, "%s", cell->object))
		return pit_fail(err, ELOOP, "%s is a link to %.200s", cell->object, target);
	rc = pit_root_read(root, &text, "%s", cell->object);
	if (is_absent(rc)) {
		*ret = NULL;
		return 0;
	}
	if (rc)
		return pit_fail(err, -rc, "%s: %s", cell->object, strerror(-rc));
	if (memchr(text.data, '\0', text.len))
		return pit_fail(err, EBADMSG, "%s is no text: it holds a NUL byte", cell->object);
	return copy(text.data, ret, err);
}

static int write_whole(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	return pit_place_store(place, cell->object, value, FILE_MODE, err);
}

static void remove_line(const struct pit_cell *cell, const char *command, struct pit_buf *out)
{
	pit_buf_printf(out, "%s ", command);
	pit_shell_quote(cell->object, out);
	pit_buf_putc(out, '\n');
}

/* True when `text` can stand in a here-document that ends with `end`. */
static bool fits_here(const char *text, const char *end)
{
	size_t len = strlen(end);

	for (const char *line = text; *line;) {
		const char *newline = strchr(line, '\n');

		if (!newline || (newline == line + len && !strncmp(line, end, len)))
			return false;
		line = newline + 1;
	}
	return *text;
}

static void shell_whole(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	static const char end[] = "PITCREW_END";
	bool here = value && fits_here(value, end);

	if (!value) {
		remove_line(cell, "rm -f", out);
		return;
	}
	pit_buf_puts(out, here ? "cat > " : "printf %s ");
	if (!here) {
		pit_shell_quote(value, out);
		pit_buf_puts(out, " > ");
	}
	pit_shell_quote(cell->object, out);
	if (here)
		pit_buf_printf(out, " << '%s'\n%s%s", end, value, end);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_file = {
	.name = "file",
	.read = read_whole,
	.write = write_whole,
	.shell = shell_whole,
};

static int read_dir(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	struct pit_stat st;
	int rc = pit_root_stat(root, &st, "%s", cell->object);

	if (is_absent(rc)) {
		*ret = NULL;
		return 0;
	}
	if (rc)
		return pit_fail(err, -rc, "%s: %s", cell->object, strerror(-rc));
	if (!S_ISDIR(st.mode))
		return pit_fail(err, ENOTDIR, "%s is there and is no directory", cell->object);
	return copy("present", ret, err);
}

static int write_dir(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	if (value && strcmp(value, "present") != 0)
		return pit_fail(err, EINVAL, "%s: a directory is present or absent, not '%.40s'", cell->object, value);
	return pit_place_mkdir(place, cell->object, value, err);
}

static void shell_dir(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	remove_line(cell, value ? "mkdir -p -m 0755" : "rmdir", out);
}

const struct pit_target pit_target_dir = {
	.name = "dir",
	.read = read_dir,
	.write = write_dir,
	.shell = shell_dir,
};

static int read_link(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	const char *target;
	int rc = pit_root_link(root, &target, "%s", cell->object);

	if (is_absent(rc)) {
		*ret = NULL;
		return 0;
	}
	if (rc == -ENOLINK)
		return pit_fail(err, EEXIST, "%s is there and is no link", cell->object);
	if (rc)
		return pit_fail(err, -rc, "%s: %s", cell->object, strerror(-rc));
	return copy(target, ret, err);
}

static int write_link(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	return pit_place_symlink(place, cell->object, value, err);
}

static void shell_link(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	if (!value) {
		remove_line(cell, "rm -f", out);
		return;
	}
	pit_buf_puts(out, "ln -sfn ");
	pit_shell_quote(value, out);
	pit_buf_putc(out, ' ');
	pit_shell_quote(cell->object, out);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_link = {
	.name = "link",
	.read = read_link,
	.write = write_link,
	.shell = shell_link,
};
